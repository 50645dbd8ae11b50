/**
 * The wire form of an answer to a ping: HTTP status, a few headers, and a JSON body.
 *
 * Both directions are pure functions on data: a server renders its typed errors with {@link fromError}, a client
 * reads any homeserver's answer, in any peer's dialect, with {@link decode}.
 *
 * @since 0.1.0
 */
import { Duration, Predicate, Record, type Redacted, Result, Schema, SchemaTransformation } from "effect"
import { HttpApiSchema } from "effect/http-api"
import * as AppserviceUrl from "./AppserviceUrl.ts"
import * as ForeignText from "./internal/foreignText.ts"
import * as Millis from "./internal/millis.ts"
import * as Json from "./Json.ts"
import * as PingError from "./PingError.ts"
import * as RetryAfter from "./RetryAfter.ts"
import { NotHomeserver } from "./TransportError.ts"

/**
 * An answer as it is on the wire, its body decoded as UTF-8.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  /** The HTTP status. */
  readonly status: number
  /** The headers, by lower-case name. */
  readonly headers: { readonly [name: string]: string | undefined }
  /** The body, or the start of it. */
  readonly body: string
}

/**
 * Schema for the body of a successful ping: the duration of the homeserver's own request, in milliseconds (C9).
 *
 * @category schemas
 * @since 0.1.0
 */
export const PingSuccess = Schema.Struct({
  duration_ms: Schema.Int.annotate({
    description: "How long the homeserver's request to the appservice took, in milliseconds, as the homeserver saw it."
  })
})

/**
 * The body of a successful ping.
 *
 * @category models
 * @since 0.1.0
 */
export type PingSuccess = typeof PingSuccess.Type

/**
 * The HTTP status of each error (C2 to C12, C18).
 *
 * **Details**
 *
 * `M_UNRECOGNIZED` is 404 for an unknown endpoint and 405 for a known one with another method (C16).
 *
 * @category constants
 * @since 0.1.0
 */
export const statuses = {
  M_BAD_JSON: 400,
  M_BAD_STATUS: 502,
  M_CONNECTION_FAILED: 502,
  M_CONNECTION_TIMEOUT: 504,
  M_FORBIDDEN: 403,
  M_LIMIT_EXCEEDED: 429,
  M_MISSING_TOKEN: 401,
  M_NOT_JSON: 400,
  M_UNKNOWN_TOKEN: 401,
  M_UNRECOGNIZED: 404,
  M_URL_NOT_SET: 400
} as const

const errcode = { _tag: "errcode" } as const

/**
 * The wire schemas of the errors, by errcode, each with its HTTP status: what the contracts declare.
 *
 * @category schemas
 * @since 0.1.0
 */
export const wire = {
  M_BAD_JSON: PingError.BadJson.pipe(Schema.encodeKeys(errcode), HttpApiSchema.status(statuses.M_BAD_JSON)),
  M_BAD_STATUS: PingError.BadStatus.pipe(Schema.encodeKeys(errcode), HttpApiSchema.status(statuses.M_BAD_STATUS)),
  M_CONNECTION_FAILED: PingError.ConnectionFailed.pipe(
    Schema.encodeKeys(errcode),
    HttpApiSchema.status(statuses.M_CONNECTION_FAILED)
  ),
  M_CONNECTION_TIMEOUT: PingError.ConnectionTimeout.pipe(
    Schema.encodeKeys(errcode),
    HttpApiSchema.status(statuses.M_CONNECTION_TIMEOUT)
  ),
  M_FORBIDDEN: PingError.Forbidden.pipe(Schema.encodeKeys(errcode), HttpApiSchema.status(statuses.M_FORBIDDEN)),
  M_LIMIT_EXCEEDED: PingError.LimitExceeded.pipe(
    Schema.encodeKeys({ _tag: "errcode", retryAfter: "retry_after_ms" }),
    HttpApiSchema.status(statuses.M_LIMIT_EXCEEDED)
  ),
  M_MISSING_TOKEN: PingError.MissingToken.pipe(
    Schema.encodeKeys(errcode),
    HttpApiSchema.status(statuses.M_MISSING_TOKEN)
  ),
  M_NOT_JSON: PingError.NotJson.pipe(Schema.encodeKeys(errcode), HttpApiSchema.status(statuses.M_NOT_JSON)),
  M_UNKNOWN_TOKEN: PingError.UnknownToken.pipe(
    Schema.encodeKeys(errcode),
    HttpApiSchema.status(statuses.M_UNKNOWN_TOKEN)
  ),
  M_UNRECOGNIZED: PingError.Unrecognized.pipe(
    Schema.encodeKeys(errcode),
    HttpApiSchema.status(statuses.M_UNRECOGNIZED)
  ),
  M_URL_NOT_SET: PingError.UrlNotSet.pipe(Schema.encodeKeys(errcode), HttpApiSchema.status(statuses.M_URL_NOT_SET))
} as const

