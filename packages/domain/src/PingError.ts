/**
 * The typed errors that a homeserver answers a ping with.
 *
 * `_tag` is the spec's own errcode, so one thing has one name: `Effect.catchTag("M_BAD_STATUS", (e) => e.status)`.
 * On the wire there is no `_tag`: it travels as `errcode`, and the HTTP status is outside the body.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import * as Millis from "./internal/millis.ts"

const Text = Schema.optionalKey(Schema.String.annotate({ description: "What went wrong, for a person." }))

const describe = (errcode: string, text: string | undefined): string =>
  text === undefined ? errcode : `${errcode}: ${text}`

/**
 * 400: the body is an object of the wrong shape, or no object (C6).
 *
 * @category errors
 * @since 0.1.0
 */
export class BadJson extends Schema.TaggedError<BadJson>("@appservice-ping/domain/PingError/BadJson")("M_BAD_JSON", {
  error: Text
}) {
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 502: the appservice answered, but not with a 2xx status (C10).
 *
 * **Details**
 *
 * `status` is the appservice's status and `body` the start of its answer; the spec lets a homeserver leave out both.
 *
 * @category errors
 * @since 0.1.0
 */
export class BadStatus
  extends Schema.TaggedError<BadStatus>("@appservice-ping/domain/PingError/BadStatus")("M_BAD_STATUS", {
    error: Text,
    status: Schema.optionalKey(Schema.Int.annotate({ description: "The HTTP status the appservice answered with." })),
    body: Schema.optionalKey(Schema.String.annotate({ description: "The start of what the appservice answered." }))
  })
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 502: the homeserver's connection to the appservice failed (C11).
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionFailed
  extends Schema.TaggedError<ConnectionFailed>("@appservice-ping/domain/PingError/ConnectionFailed")(
    "M_CONNECTION_FAILED",
    { error: Text }
  )
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 504: the appservice did not answer the homeserver in time (C12).
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionTimeout
  extends Schema.TaggedError<ConnectionTimeout>("@appservice-ping/domain/PingError/ConnectionTimeout")(
    "M_CONNECTION_TIMEOUT",
    { error: Text }
  )
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 403: the token is not the `as_token` of the appservice in the path (C4, C5); 403 from an appservice: the
 * `hs_token` is wrong (A2).
 *
 * @category errors
 * @since 0.1.0
 */
export class Forbidden
  extends Schema.TaggedError<Forbidden>("@appservice-ping/domain/PingError/Forbidden")("M_FORBIDDEN", { error: Text })
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 429: too many pings (C18).
 *
 * **Details**
 *
 * `retryAfter` is how long to wait. On the wire it is the `Retry-After` header and the deprecated `retry_after_ms`.
 *
 * @category errors
 * @since 0.1.0
 */
export class LimitExceeded
  extends Schema.TaggedError<LimitExceeded>("@appservice-ping/domain/PingError/LimitExceeded")("M_LIMIT_EXCEEDED", {
    error: Text,
    retryAfter: Schema.optionalKey(Millis.Millis)
  })
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 401: the request has no token (C2, A3).
 *
 * @category errors
 * @since 0.1.0
 */
export class MissingToken
  extends Schema.TaggedError<MissingToken>("@appservice-ping/domain/PingError/MissingToken")("M_MISSING_TOKEN", {
    error: Text
  })
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 400: the body is empty or not JSON (C6).
 *
 * @category errors
 * @since 0.1.0
 */
export class NotJson
  extends Schema.TaggedError<NotJson>("@appservice-ping/domain/PingError/NotJson")("M_NOT_JSON", { error: Text })
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 401: the homeserver does not know the token (C3).
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownToken
  extends Schema.TaggedError<UnknownToken>("@appservice-ping/domain/PingError/UnknownToken")("M_UNKNOWN_TOKEN", {
    error: Text,
    soft_logout: Schema.optionalKey(Schema.Boolean)
  })
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 404 or 405: the server has no such endpoint, or not with this method (C16, A6).
 *
 * @category errors
 * @since 0.1.0
 */
export class Unrecognized
  extends Schema.TaggedError<Unrecognized>("@appservice-ping/domain/PingError/Unrecognized")("M_UNRECOGNIZED", {
    error: Text
  })
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * 400: the registration has no `url`, so there is nothing to ping (C8).
 *
 * @category errors
 * @since 0.1.0
 */
export class UrlNotSet
  extends Schema.TaggedError<UrlNotSet>("@appservice-ping/domain/PingError/UrlNotSet")("M_URL_NOT_SET", { error: Text })
{
  override get message(): string {
    return describe(this._tag, this.error)
  }
}

/**
 * A Matrix error with an errcode outside the ping's own: `M_UNKNOWN`, `M_USER_LOCKED`, `COM.EXAMPLE_X` (C19).
 *
 * **Details**
 *
 * Keeps the errcode and the HTTP status it came with.
 *
 * @category errors
 * @since 0.1.0
 */
export class OtherErrcode
  extends Schema.TaggedError<OtherErrcode>("@appservice-ping/domain/PingError/OtherErrcode")("OtherErrcode", {
    errcode: Schema.String,
    status: Schema.Int,
    error: Text,
    retryAfter: Schema.optionalKey(Millis.Millis)
  })
{
  override get message(): string {
    return describe(this.errcode, this.error)
  }
}

/**
 * Schema for every error a homeserver answers a ping with, in memory.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PingError = Schema.Union([
  BadJson,
  BadStatus,
  ConnectionFailed,
  ConnectionTimeout,
  Forbidden,
  LimitExceeded,
  MissingToken,
  NotJson,
  OtherErrcode,
  UnknownToken,
  Unrecognized,
  UrlNotSet
])

/**
 * Every error a homeserver answers a ping with.
 *
 * @category errors
 * @since 0.1.0
 */
export type PingError = typeof PingError.Type
