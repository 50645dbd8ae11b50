/** How long a peer asks to wait. */
import { Duration, Predicate } from "effect"

/** The `Retry-After` of an error, also of the homeserver's error in that of a verified ping (C18). */
export const retryAfterOf = (error: unknown): Duration.Duration | undefined => {
  if (Predicate.hasProperty(error, "retryAfter") && Duration.isDuration(error.retryAfter)) return error.retryAfter
  const inner = Predicate.hasProperty(error, "error") ? error.error : undefined
  return Predicate.hasProperty(inner, "retryAfter") && Duration.isDuration(inner.retryAfter)
    ? inner.retryAfter
    : undefined
}
