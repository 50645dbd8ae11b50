import * as Ping from "@appservice-ping/client/Ping"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Tour from "@appservice-ping/testbed/scenario/Tour"
import { Testbed } from "@appservice-ping/testbed/Testbed"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { modes } from "./support/modes.ts"
import { until } from "./support/observe.ts"

const pingTimeout = "400 millis"

for (const { name, run } of modes) {
  describe.concurrent(`healing, ${name}`, { timeout: 30_000 }, () => {
    for (const { fault, leg } of Tour.faults(pingTimeout)) {
      it.live(`${Tour.nameOf({ fault, leg })}: the ping works again when the scope of the fault ends`, () =>
        Effect.gen(function*() {
          const testbed = yield* Testbed
          yield* Effect.scoped(Effect.gen(function*() {
            const injection = yield* testbed.inject(fault, leg)
            yield* Effect.exit(Ping.ping(testbed))
            assert.strictEqual(yield* injection.applied, 1)
          }))
          const received = (yield* testbed.received).length
          assert.isAtLeast((yield* Ping.ping({ ...testbed, transactionId: "healed" })).duration_ms, 0)
          assert.deepStrictEqual((yield* testbed.received).slice(received), [{ transactionId: "healed" }])
          assert.strictEqual(yield* testbed.applied, 1)
        }).pipe(run({ pingTimeout })))
    }

    for (const fault of [Fault.stall({ phase: "in_body" }), Fault.refused, Fault.latency("1 hour")]) {
      it.live(`${Fault.describe(fault)}: the ping works again when the scope of the fault is interrupted`, () =>
        Effect.gen(function*() {
          const testbed = yield* Testbed
          const fiber = yield* Effect.forkChild(Effect.scoped(Effect.gen(function*() {
            yield* testbed.inject(fault)
            yield* Effect.exit(Ping.ping(testbed))
            return yield* Effect.never
          })))
          yield* until(testbed.applied, 1)
          yield* Fiber.interrupt(fiber)
          assert.isAtLeast((yield* Ping.ping(testbed)).duration_ms, 0)
          assert.strictEqual(yield* testbed.applied, 1)
        }).pipe(run({ pingTimeout: "30 seconds" })))
    }

    it.live("pings that were under way when the fault was healed are answered all the same", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        const fiber = yield* Effect.scoped(Effect.gen(function*() {
          yield* testbed.inject(Fault.stall({ phase: "in_headers" }))
          const fiber = yield* Effect.forkDetach(Effect.flip(Ping.ping(testbed)))
          yield* until(testbed.applied, 1)
          return fiber
        }))
        assert.isAtLeast((yield* Ping.ping(testbed)).duration_ms, 0)
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "M_CONNECTION_TIMEOUT")
      }).pipe(run({ pingTimeout })))
  })
}
