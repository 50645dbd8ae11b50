/**
 * The decisions of the start-up gate: how long to wait, and when to give up. Pure functions on data.
 *
 * @since 0.1.0
 */
import * as Bound from "@appservice-ping/domain/Bound"
import { Duration } from "effect"
import { retryAfterOf } from "./internal/retryAfter.ts"

/**
 * How long to wait between two attempts, and how long in all.
 *
 * **Details**
 *
 * A bound that is none, such as a negative `firstDelay`, is a defect: a `BoundError`.
 *
 * @category models
 * @since 0.1.0
 */
export interface GatePolicy {
  /** The wait after the first failed attempt. Default: 1 second. */
  readonly firstDelay?: Duration.Input | undefined
  /** The longest wait between two attempts, but for one that a server asks for. Default: 30 seconds. */
  readonly maxDelay?: Duration.Input | undefined
  /** The factor from each wait to the next one, at least 1. Default: 2. */
  readonly factor?: number | undefined
  /** The share of each wait that is left to chance, from 0 to 1, so that many appservices do not come at once. Default: 0.5. */
  readonly jitter?: number | undefined
  /** How long all attempts and waits may take together; `"Infinity"` for ever. Default: 10 minutes. */
  readonly deadline?: Duration.Input | undefined
  /** How many attempts there may be. Default: as many as fit before the deadline. */
  readonly maxAttempts?: number | undefined
}

/**
 * Why the gate gives up: only a person can fix it, the deadline leaves no time for another attempt, or there were as
 * many attempts as there may be.
 *
 * @category models
 * @since 0.1.0
 */
export type GaveUpReason = "permanent" | "deadline" | "attempts"

/**
 * The state of the gate after a failed attempt.
 *
 * @category models
 * @since 0.1.0
 */
export interface GateState {
  /** The number of the attempt that just ended; the first is 1. */
  readonly attempt: number
  /** The time since the first attempt began. */
  readonly elapsed: Duration.Duration
  /** A random number from 0 to 1, for the jitter. */
  readonly random: number
}

/**
 * How an attempt failed.
 *
 * @category models
 * @since 0.1.0
 */
export interface GateOutcome {
  readonly error: unknown
  /** Whether the same attempt can succeed later with nobody acting. */
  readonly temporary: boolean
}

/**
 * The decision after a failed attempt: another one, or the end.
 *
 * @category models
 * @since 0.1.0
 */
export type GateDecision =
  | { readonly _tag: "Retry"; readonly wait: Duration.Duration }
  | { readonly _tag: "GiveUp"; readonly reason: GaveUpReason }

const defaults = {
  firstDelay: "1 second",
  maxDelay: "30 seconds",
  factor: 2,
  jitter: 0.5,
  deadline: "10 minutes"
} as const

/**
 * The deadline of all attempts together.
 *
 * @category getters
 * @since 0.1.0
 */
export const deadlineOf = (policy: GatePolicy): Duration.Duration =>
  Bound.durationUnsafe("deadline", policy.deadline ?? defaults.deadline, { infinite: true })

const firstDelayOf = (policy: GatePolicy): Duration.Duration =>
  Bound.durationUnsafe("firstDelay", policy.firstDelay ?? defaults.firstDelay)

const maxDelayOf = (policy: GatePolicy): Duration.Duration =>
  Bound.durationUnsafe("maxDelay", policy.maxDelay ?? defaults.maxDelay)

const factorOf = (policy: GatePolicy): number =>
  Bound.numberUnsafe("factor", policy.factor ?? defaults.factor, { minimum: 1 })

const jitterOf = (policy: GatePolicy): number =>
  Bound.numberUnsafe("jitter", policy.jitter ?? defaults.jitter, { maximum: 1 })

const maxAttemptsOf = (policy: GatePolicy): number | undefined =>
  policy.maxAttempts === undefined ? undefined : Bound.integerUnsafe("maxAttempts", policy.maxAttempts, { minimum: 1 })

/**
 * Returns the policy if each of its bounds is one, and throws a `BoundError` that names the first that is not.
 *
 * @category unsafe
 * @since 0.1.0
 */
export const checkedUnsafe = <P extends GatePolicy>(policy: P): P => {
  for (const check of [deadlineOf, firstDelayOf, maxDelayOf, factorOf, jitterOf, maxAttemptsOf]) check(policy)
  return policy
}

const within = (value: number, minimum: number, maximum: number): number => Math.min(maximum, Math.max(minimum, value))

/**
 * Calculates the wait after a failed attempt (C18).
 *
 * **Details**
 *
 * A `retryAfter` of the error comes first, and is only ever lengthened: to `firstDelay`, so that an answer of 0 does
 * not make a busy loop. Otherwise the wait grows by `factor` from attempt to attempt, up to `maxDelay`, and `random`
 * takes away a share of up to `jitter`.
 *
 * **Example** (Waiting longer after each attempt)
 *
 * ```ts
 * import { GatePolicy } from "@appservice-ping/client"
 * import { Duration } from "effect"
 *
 * Duration.format(GatePolicy.nextWait("refused", 3, 0, { firstDelay: "1 second" })) // => "4s"
 * ```
 *
 * @category calculations
 * @since 0.1.0
 */
export const nextWait = (
  error: unknown,
  attempt: number,
  random: number,
  policy: GatePolicy
): Duration.Duration => {
  const first = firstDelayOf(policy)
  const asked = retryAfterOf(error)
  if (asked !== undefined) return Duration.max(asked, first)
  const max = maxDelayOf(policy)
  const factor = factorOf(policy) ** Math.max(0, attempt - 1)
  // A factor without end times a delay of nothing is no number.
  const grown = Duration.isZero(first) ? 0 : Math.min(Duration.toMillis(first) * factor, Duration.toMillis(max))
  return Duration.millis(grown * (1 - jitterOf(policy) * within(random, 0, 1)))
}

/**
 * Decides what follows a failed attempt: pure and total.
 *
 * **Details**
 *
 * It gives up at once on what is not temporary, after the last attempt there may be, and where the wait would reach
 * the deadline: an attempt that nobody waits for any more helps nobody.
 *
 * @category calculations
 * @since 0.1.0
 */
export const step = (state: GateState, outcome: GateOutcome, policy: GatePolicy): GateDecision => {
  if (!outcome.temporary) return { _tag: "GiveUp", reason: "permanent" }
  const maxAttempts = maxAttemptsOf(policy)
  if (maxAttempts !== undefined && state.attempt >= maxAttempts) {
    return { _tag: "GiveUp", reason: "attempts" }
  }
  const wait = nextWait(outcome.error, state.attempt, state.random, policy)
  const end = Duration.sum(state.elapsed, wait)
  return Duration.isGreaterThanOrEqualTo(end, deadlineOf(policy))
    ? { _tag: "GiveUp", reason: "deadline" }
    : { _tag: "Retry", wait }
}
