/**
 * Runs an effect on virtual time: whenever everybody waits, the clock moves to the next one who sleeps.
 *
 * A day of retries takes milliseconds, and the same run takes the same steps every time.
 *
 * @since 0.1.0
 */
import { Clock, Context, Data, Duration, Effect, Fiber, Option, Scheduler, Tracer } from "effect"
import type { TestClock } from "effect/testing"
import * as Traffic from "./Traffic.ts"

/**
 * The bounds of a run.
 *
 * @category options
 * @since 0.1.0
 */
export interface VirtualOptions {
  /** How much virtual time may pass. Default: 1 day. */
  readonly limit?: Duration.Input | undefined
  /** How often the clock may move. Default: 1,000,000 times. */
  readonly maxSteps?: number | undefined
}

/**
 * The run does not come to its end: nobody sleeps and nothing ends, or it took more time or steps than it may.
 *
 * @category errors
 * @since 0.1.0
 */
export class Stuck extends Data.TaggedError("Stuck")<{
  readonly reason: "nobody sleeps" | "time" | "steps"
  /** The virtual time, in milliseconds since the run began. */
  readonly time: number
  readonly steps: number
  /** What the run waits for, as far as that is known: the names of its spans, and what Node waits for. */
  readonly waiting: ReadonlyArray<string>
}> {
  override get message(): string {
    const where = this.waiting.length === 0 ? "" : `; waiting: ${this.waiting.join(", ")}`
    switch (this.reason) {
      case "nobody sleeps":
        return `stuck after ${this.time} ms of virtual time: nobody sleeps and nothing ends. Either something waits for ` +
          `what never comes, or for what is not of Effect's clock: a socket, a promise or a real timer${where}`
      case "time":
        return `not over within the limit: at ${this.time} ms of virtual time, and what comes next is beyond it${where}`
      case "steps":
        return `not over after the clock moved ${this.steps} times, in ${this.time} ms of virtual time${where}`
    }
  }
}

const defaults = { limit: "1 day", maxSteps: 1_000_000 } as const

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** The clock of a run: the sleepers, their times, and the time that was set. */
class VirtualClock implements TestClock.TestClock {
  private nanos = 0n
  private millis = 0
  /** Sorted, the last one wakes first; of two at the same time the one that slept first. */
  private readonly sleepers: Array<Sleeper> = []
  private readonly live: Clock.Clock

  constructor(live: Clock.Clock) {
    this.live = live
  }

  /** Whole milliseconds, as a system's clock has them, although timers go off in between. */
  currentTimeMillisUnsafe(): number {
    return Math.floor(this.millis)
  }

  currentTimeNanosUnsafe(): bigint {
    return this.nanos
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.nanos
  }

  readonly currentTimeMillis = Effect.sync(() => Math.floor(this.millis))
  readonly currentTimeNanos = Effect.sync(() => this.nanos)
  readonly monotonicTimeNanos = Effect.sync(() => this.nanos)

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (millis <= 0) return Effect.void
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.callback((resume) => {
      const sleeper: Sleeper = { at: this.millis + millis, wake: () => resume(Effect.void) }
      this.insert(sleeper)
      return Effect.sync(() => {
        const index = this.sleepers.indexOf(sleeper)
        if (index !== -1) this.sleepers.splice(index, 1)
      })
    })
  }

  /** The clock moves by itself; who wants it to have moved waits until then. */
  adjust(duration: Duration.Input): Effect.Effect<void> {
    return this.sleep(Duration.fromInputUnsafe(duration))
  }

  setTime(timestamp: number): Effect.Effect<void> {
    return Effect.suspend(() => this.sleep(Duration.millis(timestamp - this.millis)))
  }

  withLive<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.provideService(effect, Clock.Clock, this.live)
  }

  /** When the next one wakes. */
  get next(): number | undefined {
    return this.sleepers.at(-1)?.at
  }

  /** Moves to the next one who sleeps, and wakes it. */
  advance(): void {
    const sleeper = this.sleepers.pop()
    if (sleeper === undefined) return
    if (sleeper.at > this.millis) {
      this.millis = sleeper.at
      this.nanos = BigInt(Math.round(sleeper.at * 1_000_000))
    }
    sleeper.wake()
  }

  private insert(sleeper: Sleeper): void {
    let low = 0
    let high = this.sleepers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.sleepers[middle]?.at ?? 0) > sleeper.at) low = middle + 1
      else high = middle
    }
    this.sleepers.splice(low, 0, sleeper)
  }
}

