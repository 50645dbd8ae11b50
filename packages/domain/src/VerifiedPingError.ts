/**
 * What only a ping can find out whose arrival is watched: that the homeserver's answer does not fit what arrived.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import * as Millis from "./internal/millis.ts"
import { PingError } from "./PingError.ts"
import { TransportError } from "./TransportError.ts"

/**
 * The homeserver says that the ping succeeded, and it did not arrive here: something else answers at the url.
 *
 * **Details**
 *
 * `url` is the registration's, as far as it is known here, without userinfo and query string (D8). `duration_ms` is
 * what the homeserver measured, and `settleTime` how long the arrival was waited for after its answer.
 *
 * @category errors
 * @since 0.1.0
 */
export class AnsweredElsewhere
  extends Schema.TaggedError<AnsweredElsewhere>("@appservice-ping/domain/VerifiedPingError/AnsweredElsewhere")(
    "AnsweredElsewhere",
    { url: Schema.optionalKey(Schema.String), duration_ms: Schema.Int, settleTime: Millis.Millis }
  )
{
  override get message(): string {
    return `The homeserver says that the ping succeeded, but it did not arrive here: something else answers at ${
      this.url ?? "the url of its registration"
    }`
  }
}

/**
 * The ping arrived here, and the homeserver says that it failed, or nothing at all: the way back is broken.
 *
 * **Details**
 *
 * `error` is what the homeserver said, or why no answer of it came.
 *
 * @category errors
 * @since 0.1.0
 */
export class SeenButFailed
  extends Schema.TaggedError<SeenButFailed>("@appservice-ping/domain/VerifiedPingError/SeenButFailed")(
    "SeenButFailed",
    {
      error: Schema.Union([PingError, TransportError])
    }
  )
{
  override get message(): string {
    return `The ping arrived here, but the homeserver does not confirm it: ${this.error.message}`
  }
}

/**
 * As many verified pings are under way as may be at once; this one was not sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class TooManyPending
  extends Schema.TaggedError<TooManyPending>("@appservice-ping/domain/VerifiedPingError/TooManyPending")(
    "TooManyPending",
    { maxPending: Schema.Int }
  )
{
  override get message(): string {
    return `The ping was not sent: ${this.maxPending} pings are under way, and no more may be at once`
  }
}

/**
 * Schema for every error that only a verified ping has.
 *
 * @category schemas
 * @since 0.1.0
 */
export const VerifiedPingError = Schema.Union([AnsweredElsewhere, SeenButFailed, TooManyPending])

/**
 * Every error that only a verified ping has.
 *
 * @category errors
 * @since 0.1.0
 */
export type VerifiedPingError = typeof VerifiedPingError.Type
