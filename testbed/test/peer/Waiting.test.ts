import type { Answer } from "@appservice-ping/domain/Answer"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as HomeserverHandler from "@appservice-ping/testbed/peer/HomeserverHandler"
import { type Name, names, peers } from "@appservice-ping/testbed/peer/HomeserverPeers"
import * as PeerTransport from "@appservice-ping/testbed/peer/PeerTransport"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Option } from "effect"
import * as Fixture from "../rules/support/Fixture.ts"
import { inProcess } from "./support/inProcess.ts"
import { homeserver, memory, ping, short, wire } from "./support/Modes.ts"
import type { Behaviour } from "./support/Network.ts"

interface Wait {
  readonly seconds: number
  readonly answer: string
}

const timeout = "504 M_CONNECTION_TIMEOUT"

const connecting: { readonly [K in Name]: Wait } = {
  synapse: { seconds: 15, answer: timeout },
  tuwunel: { seconds: 5, answer: timeout },
  continuwuity: { seconds: 5, answer: "500 M_UNKNOWN" },
  conduit: { seconds: 30, answer: timeout }
}

const waiting: { readonly [K in Name]: Wait } = {
  synapse: { seconds: 60, answer: timeout },
  tuwunel: { seconds: 35, answer: timeout },
  continuwuity: { seconds: 35, answer: "500 M_UNKNOWN" },
  conduit: { seconds: 30, answer: timeout }
}

/** `undefined` for the one that waits for ever, 0 for the one that does not wait. */
const readingGood: { readonly [K in Name]: Wait | undefined } = {
  synapse: undefined,
  tuwunel: { seconds: 0, answer: "200" },
  continuwuity: { seconds: 35, answer: "500 M_UNKNOWN" },
  conduit: { seconds: 30, answer: "200" }
}

const readingBad: { readonly [K in Name]: Wait | undefined } = {
  synapse: undefined,
  tuwunel: { seconds: 35, answer: "502 M_BAD_STATUS" },
  continuwuity: { seconds: 35, answer: "500 M_UNKNOWN" },
  conduit: { seconds: 30, answer: "502 M_CONNECTION_FAILED" }
}

/** Longer than anybody waits who does not wait for ever. */
const forEver = "30 days"

/** Asks a homeserver, and asserts that it answers then and not a millisecond earlier or later. */
const assertWaits = (name: Name, behaviour: Behaviour, wait: Wait | undefined) =>
  memory.run(Effect.gen(function*() {
    const network = yield* memory.network()
    const place = yield* network.place(behaviour)
    const ask = yield* homeserver(memory, name, network, { url: place.url })
    const start = yield* Clock.currentTimeMillis
    const answered = yield* Effect.timeoutOption(ask(ping()), forEver)
    assert.strictEqual(Option.getOrUndefined(Option.map(answered, short)), wait?.answer)
    if (wait !== undefined) assert.strictEqual((yield* Clock.currentTimeMillis) - start, wait.seconds * 1000)
  }))

const say = (wait: Wait | undefined): string =>
  wait === undefined ? "hangs for ever" : `${wait.answer} after ${wait.seconds} s`

/** A head that comes late, and a body that never does. */
const lateHead: Fault.Fault = {
  type: "script",
  steps: [
    { step: "wait", duration: Duration.seconds(20) },
    { step: "write", bytes: new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{") },
    { step: "hang" }
  ]
}

for (const name of names) {
  describe(`${name} in memory`, () => {
    it.effect(`C12 a connection that is never accepted: ${say(connecting[name])}`, () =>
      assertWaits(name, { does: "stall", at: "connect" }, connecting[name]))

    it.effect(`C12 no head: ${say(waiting[name])}`, () =>
      assertWaits(name, { does: "stall", at: "head" }, waiting[name]))

    it.effect(`D3 a stall in a 2xx body: ${say(readingGood[name])}`, () =>
      assertWaits(name, { does: "stall", at: "body", status: 200 }, readingGood[name]))

    it.effect("D3 counts the time of the head into that of the body, if it counts at all", () =>
      Virtual.run(
        Effect.scoped(Effect.gen(function*() {
          const session = yield* Session.make()
          yield* session.inject(Plan.of("to_appservice", lateHead))
          const url = new URL("http://late.test:29300")
          const connect = yield* inProcess([{ url, session, handle: () => Effect.never }])
          const network = { transport: Effect.succeed(PeerTransport.make({ connect })) }
          const ask = yield* homeserver(memory, name, network, { url: url.origin })
          const start = yield* Clock.currentTimeMillis
          const answered = yield* Effect.timeoutOption(ask(ping()), forEver)
          const wait = readingGood[name]
          assert.strictEqual(Option.getOrUndefined(Option.map(answered, short)), wait?.answer)
          const millis = (yield* Clock.currentTimeMillis) - start
          if (wait !== undefined) assert.strictEqual(millis, Math.max(20, wait.seconds) * 1000)
        })),
        { limit: "60 days" }
      ))

    it.effect(`D3 a stall in a 503 body: ${say(readingBad[name])}`, () =>
      assertWaits(name, { does: "stall", at: "body", status: 503 }, readingBad[name]))
  })

  describe(`${name} on a socket`, () => {
    it.live("D3 a stall in a 2xx body outlasts a later timeout, or does not", () =>
      Effect.scoped(Effect.gen(function*() {
        const network = yield* wire.network()
        // One of them decides on the head; no time is short enough for it to be sure that the head is there.
        const timeouts = name === "tuwunel" ? {} : { request: "1 second" } as const
        const half = yield* network.place({ does: "stall", at: "body", status: 200 })
        const stalled = yield* homeserver(wire, name, network, { url: half.url, timeouts })
        const fiber = yield* Effect.forkChild(stalled(ping()))
        if (name === "synapse") {
          const silent = yield* network.place({ does: "stall", at: "head" })
          const later = yield* homeserver(wire, name, network, { url: silent.url, timeouts })
          // It began later and has the same timeout, so whatever could time out here has timed out when it ends.
          assert.strictEqual(short(yield* later(ping())), timeout)
          assert.isUndefined(fiber.pollUnsafe())
          yield* Fiber.interrupt(fiber)
        } else {
          assert.strictEqual(short(yield* Fiber.join(fiber)), readingGood[name]?.answer)
        }
        assert.lengthOf(half.seen, 1)
      })))
  })
}

describe("a homeserver", () => {
  it.effect("lets go of the appservice when its client goes away", () =>
    memory.run(Effect.gen(function*() {
      const session = yield* Session.make()
      yield* session.inject(Plan.of("to_appservice", Fault.stall({ phase: "before_headers" })))
      const url = new URL("http://appservice.test:29300")
      const connect = yield* inProcess([{ url, session, handle: () => Effect.never }])
      const handle = yield* HomeserverHandler.make(peers.synapse, {
        registrations: [Fixture.registration({ url: url.origin })],
        transport: PeerTransport.make({ connect })
      })
      const closed = Effect.map(
        session.journal,
        (entries) => entries.filter(({ what }) => what.event === "closed").length
      )
      const { headers, ...request } = ping()
      const asked: Effect.Effect<Answer> = handle({
        ...request,
        header: (name) => headers.find(([key]) => key.toLowerCase() === name)?.[1],
        body: () => Effect.succeed(new TextEncoder().encode(request.body))
      })
      const fiber = yield* Effect.forkChild(asked)
      yield* Effect.sleep("1 second")
      assert.strictEqual(yield* closed, 0)
      yield* Fiber.interrupt(fiber)
      yield* Effect.sleep("1 second")
      assert.strictEqual(yield* closed, 1)
    })))
})
