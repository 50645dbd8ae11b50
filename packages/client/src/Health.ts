/**
 * The health of a connection over time: what many pings say together, so that one lost ping is no alarm.
 *
 * @since 0.1.0
 */
import * as Bound from "@appservice-ping/domain/Bound"
import type { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { Duration } from "effect"

/**
 * The part of an error that is kept: its tag and the start of its message.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  /** The errcode, or the tag of another error, such as `Undecided`. */
  readonly verdict: string
  /** The message, cut to 300 characters, because a peer chooses how long it is. */
  readonly text: string
}

/**
 * When a ping ended, on two clocks.
 *
 * @category models
 * @since 0.1.0
 */
export interface Moment {
  /** Milliseconds since 1970, for people and for metrics. */
  readonly at: number
  /** Milliseconds on a clock that never jumps, from which lengths of time are calculated. */
  readonly monotonic: number
}

/**
 * The result of one ping.
 *
 * **Details**
 *
 * Each is seen at a `Moment`. `durationMs` is how long the homeserver's call to the appservice took, as it says.
 *
 * @category models
 * @since 0.1.0
 */
export type Observation =
  | Moment & { readonly _tag: "Success"; readonly durationMs: number }
  | Moment & { readonly _tag: "Failure"; readonly error: Failure; readonly diagnosis: Diagnosis }

/**
 * Observations in a row that speak against the current health, but are too few to change it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Streak {
  readonly count: number
  /** How many of the newest are failures that only a person can fix. */
  readonly permanent: number
  /** The first of them. */
  readonly since: Moment
}

/**
 * The pings so far are too few for a judgement.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unknown {
  readonly _tag: "Unknown"
  readonly against: Streak | undefined
}

/**
 * The homeserver reaches the appservice.
 *
 * @category models
 * @since 0.1.0
 */
export interface Healthy {
  readonly _tag: "Healthy"
  /** Since when, in milliseconds since 1970. */
  readonly since: number
  /** The newest success, in milliseconds since 1970. */
  readonly lastSuccess: number
  /** How long the newest success took. */
  readonly durationMs: number
  readonly against: Streak | undefined
}

/**
 * The homeserver does not reach the appservice.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failing {
  readonly _tag: "Failing"
  /** The first failure, in milliseconds since 1970. */
  readonly since: number
  readonly sinceMonotonic: number
  /** How many pings have failed since then. */
  readonly failures: number
  /** The newest failure. */
  readonly error: Failure
  readonly diagnosis: Diagnosis
  /** The newest success, in milliseconds since 1970, or nothing where there was none. */
  readonly lastSuccess: number | undefined
  readonly against: Streak | undefined
}

/**
 * The homeserver reaches the appservice again; the next success makes it `Healthy`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recovered {
  readonly _tag: "Recovered"
  /** The first success, in milliseconds since 1970. */
  readonly since: number
  /** How long it was failing. */
  readonly after: Duration.Duration
  /** The newest success, in milliseconds since 1970. */
  readonly lastSuccess: number
  /** How long the newest success took. */
  readonly durationMs: number
  readonly against: Streak | undefined
}

/**
 * The health of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export type Health = Unknown | Healthy | Failing | Recovered

/**
 * A change from one kind of health to another.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transition {
  readonly from: Health
  readonly to: Health
}

/**
 * How many pings it takes to change the health.
 *
 * **Details**
 *
 * Each is a whole number of at least 1, or `Infinity` for never; another one is a defect: a `BoundError`.
 *
 * @category models
 * @since 0.1.0
 */
export interface HealthPolicy {
  /** How many failures in a row make it `Failing`. Default: 2. */
  readonly failAfter?: number | undefined
  /** How many failures in a row that only a person can fix make it `Failing`. Default: 1. */
  readonly failAfterPermanent?: number | undefined
  /** How many successes in a row end `Failing`. Default: 1. */
  readonly recoverAfter?: number | undefined
  /**
   * Whether an `Undecided` counts as a failure, or as if the ping had not been sent. Default: `"failure"`, because a
   * homeserver that does not answer at all is an outage too.
   */
  readonly undecided?: "failure" | "ignored" | undefined
}

const pings = (option: string, given: number | undefined, fallback: number): number => {
  if (given === undefined) return fallback
  return given === Infinity ? given : Bound.integerUnsafe(option, given, { minimum: 1 })
}

const failAfterOf = (policy: HealthPolicy): number => pings("failAfter", policy.failAfter, 2)

const failAfterPermanentOf = (policy: HealthPolicy): number => pings("failAfterPermanent", policy.failAfterPermanent, 1)

