import * as Deadline from "@appservice-ping/domain/Deadline"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"

const late = Effect.succeed("late" as const)

describe("Deadline", () => {
  it.effect("gives what the effect gives, in time", () =>
    Effect.gen(function*() {
      const deadline = Deadline.make({ duration: "1 second" })
      assert.strictEqual(yield* deadline.within(Effect.succeed(1), late), 1)
      assert.deepStrictEqual(yield* Effect.exit(deadline.within(Effect.fail("no"), late)), Exit.fail("no"))
      assert.isTrue(Exit.hasDies(yield* Effect.exit(deadline.within(Effect.die("bug"), late))))
      const fiber = yield* Effect.forkChild(deadline.within(Effect.as(Effect.sleep("999 millis"), 2), late))
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(yield* Fiber.join(fiber), 2)
    }))

  it.effect("interrupts what is late", () =>
    Effect.gen(function*() {
      const deadline = Deadline.make({ duration: "1 second" })
      let interrupted = false
      const slow = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (interrupted = true)))
      const fiber = yield* Effect.forkChild(deadline.within(slow, late))
      yield* TestClock.adjust("999 millis")
      assert.isFalse(interrupted)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "late")
      assert.isTrue(interrupted)
      assert.strictEqual(deadline.overdue(), 0)
    }))

  it.effect("does not wait for what cannot be interrupted, counts it, and starts no more than so many", () =>
    Effect.gen(function*() {
      const deadline = Deadline.make({ duration: "1 second", maxOverdue: 1 })
      const end = yield* Deferred.make<void>()
      const stubborn = Effect.uninterruptible(Deferred.await(end))
      const fiber = yield* Effect.forkChild(deadline.within(stubborn, late))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "late")
      assert.strictEqual(deadline.overdue(), 1)

      let started = false
      const next = Effect.sync(() => void (started = true))
      assert.strictEqual(yield* deadline.within(next, late), "late")
      assert.isFalse(started)

      yield* Deferred.succeed(end, undefined)
      yield* Effect.yieldNow
      assert.strictEqual(deadline.overdue(), 0)
      yield* deadline.within(next, late)
      assert.isTrue(started)
    }))

  it.effect("waits for a finalizer of an interrupted caller, but no longer than the deadline", () =>
    Effect.gen(function*() {
      const deadline = Deadline.make({ duration: "1 second" })
      const end = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        deadline.within(Effect.onInterrupt(Effect.never, () => Deferred.await(end)), late)
      )
      yield* Effect.yieldNow
      const interruption = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(interruption.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(interruption)
      assert.strictEqual(deadline.overdue(), 1)
      yield* Deferred.succeed(end, undefined)
      yield* Effect.yieldNow
      assert.strictEqual(deadline.overdue(), 0)
    }))

  it.effect("keeps the services of its caller", () =>
    Effect.gen(function*() {
      class Name extends Context.Service<Name, string>()("Name") {}
      const deadline = Deadline.make({ duration: "1 second" })
      const program = deadline.within(Effect.map(Name, (name) => name), late)
      assert.strictEqual(yield* Effect.provideService(program, Name, "irc"), "irc")
    }))
})
