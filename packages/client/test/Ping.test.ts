import { ping, type PingOptions } from "@appservice-ping/client/Ping"
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import * as Registration from "@appservice-ping/domain/Registration"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result, Schema } from "effect"
import { answeringJson, asToken, endpoint, homeserver, plain, registration } from "./support/memory.ts"

const ok = { duration_ms: 12 }

const sent = Effect.fnUntraced(function*(options: Partial<PingOptions>) {
  const stub = answeringJson(200, ok)
  assert.deepStrictEqual(yield* ping({ homeserver, registration, ...options }).pipe(stub.provide), ok)
  assert.lengthOf(stub.received, 1)
  return stub.received[0] ?? assert.fail("no request")
})

describe("the request", () => {
  it.effect("C1 carries the as_token as a bearer token", () =>
    Effect.gen(function*() {
      const request = yield* sent({})
      assert.strictEqual(request.method, "POST")
      assert.strictEqual(request.url, endpoint)
      assert.strictEqual(request.headers["authorization"], `Bearer ${asToken}`)
    }))

  it.effect("C6 has the body {} when no transaction id is given", () =>
    Effect.gen(function*() {
      const request = yield* sent({})
      assert.strictEqual(request.body, "{}")
      assert.strictEqual(request.headers["content-type"], "application/json")
      assert.strictEqual((yield* sent({ transactionId: undefined })).body, "{}")
    }))

  it.effect("C7 has an empty transaction id when an empty one is given", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* sent({ transactionId: "" })).body, "{\"transaction_id\":\"\"}")
    }))

  it.effect.prop(
    "C7 has any transaction id as it is",
    { transactionId: Schema.String },
    ({ transactionId }) =>
      Effect.gen(function*() {
        const request = yield* sent({ transactionId })
        assert.deepStrictEqual(JSON.parse(request.body ?? ""), { transaction_id: transactionId })
      })
  )

  it.effect("C7 has a transaction id of a million characters", () =>
    Effect.gen(function*() {
      const transactionId = "ü".repeat(1_000_000)
      assert.strictEqual((yield* sent({ transactionId })).body, JSON.stringify({ transaction_id: transactionId }))
    }))

  it.effect("C14 has no query string, whatever the homeserver's URL has", () =>
    Effect.gen(function*() {
      const url = new URL("https://bob:canary@matrix.example/?canary=1&user_id=@bob:example#canary")
      const before = url.href
      assert.strictEqual((yield* sent({ homeserver: url })).url, endpoint)
      assert.strictEqual(url.href, before)
    }))

  it.effect("C20 names an id of free text in one segment of the path", () =>
    Effect.gen(function*() {
      const id = AppserviceId.make("IRC Bridge/ü%")
      const request = yield* sent({ registration: { ...registration, id } })
      assert.strictEqual(
        request.url,
        "https://matrix.example/_matrix/client/v1/appservice/IRC%20Bridge%2F%C3%BC%25/ping"
      )
    }))

  it.effect.prop(
    "C20 carries any id to the segment a server decodes",
    { id: AppserviceId },
    ({ id }) =>
      Effect.gen(function*() {
        const request = yield* sent({ registration: { ...registration, id } })
        const { pathname, search } = new URL(request.url)
        const segments = pathname.split("/")
        assert.deepStrictEqual([segments.slice(0, 5), segments.slice(6), search], [
          ["", "_matrix", "client", "v1", "appservice"],
          ["ping"],
          ""
        ])
        assert.strictEqual(decodeURIComponent(segments[5] ?? ""), id)
      })
  )

  it.effect("C22 goes to the unstable path when told to", () =>
    Effect.gen(function*() {
      const request = yield* sent({ path: "unstable", transactionId: "t" })
      assert.strictEqual(
        request.url,
        "https://matrix.example/_matrix/client/unstable/fi.mau.msc2659/appservice/irc%20bridge/ping"
      )
      assert.strictEqual(request.headers["authorization"], `Bearer ${asToken}`)
      assert.strictEqual(request.body, "{\"transaction_id\":\"t\"}")
      assert.strictEqual((yield* sent({ path: "stable" })).url, endpoint)
    }))

  const bases = [
    ["https://proxy.example/matrix", "https://proxy.example/matrix/_matrix/client/v1/appservice/irc%20bridge/ping"],
    ["https://proxy.example/a%20b///", "https://proxy.example/a%20b/_matrix/client/v1/appservice/irc%20bridge/ping"],
    ["http://[::1]:8008", "http://[::1]:8008/_matrix/client/v1/appservice/irc%20bridge/ping"]
  ] as const
  for (const [base, expected] of bases) {
    it.effect(`goes to a homeserver at ${base}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* sent({ homeserver: new URL(base) })).url, expected)
      }))
  }

  it.effect("takes a whole registration", () =>
    Effect.gen(function*() {
      const whole = Result.getOrThrow(Registration.fromUnknown({
        id: "irc bridge",
        url: null,
        as_token: asToken,
        hs_token: "h",
        sender_localpart: "irc",
        namespaces: {}
      }))
      assert.strictEqual((yield* sent({ registration: whole })).headers["authorization"], `Bearer ${asToken}`)
    }))

  const unsendable = [
    {
      name: "with an as_token that no header can carry",
      options: { homeserver, registration: { ...registration, as_token: Redacted.make(`${asToken}\n`) } },
      url: endpoint,
      text: "the as_token has a character that no HTTP header can carry"
    },
    {
      name: "to a homeserver that is not on HTTP",
      options: { homeserver: new URL("ftp://bob:canary@matrix.example?canary#canary"), registration },
      url: "ftp://matrix.example/_matrix/client/v1/appservice/irc%20bridge/ping",
      text: "the homeserver's URL is neither http nor https"
    }
  ]
  for (const { name, options, text, url } of unsendable) {
    it.effect(`is not sent ${name}`, () =>
      Effect.gen(function*() {
        const stub = answeringJson(200, ok)
        const error = yield* Effect.flip(ping(options).pipe(stub.provide))
        assert.deepStrictEqual(yield* plain(error), {
          _tag: "HomeserverUnreachable",
          url,
          failure: { kind: "malformed", text }
        })
        assert.lengthOf(stub.received, 0)
      }))
  }
})
