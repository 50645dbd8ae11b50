/**
 * The wire form of an answer to a ping: HTTP status, a few headers, and a JSON body.
 *
 * Both directions are pure functions on data: a server renders its typed errors with {@link fromError}, a client
 * reads any homeserver's answer, in any peer's dialect, with {@link decode}.
 *
 * @since 0.1.0
 */
import { Duration, Record, Result, Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import * as AppserviceUrl from "./AppserviceUrl.ts"
import * as Json from "./internal/json.ts"
import * as PingError from "./PingError.ts"
import * as RetryAfter from "./RetryAfter.ts"
import { NotHomeserver } from "./TransportError.ts"

/**
 * An answer as it stands on the wire, its body decoded as UTF-8.
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

type Tag = keyof typeof wire

const isTag = (text: string): text is Tag => Object.hasOwn(wire, text)

const encoders = Record.map(wire, (schema) => Schema.encodeUnknownSync(schema))
const decoders = Record.map(
  wire,
  (schema: Schema.Codec<PingError.PingError, unknown>) => Schema.decodeUnknownResult(schema)
)

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
    : { error: error._tag, ...encoders[error._tag](error) }
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
 * The errcode that an errcode of a peer's dialect stands for: the unstable `FI.MAU.MSC2659_*` (C22), and
 * `M_UNAUTHORIZED`, which some homeservers say for a token they do not know.
 */
const canonical = (errcode: string): string =>
  errcode === "M_UNAUTHORIZED" ? "M_UNKNOWN_TOKEN" : errcode.replace(unstableErrcode, "M_")

const textField = (body: { readonly [key: string]: unknown }, key: string): { readonly [key: string]: string } =>
  typeof body[key] === "string" ? { [key]: body[key] } : {}

const retryAfterOf = (
  answer: Answer,
  body: { readonly [key: string]: unknown },
  now: number
): { readonly retryAfter?: Duration.Duration } => {
  const header = answer.headers["retry-after"]
  const fromHeader = header === undefined ? undefined : RetryAfter.fromHeader(header, now)
  if (fromHeader !== undefined) return { retryAfter: fromHeader }
  const millis = body["retry_after_ms"]
  return typeof millis === "number" && Number.isFinite(millis)
    ? { retryAfter: Duration.millis(Json.wholeMillis(millis)) }
    : {}
}

/**
 * Reads an errcode's own fields, and drops what has the wrong type: a peer's odd `error` must not hide its errcode.
 */
const matrixError = (
  answer: Answer,
  wireErrcode: string,
  body: { readonly [key: string]: unknown },
  now: number
): PingError.PingError => {
  const tag = canonical(wireErrcode)
  const error = textField(body, "error")
  if (isTag(tag)) {
    const retryAfter = tag === "M_LIMIT_EXCEEDED" ? retryAfterOf(answer, body, now).retryAfter : undefined
    const decoded = decoders[tag]({
      errcode: tag,
      ...error,
      ...(tag === "M_BAD_STATUS" ? textField(body, "body") : {}),
      ...(tag === "M_BAD_STATUS" && Number.isSafeInteger(body["status"]) ? { status: body["status"] } : {}),
      ...(tag === "M_UNKNOWN_TOKEN" && typeof body["soft_logout"] === "boolean"
        ? { soft_logout: body["soft_logout"] }
        : {}),
      ...(retryAfter === undefined ? {} : { retry_after_ms: Duration.toMillis(retryAfter) })
    })
    if (Result.isSuccess(decoded)) return decoded.success
  }
  return new PingError.OtherErrcode({
    errcode: wireErrcode,
    status: answer.status,
    ...error,
    ...retryAfterOf(answer, body, now)
  })
}

/** How much of a foreign answer an error keeps, in characters: enough to recognise a proxy's page. */
const foreignBodyLengthMax = 1024

const notHomeserver = (answer: Answer, options: { readonly url: URL; readonly now: number }): NotHomeserver => {
  const location = answer.headers["location"] === undefined
    ? null
    : URL.parse(answer.headers["location"], options.url)
  return new NotHomeserver({
    url: AppserviceUrl.redact(options.url),
    status: answer.status,
    ...(answer.headers["content-type"] === undefined ? {} : { contentType: answer.headers["content-type"] }),
    // A `data:` target, or another without a host, would carry its content past the redaction.
    ...(location === null || !AppserviceUrl.isAppserviceUrl(location.href)
      ? {}
      : { location: AppserviceUrl.redact(location) }),
    body: answer.body.slice(0, foreignBodyLengthMax),
    ...retryAfterOf(answer, {}, options.now)
  })
}

/**
 * Reads a homeserver's answer to a ping: the duration, the typed error, or {@link NotHomeserver}.
 *
 * **Details**
 *
 * Total, and lenient as peers require: the Content-Type is not checked, `error` may be absent (C15), unknown errcodes
 * are kept (C19), `FI.MAU.MSC2659_*` and `M_UNAUTHORIZED` are read as what they mean (C22), `Retry-After` comes before
 * `retry_after_ms` (C18), and a `duration_ms` that is no integer is rounded, a negative one is 0. `now` is the time in
 * milliseconds since the epoch; `url` is the endpoint that was asked, redacted before it reaches an error.
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
  options: { readonly url: URL; readonly now: number }
): Result.Result<PingSuccess, PingError.PingError | NotHomeserver> => {
  const body = Json.parse(answer.body)
  if (!Json.isObject(body)) return Result.fail(notHomeserver(answer, options))
  if (answer.status >= 200 && answer.status < 300) {
    const duration = body["duration_ms"]
    return typeof duration === "number" && Number.isFinite(duration)
      ? Result.succeed({ duration_ms: Json.wholeMillis(Math.round(duration)) })
      : Result.fail(notHomeserver(answer, options))
  }
  return typeof body["errcode"] === "string"
    ? Result.fail(matrixError(answer, body["errcode"], body, options.now))
    : Result.fail(notHomeserver(answer, options))
}
