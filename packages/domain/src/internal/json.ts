/** JSON forms that more than one wire schema shares. */
import { Duration, Schema, SchemaTransformation } from "effect"

/** A duration that travels as a whole, non-negative number of milliseconds. */
export const Millis = Schema.Int.pipe(
  Schema.check(Schema.isGreaterThanOrEqualTo(0)),
  Schema.decodeTo(
    Schema.Duration,
    SchemaTransformation.transform({
      decode: (millis) => Duration.millis(millis),
      encode: (duration) => Math.ceil(Duration.toMillis(duration))
    })
  )
)

/** Parses JSON text; `undefined` is no JSON value, so it stands for a text that is not JSON. */
export const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Tells whether a JSON value is an object, neither `null` nor an array. */
export const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)
