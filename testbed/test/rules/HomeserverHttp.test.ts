/** The HTTP around a ping: C14 to C17, C21 and C22, over every mount. */
import { OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { assertCors, assertHomeserverError, assertPingSucceeded } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { effectHttpApp, mounts } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"
import { RST } from "./support/RecordingServer.ts"

const { tokens } = Fixture

const versions = "/_matrix/client/versions"

const endpoints = [Fixture.path(), Fixture.unstablePath(), versions]

const get = (target: string, ...headers: Http.RawHeaders): Buffer => Http.request({ method: "GET", target, headers })

const post = (target: string, body: string = "{}"): Buffer =>
  Http.request({ target, headers: [Fixture.bearer(tokens.as)], body })

/** Every error that a ping can be answered with: how to provoke it, and what it looks like. */
const errors: ReadonlyArray<
  readonly [
    status: number,
    errcode: string,
    bytes: Buffer,
    options?: Pair.PairOptions,
    extra?: Readonly<Record<string, unknown>>
  ]
> = [
  [400, "M_NOT_JSON", Fixture.ping({ body: "" })],
  [400, "M_BAD_JSON", Fixture.ping({ body: "[]" })],
  [400, "M_URL_NOT_SET", Fixture.ping(), { url: () => null }],
  [401, "M_MISSING_TOKEN", Http.request({ target: Fixture.path(), body: "{}" })],
  [401, "M_UNKNOWN_TOKEN", Fixture.ping({ token: "unknown-to-all" }), {}, { soft_logout: false }],
  [403, "M_FORBIDDEN", Fixture.ping({ token: tokens.user })],
  [404, "M_UNRECOGNIZED", post(`${Fixture.path()}/more`)],
  [405, "M_UNRECOGNIZED", get(Fixture.path(), Fixture.bearer(tokens.as))],
  [413, "M_TOO_LARGE", Fixture.ping({ body: "x".repeat(100) }), { options: { maxBodyBytes: 10 } }],
  [429, "M_LIMIT_EXCEEDED", Fixture.ping(), { options: { maxConcurrentPings: 0 } }, { retry_after_ms: 1000 }],
  [500, "M_UNKNOWN", Fixture.ping(), {
    transport: Layer.succeed(OutgoingTransport, OutgoingTransport.of({ send: () => Effect.die(new Error("secret")) }))
  }],
  [502, "M_BAD_STATUS", Fixture.ping(), { steps: [Http.response(404, "no")] }, { status: 404, body: "no" }],
  [502, "M_CONNECTION_FAILED", Fixture.ping(), { steps: [RST] }],
  [504, "M_CONNECTION_TIMEOUT", Fixture.ping(), { steps: [], outgoing: { timeout: "0 millis" } }]
]

/** The errors that no endpoint gives itself. */
const fromBelow: ReadonlySet<number> = new Set([404, 405, 413, 429, 500])

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    for (
      const query of [
        "user_id=@bot:localhost",
        "user_id=%40bot%3Alocalhost",
        "user_id=@irc_alice:localhost",
        "user_id=",
        "org.matrix.msc3202.device_id=X&device_id=Y",
        "unknown=1&unknown=2",
        "&&=&a=%zz&%ff",
        ""
      ]
    ) {
      it.effect(`C14 tolerates ?${query}, and keeps it from the appservice`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, { users: ["@irc_.*"] })
          assertPingSucceeded(yield* RawClient.send(port, post(`${Fixture.path()}?${query}`)))
          assert.deepStrictEqual(appservice.requests().map((call) => call.request().startLine), [
            "POST /_matrix/app/v1/ping HTTP/1.1"
          ])
        }))
    }

    for (
      const [query, serverName, words] of [
        ["user_id=@alice:localhost", undefined, ["@bot:localhost", "the name of this homeserver is localhost"]],
        ["user_id=@bot:matrix.example", undefined, ["The user_id is on matrix.example", "is localhost", "set "]],
        ["user_id=@bot:localhost", "matrix.example", ["The user_id is on localhost", "is matrix.example", "set "]],
        ["user_id=@bot:localhost&user_id=@alice:localhost", undefined, ["localhost"]],
        ["user_id=@irc_:localhost", undefined, ["localhost"]],
        ["user_id=@not_irc_alice:localhost", undefined, ["localhost"]],
        ["user_id=bot", undefined, ["localhost"]],
        [`user_id=@irc_${"a".repeat(255)}:localhost`, undefined, ["localhost"]]
      ] as const
    ) {
      it.effect(`C14 answers 403 M_FORBIDDEN to ?${query.slice(0, 60)} on ${serverName ?? "localhost"}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, {
            users: ["@irc_.+:localhost$"],
            options: serverName === undefined ? {} : { serverName }
          })
          for (const body of ["{}", "not json"]) {
            const answer = yield* RawClient.send(port, post(`${Fixture.path()}?${query}`, body))
            const error = assertHomeserverError(answer, 403, "M_FORBIDDEN")
            for (const word of words) assert.include(error, word)
          }
          // The token comes first, and a user's token can claim nobody.
          for (const headers of [[], [Fixture.bearer("unknown-to-all")]]) {
            const stranger = Http.request({ target: `${Fixture.path()}?${query}`, headers, body: "{}" })
            assert.strictEqual((yield* RawClient.send(port, stranger)).status, 401)
          }
          assert.strictEqual(appservice.requests().length, 0)
        }))
    }

    for (
      const [versions, isKnown] of [
        [["v1.7"], false],
        [["v1.16", "r0.6.1", "v1.2", "1.17", "v1.017x"], false],
        [["v1.17"], true],
        [["v1.7", "v1.19"], true],
        [["v2.0"], true]
      ] as const
    ) {
      it.effect(`C26 ${isKnown ? "refuses" : "ignores"} an unknown device_id where ${versions.join(", ")} is supported`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, { options: { versions: { versions } } })
          for (const target of ["device_id=ABC", "user_id=@bot:localhost&device_id=", "device_id=A&device_id=B"]) {
            const answer = yield* RawClient.send(port, post(`${Fixture.path()}?${target}`))
            if (isKnown) assertHomeserverError(answer, 400, "M_UNKNOWN_DEVICE")
            else assertPingSucceeded(answer)
          }
          assert.strictEqual(appservice.requests().length, isKnown ? 0 : 3)
          // A token that can claim nobody claims no device, and who claims a stranger learns nothing of devices.
          const user = Http.request({
            target: `${Fixture.path()}?device_id=ABC`,
            headers: [Fixture.bearer(tokens.user)],
            body: "{}"
          })
          assertHomeserverError(yield* RawClient.send(port, user), 403, "M_FORBIDDEN")
          assertHomeserverError(
            yield* RawClient.send(port, post(`${Fixture.path()}?device_id=ABC&user_id=@alice:localhost`)),
            403,
            "M_FORBIDDEN"
          )
        }))
    }

    for (const [status, errcode, bytes, options, extra] of errors) {
      const ids = fromBelow.has(status) ? "C15, C25 and C33" : "C15 and C25"
      it.effect(`${ids} answer ${status} ${errcode} as application/json with errcode and error`, () =>
        Effect.gen(function*() {
          const { port } = yield* Pair.start(mount, options)
          const answer = yield* RawClient.send(port, bytes)
          const error = assertHomeserverError(answer, status, errcode, extra)
          assert.notInclude(error, "secret")
          assert.notInclude(error, "\n")
        }))

      it.effect(`C17 puts the three headers on ${status} ${errcode}`, () =>
        Effect.gen(function*() {
          const { port } = yield* Pair.start(mount, options)
          const answer = yield* RawClient.send(port, bytes)
          assert.strictEqual(answer.status, status)
          assertCors(answer)
          const names = answer.headers.map(([name]) => name.toLowerCase())
          assert.strictEqual(names.filter((name) => name.startsWith("access-control-")).length, 3)
          assert.strictEqual(new Set(names).size, names.length, "no header stands twice")
        }))
    }

    for (
      const target of [
        `${Fixture.path()}/`,
        `${Fixture.path()}/more`,
        `${Fixture.path()}s`,
        "/_matrix/client/v1/appservice/telegram/pong",
        "/_matrix/client/v1/appservice/telegram",
        "/_matrix/client/v1/appservice/telegram/a/ping",
        "/_matrix/client/v1/appservice/telegram//ping",
        "/_matrix/client/v1/appservice",
        "/_MATRIX/client/v1/appservice/telegram/ping",
        "/_matrix/client/unstable/fi.mau.msc2659/appservice/telegram/pong",
        `${versions}/`,
        "/_matrix/client/v3/sync",
        "/_matrix/client/",
        "/_matrix/nothing",
        "/_matrix/app/v1/ping",
        "/_matrix"
      ]
    ) {
      it.effect(`C16 answers 404 M_UNRECOGNIZED to ${target}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          assertHomeserverError(yield* RawClient.send(port, post(target)), 404, "M_UNRECOGNIZED")
          assertHomeserverError(yield* RawClient.send(port, get(target)), 404, "M_UNRECOGNIZED")
          assert.strictEqual(appservice.requests().length, 0)
        }))
    }

    for (
      const [target, methods, allow] of [
        [Fixture.path(), ["GET", "PUT", "DELETE", "PATCH", "HEAD", "PROPFIND"], "POST, OPTIONS"],
        [Fixture.unstablePath(), ["GET", "PUT", "DELETE", "PATCH", "HEAD", "PROPFIND"], "POST, OPTIONS"],
        [versions, ["POST", "PUT", "DELETE", "PATCH"], "GET, HEAD, OPTIONS"]
      ] as const
    ) {
      for (const method of methods) {
        it.effect(`C16 and C34 answer 405 M_UNRECOGNIZED with Allow to ${method} ${target}`, () =>
          Effect.gen(function*() {
            const { appservice, port } = yield* Pair.start(mount)
            const connection = yield* RawClient.open(port)
            yield* connection.write(Http.request({
              method,
              target,
              headers: [Fixture.bearer(tokens.as), ["Connection", "close"]],
              ...(method === "GET" || method === "HEAD" ? {} : { body: "{}" })
            }))
            if (method === "HEAD") {
              const message = Http.parse(yield* connection.closed)
              assert.match(message?.startLine ?? "", /^HTTP\/1\.1 405 /)
              assert.strictEqual(message?.header("allow"), allow)
              assert.strictEqual(message?.body.length, 0)
            } else {
              const answer = yield* connection.answer
              assertHomeserverError(answer, 405, "M_UNRECOGNIZED")
              assert.strictEqual(answer.header("allow"), allow)
            }
            assert.strictEqual(appservice.requests().length, 0)
          }))
      }
    }

    for (const target of endpoints) {
      it.effect(`C17 answers OPTIONS ${target} without running it`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          const preflight: Http.RawHeaders = [
            ["Origin", "https://app.example"],
            ["Access-Control-Request-Method", "POST"],
            ["Access-Control-Request-Headers", "authorization"]
          ]
          for (
            const headers of [
              preflight,
              [],
              [["Authorization", "garbage"]],
              [Fixture.bearer("unknown-to-all")],
              [Fixture.bearer(tokens.user)],
              [Fixture.bearer(tokens.as)]
            ] satisfies ReadonlyArray<Http.RawHeaders>
          ) {
            const answer = yield* RawClient.send(port, Http.request({ method: "OPTIONS", target, headers, body: "{}" }))
            assert.strictEqual(answer.status, 204)
            assert.strictEqual(answer.text, "")
            assertCors(answer)
          }
          assert.strictEqual(appservice.requests().length, 0)
        }))
    }

    for (
      const [errcode, headers, challenge] of [
        ["M_MISSING_TOKEN", [], "Bearer"],
        ["M_MISSING_TOKEN", [["Authorization", "Basic abc"]], "Bearer"],
        ["M_UNKNOWN_TOKEN", [Fixture.bearer("unknown-to-all")], "Bearer error=\"invalid_token\""]
      ] as const
    ) {
      it.effect(`C34 says with 401 ${errcode} how to authenticate, after ${headers[0]?.[1] ?? "nothing"}`, () =>
        Effect.gen(function*() {
          const { port } = yield* Pair.start(mount)
          const whoami = "/_matrix/client/v3/account/whoami"
          for (const [method, target] of [["POST", Fixture.path()], ["GET", whoami]] as const) {
            const answer = yield* RawClient.send(port, Http.request({ method, target, headers }))
            assert.strictEqual(answer.status, 401)
            assert.strictEqual(answer.header("www-authenticate"), challenge)
          }
          const forbidden = yield* RawClient.send(port, Fixture.ping({ token: tokens.user }))
          assert.isUndefined(forbidden.header("www-authenticate"))
        }))
    }

    it.effect("C34 names HEAD and OPTIONS in Allow, and answers both", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        const refused = yield* RawClient.send(port, Http.request({ method: "DELETE", target: versions }))
        assert.strictEqual(refused.header("allow"), "GET, HEAD, OPTIONS")
        for (const method of ["HEAD", "OPTIONS"]) {
          const connection = yield* RawClient.open(port)
          yield* connection.write(Http.request({ method, target: versions, headers: [["Connection", "close"]] }))
          assert.match((yield* connection.closed).toString(), /^HTTP\/1\.1 20[04] /)
        }
      }))

    it.effect("C17 puts the three headers on 200", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        assertCors(yield* RawClient.send(port, Fixture.ping()))
        assertCors(yield* RawClient.send(port, get(versions)))
      }))

    it.effect("C22 answers at the unstable path as at the stable one", () =>
      Effect.gen(function*() {
        const unstable = (bytes: Buffer) =>
          Buffer.from(bytes.toString("latin1").replace(Fixture.path(), Fixture.unstablePath()), "latin1")
        const withoutDate = (answer: RawClient.Answer) =>
          answer.bytes.toString().replace(/^Date: .*\r\n/m, "").replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1")
        for (const [, , bytes, options] of [...errors, [200, "", Fixture.ping()] as const]) {
          const { port } = yield* Pair.start(mount, options)
          const stable = yield* RawClient.send(port, bytes)
          assert.strictEqual(withoutDate(yield* RawClient.send(port, unstable(bytes))), withoutDate(stable))
        }
      }))

    it.effect("C22 calls the appservice at the stable path", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        assertPingSucceeded(yield* RawClient.send(port, post(Fixture.unstablePath(), "{\"transaction_id\":\"x\"}")))
        assert.strictEqual(appservice.requests()[0]?.request().startLine, "POST /_matrix/app/v1/ping HTTP/1.1")
        assert.strictEqual(appservice.requests()[0]?.request().body.toString(), "{\"transaction_id\":\"x\"}")
      }))

    it.effect("C21 says which versions and features it supports, to anybody", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        for (const headers of [[], [Fixture.bearer("unknown-to-all")], [Fixture.bearer(tokens.as)]]) {
          const answer = yield* RawClient.send(port, get(versions, ...headers))
          assert.strictEqual(answer.status, 200)
          assert.strictEqual(answer.header("content-type"), "application/json")
          assert.deepStrictEqual(answer.json, {
            versions: ["v1.7"],
            unstable_features: { "fi.mau.msc2659": true, "fi.mau.msc2659.stable": true }
          })
        }
      }))

    it.effect("C16 is not led astray by the Host header", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        for (const host of ["a/b?c", "x/_matrix/client/unknown?", "[", "a b", "matrix.example:99999"]) {
          const answer = yield* RawClient.send(port, get(versions, ["Host", host]))
          assert.strictEqual(answer.status, 200, host)
        }
      }))
  })
}

describe(`on ${effectHttpApp.name}`, () => {
  it.effect("C16 leaves the other routes of the app alone", () =>
    Effect.gen(function*() {
      const { port } = yield* Pair.start(effectHttpApp)
      const healthy = yield* RawClient.send(port, get("/health"))
      assert.strictEqual(healthy.status, 200)
      assert.strictEqual(healthy.text, "healthy")
      assert.isUndefined(healthy.header("access-control-allow-origin"))
      // Outside of /_matrix it is the app's to answer.
      const unknown = yield* RawClient.send(port, get("/matrix/client/v3/sync"))
      assert.strictEqual(unknown.status, 404)
      assert.strictEqual(unknown.text, "")
      assert.isUndefined(unknown.header("access-control-allow-origin"))
    }))
})
