import * as Ping from "@appservice-ping/client/Ping"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import { registration, Testbed } from "@appservice-ping/testbed/Testbed"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { ask } from "./support/ask.ts"
import { modes } from "./support/modes.ts"

for (const { name, run } of modes) {
  describe(`Testbed, ${name}`, { timeout: 30_000 }, () => {
    it.live("answers a ping, and keeps what the appservice received", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        yield* Ping.ping({ ...testbed, transactionId: "mautrix-go_1_2" })
        yield* Ping.ping(testbed)
        assert.deepStrictEqual(yield* testbed.received, [
          { transactionId: "mautrix-go_1_2" },
          { transactionId: undefined }
        ])
        assert.strictEqual(yield* testbed.applied, 0)
      }).pipe(run({})))

    it.live("C2 C3 C5 checks the token as a homeserver does", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        const stranger = { ...registration, as_token: Redacted.make("nobody's") }
        assert.strictEqual(
          (yield* Effect.flip(Ping.ping({ ...testbed, registration: stranger })))._tag,
          "M_UNKNOWN_TOKEN"
        )
        assert.deepStrictEqual(yield* testbed.received, [])
      }).pipe(run({})))

    it.live("A8 has the appservice under the path of the registration's url, and nowhere else", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        assert.strictEqual(testbed.appserviceUrl.pathname, "/bridge/telegram/")
        assert.strictEqual(testbed.registration.url, testbed.appserviceUrl.href)
        yield* Ping.ping(testbed)
        assert.lengthOf(yield* testbed.received, 1)
        const client = yield* HttpClient.HttpClient
        const elsewhere = yield* client.post(new URL("/_matrix/app/v1/ping", testbed.appserviceUrl))
        assert.strictEqual(elsewhere.status, 404)
      }).pipe(run({ registration: { ...registration, url: "http://bridge.test:29317/bridge/telegram/" } })))

    it.live("C8 D6 keeps a registration without a url as it is", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        assert.isNull(testbed.registration.url)
        assert.strictEqual((yield* Effect.flip(Ping.ping(testbed)))._tag, "M_URL_NOT_SET")
      }).pipe(run({ registration: { ...registration, url: null } })))

    it.live("keeps the newest of the received pings, up to a bound", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        for (const transactionId of ["1", "2", "3"]) yield* Ping.ping({ ...testbed, transactionId })
        assert.deepStrictEqual(yield* testbed.received, [{ transactionId: "2" }, { transactionId: "3" }])
      }).pipe(run({ maxReceived: 2 })))

    it.live("keeps nothing of what the appservice received where nothing is to be kept", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        yield* Ping.ping(testbed)
        assert.deepStrictEqual(yield* testbed.received, [])
      }).pipe(run({ maxReceived: 0 })))

    it.live("takes an app's own appservice", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        const error = yield* Effect.flip(Ping.ping(testbed))
        assert.strictEqual(error._tag, "M_BAD_STATUS")
        assert.propertyVal(error, "status", 418)
        assert.propertyVal(error, "body", "POST /_matrix/app/v1/ping")
        assert.deepStrictEqual(yield* testbed.received, [])
      }).pipe(run({
        appservice: ({ method, target }) => Effect.succeed({ status: 418, headers: {}, body: `${method} ${target}` })
      })))

    it.live("C13 C18 takes the homeserver's options", () => {
      const succeeded = Deferred.makeUnsafe<string>()
      return Effect.gen(function*() {
        const testbed = yield* Testbed
        yield* Ping.ping(testbed)
        assert.strictEqual(yield* Deferred.await(succeeded), testbed.registration.id)
        yield* testbed.inject(Fault.latency("100 millis"))
        const answers = yield* Effect.all([ask, ask], { concurrency: "unbounded" })
        assert.sameMembers(answers.map(({ status }) => status), [200, 429])
      }).pipe(run({
        homeserver: {
          maxConcurrentPings: 1,
          onPingSucceeded: ({ id }) => Deferred.succeed(succeeded, id)
        }
      }))
    })

    it.live("knows what the homeserver has to answer, with its own deadline", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        assert.strictEqual(testbed.expected(Fault.latency("2 seconds")).answer._tag, "M_CONNECTION_TIMEOUT")
        assert.strictEqual(testbed.expected(Fault.latency("500 millis")).answer._tag, "Success")
      }).pipe(run({ pingTimeout: "1 second" })))

    it.live("two testbeds know nothing of each other", () =>
      Effect.gen(function*() {
        const inner = Effect.gen(function*() {
          yield* (yield* Testbed).inject(Fault.refused)
          return yield* Effect.flip(Ping.ping(yield* Testbed))
        })
        const testbed = yield* Testbed
        yield* testbed.inject(Fault.status(503))
        assert.strictEqual((yield* run({})(inner))._tag, "M_CONNECTION_FAILED")
        assert.strictEqual((yield* Effect.flip(Ping.ping(testbed)))._tag, "M_BAD_STATUS")
        assert.strictEqual(yield* testbed.applied, 1)
      }).pipe(run({})))
  })
}