/** Notices when no fiber has anything left to do. */
class Counting implements Scheduler.Scheduler {
  readonly executionMode: "sync" | "async"
  pending = 0
  private readonly parent: Scheduler.Scheduler

  constructor(parent: Scheduler.Scheduler) {
    this.parent = parent
    this.executionMode = parent.executionMode
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return this.parent.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    const dispatcher = this.parent.makeDispatcher()
    return {
      scheduleTask: (task, priority) => {
        this.pending++
        dispatcher.scheduleTask(() => {
          this.pending--
          task()
        }, priority)
      },
      flush: () => dispatcher.flush()
    }
  }
}

/** How many turns of the event loop pass without any traffic before a connection in this process counts as quiet. */
const quietTurns = 6

/** How many turns of the event loop a run may wait for a promise before nothing is expected of it any more. */
const idleTurnsMax = 200

const turn = Effect.callback<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

const resources = (): ReadonlyArray<string> =>
  process.getActiveResourcesInfo().filter((name) => name !== "Immediate" && name !== "TickObject")

/** What Node waits for now and did not when the run began. */
const waitingOf = (fiber: Fiber.Fiber<unknown, unknown>, before: ReadonlyArray<string>): ReadonlyArray<string> => {
  const names = Option.match(Context.getOption(fiber.context, Tracer.ParentSpan), {
    onNone: () => [],
    onSome: (span) => span._tag === "Span" ? [`span ${span.name}`] : []
  })
  const left = [...before]
  const more = resources().filter((name) => {
    const index = left.indexOf(name)
    if (index !== -1) left.splice(index, 1)
    return index === -1
  })
  return [...names, ...more]
}

/**
 * Runs an effect on virtual time until it ends.
 *
 * **Details**
 *
 * The clock starts at 0 and moves only when no fiber of the run has anything to do, always to the next one who sleeps.
 * `TestClock.adjust` waits until the clock has moved that far by itself. What the run has started and not ended when it
 * ends sleeps for ever.
 *
 * **Gotchas**
 *
 * Sockets, promises that take longer than a few turns of the event loop and real timers are not of this time: a run
 * that waits for them is stuck, or its sleepers overtake them. The error names what Node is waiting for.
 *
 * **Example** (A day of sleep)
 *
 * ```ts
 * import * as Virtual from "@appservice-ping/testbed/play/Virtual"
 * import { Clock, Effect } from "effect"
 *
 * const program = Effect.andThen(Effect.sleep("23 hours"), Clock.currentTimeMillis)
 *
 * await Effect.runPromise(Virtual.run(program)) // => 82800000
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const run = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options?: VirtualOptions
): Effect.Effect<A, E | Stuck, R> =>
  Effect.gen(function*() {
    const limit = Duration.toMillis(Duration.fromInputUnsafe(options?.limit ?? defaults.limit))
    const maxSteps = options?.maxSteps ?? defaults.maxSteps
    const before = resources()
    const clock = new VirtualClock(yield* Clock.clockWith(Effect.succeed))
    const scheduler = new Counting(yield* Scheduler.Scheduler)
    const fiber = yield* Effect.forkChild(
      effect.pipe(
        Effect.provideService(Clock.Clock, clock),
        Effect.provideService(Scheduler.Scheduler, scheduler)
      ),
      { startImmediately: true }
    )
    let steps = 0
    let idle = 0
    let traffic = Traffic.count()
    let busy = 0
    const isQuiet = (): boolean => {
      const before = traffic
      traffic = Traffic.count()
      busy = traffic === before ? busy - 1 : quietTurns
      return busy <= 0
    }
    const stuck = (reason: Stuck["reason"]): Effect.Effect<never, Stuck> =>
      Effect.suspend(() => {
        const error = new Stuck({
          reason,
          time: clock.currentTimeMillisUnsafe(),
          steps,
          waiting: waitingOf(fiber, before)
        })
        // What it still does to clean up is of a time that does not move any more.
        fiber.interruptUnsafe()
        return Effect.andThen(turn, error)
      })
    while (fiber.pollUnsafe() === undefined) {
      yield* turn
      if (scheduler.pending > 0 || fiber.pollUnsafe() !== undefined) {
        idle = 0
        continue
      }
      if (!isQuiet()) continue
      const next = clock.next
      if (next === undefined) {
        if (++idle > idleTurnsMax) return yield* stuck("nobody sleeps")
        continue
      }
      if (next > limit) return yield* stuck("time")
      if (++steps > maxSteps) return yield* stuck("steps")
      idle = 0
      clock.advance()
    }
    return yield* Fiber.join(fiber)
  })
