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
 * Checks whether an HTTP client failed before there was a connection, so that the homeserver cannot have had the
 * request. In doubt it did have it: a verdict must not be claimed where there may be another one.
 */
export const isConnecting = (error: unknown): boolean =>
  someCause(error, (cause) =>
    (Predicate.hasProperty(cause, "code") && cause.code === "UND_ERR_CONNECT_TIMEOUT") ||
    (Predicate.hasProperty(cause, "syscall") && cause.syscall === "connect"))

const alert = 0x15

/**
 * Checks whether an alert of TLS came in place of an answer: a port that speaks TLS refuses what is no TLS, and nobody
 * behind it reads a request. Whatever else does not start as HTTP came from something that had read the request.
 */
export const isTlsAlert = (error: unknown): boolean =>
  someCause(error, (cause) => {
    const first = Predicate.hasProperty(cause, "rawPacket") && Predicate.isUint8Array(cause.rawPacket)
      ? cause.rawPacket[0]
      : Predicate.hasProperty(cause, "data") && typeof cause.data === "string"
      ? cause.data.charCodeAt(0)
      : undefined
    return first === alert
  })

/** Whether a request got as far as its sending: its URL and its body were in order. */
export const isSendable = ({ reason }: HttpClientError): boolean =>
  reason._tag !== "InvalidUrlError" && reason._tag !== "EncodeError"

/** Whether the head of an answer came, so that what listens there had the request. */
export const hasAnswered = ({ reason }: HttpClientError): boolean =>
  reason._tag === "DecodeError" || reason._tag === "StatusCodeError" || reason._tag === "EmptyBodyError"