/**
 * Makes the wire schema of an error that is not one of the ping's own, for a contract that declares it (C19).
 *
 * @category schemas
 * @since 0.1.0
 */
export const otherErrcode = <Errcode extends string>(errcode: Errcode, status: number) =>
  Schema.Struct({ errcode: Schema.Literal(errcode), error: Schema.optionalKey(Schema.String) }).pipe(
    Schema.decodeTo(
      PingError.OtherErrcode,
      SchemaTransformation.transform({
        decode: ({ errcode, error }): typeof PingError.OtherErrcode.Encoded => ({
          _tag: "OtherErrcode",
          errcode,
          status,
          ...(error === undefined ? {} : { error })
        }),
        encode: ({ error }) => ({ errcode, ...(error === undefined ? {} : { error }) })
      })
    ),
    HttpApiSchema.status(status)
  )

type Tag = keyof typeof wire

const isTag = (text: string): text is Tag => Object.hasOwn(wire, text)

const encoders = Record.map(wire, (schema) => Schema.encodeUnknownSync(schema))
const decoders = Record.map(
  wire,
  (schema: Schema.Codec<PingError.PingError, unknown>) => Schema.decodeUnknownResult(schema)
)

/**
 * The options for reading an answer.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadingOptions {
  /** The endpoint that was asked; it is redacted before it reaches an error (D8). */
  readonly url: URL
  /** The time, in milliseconds since the epoch, that a `Retry-After` date is measured from. */
  readonly now: number
  /**
   * Tokens that a peer may have echoed; they are taken out of every text of an error (D8), as is what such a text
   * itself marks as a secret. Default: none.
   */
  readonly tokens?: ReadonlyArray<Redacted.Redacted> | undefined
  /**
   * How long the client waited for the answer: a homeserver's call cannot have taken longer. Default: not known, so that
   * every duration is believed.
   */
  readonly elapsed?: Duration.Duration | undefined
  /** How much of each foreign text an error keeps, in characters. Default: 2048. */
  readonly maxTextLength?: number | undefined
}

/**
 * Renders an error as an answer: status, `Retry-After` where it has one, and a body with `errcode` and `error` (C15).
 *
 * @category encoding
 * @since 0.1.0
 */
export const fromError = (error: PingError.PingError): Answer => {
  const other = error._tag === "OtherErrcode"
  const body = other
    ? { errcode: error.errcode, error: error.error ?? error.errcode }
    // Assigned, so that errcode and error come first for a person who reads the bytes.
    : Object.assign({ errcode: error._tag, error: error._tag }, encoders[error._tag](error))
  const retryAfter = "retryAfter" in error ? error.retryAfter : undefined
  return {
    status: other ? error.status : statuses[error._tag],
    headers: {
      "content-type": "application/json",
      ...(retryAfter === undefined ? {} : { "retry-after": RetryAfter.toHeader(retryAfter) })
    },
    body: JSON.stringify(body)
  }
}

const unstableErrcode = /^FI\.MAU\.MSC2659[._]/

/**
 * Translates an errcode of a peer's dialect to the spec's: the unstable `FI.MAU.MSC2659_*` (C22), and
 * `M_UNAUTHORIZED`, which some homeservers say for a token they do not know.
 */
const canonical = (errcode: string): string =>
  errcode === "M_UNAUTHORIZED" ? "M_UNKNOWN_TOKEN" : errcode.replace(unstableErrcode, "M_")

type Body = { readonly [key: string]: unknown }

const textField = (body: Body, key: string, options: ReadingOptions): { readonly [key: string]: string } => {
  const text = body[key]
  return typeof text === "string" ? { [key]: ForeignText.read(text, options) } : {}
}

const retryAfterOf = (
  answer: Answer,
  body: Body,
  now: number
): { readonly retryAfter?: Duration.Duration } => {
  const header = answer.headers["retry-after"]
  const fromHeader = header === undefined ? undefined : RetryAfter.fromHeader(header, now)
  if (fromHeader !== undefined) return { retryAfter: fromHeader }
  const millis = body["retry_after_ms"]
  // A number that no JSON parser can count is infinite, and becomes the longest time.
  return typeof millis === "number" && !Number.isNaN(millis)
    ? { retryAfter: Duration.millis(Millis.wholeMillis(millis)) }
    : {}
}

/**
 * Reads an errcode's own fields, and drops what has the wrong type: a peer's odd `error` must not hide its errcode.
 */
