/** Durations as wire schemas carry them. */
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
