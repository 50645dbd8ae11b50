/** The appservice's side of a ping: A2 to A7 and A9, over every mount. */
import type { ReceivedPing } from "@appservice-ping/server/appservice/Appservice"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { assertAppserviceError, assertNoCors, assertPingAccepted } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { type Mount, mounts } from "./support/Mounts.ts"
import * as RawClient from "./support/RawClient.ts"

const { tokens } = Fixture

/** Starts an appservice that writes down every ping it is told of. */
const start = (mount: Mount, hsToken: string = tokens.hs) =>
  Effect.gen(function*() {
    const received: Array<ReceivedPing> = []
    const port = yield* mount.appservice({
      registration: { hs_token: Redacted.make(hsToken) },
      onPing: (ping) => Effect.sync(() => void received.push(ping))
    })
    return { port, received }
  })

const ping = (headers: Http.RawHeaders, query: string = "", body: string | Uint8Array = "{}"): Buffer =>
  Http.request({ target: Fixture.appservicePath + query, headers, body })

const bodies: ReadonlyArray<readonly [name: string, body: string, transactionId: string | undefined]> = [
  ["an empty body", "", undefined],
  ["{}", "{}", undefined],
  ["transaction_id null, as Synapse sends it", "{\"transaction_id\":null}", undefined],
  ["transaction_id null among other keys", "{\"a\":1,\"transaction_id\":null}", undefined],
  ["a transaction_id", "{\"transaction_id\":\"mautrix-go_1\"}", "mautrix-go_1"],
  ["an empty transaction_id", "{\"transaction_id\":\"\"}", ""],
  ["a transaction_id in every script", "{\"transaction_id\":\"ü中😀\\u0000\\ud800\"}", "ü中😀\u0000\ud800"],
  ["a transaction_id of 100 000 characters", `{"transaction_id":"${"x".repeat(100_000)}"}`, "x".repeat(100_000)],
  ["keys nobody knows", "{\"a\":[],\"transaction_id\":\"x\",\"__proto__\":1}", "x"]
]

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    for (
      const [name, bytes] of [
        ["header", ping([Fixture.bearer(tokens.hs)])],
        ["header, the scheme in small letters", ping([["authorization", `bearer ${tokens.hs}`]])],
        ["query", ping([], `?access_token=${tokens.hs}`)],
        ["header and query alike", ping([Fixture.bearer(tokens.hs)], `?access_token=${tokens.hs}`)],
        ["header, and a query parameter that nobody knows", ping([Fixture.bearer(tokens.hs)], "?user_id=@bot:x&x")],
        ["header, and an empty query parameter", ping([Fixture.bearer(tokens.hs)], "?access_token=")]
      ] as const
    ) {
      it.effect(`A2 accepts the hs_token in the ${name}`, () =>
        Effect.gen(function*() {
          const { port, received } = yield* start(mount)
          assertPingAccepted(yield* RawClient.send(port, bytes))
          assert.deepStrictEqual(received, [{ transactionId: undefined }])
        }))
    }

    it.effect("A2 decodes the hs_token of the query", () =>
      Effect.gen(function*() {
        const hsToken = "a b+c/d=e&f%g?h#ü"
        const { port, received } = yield* start(mount, hsToken)
        assertPingAccepted(yield* RawClient.send(port, ping([], `?access_token=${encodeURIComponent(hsToken)}`)))
        assert.strictEqual(received.length, 1)
      }))

    for (
      const [name, bytes] of [
        ["a wrong one in the header", ping([Fixture.bearer("someone-else")])],
        ["a wrong one in the query", ping([], "?access_token=someone-else")],
        ["the start of it", ping([Fixture.bearer(tokens.hs.slice(0, -1))])],
        ["it and a letter more", ping([Fixture.bearer(`${tokens.hs}x`)])],
        ["it in capital letters", ping([Fixture.bearer(tokens.hs.toUpperCase())])],
        ["the as_token, which is the other direction's", ping([Fixture.bearer(tokens.as)])],
        ["header right, query wrong", ping([Fixture.bearer(tokens.hs)], "?access_token=someone-else")],
        ["header wrong, query right", ping([Fixture.bearer("someone-else")], `?access_token=${tokens.hs}`)],
        ["two query parameters, one wrong", ping([], `?access_token=${tokens.hs}&access_token=x`)],
        ["two query parameters, the first wrong", ping([], `?access_token=x&access_token=${tokens.hs}`)]
      ] as const
    ) {
      it.effect(`A2 answers 403 M_FORBIDDEN to ${name}`, () =>
        Effect.gen(function*() {
          const { port, received } = yield* start(mount)
          const error = assertAppserviceError(yield* RawClient.send(port, bytes), 403, "M_FORBIDDEN")
          assert.notInclude(error, "canary")
          assert.notInclude(error, "someone-else")
          assert.deepStrictEqual(received, [])
        }))
    }

    for (
      const [name, bytes] of [
        ["no header at all", ping([])],
        ["a scheme without a token", ping([["Authorization", "Bearer "]])],
        ["another scheme", ping([["Authorization", `Basic ${tokens.hs}`]])],
        ["an empty query parameter", ping([], "?access_token=")]
      ] as const
    ) {
      it.effect(`A3 answers 401 M_MISSING_TOKEN to ${name}`, () =>
        Effect.gen(function*() {
          const { port, received } = yield* start(mount)
          assertAppserviceError(yield* RawClient.send(port, bytes), 401, "M_MISSING_TOKEN")
          assert.deepStrictEqual(received, [])
        }))
    }

    it.effect("A3 and A2 do not wait for the body of a stranger", () =>
      Effect.gen(function*() {
        const { port } = yield* start(mount)
        const head = (...headers: Http.RawHeaders) =>
          Http.request({ target: Fixture.appservicePath, headers: [...headers, ["Content-Length", "1000"]] })
        assertAppserviceError(yield* RawClient.send(port, head()), 401, "M_MISSING_TOKEN")
        assertAppserviceError(yield* RawClient.send(port, head(Fixture.bearer("x"))), 403, "M_FORBIDDEN")
      }))

    for (const [name, body, transactionId] of bodies) {
      it.effect(`A4 accepts ${name}`, () =>
        Effect.gen(function*() {
          const { port, received } = yield* start(mount)
          assertPingAccepted(yield* RawClient.send(port, Fixture.appservicePing({ body })))
          assert.deepStrictEqual(received, [{ transactionId }])
        }))
    }

    it.effect("A4 accepts a request without body and Content-Length", () =>
      Effect.gen(function*() {
        const { port, received } = yield* start(mount)
        const bytes = `POST ${Fixture.appservicePath} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokens.hs}\r\n\r\n`
        assertPingAccepted(yield* RawClient.send(port, bytes))
        assert.deepStrictEqual(received, [{ transactionId: undefined }])
      }))

    it.effect("A4 accepts a chunked body, an empty one too", () =>
      Effect.gen(function*() {
        const { port, received } = yield* start(mount)
        const headers: Http.RawHeaders = [Fixture.bearer(tokens.hs), ["Transfer-Encoding", "chunked"]]
        assertPingAccepted(
          yield* RawClient.send(port, ping(headers, "", Http.chunked("{\"transaction_id\"", ":\"x\"}")))
        )
        assertPingAccepted(yield* RawClient.send(port, ping(headers, "", Http.chunked())))
        assert.deepStrictEqual(received, [{ transactionId: "x" }, { transactionId: undefined }])
      }))

    for (
      const [name, body, errcode] of [
        ["white space", "  ", "M_NOT_JSON"],
        ["text", "hello", "M_NOT_JSON"],
        ["half an object", "{\"transaction_id\":\"x\"", "M_NOT_JSON"],
        ["invalid UTF-8", Uint8Array.of(0x22, 0xff, 0x22), "M_NOT_JSON"],
        ["null", "null", "M_BAD_JSON"],
        ["an array", "[]", "M_BAD_JSON"],
        ["a string", "\"x\"", "M_BAD_JSON"],
        ["transaction_id a number", "{\"transaction_id\":1}", "M_BAD_JSON"],
        ["transaction_id an object", "{\"transaction_id\":{\"transaction_id\":null}}", "M_BAD_JSON"]
      ] as const
    ) {
      it.effect(`A4 answers 400 ${errcode} to ${name}`, () =>
        Effect.gen(function*() {
          const { port, received } = yield* start(mount)
          assertAppserviceError(yield* RawClient.send(port, Fixture.appservicePing({ body })), 400, errcode)
          assert.deepStrictEqual(received, [])
        }))
    }

    it.effect("A4 answers 413 M_TOO_LARGE to a body over the bound", () =>
      Effect.gen(function*() {
        const port = yield* mount.appservice({
          registration: { hs_token: Redacted.make(tokens.hs) },
          maxBodyBytes: 100
        })
        const ofLength = (length: number) => `{"transaction_id":"${"x".repeat(length - 21)}"}`
        assertPingAccepted(yield* RawClient.send(port, Fixture.appservicePing({ body: ofLength(100) })))
        for (
          const bytes of [
            Fixture.appservicePing({ body: ofLength(101) }),
            ping([Fixture.bearer(tokens.hs), ["Transfer-Encoding", "chunked"]], "", Http.chunked(ofLength(101)))
          ]
        ) {
          assertAppserviceError(yield* RawClient.send(port, bytes), 413, "M_TOO_LARGE")
        }
      }))

    it.effect("A5 tells of the ping before it answers", () =>
      Effect.gen(function*() {
        const told = yield* Deferred.make<ReceivedPing>()
        const gate = yield* Deferred.make<void>()
        const port = yield* mount.appservice({
          registration: { hs_token: Redacted.make(tokens.hs) },
          onPing: (ping) => Effect.andThen(Deferred.succeed(told, ping), Deferred.await(gate))
        })
        const fiber = yield* Effect.forkChild(
          RawClient.send(port, Fixture.appservicePing({ body: "{\"transaction_id\":\"mine\"}" }))
        )
        assert.deepStrictEqual(yield* Deferred.await(told), { transactionId: "mine" })
        assert.isUndefined(fiber.pollUnsafe())
        yield* Deferred.succeed(gate, undefined)
        assertPingAccepted(yield* Fiber.join(fiber))
      }))

    it.effect("A5 answers after 5 seconds where the hook never ends, and not before", () =>
      Effect.gen(function*() {
        const told = yield* Deferred.make<void>()
        const port = yield* mount.appservice({
          registration: { hs_token: Redacted.make(tokens.hs) },
          onPing: () => Effect.andThen(Deferred.succeed(told, undefined), Effect.never)
        })
        const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.appservicePing()))
        yield* Deferred.await(told)
        yield* TestClock.adjust("4999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assertPingAccepted(yield* Fiber.join(fiber))
      }))

    for (
      const [name, hook] of [
        ["fails", () => Effect.fail("no")],
        ["dies", () => Effect.die(new Error("no"))],
        ["interrupts itself", () => Effect.interrupt],
        ["throws", () => {
          throw new Error("no")
        }]
      ] as const
    ) {
      it.effect(`A5 answers 200 {} where the hook ${name}`, () =>
        Effect.gen(function*() {
          const port = yield* mount.appservice({
            registration: { hs_token: Redacted.make(tokens.hs) },
            onPing: hook
          })
          assertPingAccepted(yield* RawClient.send(port, Fixture.appservicePing()))
        }))
    }

    it.effect("A5 answers every ping, also two with one id", () =>
      Effect.gen(function*() {
        const { port, received } = yield* start(mount)
        const bytes = Fixture.appservicePing({ body: "{\"transaction_id\":\"once\"}" })
        assertPingAccepted(yield* RawClient.send(port, bytes))
        assertPingAccepted(yield* RawClient.send(port, bytes))
        assert.deepStrictEqual(received, [{ transactionId: "once" }, { transactionId: "once" }])
      }))

    for (const path of [Fixture.appservicePath, Fixture.appserviceUnstablePath]) {
      for (const method of ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
        it.effect(`A6 answers 405 M_UNRECOGNIZED to ${method} ${path}`, () =>
          Effect.gen(function*() {
            const { port, received } = yield* start(mount)
            const answer = yield* RawClient.send(
              port,
              Http.request({ method, target: path, headers: [Fixture.bearer(tokens.hs)] })
            )
            assertAppserviceError(answer, 405, "M_UNRECOGNIZED")
            assert.strictEqual(answer.header("allow"), "POST")
            assert.deepStrictEqual(received, [])
          }))
      }

      it.effect(`A6 answers 404 M_UNRECOGNIZED below and beside ${path}`, () =>
        Effect.gen(function*() {
          const { port, received } = yield* start(mount)
          // Beside the endpoint only where nobody else answers: an app keeps what is not the ping's.
          for (const target of [`${path}/`, `/${path}`]) {
            const answer = yield* RawClient.send(
              port,
              Http.request({ target, headers: [Fixture.bearer(tokens.hs)], body: "{}" })
            )
            assertAppserviceError(answer, 404, "M_UNRECOGNIZED")
          }
          assert.deepStrictEqual(received, [])
        }))
    }

    for (const target of ["/ping", "/app/v1/ping", "/_matrix/ping", "/"]) {
      it.effect(`A7 has no legacy route: ${target}`, () =>
        Effect.gen(function*() {
          const { port, received } = yield* start(mount)
          for (const query of ["", `?access_token=${tokens.hs}`]) {
            const answer = yield* RawClient.send(
              port,
              Http.request({ target: target + query, headers: [Fixture.bearer(tokens.hs)], body: "{}" })
            )
            assert.strictEqual(answer.status, 404)
            assertNoCors(answer)
          }
          assert.deepStrictEqual(received, [])
        }))
    }

    it.effect("A9 answers at the unstable path as at the stable one", () =>
      Effect.gen(function*() {
        const { port, received } = yield* start(mount)
        const withoutDate = (answer: RawClient.Answer) => answer.bytes.toString().replace(/^Date: .*\r\n/m, "")
        for (
          const bytes of [
            Fixture.appservicePing({ body: "{\"transaction_id\":\"x\"}" }),
            Fixture.appservicePing({ body: "" }),
            Fixture.appservicePing({ body: "[]" }),
            Fixture.appservicePing({ token: "someone-else" }),
            ping([])
          ]
        ) {
          const text = bytes.toString()
          const stable = yield* RawClient.send(port, text)
          const unstable = yield* RawClient.send(
            port,
            text.replace(Fixture.appservicePath, Fixture.appserviceUnstablePath)
          )
          assert.strictEqual(withoutDate(unstable), withoutDate(stable))
        }
        const [first, second, third, fourth] = received.map((ping) => ping.transactionId)
        assert.deepStrictEqual([first, second, third, fourth], ["x", "x", undefined, undefined])
        assert.strictEqual(received.length, 4)
      }))
  })
}
