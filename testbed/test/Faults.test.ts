import * as Fault from "@appservice-ping/testbed/Fault"
import * as Faults from "@appservice-ping/testbed/Faults"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"

const inForce = (faults: Faults.Faults["Service"]) => Effect.map(faults.current, (active) => active?.fault)

const one = Fault.latency("1 second")
const two = Fault.stall({ at: "in-body" })

describe("Faults", () => {
  it.effect("has the fault that was injected last in force, and heals to the one before it", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.make
      assert.isUndefined(yield* inForce(faults))
      const first = yield* Scope.make()
      const second = yield* Scope.make()
      yield* Scope.provide(faults.inject(one), first)
      assert.strictEqual(yield* inForce(faults), one)
      yield* Scope.provide(faults.inject(two), second)
      assert.strictEqual(yield* inForce(faults), two)
      yield* Scope.close(second, Exit.void)
      assert.strictEqual(yield* inForce(faults), one)
      yield* Scope.close(first, Exit.void)
      assert.isUndefined(yield* inForce(faults))
    }))

  it.effect("heals in any order, and two injections of one fault are two", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.make
      const first = yield* Scope.make()
      const second = yield* Scope.make()
      yield* Scope.provide(faults.inject(one), first)
      yield* Scope.provide(faults.inject(one), second)
      yield* Scope.close(first, Exit.void)
      assert.strictEqual(yield* inForce(faults), one)
      yield* Scope.close(second, Exit.void)
      assert.isUndefined(yield* inForce(faults))
    }))

  it.effect("heals when the scope ends by failure and by interruption", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.make
      yield* Effect.exit(Effect.scoped(Effect.andThen(faults.inject(one), Effect.fail("no"))))
      assert.isUndefined(yield* inForce(faults))
      const fiber = yield* Effect.forkChild(Effect.scoped(Effect.andThen(faults.inject(one), Effect.never)), {
        startImmediately: true
      })
      assert.strictEqual(yield* inForce(faults), one)
      yield* Fiber.interrupt(fiber)
      assert.isUndefined(yield* inForce(faults))
    }))

  it.effect("counts what each injection struck, and keeps the total after healing", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.make
      const strike = Effect.flatMap(faults.current, (active) => active === undefined ? Effect.void : active.record)
      yield* strike
      assert.strictEqual(yield* faults.applied, 0)
      const first = yield* faults.inject(one)
      yield* strike
      yield* strike
      const second = yield* Effect.scoped(Effect.tap(faults.inject(two), () => strike))
      yield* strike
      assert.strictEqual(yield* first.applied, 3)
      assert.strictEqual(yield* second.applied, 1)
      assert.strictEqual(yield* faults.applied, 4)
    }))

  it.effect("tells an interpreter of every change, before the injection returns", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.make
      const seen: Array<string | undefined> = []
      const scope = yield* Scope.make()
      yield* Scope.provide(faults.onChange((active) => Effect.sync(() => seen.push(active?.fault._tag))), scope)
      assert.deepStrictEqual(seen, [undefined])
      yield* Effect.scoped(Effect.gen(function*() {
        yield* faults.inject(one)
        assert.deepStrictEqual(seen, [undefined, "latency"])
        yield* Effect.scoped(faults.inject(two))
        assert.deepStrictEqual(seen, [undefined, "latency", "stall", "latency"])
      }))
      assert.deepStrictEqual(seen, [undefined, "latency", "stall", "latency", undefined])
      yield* Scope.close(scope, Exit.void)
      yield* Effect.scoped(faults.inject(one))
      assert.strictEqual(seen.length, 5)
    }))

  it.effect("does not tell of the healing of a fault that is not in force", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.make
      const seen: Array<string | undefined> = []
      yield* faults.onChange((active) => Effect.sync(() => seen.push(active?.fault._tag)))
      const scope = yield* Scope.make()
      yield* Scope.provide(faults.inject(one), scope)
      yield* faults.inject(two)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(seen, [undefined, "latency", "stall"])
    }))
})
