/** What Matrix asks of HTTP on both sides: C24, C25, C27, C28, C33, and A11 to A14, over every mount. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import {
  assertAppserviceError,
  assertHomeserverError,
  assertPingAccepted,
  assertPingSucceeded
} from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { mounts } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"
import { transports } from "./support/Transports.ts"

const { tokens } = Fixture

const get = (target: string, ...headers: Http.RawHeaders): Buffer => Http.request({ method: "GET", target, headers })

/** A JSON object around bytes that are no UTF-8. */
const around = (...bytes: ReadonlyArray<number>): Buffer =>
  Buffer.concat([Buffer.from("{\"transaction_id\":\""), Buffer.from(bytes), Buffer.from("\"}")])

const notUtf8 = [
  ["a byte that UTF-8 has not", around(0xff)],
  ["Latin-1", around(0xfc)],
  ["a character cut off", around(0xe4, 0xb8)],
  ["a surrogate", around(0xed, 0xa0, 0x80)],
  ["UTF-16", Buffer.from("\ufeff{}", "utf16le")]
] as const

const strictUtf8 = new TextDecoder("utf-8", { fatal: true })

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    for (const [name, body] of notUtf8) {
      it.effect(`C24 answers 400 M_NOT_JSON to ${name}, on both sides`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          assertHomeserverError(yield* RawClient.send(port, Fixture.ping({ body })), 400, "M_NOT_JSON")
          const register = Http.request({
            target: "/_matrix/client/v3/register",
            headers: [Fixture.bearer(tokens.as)],
            body
          })
          assertHomeserverError(yield* RawClient.send(port, register), 400, "M_NOT_JSON")
          assert.strictEqual(appservice.requests().length, 0)
          const own = yield* mount.appservice({ registration: { hs_token: Redacted.make(tokens.hs) } })
          assertAppserviceError(yield* RawClient.send(own, Fixture.appservicePing({ body })), 400, "M_NOT_JSON")
        }))
    }

    it.effect("C24 answers in UTF-8, whatever an appservice answered", () =>
      Effect.gen(function*() {
        const body = Buffer.concat([Buffer.from("ü中😀 "), Buffer.from([0xff, 0xed, 0xa0, 0x80])])
        const { port } = yield* Pair.start(mount, { steps: [Http.response(500, body)] })
        const answer = yield* RawClient.send(port, Fixture.ping())
        const read: unknown = JSON.parse(strictUtf8.decode(answer.body))
        assert.deepInclude(read, { errcode: "M_BAD_STATUS", body: "ü中😀 \ufffd\ufffd\ufffd\ufffd" })
        assert.strictEqual(answer.header("content-length"), String(answer.body.length))
      }))

    it.effect("C25 says application/json with every 200", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        const body = "{\"type\":\"m.login.application_service\",\"username\":\"bot\"}"
        const headers = [Fixture.bearer(tokens.as)]
        for (
          const bytes of [
            Fixture.ping(),
            get("/_matrix/client/versions"),
            get("/_matrix/client/v3/account/whoami", ...headers),
            Http.request({ target: "/_matrix/client/v3/register", headers, body })
          ]
        ) {
          const answer = yield* RawClient.send(port, bytes)
          assert.strictEqual(answer.status, 200, answer.text)
          assert.strictEqual(answer.header("content-type"), "application/json")
          assert.isObject(answer.json)
        }
        const own = yield* mount.appservice({ registration: { hs_token: Redacted.make(tokens.hs) } })
        assertPingAccepted(yield* RawClient.send(own, Fixture.appservicePing()))
      }))

    it.effect("C27 has the endpoint that its versions promise, for appservices alone", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        const { json } = yield* RawClient.send(port, get("/_matrix/client/versions"))
        assert.deepInclude(json, { versions: ["v1.7"] })
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        assertHomeserverError(yield* RawClient.send(port, Fixture.ping({ token: tokens.user })), 403, "M_FORBIDDEN")
        const nobody = Http.request({ target: Fixture.path(), body: "{}" })
        assertHomeserverError(yield* RawClient.send(port, nobody), 401, "M_MISSING_TOKEN")
      }))

    it.effect("C28 limits no rate: of 50 pings in a row all are answered", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount, { options: { maxConcurrentPings: 1 } })
        for (let i = 0; i < 50; i++) assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        assert.strictEqual(appservice.requests().length, 50)
      }))

    it.effect("A11 calls the appservice for a client's ping, and never else", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        const headers = [Fixture.bearer(tokens.as)]
        for (
          const bytes of [
            get("/_matrix/client/versions"),
            get("/_matrix/client/v3/account/whoami", ...headers),
            get(Fixture.path(), ...headers),
            Http.request({ method: "OPTIONS", target: Fixture.path(), headers, body: "{}" }),
            Fixture.ping({ token: tokens.user }),
            Fixture.ping({ body: "[]" })
          ]
        ) yield* RawClient.send(port, bytes)
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(appservice.calls.length, 0)
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(appservice.calls.length, 1)
      }))

    it.effect("A12 leaves nothing behind in an appservice: each ping is answered as the first", () =>
      Effect.gen(function*() {
        const own = yield* mount.appservice({ registration: { hs_token: Redacted.make(tokens.hs) } })
        const ask = (body: string) => RawClient.send(own, Fixture.appservicePing({ body }))
        // One that it has not asked for, one twice, and one after a wrong one.
        for (const body of ["{\"transaction_id\":\"x\"}", "{\"transaction_id\":\"x\"}", "{}"]) {
          assertPingAccepted(yield* ask(body))
        }
        assertAppserviceError(yield* ask("[]"), 400, "M_BAD_JSON")
        assertPingAccepted(yield* ask("{}"))
      }))

    for (
      const [name, status, body] of [
        ["nothing", 403, ""],
        ["a page", 401, "<html>"],
        ["an errcode without error", 403, "{\"errcode\":\"M_FORBIDDEN\"}"],
        ["an errcode of another error", 404, "{\"errcode\":\"M_CONNECTION_FAILED\"}"],
        ["an array", 500, "[]"]
      ] as const
    ) {
      it.effect(`A14 goes by the status ${status} of an appservice that sends ${name}`, () =>
        Effect.gen(function*() {
          const { port } = yield* Pair.start(mount, { steps: [Http.response(status, body)] })
          assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_BAD_STATUS", { status, body })
        }))
    }
  })
}

for (const transport of transports) {
  it.effect(`A13 sends a JSON object in UTF-8 as application/json, {} without an id, over ${transport.name}`, () =>
    Effect.gen(function*() {
      const { appservice, port } = yield* Pair.start(mounts[2] ?? assert.fail("no mount"), {
        transport: transport.layer
      })
      for (const body of ["{}", "{\"transaction_id\":\"ü中😀\"}"]) {
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping({ body })))
        const request = appservice.requests().at(-1)?.request()
        assert.strictEqual(request?.header("content-type"), "application/json")
        assert.strictEqual(strictUtf8.decode(request?.body), body)
      }
    }))
}