const recoverAfterOf = (policy: HealthPolicy): number => pings("recoverAfter", policy.recoverAfter, 1)

/**
 * Returns the policy if each of its numbers is one, and throws a `BoundError` that names the first that is not.
 *
 * @category unsafe
 * @since 0.1.0
 */
export const checkedUnsafe = (policy: HealthPolicy): HealthPolicy => {
  for (const check of [failAfterOf, failAfterPermanentOf, recoverAfterOf]) check(policy)
  return policy
}

/**
 * The health before the first ping.
 *
 * @category constants
 * @since 0.1.0
 */
export const unknown: Health = { _tag: "Unknown", against: undefined }

/**
 * Checks whether the homeserver reaches the appservice, as far as is known.
 *
 * @category guards
 * @since 0.1.0
 */
export const isUp = (health: Health): health is Healthy | Recovered =>
  health._tag === "Healthy" || health._tag === "Recovered"

/**
 * Returns the newest success, in milliseconds since 1970, or nothing where there was none.
 *
 * @category getters
 * @since 0.1.0
 */
export const lastSuccess = (health: Health): number | undefined =>
  health._tag === "Unknown" ? undefined : health.lastSuccess

/**
 * Keeps of an error what a health remembers, which is little however much a peer wrote.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failure = (error: { readonly _tag: string; readonly message: string }): Failure => ({
  verdict: shorten(error._tag, 64),
  text: shorten(error.message, 300)
})

/**
 * Returns the health after one more observation, and whether its kind changed; pure and total.
 *
 * **Details**
 *
 * Observations that are too few to change the health are counted in `against`, and one that agrees with the health
 * clears them. The first success of all makes it `Healthy`. A rate limit is a failure like others: a watch that honours
 * `Retry-After` and is refused again has not been confirmed.
 *
 * **Example** (Counting a first success)
 *
 * ```ts
 * import { Health } from "@appservice-ping/client"
 *
 * const success = { _tag: "Success", durationMs: 12, at: 1_700_000_000_000, monotonic: 0 } as const
 * const { health, transition } = Health.step({}, Health.unknown, success)
 * health._tag // => "Healthy"
 * transition?.from._tag // => "Unknown"
 * ```
 *
 * @category transitions
 * @since 0.1.0
 */
export const step = (
  policy: HealthPolicy,
  health: Health,
  observation: Observation
): { readonly health: Health; readonly transition: Transition | undefined } => {
  const next = observation._tag === "Success"
    ? succeeded(policy, health, observation)
    : policy.undecided === "ignored" && observation.error.verdict === "Undecided"
    ? health
    : failed(policy, health, observation)
  return { health: next, transition: next._tag === health._tag ? undefined : { from: health, to: next } }
}

type Of<Tag> = Extract<Observation, { readonly _tag: Tag }>

const succeeded = (policy: HealthPolicy, health: Health, { at, durationMs, monotonic }: Of<"Success">): Health => {
  const success = { lastSuccess: at, durationMs, against: undefined }
  if (health._tag !== "Failing") {
    return { _tag: "Healthy", since: health._tag === "Unknown" ? at : health.since, ...success }
  }
  const against = lengthen(health.against, { at, monotonic }, false)
  if (against.count < recoverAfterOf(policy)) return { ...health, lastSuccess: at, against }
  const after = Duration.millis(Math.max(0, against.since.monotonic - health.sinceMonotonic))
  return { _tag: "Recovered", since: against.since.at, after, ...success }
}

const failed = (policy: HealthPolicy, health: Health, observation: Of<"Failure">): Health => {
  const { at, diagnosis, monotonic } = observation
  const error = {
    verdict: shorten(observation.error.verdict, 64),
    text: shorten(observation.error.text, 300)
  }
  if (health._tag === "Failing") {
    return { ...health, failures: health.failures + 1, error, diagnosis, against: undefined }
  }
  const against = lengthen(health.against, { at, monotonic }, !diagnosis.temporary)
  const isFailing = against.count >= failAfterOf(policy) ||
    against.permanent >= failAfterPermanentOf(policy)
  if (!isFailing) return { ...health, against }
  return {
    _tag: "Failing",
    since: against.since.at,
    sinceMonotonic: against.since.monotonic,
    failures: against.count,
    error,
    diagnosis,
    lastSuccess: lastSuccess(health),
    against: undefined
  }
}

const lengthen = (streak: Streak | undefined, moment: Moment, isPermanent: boolean): Streak => ({
  count: (streak?.count ?? 0) + 1,
  permanent: isPermanent ? (streak?.permanent ?? 0) + 1 : 0,
  since: streak?.since ?? moment
})

/** Cuts a text, but not a character in two. */
const shorten = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`
