/** Telling a timer that ran out while connecting from one that ran out later. */
import { Predicate } from "effect"

const depthMax = 8

/**
 * Tells whether an HTTP client's timeout struck before there was a connection, so that the homeserver cannot have had
 * the request. In doubt it did not: a verdict must not be claimed where there may be another one.
 */
export const isConnectTimeout = (error: unknown, depth: number = 0): boolean => {
  if (depth >= depthMax) return false
  if (Predicate.hasProperty(error, "code") && error.code === "UND_ERR_CONNECT_TIMEOUT") return true
  if (Predicate.hasProperty(error, "syscall") && error.syscall === "connect") return true
  // Two addresses, both tried in vain.
  if (Predicate.hasProperty(error, "errors") && Array.isArray(error.errors)) {
    return error.errors.length > 0 && error.errors.slice(0, depthMax).every((one) => isConnectTimeout(one, depth + 1))
  }
  return Predicate.hasProperty(error, "cause") && isConnectTimeout(error.cause, depth + 1)
}
