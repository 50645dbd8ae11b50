/**
 * The health of many connections over time: appservices are pinged again and again, thousands at once.
 *
 * @since 0.1.0
 */
import * as Bound from "@appservice-ping/domain/Bound"
import * as Deadline from "@appservice-ping/domain/Deadline"
import { type Diagnosable, diagnose, type Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { Clock, Context, Duration, Effect, Fiber, Layer, Random, Schema, type Scope, type Stream } from "effect"
import { checkedUnsafe, type Health, type HealthPolicy } from "./Health.ts"
import { Engine, Entry } from "./internal/watchEngine.ts"
import * as WatchPing from "./internal/watchPing.ts"
import type { Pace } from "./internal/watchSchedule.ts"
import * as Readiness from "./Readiness.ts"
import type { Labels, Listener, Load, Missed, PingFailure, Status, WatchEvent } from "./WatchStatus.ts"

/**
 * How often a ping is sent.
 *
 * **Details**
 *
 * Each appservice has a grid of its own: the first ping is somewhere within `spread`, each further one an `interval`
 * after the one before it, and up to `jitter` of an interval later than that. Two pings are therefore between
 * `1 - jitter` and `1 + jitter` intervals apart, and `interval` on average, however long pings take. A ping that is not
 * possible because the one before it has not ended is left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface PaceOptions {
  /** Default: 60 seconds. */
  readonly interval?: Duration.Input | undefined
  /** The interval after a failed ping. Default: `interval`. */
  readonly failingInterval?: Duration.Input | undefined
  /** The share of each interval that is left to chance, from 0 to 1. Default: 0.1. */
  readonly jitter?: number | undefined
  /** The time over which first pings are spread, so that not all come at once; 0 asks at once. Default: `interval`. */
  readonly spread?: Duration.Input | undefined
}

/**
 * How a watch pings and judges, and its bounds.
 *
 * **Details**
 *
 * A bound that is none, such as an `interval` of `Infinity`, is a defect: a `BoundError`.
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchOptions extends PaceOptions {
  /**
   * How many pings are under way at once; half of them at most for appservices whose last ping failed, so that those
   * that hang do not keep the others waiting. Default: 16.
   */
  readonly concurrency?: number | undefined
  /**
   * When a ping that does not end is given up, as `Undecided`; a bound behind the ping's own. A ping that cannot be
   * interrupted is not waited for, and the next one is not sent as long as it runs. Default: 2 minutes.
   */
  readonly pingTimeout?: Duration.Input | undefined
  /** The longest `Retry-After` that is honoured, so that a peer cannot silence the watch. Default: 1 hour. */
  readonly maxRetryAfter?: Duration.Input | undefined
  /** How many pings it takes to change the health. */
  readonly policy?: HealthPolicy | undefined
  /** How many appservices the homeserver has to reach for the app to be ready. Default: `"all"`. */
  readonly readiness?: Readiness.ReadinessPolicy | undefined
  /** How many events are kept for a slow reader of `changes`. Default: 1,024. */
  readonly bufferSize?: number | undefined
  /** How many appservices can be watched. Default: 100,000. */
  readonly maxWatched?: number | undefined
}

/**
 * An appservice to watch.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target<E, R> extends PaceOptions {
  /** Its name in events and metrics, such as the registration's `id` if that is unique. */
  readonly key: string
  readonly labels?: Labels | undefined
  /** A plain or a verified ping. Its services are those of the `add`; its timeout is its own. */
  readonly ping: Effect.Effect<{ readonly duration_ms: number }, E, R>
}

/**
 * The appservice cannot be watched: its key is in use, the watch is full, or the watch has ended.
 *
 * @category errors
 * @since 0.1.0
 */
export class CannotWatch extends Schema.TaggedError<CannotWatch>("@appservice-ping/client/Watch/CannotWatch")(
  "CannotWatch",
  { key: Schema.String, reason: Schema.Literals(["key in use", "watch has ended", "watch is full"]) }
) {
  override get message(): string {
    return `${JSON.stringify(this.key)} cannot be watched: ${this.reason}`
  }
}

/**
 * The watch ended, with the scope that it was made in, before the appservices were reached.
 *
 * @category errors
 * @since 0.1.0
 */
export class WatchEnded extends Schema.TaggedError<WatchEnded>("@appservice-ping/client/Watch/WatchEnded")(
  "WatchEnded",
  {}
) {
  override get message(): string {
    return "the watch ended before enough appservices were reached"
  }
}

/**
 * Adds an appservice; an error that `Diagnosis.diagnose` does not know needs a `diagnose` option.
 *
 * @category models
 * @since 0.1.0
 */
