import type { Answer } from "@appservice-ping/domain/Answer"
import { type Name, names } from "@appservice-ping/testbed/peer/HomeserverPeer"
import * as HomeserverProfile from "@appservice-ping/testbed/peer/HomeserverProfile"
import type { PeerTransport } from "@appservice-ping/testbed/peer/PeerTransport"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Fixture from "../rules/support/Fixture.ts"
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

/** Asks a homeserver, and asserts that it answers then and not a millisecond earlier. */
const assertWaits = Effect.fnUntraced(function*(name: Name, behaviour: Behaviour, wait: Wait | undefined) {
  const network = memory.network()
  const place = yield* network.place(behaviour)
  const ask = yield* homeserver(memory, name, network, { url: place.url })
  const fiber = yield* Effect.forkChild(ask(ping()))
  if (wait === undefined) {
    yield* TestClock.adjust("30 days")
    assert.isUndefined(fiber.pollUnsafe())
    yield* Fiber.interrupt(fiber)
    return
  }
  if (wait.seconds > 0) {
    yield* TestClock.adjust(wait.seconds * 1000 - 1)
    assert.isUndefined(fiber.pollUnsafe())
    yield* TestClock.adjust(1)
  }
  assert.strictEqual(short(yield* Fiber.join(fiber)), wait.answer)
})

const say = (wait: Wait | undefined): string =>
  wait === undefined ? "hangs for ever" : `${wait.answer} after ${wait.seconds} s`

/** A head that comes late, and a body that never does. */
const lateHead: PeerTransport = {
  open: () =>
    Effect.succeed({
      send: () => Effect.delay(Effect.succeed({ status: 200, headers: {}, body: () => Effect.never }), "20 seconds")
    })
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
      Effect.gen(function*() {
        const ask = yield* homeserver(memory, name, { transport: lateHead }, { url: "http://late.test" })
        const fiber = yield* Effect.forkChild(ask(ping()))
        yield* TestClock.adjust("19999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        const wait = readingGood[name]
        yield* TestClock.adjust(1)
        if (wait !== undefined && wait.seconds > 0) {
          yield* TestClock.adjust((wait.seconds - 20) * 1000 - 1)
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust(1)
        }
        if (wait === undefined) yield* Fiber.interrupt(fiber)
        else assert.strictEqual(short(yield* Fiber.join(fiber)), wait.answer)
      }))

    it.effect(`D3 a stall in a 503 body: ${say(readingBad[name])}`, () =>
      assertWaits(name, { does: "stall", at: "body", status: 503 }, readingBad[name]))
  })

  describe(`${name} on a socket`, () => {
    it.live("D3 a stall in a 2xx body outlasts a later timeout, or does not", () =>
      Effect.scoped(Effect.gen(function*() {
        const network = wire.network()
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

describe("a profile", () => {
  it.effect("lets go of the appservice when its client goes away", () =>
    Effect.gen(function*() {
      let released = 0
      const handler = yield* HomeserverProfile.make("synapse", {
        registrations: [Fixture.registration({ url: "http://appservice.test" })],
        transport: {
          open: () =>
            Effect.succeed({
              send: () => Effect.andThen(Effect.addFinalizer(() => Effect.sync(() => void released++)), Effect.never)
            })
        }
      })
      const { headers, ...request } = ping()
      const asked: Effect.Effect<Answer> = handler({
        ...request,
        header: (name) => headers.find(([key]) => key.toLowerCase() === name)?.[1],
        body: () => Effect.succeed(new TextEncoder().encode(request.body))
      })
      const fiber = yield* Effect.forkChild(asked)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(released, 0)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(released, 1)
    }))
})
