/**
 * A ping that does not give up on what passes by itself (A10): the homeserver may start after the appservice.
 *
 * @since 0.1.0
 */
import type { PingSuccess } from "@appservice-ping/domain/Answer"
import { diagnose } from "@appservice-ping/domain/Diagnosis"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { Clock, Duration, Effect, Random, Result } from "effect"
import type { HttpClient } from "effect/http/HttpClient"
import { timeoutDefault } from "./internal/exchange.ts"
import { ping, type PingOptions } from "./Ping.ts"

/**
 * What is pinged, how long to wait between two attempts, and how long in all.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryOptions extends PingOptions {
  /** The wait after the first failed attempt; it doubles with each further one. Default: 1 second. */
  readonly firstDelay?: Duration.Input | undefined
  /** The longest wait between two attempts. Default: 30 seconds. */
  readonly maxDelay?: Duration.Input | undefined
  /** The share of each wait that is left to chance, from 0 to 1, so that many appservices do not come at once. Default: 0.5. */
  readonly jitter?: number | undefined
  /** How long all attempts and waits may take together. Default: 10 minutes. */
  readonly deadline?: Duration.Input | undefined
}

/**
 * Pings until it succeeds, as long as the failure is one that passes by itself (A10).
 *
 * **Details**
 *
 * Fails at once with an error that only a person can fix, and with the last error when the deadline leaves no time for
 * another attempt. A `Retry-After` of the answer comes before the calculated wait, and is only ever lengthened: to
 * `firstDelay`, so that an answer of 0 does not make a busy loop. The attempt that the deadline falls into ends there,
 * as `Undecided`.
 *
 * **Example** (Waiting for the homeserver when a bridge starts)
 *
 * ```ts
 * import { Retry } from "@appservice-ping/client"
 * import { Registration } from "@appservice-ping/domain"
 *
 * const connected = (registration: Registration.Registration) =>
 *   Retry.untilConnected({ homeserver: new URL("https://matrix.example"), registration, deadline: "5 minutes" })
 * ```
 *
 * @category clients
 * @since 0.1.0
 */
export const untilConnected: (
  options: RetryOptions
) => Effect.Effect<PingSuccess, PingError | TransportError, HttpClient> = Effect.fn("Retry.untilConnected")(
  function*(options: RetryOptions) {
    const timeout = Duration.fromInputUnsafe(options.timeout ?? timeoutDefault)
    const deadline = Duration.fromInputUnsafe(options.deadline ?? "10 minutes")
    const waits: Waits = {
      first: Duration.fromInputUnsafe(options.firstDelay ?? "1 second"),
      max: Duration.fromInputUnsafe(options.maxDelay ?? "30 seconds"),
      jitter: options.jitter ?? 0.5
    }
    const started = yield* Clock.monotonicTimeNanos
    const remaining = Effect.map(
      Clock.monotonicTimeNanos,
      (now) => Duration.subtract(deadline, Duration.nanos(now - started))
    )

    for (let attempt = 0;; attempt++) {
      const result = yield* Effect.result(ping({ ...options, timeout: Duration.min(timeout, yield* remaining) }))
      if (Result.isSuccess(result)) return result.success
      const error = result.failure
      if (!diagnose(error).temporary) return yield* Effect.fail(error)
      const wait = waitAfter(error, attempt, yield* Random.next, waits)
      if (Duration.isGreaterThanOrEqualTo(wait, yield* remaining)) return yield* Effect.fail(error)
      yield* Effect.sleep(wait)
    }
  }
)

interface Waits {
  readonly first: Duration.Duration
  readonly max: Duration.Duration
  readonly jitter: number
}

const waitAfter = (
  error: PingError | TransportError,
  attempt: number,
  random: number,
  { first, jitter, max }: Waits
): Duration.Duration => {
  if ("retryAfter" in error && error.retryAfter !== undefined) return Duration.max(error.retryAfter, first)
  const wait = Duration.min(Duration.times(first, 2 ** attempt), max)
  return Duration.times(wait, 1 - jitter * random)
}
