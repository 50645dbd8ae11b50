/**
 * A length of time in a plan, such as `"30 seconds"`.
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

const written = ["hour", "minute", "second"] as const

/** The time in the largest unit that makes a whole number of it. */
const textOf = (duration: Duration.Duration): string => {
  const nanos = Duration.toNanosUnsafe(duration)
  const of = (amount: bigint | string, unit: string): string => `${amount} ${unit}${String(amount) === "1" ? "" : "s"}`
  for (const unit of written) {
    const whole = BigInt(units[unit] ?? 1) * 1_000_000n
    if (nanos > 0n && nanos % whole === 0n) return of(nanos / whole, unit)
  }
  const fraction = String(nanos % 1_000_000n).padStart(6, "0").replace(/0+$/, "")
  return of(fraction === "" ? nanos / 1_000_000n : `${nanos / 1_000_000n}.${fraction}`, "milli")
}

const expected = `a time such as "500 millis", "2 seconds" or "1 minute", of at most ${millisMax} ms`

const Encoded = Schema.Union([
  Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: millisMax }, { expected }))),
  Schema.String.pipe(Schema.check(
    Schema.isPattern(pattern, { expected, units: Object.keys(units).map((unit) => `${unit}s`) }),
    Schema.makeFilter((text) => !(parse(text) > millisMax), { expected })
  ))
]).annotate({
  identifier: "Delay",
  description: "A number and its unit: millis, seconds, minutes or hours; a bare number counts milliseconds."
})

/**
 * A length of time: `"30 seconds"` in a file, a `Duration` in the program. A bare number counts milliseconds; what is
 * written is always a text.
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
      encode: (duration): number | string => textOf(duration)
    })
  )
)
