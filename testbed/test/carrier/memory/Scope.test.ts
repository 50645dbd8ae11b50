// Everything in memory ends with the scope of the testbed, as it does on sockets.
import * as Ping from "@appservice-ping/client/Ping"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import { layerMemory, Testbed } from "@appservice-ping/testbed/Testbed"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { HttpClient } from "effect/http"

const open = Effect.gen(function*() {
  const scope = yield* Scope.make()
  const services = yield* Layer.buildWithScope(layerMemory(), scope)
  const testbed = Context.get(services, Testbed)
  const ping = Effect.provideService(
    Ping.ping(testbed),
    HttpClient.HttpClient,
    Context.get(services, HttpClient.HttpClient)
  )
  return { scope, testbed, ping, close: Scope.close(scope, Exit.void) }
})

describe("the end of a testbed in memory", () => {
  for (const leg of ["to_homeserver", "to_appservice"] as const) {
    it.effect(`a ping that stalls ${leg} fails, and its connection is closed`, () =>
      Effect.gen(function*() {
        const { close, ping, scope, testbed } = yield* open
        yield* Scope.provide(testbed.inject(Fault.stall({ phase: "before_headers" }), leg), scope)
        const fiber = yield* Effect.forkChild(Effect.flip(ping))
        while (!(yield* testbed.session.journal).some(({ what }) => what.event === "hung")) yield* Effect.yieldNow
        assert.isUndefined(fiber.pollUnsafe())
        yield* close
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "Undecided")
        const closed = (yield* testbed.session.journal).filter(({ what }) => what.event === "closed")
        assert.lengthOf(closed, leg === "to_homeserver" ? 1 : 2)
      }))
  }

  it.effect("a ping after it is refused, and reaches nobody", () =>
    Effect.gen(function*() {
      const { close, ping, testbed } = yield* open
      assert.strictEqual((yield* ping).duration_ms, 0)
      yield* close
      assert.strictEqual((yield* Effect.flip(ping))._tag, "HomeserverUnreachable")
      assert.lengthOf(yield* testbed.received, 1)
    }))
})
