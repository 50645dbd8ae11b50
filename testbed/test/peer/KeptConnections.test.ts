import { listen } from "@appservice-ping/node/NodeListener"
import * as WireProxy from "@appservice-ping/testbed/carrier/wire/WireProxy"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as HomeserverHandler from "@appservice-ping/testbed/peer/HomeserverHandler"
import { type Name, names, peers } from "@appservice-ping/testbed/peer/HomeserverPeers"
import * as PeerTransport from "@appservice-ping/testbed/peer/PeerTransport"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as RawServer from "../../../packages/node/test/support/RawServer.ts"
import * as Fixture from "../rules/support/Fixture.ts"
import { ping, short, wire } from "./support/Modes.ts"

/** Asks a homeserver whose appservice is there. */
const serve = Effect.fnUntraced(function*(name: Name, url: string, keepAlive: boolean) {
  const handle = yield* HomeserverHandler.make(peers[name], {
    registrations: [Fixture.registration({ url })],
    transport: PeerTransport.make(),
    keepAlive
  })
  const ask = yield* wire.serve(handle)
  return { ask: Effect.map(ask(ping()), short) }
}, Effect.orDie)

/** A homeserver behind whose proxy an appservice answers 200, and how many connections the proxy has seen. */
const setUp = Effect.fnUntraced(function*(name: Name, keepAlive: boolean) {
  const session = yield* Session.make()
  const upstream = yield* listen(
    () => Effect.succeed({ status: 200, headers: { "content-type": "application/json" }, body: "{}" }),
    { port: 0, shutdownGrace: 0 }
  )
  const proxy = yield* WireProxy.listen({ leg: "to_appservice", upstream, session })
  const { ask } = yield* serve(name, proxy.url.origin, keepAlive)
  const connections = Effect.map(
    session.journal,
    (entries) => entries.filter(({ what }) => what.event === "connected").length
  )
  return { ask, connections, session }
}, Effect.orDie)

/** It leaves the body unread, and so lets go of the connection. */
const keeping = names.filter((name) => name !== "tuwunel")

describe("a kept connection", () => {
  for (const name of keeping) {
    it.live(`is used again by ${name}, so that what strikes new connections misses it`, () =>
      wire.run(Effect.gen(function*() {
        const { ask, connections, session } = yield* setUp(name, true)
        assert.strictEqual(yield* ask, "200")
        const reset = yield* session.inject(Plan.of("to_appservice", Fault.resetPeer({ phase: "accept" })))
        assert.strictEqual(yield* ask, "200")
        assert.strictEqual(yield* connections, 1)
        assert.strictEqual(yield* reset.applied, 0)
      })))

    it.live(`is not used by ${name} once the appservice has closed it`, () =>
      wire.run(Effect.gen(function*() {
        const answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
        const server = yield* RawServer.serve(RawServer.fin(answer))
        const { ask } = yield* serve(name, server.url.origin, true)
        assert.strictEqual(yield* ask, "200")
        // The client has closed its side in return, so it knows.
        yield* server.left(1)
        assert.strictEqual(yield* ask, "200")
        assert.lengthOf(server.requests, 2)
      })))
  }

  for (const name of names) {
    it.live(`is not what ${name} has where nothing is said`, () =>
      wire.run(Effect.gen(function*() {
        const { ask, connections } = yield* setUp(name, false)
        yield* ask
        yield* ask
        assert.strictEqual(yield* connections, 2)
      })))
  }
})
