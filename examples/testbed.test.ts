import { Ping } from "@appservice-ping/client"
import { Fault, Testbed } from "@appservice-ping/testbed"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"

it.effect("learns that the homeserver cannot reach the appservice", () =>
  Effect.gen(function*() {
    const testbed = yield* Testbed.Testbed
    yield* testbed.inject(Fault.resetPeer({ phase: "in_body" }))
    assert.strictEqual((yield* Effect.flip(Ping.ping(testbed)))._tag, "M_CONNECTION_FAILED")
  }).pipe(Effect.provide(Testbed.layerMemory())))
