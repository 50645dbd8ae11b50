/**
 * Deadlines that hold whatever runs inside them.
 *
 * `Effect.timeout` waits until what it interrupted has ended, so an effect that cannot be interrupted (a promise that
 * ignores its signal, an uninterruptible region, a finalizer that hangs) decides itself how long it takes. What a
 * stranger waits for, or what holds a slot, needs a deadline that does not.
 *
 * @since 0.1.0
 */
import { type Duration, Effect, Fiber } from "effect"
import * as Bound from "./Bound.ts"

/**
 * The bounds of a {@link Deadline}.
 *
 * @category options
 * @since 0.1.0
 */
export interface DeadlineOptions {
  /** How long an effect may take. */
  readonly duration: Duration.Input
  /**
   * How many effects may run on after their deadline, because they could not be interrupted; once so many do, a further
   * one is not started, and counts as late at once. Default: 1024.
   */
  readonly maxOverdue?: number | undefined
}

/**
 * Ends a wait on time, and counts what runs on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Deadline {
  /** How long an effect may take. */
  readonly duration: Duration.Duration
  /**
   * Runs an effect, and does `orElse` instead once the deadline has passed.
   *
   * **Details**
   *
   * What is late is interrupted, has some turns of the scheduler to end, and is not waited for any longer. Where the caller is interrupted itself, the effect has as long as
   * the deadline says to end.
   */
  readonly within: <A, E, R, B, E2, R2>(
    effect: Effect.Effect<A, E, R>,
    orElse: Effect.Effect<B, E2, R2>
  ) => Effect.Effect<A | B, E | E2, R | R2>
  /** How many effects run on after their deadline. */
  readonly overdue: () => number
}

const maxOverdueDefault = 1024

/** What can be interrupted has this many turns of the scheduler to end, and no time: so its last effects are seen. */
const turnsToEnd = 32

/**
 * Makes a deadline; a bound that bounds nothing, such as `duration: NaN`, is a `BoundError`.
 *
 * **Example** (Answering on time)
 *
 * ```ts
 * import { Deadline } from "@appservice-ping/domain"
 * import { Effect } from "effect"
 *
 * const deadline = Deadline.make({ duration: "1 second" })
 * const program = deadline.within(Effect.promise(() => fetch("https://example.org")), Effect.undefined)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: DeadlineOptions): Deadline => {
  const duration = Bound.durationUnsafe("duration", options.duration, { infinite: true })
  const maxOverdue = Bound.integerUnsafe("maxOverdue", options.maxOverdue ?? maxOverdueDefault)
  let overdue = 0

  const letGo = Effect.fnUntraced(function*(fiber: Fiber.Fiber<unknown, unknown>) {
    fiber.interruptUnsafe()
    for (let turn = 0; turn < turnsToEnd; turn++) {
      if (fiber.pollUnsafe() !== undefined) return
      yield* Effect.yieldNow
    }
    overdue++
    fiber.addObserver(() => {
      overdue--
    })
  })

  const onTime = <A, E>(fiber: Fiber.Fiber<A, E>) => Effect.raceFirst(Fiber.await(fiber), Effect.sleep(duration))

  return {
    duration,
    overdue: () => overdue,
    within: <A, E, R, B, E2, R2>(effect: Effect.Effect<A, E, R>, orElse: Effect.Effect<B, E2, R2>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.suspend((): Effect.Effect<A | B, E | E2, R | R2> => {
          if (overdue >= maxOverdue) return restore(orElse)
          return Effect.flatMap(Effect.forkDetach(effect, { startImmediately: true }), (fiber) => {
            const exit = fiber.pollUnsafe()
            if (exit !== undefined) return exit
            return restore(onTime(fiber)).pipe(
              Effect.onInterrupt(() => {
                fiber.interruptUnsafe()
                return Effect.andThen(onTime(fiber), letGo(fiber))
              }),
              Effect.flatMap((ended): Effect.Effect<A | B, E | E2, R2> => {
                if (ended !== undefined) return ended
                return Effect.andThen(letGo(fiber), restore(orElse))
              })
            )
          })
        })
      )
  }
}