export interface Add<S> {
  <E extends Diagnosable, R>(
    target: Target<E, R> & { readonly diagnose?: ((error: E) => Diagnosis) | undefined }
  ): Effect.Effect<void, CannotWatch, R | S>
  <E extends PingFailure, R>(
    target: Target<E, R> & { readonly diagnose: (error: E) => Diagnosis }
  ): Effect.Effect<void, CannotWatch, R | S>
}

/**
 * Service that watches appservices.
 *
 * @category services
 * @since 0.1.0
 */
export class Watch extends Context.Service<Watch, {
  /** Watches an appservice until it is removed, or the watch ends. */
  readonly add: Add<never>
  /** Watches an appservice until the scope closes. */
  readonly addScoped: Add<Scope.Scope>
  /** Stops watching an appservice, and interrupts its ping; returns whether it was watched. */
  readonly remove: (key: string) => Effect.Effect<boolean>
  /**
   * Sends no further ping to one appservice, or to all; a ping under way still counts. The health stays what it is,
   * for readiness too. Returns whether the appservice is watched.
   */
  readonly pause: (key?: string) => Effect.Effect<boolean>
  /** Goes on at the next slot. It undoes only a `pause` with the same argument: of one appservice, or of all. */
  readonly resume: (key?: string) => Effect.Effect<boolean>
  readonly status: (key: string) => Effect.Effect<Status | undefined>
  readonly all: Effect.Effect<ReadonlyArray<Status>>
  readonly load: Effect.Effect<Load>
  /** The same without an effect, for metrics, which are read from outside. */
  readonly loadUnsafe: () => Load
  /** All events after the stream has started. A slow reader delays nothing, and learns how many it has missed. */
  readonly changes: Stream.Stream<WatchEvent>
  /**
   * The health now, then each further kind of it; a slow reader finds the newest. Ends when the appservice is removed,
   * and at once where it is not watched.
   */
  readonly health: (key: string) => Stream.Stream<Health>
  /** Whether enough appservices are reached, for a readiness probe. */
  readonly ready: Effect.Effect<Readiness.Readiness>
  /** Waits until enough appservices are reached, or fails once the watch ends, because they never will be. */
  readonly awaitReady: Effect.Effect<void, WatchEnded>
  /** Follows every observation, until the scope closes. */
  readonly listen: (listener: Listener) => Effect.Effect<void, never, Scope.Scope>
}>()("@appservice-ping/client/Watch") {
  /**
   * Layer that watches nothing yet.
   */
  static readonly layer = (options?: WatchOptions): Layer.Layer<Watch> => Layer.effect(Watch, make(options))
}

