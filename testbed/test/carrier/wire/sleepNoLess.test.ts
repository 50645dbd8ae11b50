import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect } from "effect"
import { sleepNoLess } from "../../../src/carrier/wire/internal/sleepNoLess.ts"

const nanosOf = (duration: Duration.Duration) => Duration.toNanosUnsafe(duration)

/** A clock whose timers all ring early by the same time, as on a busy event loop. */
const ringingEarly = (by: Duration.Duration): Clock.Clock => {
  let now = 0n
  const nanos = () => now
  const millis = () => Number(now) / 1e6
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.sync(() => {
        const until = now + nanosOf(duration) - nanosOf(by)
        if (until > now) now = until
      })
  }
}

describe("a sleep of a step", () => {
  for (const early of ["0 nanos", "1 nanos", "400 micros", "999 micros"] as const) {
    it.effect(`is never shorter than the step says, nor 1 ms longer, with timers that ring ${early} early`, () =>
      Effect.gen(function*() {
        const clock = ringingEarly(Duration.fromInputUnsafe(early))
        for (const asked of [Duration.zero, Duration.millis(2), Duration.millis(99), Duration.micros(2500n)]) {
          const [slept] = yield* Effect.timed(sleepNoLess(asked))
            .pipe(Effect.provideService(Clock.Clock, clock))
          assert.isAtLeast(Duration.toMillis(slept), Duration.toMillis(asked))
          assert.isBelow(Duration.toMillis(slept), Duration.toMillis(asked) + 1)
        }
      }))
  }

  it.effect("adds up to at least the sum where a byte is sent every 2 ms", () =>
    Effect.gen(function*() {
      const clock = ringingEarly(Duration.micros(400n))
      const [slept] = yield* Effect.timed(Effect.repeat(sleepNoLess(Duration.millis(2)), { times: 99 }))
        .pipe(Effect.provideService(Clock.Clock, clock))
      assert.isAtLeast(Duration.toMillis(slept), 200)
    }))
})
