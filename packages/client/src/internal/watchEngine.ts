/** The watch's state, and the one fiber that starts its pings. */
import { Cause, type Clock, Duration, Effect, type Exit, type Fiber, type Random, Stream } from "effect"
import * as Health from "../Health.ts"
import type { Labels, Listener, Load, Observed, Status, Watched } from "../WatchStatus.ts"
import { Lanes, type Waiting } from "./watchLanes.ts"
import { EventLog } from "./watchLog.ts"
import { type Outcome, outcome } from "./watchPing.ts"
import * as Schedule from "./watchSchedule.ts"
import { Signal } from "./watchSignal.ts"

export interface EngineOptions {
  readonly clock: Clock.Clock
  readonly random: Random.Random
  readonly concurrency: number
  readonly policy: Health.HealthPolicy
  readonly bufferSize: number
  /** The longest wait that a peer can ask for, in milliseconds. */
  readonly maxRetryAfter: number
}

/** One watched appservice; only the engine changes it. */
export class Entry implements Waiting, Watched {
  due = 0
  position = -1
  order = 0
  slot = 0
  isDoubtful = false
  health: Health.Health = Health.unknown
  last: Health.Observation | undefined = undefined
  /** Before there is a fiber: a ping may already act on its own appservice while it is being started. */
  isRunning = false
  fiber: Fiber.Fiber<Outcome> | undefined = undefined
  isPaused = false
  isRemoved = false
  /** How often the kind of health has changed. */
  transitions = 0
  /** Made for the first reader, because most appservices have none. */
  signal: Signal | undefined = undefined
  readonly key: string
  readonly labels: Labels
  readonly pace: Schedule.Pace
  readonly ping: () => Effect.Effect<Outcome>

  constructor(key: string, labels: Labels, pace: Schedule.Pace, ping: () => Effect.Effect<Outcome>) {
    this.key = key
    this.labels = labels
    this.pace = pace
    this.ping = ping
  }
}

export class Engine {
  readonly log: EventLog<Observed>
  readonly listeners = new Set<Listener>()
  /** Notified when an appservice comes or goes, or changes its kind of health. */
  readonly changed = new Signal()
  isEnded = false
  readonly #options: EngineOptions
  readonly #started: bigint
  readonly #entries = new Map<string, Entry>()
  readonly #lanes: Lanes<Entry>
  readonly #byHealth = { Unknown: 0, Healthy: 0, Failing: 0, Recovered: 0 }
  readonly #work = new Signal()
  #wakeAt = Infinity
  #isPaused = false
  #skipped = 0

  constructor(options: EngineOptions) {
    this.#options = options
    this.#started = options.clock.monotonicTimeNanosUnsafe()
    this.#lanes = new Lanes(options.concurrency)
    this.log = new EventLog(options.bufferSize)
  }

  /** Whole milliseconds since the watch began. */
  #now(): number {
    return Number((this.#options.clock.monotonicTimeNanosUnsafe() - this.#started) / 1_000_000n)
  }

  #nextDue(): number {
    return this.#isPaused ? Infinity : this.#lanes.nextDue
  }

