/** JSON forms that more than one wire schema shares. */
import { Duration, Schema, SchemaTransformation } from "effect"

/** The whole, non-negative number nearest above; a JSON number can hold it exactly, so infinity becomes the largest. */
export const wholeMillis = (millis: number): number => Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.ceil(millis)))

/** A duration that travels as a whole, non-negative number of milliseconds. */
export const Millis = Schema.Int.pipe(
  Schema.check(Schema.isGreaterThanOrEqualTo(0)),
  Schema.decodeTo(
    Schema.Duration,
    SchemaTransformation.transform({
      decode: (millis) => Duration.millis(millis),
      encode: (duration) => wholeMillis(Duration.toMillis(duration))
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
