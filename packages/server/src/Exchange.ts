/**
 * An HTTP exchange as plain data: what every mount point turns its own request into.
 *
 * @since 0.1.0
 */
import { type Answer, fromError } from "@appservice-ping/domain/Answer"
import { OtherErrcode } from "@appservice-ping/domain/PingError"
import { Cause, Data, Effect, Predicate } from "effect"

/**
 * Why the body of a request could not be read: it is over the limit, the client went away, or it took too long.
 *
 * @category errors
 * @since 0.1.0
 */
export class BodyError extends Data.TaggedError("BodyError")<{ readonly reason: "TooLarge" | "Aborted" | "TooSlow" }> {}

/**
 * A request, its body still unread: nothing is parsed for a stranger (D5).
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerRequest {
  /** The method as it was sent; `get` is not `GET`. */
  readonly method: string
  /** The request target as it was sent: path and query, still percent-encoded. */
  readonly target: string
  /** Looks up a header by its lower-case name. */
  readonly header: (name: string) => string | undefined
  /** Reads the body, at most `maxBytes` of it. */
  readonly body: (maxBytes: number) => Effect.Effect<Uint8Array, BodyError>
}

/**
 * Answers any request; it has no error channel, because on the wire every error is an answer.
 *
 * @category models
 * @since 0.1.0
 */
export type Handler = (request: ServerRequest) => Effect.Effect<Answer>

/**
 * The answer to a request whose body is over the limit (C33); the rest of it is not worth reading.
 *
 * @category constants
 * @since 0.1.0
 */
export const tooLarge: Answer = {
  ...fromError(new OtherErrcode({ errcode: "M_TOO_LARGE", status: 413, error: "The request body is too large" })),
  headers: { "content-type": "application/json", connection: "close" }
}

/**
 * The answer to a request that failed for an unforeseen reason (C33).
 *
 * @category constants
 * @since 0.1.0
 */
export const internalError: Answer = fromError(
  new OtherErrcode({ errcode: "M_UNKNOWN", status: 500, error: "Internal server error" })
)

/** Framing and hop-by-hop headers (RFC 9110, 7.6.1): how an answer is carried is decided where it is carried. */
const ofTheEdge: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const hasNoBody = (status: number): boolean => status === 204 || status === 205 || status === 304

const headerName = /^[!#$%&'*+.^_`|~\w-]+$/

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

const sendableHeaders = (given: object): Answer["headers"] | undefined => {
  const headers: Record<string, string> = {}
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    const name = key.toLowerCase()
    if (typeof value !== "string" || !headerName.test(name) || !headerValue.test(value)) return undefined
    if (name === "connection" && value.toLowerCase() === "close") headers[name] = "close"
    else if (!ofTheEdge.has(name)) headers[name] = value
  }
  return headers
}

/**
 * Reads what a handler gave as an answer that can be sent; `undefined` where it is none (C33).
 *
 * **Details**
 *
 * A status is a whole number from 200 to 599, because an informational one ends no exchange. A header with a line end,
 * or with a character that is not Latin-1, would be another header, or none. Framing and hop-by-hop headers are left
 * out: the carrier of the answer writes its own. Of `Connection` only `close` remains, by which a handler ends the
 * connection after its answer.
 *
 * @category getters
 * @since 0.1.0
 */
export const sendable = (given: unknown): Answer | undefined => {
  if (!Predicate.isObject(given)) return undefined
  const { body, headers, status } = given
  if (
    typeof status !== "number" || !Number.isInteger(status) || status < 200 || status > 599 ||
    typeof body !== "string" || !Predicate.isObject(headers)
  ) return undefined
  const own = sendableHeaders(headers)
  return own === undefined ? undefined : { status, headers: own, body: hasNoBody(status) ? "" : body }
}

/**
 * Makes a handler that always gives an answer that can be sent (C33), for whatever carries answers.
 *
 * **Details**
 *
 * What is no {@link sendable} answer, and a handler that throws or dies, become `500 M_UNKNOWN` with the given headers,
 * are logged, and end the connection. An interruption stays one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const total = (handle: Handler, headers: Answer["headers"] = {}): Handler => {
  const failed: Answer = { ...internalError, headers: { ...internalError.headers, ...headers, connection: "close" } }
  const checked = (given: unknown): Effect.Effect<Answer> => {
    const answer = sendable(given)
    return answer === undefined
      ? Effect.as(Effect.logError("A handler gave an answer that cannot be sent"), failed)
      : Effect.succeed(answer)
  }
  return (request) =>
    Effect.suspend(() => {
      const answer = handle(request)
      return Effect.isEffect(answer) ? Effect.flatMap(answer, checked) : checked(undefined)
    }).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause)
          : Effect.as(Effect.logError("A request failed for a reason nobody foresaw", cause), failed)
      )
    )
}

const origin = /^https?:\/\/[^/?#]*/i

/**
 * Serves a handler under a path, that of a registration's `url` (A8).
 *
 * **Details**
 *
 * Requests under the path lose it. For all others the handler knows no endpoint, unless `elsewhere` answers them: a
 * proxy in front may have taken the path off already.
 *
 * @category combinators
 * @since 0.1.0
 */
export const under = (
  base: string,
  handle: Handler,
  elsewhere: Handler = (request) => handle({ ...request, target: "/" })
): Handler => {
  const path = base.replace(/\/+$/, "")
  if (path === "") return handle
  return (request) => {
    const target = request.target.replace(origin, "")
    return target.startsWith(`${path}/`)
      ? handle({ ...request, target: target.slice(path.length) })
      : elsewhere(request)
  }
}