  /** Starts pings when they are due, for ever. They are its children, so that they end with it. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function*() {
    for (;;) {
      while (this.#nextDue() <= this.#now()) {
        const entry = this.#lanes.take(this.#now())
        if (entry === undefined) break
        entry.isRunning = true
        const fiber = yield* Effect.forkChild(entry.ping(), { startImmediately: true })
        entry.fiber = fiber
        fiber.addObserver((exit) => this.#settle(entry, exit))
        if (entry.isRemoved) fiber.interruptUnsafe()
      }
      this.#wakeAt = this.#nextDue()
      const work = this.#work.until(() => this.#nextDue() < this.#wakeAt)
      yield* Number.isFinite(this.#wakeAt)
        ? Effect.raceFirst(work, Effect.sleep(Math.max(1, this.#wakeAt - this.#now())))
        : work
    }
  })

  /** Whether there is no room for the key because it is watched, or was until a ping that is still being ended. */
  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.isRemoved ? undefined : entry
  }

  *all(): Generator<Entry> {
    for (const entry of this.#entries.values()) {
      if (!entry.isRemoved) yield entry
    }
  }

  add(entry: Entry): void {
    this.#entries.set(entry.key, entry)
    this.#byHealth[entry.health._tag]++
    const { due, slot } = Schedule.first(entry.pace, this.#now(), this.#options.random.nextDoubleUnsafe())
    entry.slot = slot
    entry.due = due
    this.#lanes.push(entry)
    for (const listener of this.listeners) listener.added(entry)
    this.changed.notify()
    this.#work.notify()
  }

  /** Returns the fiber of a ping that is under way and has to be ended. */
  remove(entry: Entry): Fiber.Fiber<Outcome> | undefined {
    entry.isRemoved = true
    this.#lanes.remove(entry)
    this.#byHealth[entry.health._tag]--
    if (!entry.isRunning) this.#entries.delete(entry.key)
    for (const listener of this.listeners) listener.removed(entry)
    entry.signal?.notify()
    this.changed.notify()
    return entry.fiber
  }

  pause(entry: Entry): void {
    entry.isPaused = true
    this.#lanes.remove(entry)
  }

  resume(entry: Entry): void {
    if (!entry.isPaused) return
    entry.isPaused = false
    if (!entry.isRunning) this.#plan(entry, this.#now() + 1)
  }

  pauseAll(): void {
    this.#isPaused = true
  }

  /** Pings that were due in the meantime wait for their next slot, so that they do not all start at once. */
  resumeAll(): void {
    this.#isPaused = false
    const now = this.#now()
    for (const entry of this.#lanes.drain(now)) this.#plan(entry, now + 1)
    this.#work.notify()
  }

  end(): void {
    this.isEnded = true
    this.log.end()
    this.changed.notify()
    for (const entry of this.#entries.values()) entry.signal?.notify()
  }

  status(entry: Entry): Status {
    const { health, isRunning, key, labels, last } = entry
    const isPaused = this.#isPaused || entry.isPaused
    return {
      key,
      labels,
      health,
      last,
      isRunning,
      isPaused,
      nextIn: isPaused || isRunning || !Number.isFinite(entry.due)
        ? undefined
        : Duration.millis(Math.max(0, entry.due - this.#now()))
    }
  }

  health(key: string): Stream.Stream<Health.Health> {
    return Stream.fromPull(Effect.sync(() => {
      const entry = this.get(key)
      if (entry === undefined) return Cause.done()
      const signal = entry.signal ??= new Signal()
      const isOver = () => entry.isRemoved || this.isEnded
      let seen = -1
      const read = Effect.suspend(() => {
        if (seen === entry.transitions || entry.isRemoved) return Cause.done()
        seen = entry.transitions
        return Effect.succeed([entry.health] as const)
      })
      return Effect.andThen(signal.until(() => isOver() || seen !== entry.transitions), read)
    }))
  }

  load(): Load {
    const now = this.#now()
    const { Failing, Healthy, Recovered, Unknown } = this.#byHealth
    return {
      watched: Failing + Healthy + Recovered + Unknown,
      byHealth: { Failing, Healthy, Recovered, Unknown },
      running: this.#lanes.running,
      backlog: this.#isPaused ? 0 : this.#lanes.countDue(now),
      late: Duration.millis(this.#isPaused ? 0 : Math.max(0, now - this.#lanes.firstDue)),
      skipped: this.#skipped
    }
  }

  get up(): number {
    return this.#byHealth.Healthy + this.#byHealth.Recovered
  }

  get watched(): number {
    return this.up + this.#byHealth.Failing + this.#byHealth.Unknown
  }

  #plan(entry: Entry, earliest: number): void {
    const last = { slot: entry.slot, isFailed: entry.last?._tag === "Failure" }
    const { due, slot } = Schedule.next(entry.pace, last, earliest, this.#options.random.nextDoubleUnsafe())
    entry.slot = slot
    entry.due = due
    entry.isDoubtful = last.isFailed
    this.#lanes.push(entry)
    this.#work.notify()
  }

  #settle(entry: Entry, exit: Exit.Exit<Outcome>): void {
    entry.isRunning = false
    entry.fiber = undefined
    this.#lanes.release(entry)
    if (this.isEnded) return
    if (entry.isRemoved) {
      if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key)
      return this.#work.notify()
    }
    const now = this.#now()
    const result = outcome(exit)
    this.#observe(entry, result, now)
    if (!entry.isPaused) this.#schedule(entry, result, now)
    this.#work.notify()
  }

  #schedule(entry: Entry, result: Outcome, now: number): void {
    const interval = result._tag === "Failure" ? entry.pace.failingInterval : entry.pace.interval
    this.#skipped += Schedule.distance(entry.slot, interval, now + 1) - 1
    const wait = result._tag === "Failure" && result.retryAfter !== undefined
      ? Math.min(this.#options.maxRetryAfter, Math.ceil(Duration.toMillis(result.retryAfter)))
      : 0
    this.#plan(entry, now + Math.max(1, wait))
  }

  #observe(entry: Entry, result: Outcome, monotonic: number): void {
    const moment = { at: this.#options.clock.currentTimeMillisUnsafe(), monotonic }
    const observation: Health.Observation = result._tag === "Success"
      ? { _tag: "Success", durationMs: result.durationMs, ...moment }
      : { _tag: "Failure", error: result.error, diagnosis: result.diagnosis, ...moment }
    const { health, transition } = Health.step(this.#options.policy, entry.health, observation)
    entry.last = observation
    entry.health = health
    if (transition !== undefined) {
      this.#byHealth[transition.from._tag]--
      this.#byHealth[transition.to._tag]++
      entry.transitions++
    }
    const { key, labels } = entry
    const event: Observed = { _tag: "Observed", key, labels, observation, health, transition }
    for (const listener of this.listeners) listener.observed(entry, event)
    this.log.write(event)
    if (transition !== undefined) {
      entry.signal?.notify()
      this.changed.notify()
    }
  }
}
