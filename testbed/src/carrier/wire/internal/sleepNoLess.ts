/** Sleeps as long as a step says, and no less. */
import { Clock, Duration, Effect } from "effect"

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/**
 * A timer counts from the start of its turn of the event loop, so that on a busy machine it may ring early, and what
 * early timers save adds up where a byte is sent every 2 milliseconds.
 */
export const sleepNoLess = (duration: Duration.Duration): Effect.Effect<void> =>
  Effect.flatMap(monotonicMillis, (start) => {
    const end = start + Duration.toMillis(duration)
    const rest: Effect.Effect<void> = Effect.flatMap(
      monotonicMillis,
      (now) => now >= end ? Effect.void : Effect.andThen(Effect.sleep(Math.ceil(end - now)), rest)
    )
    return rest
  })
