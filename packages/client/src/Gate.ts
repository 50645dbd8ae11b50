/**
 * The start-up gate: waits until the connection works, as long as the failure can pass by itself (A10).
 *
 * It drives any ping. Start it once the appservice's listener is up, because a homeserver cannot reach it before. Its
 * decisions are separate pure functions.
 *
 * @see {@link "GatePolicy"} for these decisions
 * @see {@link "GateEvent"} for its progress
 * @since 0.1.0
 */
import * as Bound from "@appservice-ping/domain/Bound"
import * as Deadline from "@appservice-ping/domain/Deadline"
import { type Diagnosable, diagnose, Diagnosis, isDiagnosable } from "@appservice-ping/domain/Diagnosis"
import { Clock, Duration, Effect, Layer, Queue, Random, Result, Stream } from "effect"
import { AttemptTimeout, type GateEvent, type GaveUp, GaveUpError } from "./GateEvent.ts"
import { checkedUnsafe, deadlineOf, type GatePolicy, step } from "./GatePolicy.ts"
import * as Spans from "./internal/spans.ts"

/**
 * The ping to wait for, and the policy of waiting.
 *
 * @category models
 * @since 0.1.0
 */
export interface GateOptions<A, E, R> extends GatePolicy {
  /** One attempt: a plain ping, or a verified one. */
  readonly ping: Effect.Effect<A, E, R>
  /** Diagnoses an error; only a `temporary` one is tried again. Default: `Diagnosis.diagnose`. */
  readonly diagnose?: ((error: E) => Diagnosis) | undefined
  /**
   * Errors to try again after although their diagnosis says that only a person can fix them: an `M_UNKNOWN_TOKEN`
   * while the homeserver is being restarted to read the registration. Default: none.
   */
  readonly alsoRetry?: ((error: E) => boolean) | undefined
  /**
   * How long one attempt may take, beside what the ping itself allows; one that cannot be interrupted is not waited for.
   * Default: until the deadline of all.
   */
  readonly attemptTimeout?: Duration.Input | undefined
}

/**
 * Options of an effect that waits at the gate.
 *
 * @category models
 * @since 0.1.0
 */
export interface WaitOptions<A, E, R, R2 = never> extends GateOptions<A, E, R> {
  /** Runs for each event in turn, such as to log it; the gate goes on when it has ended. Default: nothing. */
  readonly onEvent?: ((event: GateEvent<A, E>) => Effect.Effect<void, never, R2>) | undefined
}

/** An error that is not of this project needs a `diagnose` that knows it. */
type Explained<Options, E> = Options & { readonly diagnose: (error: E) => Diagnosis }

const unexplained = new Diagnosis({
  actor: "operator",
  cause: "The ping failed in a way that is not known here.",
  advice: "Give the gate a diagnose that knows the error.",
  temporary: false
})

const timedOut = new Diagnosis({
  actor: "nobody",
  cause: "The ping took longer than an attempt may take, so it is undecided: neither confirmed nor failed.",
  advice: "Allow an attempt more time.",
  temporary: true
})

/** So many attempts may run on after their time, because they could not be interrupted. */
const maxOverdue = 16

/** Ends the wait for each attempt on time, and starts none while too many of those before it run on. */
const attemptDeadlines = () => {
  let late: ReadonlyArray<Deadline.Deadline> = []
  return <A, E, R>(
    ping: Effect.Effect<A, E, R>,
    limit: Duration.Duration
  ): Effect.Effect<A, E | AttemptTimeout, R> => {
    if (!Duration.isFinite(limit)) return ping
    const after = Duration.millis(Math.max(0, Math.ceil(Duration.toMillis(limit))))
    late = late.filter(({ overdue }) => overdue() > 0)
    if (late.length >= maxOverdue) return Effect.fail(new AttemptTimeout({ after }))
    const deadline = Deadline.make({ duration: after })
    late = [...late, deadline]
    return deadline.within(ping, Effect.fail(new AttemptTimeout({ after })))
  }
}

