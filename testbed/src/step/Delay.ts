/**
 * A length of time in a plan: milliseconds, or a number with its unit.
 *
 * @since 0.1.0
 */
import { Duration, Schema, SchemaTransformation } from "effect"

/**
 * The longest time in a plan, in milliseconds: no timer of Node waits longer.
 *
 * @category models
 * @since 0.1.0
 */
export const millisMax = 2 ** 31 - 1

const units: { readonly [unit: string]: number } = { milli: 1, second: 1000, minute: 60_000, hour: 3_600_000 }

const pattern = /^(\d{1,10}(?:\.\d{1,6})?) (milli|second|minute|hour)s?$/

const parse = (text: string): number => {
  const [, amount = "", unit = ""] = pattern.exec(text) ?? []
  return Number(amount) * (units[unit] ?? Number.NaN)
}

const expected = `a time such as 500, "500 millis", "2 seconds" or "1 minute", of at most ${millisMax} ms`

const Encoded = Schema.Union([
  Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: millisMax }, { expected }))),
  Schema.String.pipe(Schema.check(
    Schema.isPattern(pattern, { expected, units: Object.keys(units).map((unit) => `${unit}s`) }),
    Schema.makeFilter((text) => !(parse(text) > millisMax), { expected })
  ))
]).annotate({
  identifier: "Delay",
  description: "Milliseconds, or a number and its unit: millis, seconds, minutes or hours."
})

/**
 * A length of time: `500` or `"500 millis"` in a file, a `Duration` in the program.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Delay = Encoded.pipe(
  Schema.decodeTo(
    Schema.Duration.pipe(
      Schema.check(
        Schema.makeFilter(Duration.between({ minimum: Duration.zero, maximum: Duration.millis(millisMax) }), {
          expected
        })
      )
    ),
    SchemaTransformation.transform({
      decode: (input): Duration.Duration => Duration.millis(typeof input === "number" ? input : parse(input)),
      encode: (duration): number | string => Duration.toMillis(duration)
    })
  )
)
