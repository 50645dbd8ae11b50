/**
 * The rate is limited.
 *
 * @since 0.1.0
 */
import { durationUnsafe } from "@appservice-ping/domain/Bound"
import { DateTime, Duration, Schema } from "effect"
import { Delay } from "../../step/Delay.ts"
import { answer, type Head } from "../internal/http.ts"
import { fin, play, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const Form = Schema.Literals(["seconds", "date", "body"])

const schema = Schema.Struct({ type: Schema.tag("rate_limited"), retry_after: Delay, form: Schema.optionalKey(Form) })

const make = Kind.maker("rate_limited", schema)

/**
 * 429 `M_LIMIT_EXCEEDED`, and how long to wait: as `Retry-After` in `seconds` (the default) or as a `date`, or as
 * `retry_after_ms` in the `body`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rateLimited = (
  options: { readonly retry_after: Duration.Input; readonly form?: typeof Form.Type | undefined }
): typeof schema.Type => make({ ...options, retry_after: durationUnsafe("retry_after", options.retry_after) })

const httpDate = (millis: number): string => DateTime.toDateUtc(DateTime.makeUnsafe(millis)).toUTCString()

const error = { errcode: "M_LIMIT_EXCEEDED", error: "Too many requests" }

const limited = (headers: Head, body: { readonly [key: string]: unknown }) =>
  play(write(answer(429, { "Content-Type": "application/json", ...headers }, JSON.stringify(body))), fin)

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "429 `M_LIMIT_EXCEEDED`, the wait said in one of three forms",
  synonyms: ["rate_limit", "quota"],
  stageOf: () => "request",
  actionOf: ({ form = "seconds", retry_after }, { now }) => {
    const millis = Duration.toMillis(retry_after)
    switch (form) {
      case "seconds":
        return limited({ "Retry-After": String(Math.ceil(millis / 1000)) }, error)
      case "date":
        return limited({ "Retry-After": httpDate(Math.ceil((now + millis) / 1000) * 1000) }, error)
      case "body":
        return limited({}, { ...error, retry_after_ms: Math.ceil(millis) })
    }
  },
  describe: ({ form, retry_after }) =>
    `rate limited for ${Duration.format(retry_after)}${form === undefined ? "" : ` (${form})`}`,
  variantOf: ({ form = "seconds" }) => [form],
  examples: ({ within }) => Form.literals.map((form) => rateLimited({ retry_after: within, form }))
})
