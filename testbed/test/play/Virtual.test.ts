import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Fiber, Schedule } from "effect"
import { TestClock } from "effect/testing"

describe("Virtual", () => {
  it.effect("moves from sleeper to sleeper, in the order of time and of falling asleep", () =>
    Virtual.run(Effect.gen(function*() {
      const order: Array<string> = []
      const sleep = (name: string, millis: number) =>
        Effect.andThen(
          Effect.sleep(millis),
          Effect.map(Clock.currentTimeMillis, (now) => order.push(`${name} ${now}`))
        )
      yield* Effect.all([sleep("a", 300), sleep("b", 100), sleep("c", 300), sleep("d", 100.9)], {
        concurrency: "unbounded"
      })
      // A system's clock has whole milliseconds, although timers go off in between.
      assert.deepStrictEqual(order, ["b 100", "d 100", "a 300", "c 300"])
      assert.strictEqual(yield* Clock.monotonicTimeNanos, 300_000_000n)
    })))

  it.effect("starts at 0, and lets no time pass of which nobody sleeps", () =>
    Virtual.run(Effect.gen(function*() {
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      yield* Effect.forEach(Array.from({ length: 5000 }), () => Effect.yieldNow, { discard: true })
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      assert.strictEqual(yield* Effect.timeout(Effect.succeed(1), "1 hour"), 1)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
    })))

  it.effect("waits for a promise that is there within a few turns, before it lets time pass", () =>
    Virtual.run(Effect.gen(function*() {
      const promise = Effect.promise(() => Promise.resolve().then(() => 1))
      assert.strictEqual(yield* Effect.timeout(promise, "1 milli"), 1)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
    })))

  it.effect("keeps a schedule to the millisecond, for a day, in no time", () =>
    Virtual.run(Effect.gen(function*() {
      let count = 0
      yield* Effect.repeat(
        Effect.sync(() => {
          count++
        }),
        Schedule.spaced("1 minute").pipe(Schedule.upTo({ times: 1439 }))
      )
      assert.strictEqual(count, 1440)
      assert.strictEqual(yield* Clock.currentTimeMillis, 1439 * 60_000)
    })))

  it.effect("lets TestClock.adjust wait until the clock has moved by itself", () =>
    Virtual.run(Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.sleep("2 seconds"))
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* Clock.currentTimeMillis, 2000)
    })))

  it.effect("ends with what the effect ends with", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Virtual.run(Effect.as(Effect.sleep("1 hour"), 7)), 7)
      assert.strictEqual(yield* Effect.flip(Virtual.run(Effect.fail("no"))), "no")
      assert.isTrue(Exit.hasDies(yield* Effect.exit(Virtual.run(Effect.die("dead")))))
    }))

  it.effect("is stuck, and says where, when nobody sleeps and nothing ends", () =>
    Effect.gen(function*() {
      let isInterrupted = false
      const waiting = Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => {
          isInterrupted = true
        }))
      const stuck = yield* Effect.flip(
        Virtual.run(Effect.andThen(Effect.sleep("5 seconds"), Effect.withSpan(waiting, "the last step")))
      )
      assert.strictEqual(stuck.reason, "nobody sleeps")
      assert.strictEqual(stuck.time, 5000)
      assert.include(stuck.message, "stuck after 5000 ms of virtual time: nobody sleeps and nothing ends")
      assert.include(stuck.message, "span the last step")
      assert.isTrue(isInterrupted)
    }))

  it.effect("is stuck, and names it, when it waits for a real timer", () =>
    Effect.gen(function*() {
      const real = Effect.callback((resume) => {
        const timer = setTimeout(() => resume(Effect.void), 3_600_000)
        return Effect.sync(() => clearTimeout(timer))
      })
      const stuck = yield* Effect.flip(Virtual.run(real))
      assert.deepStrictEqual(stuck.waiting, ["Timeout"])
    }))

  it.effect("stops at its limit of time, and not before", () =>
    Effect.gen(function*() {
      yield* Virtual.run(Effect.sleep("10 seconds"), { limit: "10 seconds" })
      const stuck = yield* Effect.flip(Virtual.run(Effect.sleep("10001 millis"), { limit: "10 seconds" }))
      assert.strictEqual(stuck._tag, "Stuck")
      assert.strictEqual(stuck.reason, "time")
      assert.include(stuck.message, "not over within the limit: at 0 ms of virtual time")
      const day = yield* Effect.flip(Virtual.run(Effect.forever(Effect.sleep("1 hour"))))
      assert.strictEqual(day.time, 24 * 3_600_000)
    }))

  it.effect("stops at its limit of steps, and not before", () =>
    Effect.gen(function*() {
      const steps = (n: number) => Effect.forEach(Array.from({ length: n }), () => Effect.sleep(1), { discard: true })
      yield* Virtual.run(steps(10), { maxSteps: 10 })
      const stuck = yield* Effect.flip(Virtual.run(steps(11), { maxSteps: 10 }))
      assert.strictEqual(stuck._tag, "Stuck")
      assert.strictEqual(stuck.reason, "steps")
    }))

  it.effect("interrupts the run when it is interrupted", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      let isInterrupted = false
      const fiber = yield* Effect.forkChild(Virtual.run(Effect.onInterrupt(
        Effect.andThen(Deferred.succeed(started, undefined), Effect.forever(Effect.sleep("1 milli"))),
        () =>
          Effect.sync(() => {
            isInterrupted = true
          })
      )))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(isInterrupted)
    }))
})
