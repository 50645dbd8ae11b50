/**
 * The verified ping: the appservice knows of each ping it asks for whether it arrived here.
 *
 * A plain ping believes the homeserver. Where another service, another copy of the appservice or a proxy answers at the
 * registration's url, the homeserver says that all is well, and only the missing arrival shows it.
 *
 * @since 0.1.0
 */
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import * as Bound from "@appservice-ping/domain/Bound"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { AnsweredElsewhere, SeenButFailed, TooManyPending } from "@appservice-ping/domain/VerifiedPingError"
import { Clock, Context, Deferred, Duration, Effect, Layer, Option, Result } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import { Hex } from "effect/encoding"
import type { HttpClient } from "effect/http/HttpClient"
import * as Spans from "./internal/spans.ts"
import { ping, type PingOptions } from "./Ping.ts"

/**
 * Options of the service.
 *
 * @category options
 * @since 0.1.0
 */
export interface VerifiedPingOptions {
  /** How many pings may be under way at once. Default: 10,000. */
  readonly maxPending?: number | undefined
  /** How long an arrival is waited for after the homeserver's success, because it may be later. Default: 1 second. */
  readonly settleTime?: Duration.Input | undefined
  /**
   * The source of unguessable ids: 16 bytes for each ping. Default: the runtime's cryptographic source; another one is
   * for tests.
   */
  readonly randomBytes?: Effect.Effect<Uint8Array> | undefined
}

/**
 * The options of a ping without its id, and the registration's `url` for its errors.
 *
 * @category models
 * @since 0.1.0
 */
export interface VerifiedOptions extends Omit<PingOptions, "transactionId" | "registration"> {
  readonly registration: PingOptions["registration"] & { readonly url?: string | null | undefined }
}

/**
 * A ping that went all the way: it arrived here, and the homeserver says so.
 *
 * @category models
 * @since 0.1.0
 */
export interface Confirmed {
  /** How long the homeserver's own request took, in milliseconds, as the homeserver saw it. */
  readonly duration_ms: number
  /** The time from the question to the arrival here, which may be after the homeserver's answer. */
  readonly arrivedAfter: Duration.Duration
  readonly transactionId: string
}

/**
 * Why a ping is not confirmed.
 *
 * @category errors
 * @since 0.1.0
 */
export type VerifyError = AnsweredElsewhere | PingError | SeenButFailed | TooManyPending | TransportError

/**
 * Service that pings and watches for the arrival.
 *
 * **Example** (Watching for the arrival of a ping)
 *
 * ```ts
 * import { VerifiedPing } from "@appservice-ping/client"
 * import type { Registration } from "@appservice-ping/domain"
 * import { Appservice } from "@appservice-ping/server"
 * import { Effect } from "effect"
 *
 * // The listener reports every arrival to the service.
 * const appservice = (registration: Registration.Registration) =>
 *   Appservice.Appservice.layer({
 *     registration,
 *     onPing: (ping) => VerifiedPing.VerifiedPing.use((verified) => verified.received(ping))
 *   })
 *
 * const check = (homeserver: URL, registration: Registration.Registration) =>
 *   VerifiedPing.VerifiedPing.use((verified) => verified.ping({ homeserver, registration })).pipe(
 *     Effect.catchTag("AnsweredElsewhere", ({ message }) => Effect.logError(message))
 *   )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class VerifiedPing extends Context.Service<VerifiedPing, {
  /**
   * Takes note of a ping that arrived. One that nobody waits for, because it is late, has no id or was asked for by
   * someone else, is no error and leaves nothing behind.
   */
  readonly received: (ping: { readonly transactionId?: string | undefined }) => Effect.Effect<void>
  /** Pings with a fresh id, and compares the homeserver's answer with the arrivals here. */
  readonly ping: (options: VerifiedOptions) => Effect.Effect<Confirmed, VerifyError, HttpClient>
}>()("@appservice-ping/client/VerifiedPing") {
  /**
   * Layer that keeps the pings under way in memory.
   */
  static readonly layer = (options?: VerifiedPingOptions): Layer.Layer<VerifiedPing> =>
    Layer.effect(VerifiedPing, make(options))
}

