/** How far a request got before its exchange failed. */
import { Predicate } from "effect"
import type { HttpClientError } from "effect/http/HttpClientError"

const depthMax = 8

/** Whether an error, or what caused it, is of a kind; of two addresses that were tried, both must be. */
const someCause = (error: unknown, test: (error: unknown) => boolean, depth: number = 0): boolean => {
  if (depth >= depthMax) return false
  if (test(error)) return true
  if (Predicate.hasProperty(error, "errors") && Array.isArray(error.errors)) {
    const { errors } = error
    return errors.length > 0 && errors.slice(0, depthMax).every((one) => someCause(one, test, depth + 1))
  }
  return Predicate.hasProperty(error, "cause") && someCause(error.cause, test, depth + 1)
}

/**
 * Tells whether an HTTP client failed before there was a connection, so that the homeserver cannot have had the
 * request. In doubt it did have it: a verdict must not be claimed where there may be another one.
 */
export const isConnecting = (error: unknown): boolean =>
  someCause(error, (cause) =>
    (Predicate.hasProperty(cause, "code") && cause.code === "UND_ERR_CONNECT_TIMEOUT") ||
    (Predicate.hasProperty(cause, "syscall") && cause.syscall === "connect"))

/**
 * Tells whether what came in place of an answer does not even start as one, so that no homeserver listens there. Bad
 * HTTP, such as a header that is too large, is the broken answer of a server that may have had the request.
 */
export const isNotHttp = (error: unknown): boolean =>
  someCause(error, (cause) =>
    (Predicate.hasProperty(cause, "code") && cause.code === "HPE_INVALID_CONSTANT") ||
    // The parser error of undici has no code; its text is the parser's own and quotes nothing.
    (Predicate.hasProperty(cause, "message") && typeof cause.message === "string" &&
      cause.message.includes("(Expected HTTP/")))

/** Whether a request got as far as its sending: its URL and its body were in order. */
export const isSendable = ({ reason }: HttpClientError): boolean =>
  reason._tag !== "InvalidUrlError" && reason._tag !== "EncodeError"

/** Whether the head of an answer came, so that what listens there had the request. */
export const hasAnswered = ({ reason }: HttpClientError): boolean =>
  reason._tag === "DecodeError" || reason._tag === "StatusCodeError" || reason._tag === "EmptyBodyError"