/** An error with what it means. */
interface Explanation<E> {
  readonly error: E | AttemptTimeout
  readonly diagnosis: Diagnosis
}

const attempts = Effect.fnUntraced(function*<A, E, R, R2>(
  options: GateOptions<A, E, R>,
  emit: (event: GateEvent<A, E>) => Effect.Effect<void, never, R2>
): Effect.fn.Return<A, GaveUpError<E>, R | R2> {
  const deadline = deadlineOf(checkedUnsafe(options))
  const attemptTimeout = options.attemptTimeout === undefined
    ? Duration.infinity
    : Bound.durationUnsafe("attemptTimeout", options.attemptTimeout)
  const diagnoseOwn = options.diagnose ?? ((error: unknown) => isDiagnosable(error) ? diagnose(error) : unexplained)
  const explain = (error: E | AttemptTimeout): Explanation<E> => ({
    error,
    diagnosis: error instanceof AttemptTimeout ? timedOut : diagnoseOwn(error)
  })
  const isTemporary = ({ diagnosis, error }: Explanation<E>): boolean =>
    diagnosis.temporary || (!(error instanceof AttemptTimeout) && options.alsoRetry?.(error) === true)

  const started = yield* Clock.monotonicTimeNanos
  const sinceStart = Effect.map(Clock.monotonicTimeNanos, (now) => Duration.nanos(now - started))

  const bounded = attemptDeadlines()
  let before: Explanation<E> | undefined
  for (let number = 1;; number++) {
    yield* emit({ _tag: "Attempt", number })
    const left = Duration.subtract(deadline, yield* sinceStart)
    const result = yield* bounded(options.ping, Duration.min(attemptTimeout, left)).pipe(
      Spans.attempt(number),
      Effect.result
    )
    const elapsed = yield* sinceStart
    if (Result.isSuccess(result)) {
      yield* emit({ _tag: "Connected", number, value: result.success, elapsed })
      return result.success
    }
    const failed = explain(result.failure)
    const { error } = failed
    const state = { attempt: number, elapsed, random: yield* Random.next }
    const decision = step(state, { error, temporary: isTemporary(failed) }, options)
    const retryIn = decision._tag === "Retry" ? decision.wait : undefined
    yield* emit({ _tag: "Failed", number, ...failed, retryIn })
    if (decision._tag === "GiveUp") {
      const cutShort = error instanceof AttemptTimeout && Duration.isLessThan(left, attemptTimeout)
      const last = cutShort && before !== undefined ? before : failed
      const end: GaveUp<E> = { _tag: "GaveUp", number, reason: decision.reason, ...last, elapsed }
      yield* emit(end)
      return yield* new GaveUpError(end)
    }
    before = failed
    yield* Effect.sleep(decision.wait)
  }
})

const waitAt = <A, E, R, R2>(options: WaitOptions<A, E, R, R2>): Effect.Effect<A, GaveUpError<E>, R | R2> =>
  attempts(options, options.onEvent ?? (() => Effect.void)).pipe(
    Spans.outcome(() => ({})),
    Effect.withSpan("appservice_ping.gate")
  )

/** The number of events by which the gate may be ahead of a reader. */
const eventsMax = 16