/**
 * Makes a watch that ends with the scope.
 *
 * **Details**
 *
 * One fiber starts the pings when they are due, at most `concurrency` at once; an appservice that waits costs no fiber.
 * `load` shows whether that is enough. An appservice never has two pings under way. A `Retry-After` postpones its next
 * ping.
 *
 * **Example** (Watching an appservice and logging what changes)
 *
 * ```ts
 * import { Ping, Watch } from "@appservice-ping/client"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.fn(function*(options: Ping.PingOptions) {
 *   const watch = yield* Watch.make({ interval: "30 seconds", spread: 0 })
 *   yield* watch.add({ key: options.registration.id, ping: Ping.ping(options) })
 *   yield* Stream.runForEach(watch.health(options.registration.id), (health) => Effect.logInfo(health._tag))
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: WatchOptions = {}): Effect.Effect<Watch["Service"], never, Scope.Scope> =>
  Effect.gen(function*() {
    const readiness = options.readiness ?? "all"
    const maxWatched = Bound.integerUnsafe("maxWatched", options.maxWatched ?? 100_000)
    const pingTimeout = Bound.durationUnsafe("pingTimeout", options.pingTimeout ?? "2 minutes")
    // Each appservice has one ping at most that is late and still runs.
    const deadline = Deadline.make({ duration: pingTimeout, maxOverdue: maxWatched })
    const running = new Set<string>()
    const pace = paceOf(options, options)
    const engine = new Engine({
      clock: yield* Clock.Clock,
      random: yield* Random.Random,
      concurrency: Bound.integerUnsafe("concurrency", options.concurrency ?? 16, { minimum: 1 }),
      policy: checkedUnsafe(options.policy ?? {}),
      bufferSize: Bound.integerUnsafe("bufferSize", options.bufferSize ?? 1024, { minimum: 1 }),
      maxRetryAfter: Duration.toMillis(Bound.durationUnsafe("maxRetryAfter", options.maxRetryAfter ?? "1 hour"))
    })
    yield* Effect.forkScoped(engine.run)
    yield* Effect.addFinalizer(() => Effect.sync(() => engine.end()))

    const start = <E extends PingFailure, R>(target: Target<E, R>, diagnose: (error: E) => Diagnosis) =>
      Effect.contextWith((context: Context.Context<R>) => {
        const { key, labels = {}, ping } = target
        if (engine.isEnded) return Effect.fail(new CannotWatch({ key, reason: "watch has ended" }))
        if (engine.has(key)) return Effect.fail(new CannotWatch({ key, reason: "key in use" }))
        if (engine.watched >= maxWatched) return Effect.fail(new CannotWatch({ key, reason: "watch is full" }))
        const ownPace = hasOwnPace(target) ? paceOf(options, target) : pace
        const entry = new Entry(
          key,
          labels,
          ownPace,
          () => Effect.provideContext(WatchPing.run(ping, { key, diagnose, deadline, running }), context)
        )
        engine.add(entry)
        return Effect.succeed(entry)
      })

    const end = (entry: Entry) =>
      Effect.suspend(() => {
        if (entry.isRemoved || engine.isEnded) return Effect.succeed(false)
        const fiber = engine.remove(entry)
        return Effect.as(fiber === undefined ? Effect.void : Fiber.interrupt(fiber), true)
      })

    const withEntry = (key: string, use: (entry: Entry) => void) =>
      Effect.sync(() => {
        const entry = engine.get(key)
        if (entry !== undefined) use(entry)
        return entry !== undefined
      })

    const isReady = () => engine.up >= Readiness.required(readiness, engine.watched)

    return Watch.of({
      add: <R>(
        target: Target<Diagnosable, R> & { readonly diagnose?: ((error: Diagnosable) => Diagnosis) | undefined }
      ) => Effect.asVoid(start(target, target.diagnose ?? diagnose)),
      addScoped: <R>(
        target: Target<Diagnosable, R> & { readonly diagnose?: ((error: Diagnosable) => Diagnosis) | undefined }
      ) => Effect.asVoid(Effect.acquireRelease(start(target, target.diagnose ?? diagnose), end)),
      remove: (key) =>
        Effect.suspend(() => {
          const entry = engine.get(key)
          return entry === undefined ? Effect.succeed(false) : end(entry)
        }),
      pause: (key) =>
        key === undefined
          ? Effect.sync(() => {
            engine.pauseAll()
            return true
          })
          : withEntry(key, (entry) => engine.pause(entry)),
      resume: (key) =>
        key === undefined
          ? Effect.sync(() => {
            engine.resumeAll()
            return true
          })
          : withEntry(key, (entry) => engine.resume(entry)),
      status: (key) =>
        Effect.sync(() => {
          const entry = engine.get(key)
          return entry === undefined ? undefined : engine.status(entry)
        }),
      all: Effect.sync(() => Array.from(engine.all(), (entry) => engine.status(entry))),
      load: Effect.sync(() => engine.load()),
      loadUnsafe: () => engine.load(),
      changes: engine.log.stream((count): Missed => ({ _tag: "Missed", count })),
      health: (key) => engine.health(key),
      ready: Effect.sync(() => Readiness.decide(readiness, engine.all())),
      awaitReady: Effect.andThen(
        engine.changed.until(() => engine.isEnded || isReady()),
        Effect.suspend(() => isReady() ? Effect.void : Effect.fail(new WatchEnded()))
      ),
      listen: (listener) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            engine.listeners.add(listener)
            for (const entry of engine.all()) listener.added(entry)
          }),
          () => Effect.sync(() => engine.listeners.delete(listener))
        )
    })
  })

const intervalOf = (option: string, input: Duration.Input): number =>
  Math.max(1, Math.round(Duration.toMillis(Bound.durationUnsafe(option, input, { minimum: "1 milli" }))))

const paceOf = (options: PaceOptions, target: PaceOptions): Pace => {
  const interval = intervalOf("interval", target.interval ?? options.interval ?? "60 seconds")
  const spread = Bound.durationUnsafe("spread", target.spread ?? options.spread ?? interval)
  return {
    interval,
    failingInterval: intervalOf("failingInterval", target.failingInterval ?? options.failingInterval ?? interval),
    jitter: Bound.numberUnsafe("jitter", target.jitter ?? options.jitter ?? 0.1, { maximum: 1 }),
    spread: Math.round(Duration.toMillis(spread))
  }
}

/** Most appservices share the watch's pace, which then need not be kept for each. */
const hasOwnPace = ({ failingInterval, interval, jitter, spread }: PaceOptions): boolean =>
  (interval ?? failingInterval ?? jitter ?? spread) !== undefined
