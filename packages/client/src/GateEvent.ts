/**
 * The events of the start-up gate: each attempt, and how it ended.
 *
 * @since 0.1.0
 */
import type { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { Data, Duration, Schema } from "effect"
import type { GaveUpReason } from "./GatePolicy.ts"

/**
 * An attempt that was ended before the ping came to an end by itself: its own time was up, or that of all attempts.
 *
 * @category errors
 * @since 0.1.0
 */
export class AttemptTimeout extends Schema.TaggedError<AttemptTimeout>("@appservice-ping/client/Gate/AttemptTimeout")(
  "AttemptTimeout",
  { after: Schema.Duration }
) {
  override get message(): string {
    return `the attempt was ended after ${Duration.format(this.after)}`
  }
}

/**
 * The gate gave up.
 *
 * **Details**
 *
 * `error` is that of the last of `attempts` attempts, and `diagnosis` what it means; where the deadline ended that
 * attempt, they are those of the attempt before it, which say more.
 *
 * @category errors
 * @since 0.1.0
 */
export class GaveUpError<E> extends Data.TaggedError("GaveUpError")<Ending> {
  declare readonly error: E | AttemptTimeout

  constructor({ diagnosis, elapsed, error, number, reason }: GaveUp<E>) {
    super({ reason, error, diagnosis, attempts: number, elapsed })
  }

  override get message(): string {
    const attempts = this.attempts === 1 ? "1 attempt" : `${this.attempts} attempts`
    return `Gave up after ${attempts} (${this.reason}): ${this.diagnosis.cause} ${this.diagnosis.advice}`
  }
}

interface Ending {
  readonly reason: GaveUpReason
  readonly error: unknown
  readonly diagnosis: Diagnosis
  readonly attempts: number
  readonly elapsed: Duration.Duration
}

/**
 * An attempt begins; the first is number 1.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attempt {
  readonly _tag: "Attempt"
  readonly number: number
}

/**
 * An attempt failed; the next one follows in `retryIn`, and none does where that is `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed<E> {
  readonly _tag: "Failed"
  readonly number: number
  readonly error: E | AttemptTimeout
  readonly diagnosis: Diagnosis
  readonly retryIn: Duration.Duration | undefined
}

/**
 * The connection works; the last event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connected<A> {
  readonly _tag: "Connected"
  readonly number: number
  readonly value: A
  readonly elapsed: Duration.Duration
}

/**
 * No further attempt is made; the last event.
 *
 * @category models
 * @since 0.1.0
 */
export interface GaveUp<E> {
  readonly _tag: "GaveUp"
  readonly number: number
  readonly reason: GaveUpReason
  readonly error: E | AttemptTimeout
  readonly diagnosis: Diagnosis
  readonly elapsed: Duration.Duration
}

/**
 * An event of the gate: each attempt and its failure, and one end.
 *
 * @category models
 * @since 0.1.0
 */
export type GateEvent<A, E> = Attempt | Failed<E> | Connected<A> | GaveUp<E>