/**
 * Waits at the gate, each step an event of a stream that ends with `Connected` or `GaveUp`.
 *
 * **Details**
 *
 * Nothing happens before the stream is run, and leaving it ends an attempt or a wait at once. A reader who falls
 * behind by 16 events makes the gate wait.
 *
 * **Example** (Showing each attempt)
 *
 * ```ts
 * import { Gate, Ping } from "@appservice-ping/client"
 * import { Console, Stream } from "effect"
 *
 * const show = (options: Ping.PingOptions) =>
 *   Gate.events({ ping: Ping.ping(options) }).pipe(
 *     Stream.runForEach((event) =>
 *       event._tag === "Failed" ? Console.log(`attempt ${event.number}: ${event.diagnosis.cause}`) : Console.log(event._tag)
 *     )
 *   )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const events: {
  <A, E extends Diagnosable, R>(options: GateOptions<A, E, R>): Stream.Stream<GateEvent<A, E>, never, R>
  <A, E, R>(options: Explained<GateOptions<A, E, R>, E>): Stream.Stream<GateEvent<A, E>, never, R>
} = <A, E, R>(options: GateOptions<A, E, R>): Stream.Stream<GateEvent<A, E>, never, R> =>
  Stream.callback<GateEvent<A, E>, never, R>(
    (queue) =>
      attempts(options, (event) => Queue.offer(queue, event)).pipe(Effect.ignore, Effect.andThen(Queue.end(queue))),
    { bufferSize: eventsMax, strategy: "suspend" }
  )

/**
 * Waits until the connection works, or fails with why it gave up.
 *
 * **Details**
 *
 * Whether that is fatal is the caller's policy: a bridge that is started to be repaired must not refuse to start. A
 * `Retry-After` comes before the calculated wait (C18), what only a person can fix ends the wait at once, and the
 * deadline also ends the attempt that it falls into. Each attempt is a span `appservice_ping.attempt`.
 *
 * **Example** (Going on without a connection)
 *
 * ```ts
 * import { Gate, Ping } from "@appservice-ping/client"
 * import { Effect } from "effect"
 *
 * const gate = (options: Ping.PingOptions) => Gate.wait({ ping: Ping.ping(options), deadline: "5 minutes" })
 *
 * // Waits, and goes on in either case.
 * const warned = (options: Ping.PingOptions) =>
 *   gate(options).pipe(Effect.catchTag("GaveUpError", (error) => Effect.logWarning(error.message)))
 *
 * // Goes on at once, and logs later.
 * const beside = (options: Ping.PingOptions) => Effect.forkScoped(warned(options))
 *
 * // As long as the homeserver is being restarted with the new registration, it may not know the token.
 * const patient = (options: Ping.PingOptions) =>
 *   Gate.wait({ ping: Ping.ping(options), alsoRetry: (error) => error._tag === "M_UNKNOWN_TOKEN" })
 * ```
 *
 * @category clients
 * @since 0.1.0
 */
export const wait: {
  <A, E extends Diagnosable, R, R2 = never>(
    options: WaitOptions<A, E, R, R2>
  ): Effect.Effect<A, GaveUpError<E>, R | R2>
  <A, E, R, R2 = never>(
    options: Explained<WaitOptions<A, E, R, R2>, E>
  ): Effect.Effect<A, GaveUpError<E>, R | R2>
} = waitAt

/**
 * Layer that is built when the connection works.
 *
 * **When to use**
 *
 * Put it on top of the layer that listens, so that the homeserver finds the listener when it is asked for a ping:
 * `Layer.provideMerge` builds that layer first. Beside it, with `Layer.merge`, the two would race.
 *
 * **Example** (Waiting once the listener is up)
 *
 * ```ts
 * import { Gate, Ping } from "@appservice-ping/client"
 * import { Layer } from "effect"
 * import { FetchHttpClient, type HttpServer } from "effect/http"
 *
 * const connected = (options: Ping.PingOptions, listener: Layer.Layer<HttpServer.HttpServer>) =>
 *   Gate.layer({ ping: Ping.ping(options) }).pipe(
 *     Layer.provideMerge(listener),
 *     Layer.provide(FetchHttpClient.layer)
 *   )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: {
  <A, E extends Diagnosable, R, R2 = never>(
    options: WaitOptions<A, E, R, R2>
  ): Layer.Layer<never, GaveUpError<E>, R | R2>
  <A, E, R, R2 = never>(
    options: Explained<WaitOptions<A, E, R, R2>, E>
  ): Layer.Layer<never, GaveUpError<E>, R | R2>
} = <A, E, R, R2>(options: WaitOptions<A, E, R, R2>): Layer.Layer<never, GaveUpError<E>, R | R2> =>
  Layer.effectDiscard(waitAt(options))
