/**
 * An HTTP exchange as plain data: what every mount point turns its own request into.
 *
 * @since 0.1.0
 */
import { type Answer, fromError } from "@appservice-ping/domain/Answer"
import { OtherErrcode } from "@appservice-ping/domain/PingError"
import { Data, type Effect } from "effect"

/**
 * Why the body of a request could not be read: it is over the limit, or the client went away.
 *
 * @category errors
 * @since 0.1.0
 */
export class BodyError extends Data.TaggedError("BodyError")<{ readonly reason: "TooLarge" | "Aborted" }> {}

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
