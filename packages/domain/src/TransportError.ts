/**
 * The errors of a client that got no Matrix answer from the homeserver.
 *
 * @since 0.1.0
 */
import { Duration, Schema } from "effect"
import { ConnectionFailure } from "./ConnectionFailure.ts"
import * as Millis from "./internal/millis.ts"

/**
 * The homeserver could not be reached, so it cannot have had the request.
 *
 * **Details**
 *
 * `url` is the endpoint without userinfo and query string (D8); `failure` says why: the name, the connection or TLS
 * failed, or what listens there answered with bytes that are no HTTP at all.
 *
 * @see {@link Undecided} for a connection that broke after the request could have been sent
 *
 * @category errors
 * @since 0.1.0
 */
export class HomeserverUnreachable
  extends Schema.TaggedError<HomeserverUnreachable>("@appservice-ping/domain/TransportError/HomeserverUnreachable")(
    "HomeserverUnreachable",
    { url: Schema.String, failure: ConnectionFailure }
  )
{
  override get message(): string {
    return `The homeserver could not be reached at ${this.url}: ${this.failure.text}`
  }
}

/** A measured time has more digits than anybody reads. */
const wholeMillis = (duration: Duration.Duration): string =>
  Duration.format(Duration.millis(Millis.wholeMillis(Duration.toMillis(duration))))

/**
 * The homeserver may have had the request, and its verdict did not arrive: the ping is neither confirmed nor failed.
 *
 * **Details**
 *
 * Without `failure` there was no answer within `after`, the client's own deadline. It should be longer than the
 * homeserver's own, or it hides the homeserver's verdict. With `failure` the connection broke `after` that long, once
 * the request could have been sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class Undecided extends Schema.TaggedError<Undecided>("@appservice-ping/domain/TransportError/Undecided")(
  "Undecided",
  { url: Schema.String, after: Millis.Millis, failure: Schema.optionalKey(ConnectionFailure) }
) {
  override get message(): string {
    return this.failure === undefined
      ? `${this.url} gave no answer within ${wholeMillis(this.after)}: the ping is undecided, not failed`
      : `No answer came from ${this.url}, for ${this.failure.text}: the ping is undecided, it may or may not have arrived`
  }
}

/**
 * Something answered that is not a homeserver: a proxy's page, another service, a redirect.
 *
 * **Details**
 *
 * `body` is the start of what it answered, without the token the request carried; `location` is the target of a
 * redirect, which is never followed, without userinfo and query string.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotHomeserver
  extends Schema.TaggedError<NotHomeserver>("@appservice-ping/domain/TransportError/NotHomeserver")("NotHomeserver", {
    url: Schema.String,
    status: Schema.Int,
    contentType: Schema.optionalKey(Schema.String),
    location: Schema.optionalKey(Schema.String),
    body: Schema.String,
    retryAfter: Schema.optionalKey(Millis.Millis)
  })
{
  override get message(): string {
    return `${this.url} answered ${this.status}, but not as a homeserver does`
  }
}

/**
 * Schema for every error of a client that got no Matrix answer.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TransportError = Schema.Union([HomeserverUnreachable, NotHomeserver, Undecided])

/**
 * Every error of a client that got no Matrix answer.
 *
 * @category errors
 * @since 0.1.0
 */
export type TransportError = typeof TransportError.Type
