/**
 * How long something takes: always the same time, a time drawn from a distribution, or one that follows a wave.
 *
 * @since 0.1.0
 */
import { Duration, Predicate, Schema } from "effect"
import { Delay, millisMax } from "../step/Delay.ts"

const Positive = Delay.pipe(
  Schema.check(Schema.makeFilter((delay) => Duration.toMillis(delay) > 0, { expected: "a time above 0" }))
)

const cap = { max: Schema.optionalKey(Delay) }

/**
 * A fixed time, or a distribution by the name and the parameters people know.
 *
 * **Details**
 *
 * `lognormal` takes its median and 99th percentile, as a latency report has them; `wave` swings around `mean` by
 * `amplitude` once per `period`. No time is below 0; `max` cuts the long tail off.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Latency = Schema.Union([
  Delay,
  Schema.Struct({ distribution: Schema.tag("uniform"), min: Delay, max: Delay }).pipe(
    Schema.check(Schema.makeFilter(({ max, min }) => Duration.isLessThanOrEqualTo(min, max), {
      expected: "a min of at most max"
    }))
  ),
  Schema.Struct({ distribution: Schema.tag("normal"), mean: Delay, deviation: Delay, ...cap }),
  Schema.Struct({ distribution: Schema.tag("lognormal"), p50: Positive, p99: Positive, ...cap }).pipe(
    Schema.check(Schema.makeFilter(({ p50, p99 }) => Duration.isLessThanOrEqualTo(p50, p99), {
      expected: "a p50 of at most p99"
    }))
  ),
  Schema.Struct({ distribution: Schema.tag("exponential"), mean: Delay, ...cap }),
  Schema.Struct({
    distribution: Schema.tag("wave"),
    shape: Schema.Literals(["sine", "square", "triangle", "sawtooth"]),
    mean: Delay,
    amplitude: Delay,
    period: Positive
  })
]).annotate({ identifier: "Latency", description: "A fixed time, or a distribution of times." })

/**
 * A fixed time, or a distribution of times.
 *
 * @category models
 * @since 0.1.0
 */
export type Latency = typeof Latency.Type

/** The inverse of the normal distribution, by the rational approximation of Abramowitz and Stegun, 26.2.23. */
const probit = (u: number): number => {
  const p = Math.min(Math.max(u, 1e-9), 1 - 1e-9)
  const t = Math.sqrt(-2 * Math.log(Math.min(p, 1 - p)))
  const z = t -
    (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t)
  return p < 0.5 ? -z : z
}

const z99 = 2.3263478740408408

/** A whole swing from 0 to 1 of the period, between -1 and 1. */
const swing = (shape: "sine" | "square" | "triangle" | "sawtooth", turn: number): number => {
  switch (shape) {
    case "sine":
      return Math.sin(2 * Math.PI * turn)
    case "square":
      return turn < 0.5 ? 1 : -1
    case "triangle":
      return turn < 0.5 ? 4 * turn - 1 : 3 - 4 * turn
    case "sawtooth":
      return 2 * turn - 1
  }
}

const millis = Duration.toMillis

const sampleMillis = (latency: Exclude<Latency, Duration.Duration>, u: number, time: number): number => {
  switch (latency.distribution) {
    case "uniform":
      return millis(latency.min) + u * (millis(latency.max) - millis(latency.min))
    case "normal":
      return millis(latency.mean) + probit(u) * millis(latency.deviation)
    case "lognormal": {
      const median = Math.log(millis(latency.p50))
      return Math.exp(median + (probit(u) * (Math.log(millis(latency.p99)) - median)) / z99)
    }
    case "exponential":
      return -Math.log(1 - u) * millis(latency.mean)
    case "wave":
      return millis(latency.mean) +
        millis(latency.amplitude) * swing(latency.shape, (time / millis(latency.period)) % 1)
  }
}

/**
 * The time for a draw `u` from 0 to 1, `time` milliseconds after the plan began; whole microseconds, so that it is the
 * same on every machine that rounds differently in the last bit.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sample = (latency: Latency, u: number, time: number): Duration.Duration => {
  if (Duration.isDuration(latency)) return latency
  const max = Predicate.hasProperty(latency, "max") && Duration.isDuration(latency.max)
    ? Math.min(millis(latency.max), millisMax)
    : millisMax
  return Duration.micros(BigInt(Math.round(Math.min(Math.max(sampleMillis(latency, u, time), 0), max) * 1000)))
}

/**
 * Checks whether the time depends on a draw.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDrawn = (latency: Latency): boolean => !Duration.isDuration(latency) && latency.distribution !== "wave"

/**
 * The time in a few words, for reports and the names of tests.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toText = (latency: Latency): string => {
  const time = Duration.format
  if (Duration.isDuration(latency)) return time(latency)
  switch (latency.distribution) {
    case "uniform":
      return `${time(latency.min)} to ${time(latency.max)}`
    case "normal":
      return `${time(latency.mean)} ± ${time(latency.deviation)}`
    case "lognormal":
      return `p50 ${time(latency.p50)}, p99 ${time(latency.p99)}`
    case "exponential":
      return `${time(latency.mean)}, exponential`
    case "wave":
      return `${time(latency.mean)} ± ${time(latency.amplitude)}, ${latency.shape}`
  }
}
