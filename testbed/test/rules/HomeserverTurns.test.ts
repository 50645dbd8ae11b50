/** Whose turn it is, and which appservice is meant: C18 and C20, over every mount. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { assertHomeserverError, assertPingSucceeded } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { mounts } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"
import { RST } from "./support/RecordingServer.ts"

const { tokens } = Fixture

const post = (target: string): Buffer => Http.request({ target, headers: [Fixture.bearer(tokens.as)], body: "{}" })

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    it.effect("C18 answers 429 M_LIMIT_EXCEEDED to one ping more than run at once, and says when to come back", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount, { steps: [], options: { maxConcurrentPings: 2 } })
        const running = [
          yield* Effect.forkChild(RawClient.send(port, Fixture.ping())),
          yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
        ]
        const calls = [yield* appservice.next, yield* appservice.next]
        const refused = yield* RawClient.send(port, Fixture.ping())
        assertHomeserverError(refused, 429, "M_LIMIT_EXCEEDED", { retry_after_ms: 1000 })
        assert.strictEqual(refused.header("retry-after"), "1")
        assert.strictEqual(appservice.requests().length, 2)
        // Only pings count: who is refused for another reason never waits for a place.
        assertHomeserverError(yield* RawClient.send(port, Fixture.ping({ token: tokens.user })), 403, "M_FORBIDDEN")
        assert.strictEqual(
          (yield* RawClient.send(port, Http.request({ method: "GET", target: "/_matrix/client/versions" }))).status,
          200
        )
        for (const call of calls) yield* call.write(Http.response(200))
        for (const fiber of running) assertPingSucceeded(yield* Fiber.join(fiber))
      }))

    for (
      const [name, end, expected] of [
        ["a success", [Http.response(200)], 200],
        ["a bad status", [Http.response(500)], 502],
        ["a failed connection", [RST], 502],
        ["a timeout", [], 504]
      ] as const
    ) {
      it.effect(`C18 gives the place of a ping back after ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, { steps: [], options: { maxConcurrentPings: 1 } })
          for (let i = 0; i < 3; i++) {
            const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
            const call = yield* appservice.next
            for (const step of end) yield* step === RST ? call.reset : call.write(step)
            if (end.length === 0) yield* TestClock.adjust("30 seconds")
            assert.strictEqual((yield* Fiber.join(fiber)).status, expected)
          }
        }))
    }

    it.effect("C18 gives the place of a ping back when the client goes away, and lets go of the appservice", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount, { steps: [], options: { maxConcurrentPings: 1 } })
        const gone = yield* RawClient.open(port)
        yield* gone.write(Fixture.ping())
        const call = yield* appservice.next
        gone.socket.resetAndDestroy()
        yield* call.released
        const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
        yield* (yield* appservice.next).write(Http.response(200))
        assertPingSucceeded(yield* Fiber.join(fiber))
      }))

    for (
      const id of [
        "IRC Bridge",
        "a/b",
        "%",
        "%2F",
        "ü",
        "a+b",
        "..x",
        "...",
        "a;b=c",
        "a?b#c",
        "a:b@c&d=e,f$g!",
        "(x)*'~_-",
        "\\back\"slash|<>^`{}[]",
        "🌉 pont",
        "מזהה",
        "ping",
        "x".repeat(300)
      ]
    ) {
      it.effect(`C20 matches the id ${id.length > 30 ? `of ${id.length} characters` : JSON.stringify(id)}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, { id })
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping({ id })))
          const everyByte = [...Buffer.from(id)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")
          assertPingSucceeded(yield* RawClient.send(port, post(`/_matrix/client/v1/appservice/${everyByte}/ping`)))
          assert.strictEqual(appservice.requests().length, 2)
        }))
    }

    it.effect("C20 matches the id exactly", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount, { id: "IRC Bridge" })
        for (const segment of ["irc%20bridge", "IRC+Bridge", "IRC%2520Bridge", "IRC%20Bridge%20", "IRC%20Bridge%00"]) {
          assertHomeserverError(
            yield* RawClient.send(port, post(`/_matrix/client/v1/appservice/${segment}/ping`)),
            403,
            "M_FORBIDDEN"
          )
        }
        assert.strictEqual(appservice.requests().length, 0)
      }))

    for (const segment of ["%", "%zz", "%E0%A4%A", "%ff", "%C0%80", "%ED%A0%80"]) {
      it.effect(`C20 refuses an id that is not percent-encoding: ${segment}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          const answer = yield* RawClient.send(port, post(`/_matrix/client/v1/appservice/${segment}/ping`))
          assertHomeserverError(answer, 403, "M_FORBIDDEN")
          assert.strictEqual(appservice.requests().length, 0)
        }))
    }
  })
}
