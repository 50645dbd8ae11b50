import type { Answer } from "@appservice-ping/domain/Answer"
import { BodyError, type Handler, type ServerRequest } from "@appservice-ping/server/Exchange"
import { Effect } from "effect"

export interface RequestOptions {
  readonly method?: string
  readonly target?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  /** The body, or why it cannot be read, or how it is. */
  readonly body?: string | Uint8Array | BodyError | Effect.Effect<Uint8Array, BodyError>
}

/** A client says how long a body is that it has as a whole. */
const lengthOf = (body: NonNullable<RequestOptions["body"]>): Readonly<Record<string, string>> =>
  typeof body === "string" || body instanceof Uint8Array ? { "content-length": String(Buffer.byteLength(body)) } : {}

/** A request as data, and how often its body was read. */
export const request = (options: RequestOptions = {}): ServerRequest & { readonly bodyReads: () => number } => {
  const headers: Readonly<Record<string, string>> = {
    ...options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
    ...lengthOf(options.body ?? "{}"),
    ...options.headers
  }
  let reads = 0
  return {
    method: options.method ?? "POST",
    target: options.target ?? "/_matrix/client/v1/appservice/telegram/ping",
    header: (name) => headers[name],
    bodyReads: () => reads,
    body: (maxBytes) =>
      Effect.suspend(() => {
        reads++
        const body = options.body ?? "{}"
        if (body instanceof BodyError) return Effect.fail(body)
        if (Effect.isEffect(body)) return body
        const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
        return bytes.length > maxBytes ? Effect.fail(new BodyError({ reason: "TooLarge" })) : Effect.succeed(bytes)
      })
  }
}

/** Status, errcode and body of an answer. */
export const summary = (
  answer: Answer
): { readonly status: number; readonly errcode: unknown; readonly body: unknown } => {
  const body: unknown = answer.body === "" ? undefined : JSON.parse(answer.body)
  const errcode = typeof body === "object" && body !== null && "errcode" in body ? body.errcode : undefined
  return { status: answer.status, errcode, body }
}

/** Asks a handler, and sums its answer up. */
export const ask = (handle: Handler, options: RequestOptions = {}) => Effect.map(handle(request(options)), summary)