/** A ping under way: when it arrived, in nanoseconds of the monotonic clock. */
type Arrival = Deferred.Deferred<bigint>

const secretBytes = 16

const defaults = {
  maxPending: 10_000,
  settleTime: Duration.seconds(1),
  randomBytes: Effect.sync(() => SecureRandom.randomBytesUnsafe(secretBytes))
} as const

const shownUrl = (url: string | null | undefined): { readonly url?: string } => {
  const target = AppserviceUrl.target(url ?? null)
  return target._tag === "Http" ? { url: AppserviceUrl.redact(target.url) } : {}
}

/**
 * Makes the service, with the pings under way in memory: one small entry each, gone as soon as the ping is decided or
 * interrupted.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: VerifiedPingOptions = {}): Effect.Effect<VerifiedPing["Service"]> =>
  Effect.sync(() => {
    const maxPending = Bound.integerUnsafe("maxPending", options.maxPending ?? defaults.maxPending)
    const settleTime = Bound.durationUnsafe("settleTime", options.settleTime ?? defaults.settleTime)
    const randomBytes = options.randomBytes ?? defaults.randomBytes
    const pending = new Map<string, Arrival>()
    let count = 0

    const register = Effect.fnUntraced(function*() {
      const secret = Hex.encode(yield* randomBytes)
      const arrival = yield* Deferred.make<bigint>()
      if (pending.size >= maxPending) return yield* new TooManyPending({ maxPending })
      // The count keeps two ids apart whatever the source of randomness is; the rest keeps strangers from guessing.
      count += 1
      const transactionId = `ping-${count}-${secret}`
      pending.set(transactionId, arrival)
      return { transactionId, arrival }
    })

    const received = ({ transactionId }: { readonly transactionId?: string | undefined }): Effect.Effect<void> =>
      Effect.suspend(() => {
        const arrival = transactionId === undefined ? undefined : pending.get(transactionId)
        return arrival === undefined
          ? Effect.void
          : Effect.asVoid(Effect.flatMap(Clock.monotonicTimeNanos, (now) => Deferred.succeed(arrival, now)))
      })

    const verify = Effect.fnUntraced(function*(
      options: VerifiedOptions,
      { arrival, transactionId }: { readonly transactionId: string; readonly arrival: Arrival }
    ): Effect.fn.Return<Confirmed, VerifyError, HttpClient> {
      yield* Effect.annotateCurrentSpan({
        "matrix.appservice.id": options.registration.id,
        ...Spans.server(options.homeserver)
      })
      const started = yield* Clock.monotonicTimeNanos
      const result = yield* Effect.result(ping({ ...options, transactionId }))
      if (Result.isFailure(result)) {
        const error = result.failure
        const seen = yield* Deferred.isDone(arrival)
        return yield* seen ? new SeenButFailed({ error }) : error
      }
      const { duration_ms } = result.success
      const arrived = yield* Effect.timeoutOption(Deferred.await(arrival), settleTime)
      return Option.isSome(arrived)
        ? { duration_ms, arrivedAfter: Duration.nanos(arrived.value - started), transactionId }
        : yield* new AnsweredElsewhere({ ...shownUrl(options.registration.url), duration_ms, settleTime })
    })

    const verified = Effect.fn("appservice_ping.verified")(
      (options: VerifiedOptions) =>
        Effect.acquireUseRelease(
          register(),
          (entry) => verify(options, entry),
          ({ transactionId }) => Effect.sync(() => pending.delete(transactionId))
        ),
      Spans.outcome(({ duration_ms }) => ({ "appservice_ping.duration_ms": duration_ms }))
    )

    return VerifiedPing.of({ received, ping: verified })
  })