const matrixError = (
  answer: Answer,
  wireErrcode: string,
  body: Body,
  options: ReadingOptions
): PingError.PingError => {
  const tag = canonical(wireErrcode)
  const error = textField(body, "error", options)
  if (isTag(tag)) {
    const retryAfter = tag === "M_LIMIT_EXCEEDED" ? retryAfterOf(answer, body, options.now).retryAfter : undefined
    const decoded = decoders[tag]({
      errcode: tag,
      ...error,
      ...(tag === "M_BAD_STATUS" ? textField(body, "body", options) : {}),
      ...(tag === "M_BAD_STATUS" && Number.isSafeInteger(body["status"]) ? { status: body["status"] } : {}),
      ...(tag === "M_UNKNOWN_TOKEN" && typeof body["soft_logout"] === "boolean"
        ? { soft_logout: body["soft_logout"] }
        : {}),
      ...(retryAfter === undefined ? {} : { retry_after_ms: Duration.toMillis(retryAfter) })
    })
    if (Result.isSuccess(decoded)) return decoded.success
  }
  return new PingError.OtherErrcode({
    errcode: ForeignText.read(wireErrcode, options),
    status: answer.status,
    ...error,
    ...retryAfterOf(answer, body, options.now)
  })
}

const notHomeserver = (answer: Answer, options: ReadingOptions): NotHomeserver => {
  const { "content-type": contentType, location: target } = answer.headers
  const location = target === undefined ? null : URL.parse(target, options.url)
  return new NotHomeserver({
    url: AppserviceUrl.redact(options.url),
    status: answer.status,
    ...(contentType === undefined ? {} : { contentType: ForeignText.read(contentType, options) }),
    // A `data:` target, or another without a host, would carry its content past the redaction.
    ...(location === null || !AppserviceUrl.isAppserviceUrl(location.href)
      ? {}
      : { location: ForeignText.read(AppserviceUrl.redact(location), options) }),
    body: ForeignText.read(answer.body, options),
    ...retryAfterOf(answer, {}, options.now)
  })
}

/**
 * Reads a homeserver's answer that is no success: the typed error, or {@link NotHomeserver}.
 *
 * **Details**
 *
 * Only a status of 400 and above with an `errcode` is a Matrix error, whatever its Content-Type. The `errcode` decides,
 * not the status (C32), and fields that it should come with may be absent (C31).
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeError = (answer: Answer, options: ReadingOptions): PingError.PingError | NotHomeserver => {
  const body = Json.parse(answer.body)
  return answer.status >= 400 && Predicate.isObject(body) && typeof body["errcode"] === "string"
    ? matrixError(answer, body["errcode"], body, options)
    : notHomeserver(answer, options)
}

/** The two clocks may differ by that much, in milliseconds. */
const tolerance = 1000

/** The duration that a homeserver says, or how long the client waited, where it says more. */
const believed = (millis: number, elapsed: Duration.Duration | undefined): number =>
  elapsed !== undefined && millis > Duration.toMillis(elapsed) + tolerance ? Duration.toMillis(elapsed) : millis

/**
 * Reads a homeserver's answer to a ping: the duration, the typed error, or {@link NotHomeserver}.
 *
 * **Details**
 *
 * Total, and lenient as peers require: the Content-Type is not checked, `error` may be absent (C15), unknown errcodes
 * are kept (C19), `FI.MAU.MSC2659_*` and `M_UNAUTHORIZED` are read as what they mean (C22), `Retry-After` comes before
 * `retry_after_ms` (C18), and a `duration_ms` that is no integer is rounded, a negative one is 0, and one that is longer
 * than `elapsed` by more than a second is `elapsed`.
 *
 * **Example** (Reading the answer of a homeserver)
 *
 * ```ts
 * import { Answer } from "@appservice-ping/domain"
 * import { Result } from "effect"
 *
 * const answer = { status: 200, headers: {}, body: "{\"duration_ms\":12}" }
 * const result = Answer.decode(answer, { url: new URL("https://matrix.example"), now: 0 })
 * Result.getOrThrow(result).duration_ms // => 12
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  answer: Answer,
  options: ReadingOptions
): Result.Result<PingSuccess, PingError.PingError | NotHomeserver> => {
  if (answer.status >= 200 && answer.status < 300) {
    const body = Json.parse(answer.body)
    const duration = Predicate.isObject(body) ? body["duration_ms"] : undefined
    if (typeof duration === "number" && Number.isFinite(duration)) {
      return Result.succeed({ duration_ms: Millis.wholeMillis(believed(Math.round(duration), options.elapsed)) })
    }
  }
  return Result.fail(decodeError(answer, options))
}
