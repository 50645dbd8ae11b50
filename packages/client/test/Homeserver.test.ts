import * as Homeserver from "@appservice-ping/client/Homeserver"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { answering, answeringJson, homeserver, memory, plain } from "./support/memory.ts"

const url = "https://matrix.example/_matrix/client/versions"

describe("support", () => {
  const rows = [
    ["stable", "v1.7", { versions: ["v1.6", "v1.7"] }],
    ["stable", "a later version", { versions: ["v1.19"] }],
    ["stable", "a later major version", { versions: ["v2.0"] }],
    ["stable", "the feature", { versions: ["v1.6"], unstable_features: { "fi.mau.msc2659.stable": true } }],
    [
      "stable",
      "both features",
      { versions: [], unstable_features: { "fi.mau.msc2659": true, "fi.mau.msc2659.stable": true } }
    ],
    ["unstable", "the unstable feature alone", { versions: ["v1.6"], unstable_features: { "fi.mau.msc2659": true } }],
    ["none", "older versions", { versions: ["r0.6.1", "v1.6"] }],
    ["none", "the feature switched off", { versions: ["v1.6"], unstable_features: { "fi.mau.msc2659": false } }],
    ["none", "no version at all", { versions: [] }],
    ["stable", "v1.7 among odd entries", { versions: [null, 7, "v1.7"], unstable_features: null }],
    [
      "unstable",
      "the unstable feature among odd entries",
      { versions: ["v1.6"], unstable_features: { a: "true", b: null, "fi.mau.msc2659": true }, server: {} }
    ]
  ] as const
  for (const [support, name, body] of rows) {
    it.effect(`C21 is ${support} for ${name}`, () =>
      Effect.gen(function*() {
        const stub = answeringJson(200, body)
        assert.strictEqual(yield* Homeserver.support({ homeserver }).pipe(stub.provide), support)
        assert.lengthOf(stub.received, 1)
      }))
  }
})

describe("versions", () => {
  it.effect("C21 asks without a token", () =>
    Effect.gen(function*() {
      const stub = answeringJson(200, { versions: ["v1.7"] })
      yield* Homeserver.versions({ homeserver: new URL("https://bob:canary@matrix.example/?canary#canary") }).pipe(
        stub.provide
      )
      const [request] = stub.received
      assert.strictEqual(request?.method, "GET")
      assert.strictEqual(request?.url, url)
      assert.isUndefined(request?.headers["authorization"])
      assert.isUndefined(request?.body)
    }))

  it.effect("C21 returns what is of the right type, and nothing else", () =>
    Effect.gen(function*() {
      const stub = answeringJson(200, {
        versions: ["v1.7", 8],
        unstable_features: { "org.example": true, "org.odd": "yes" },
        server: { name: "x" }
      })
      assert.deepStrictEqual(yield* Homeserver.versions({ homeserver }).pipe(stub.provide), {
        versions: ["v1.7"],
        unstable_features: { "org.example": true }
      })
    }))

  const foreign: ReadonlyArray<readonly [string, number, string]> = [
    ["a page", 200, "<html>"],
    ["an empty body", 200, ""],
    ["another object", 200, "{\"status\":\"ok\"}"],
    ["the answer to a ping", 200, `{"duration_ms":1,"more":"${"x".repeat(2000)}"}`],
    ["versions that are no list", 200, "{\"versions\":\"v1.7\"}"],
    ["a list", 200, "[\"v1.7\"]"],
    ["versions with an error's status", 502, "{\"versions\":[\"v1.7\"]}"],
    ["a proxy's page", 502, "x".repeat(2000)]
  ]
  for (const [name, status, body] of foreign) {
    it.effect(`C21 tells from a homeserver: ${name}`, () =>
      Effect.gen(function*() {
        const stub = answering(status, body, { "content-type": "text/html" })
        const error = yield* Effect.flip(Homeserver.versions({ homeserver }).pipe(stub.provide))
        const { _tag, ...fields } = yield* plain(error)
        assert.strictEqual(_tag, "NotHomeserver")
        assert.include(fields, { url, status, contentType: "text/html", body: body.slice(0, 2048) })
      }))
  }

  it.effect("C18 fails with the homeserver's own error", () =>
    Effect.gen(function*() {
      const stub = answeringJson(429, { errcode: "M_LIMIT_EXCEEDED" }, { "retry-after": "3" })
      const error = yield* Effect.flip(Homeserver.support({ homeserver }).pipe(stub.provide))
      assert.deepStrictEqual(yield* plain(error), { _tag: "M_LIMIT_EXCEEDED", retryAfter: 3000 })
    }))

  it.effect("D1 does not follow a redirect", () =>
    Effect.gen(function*() {
      const stub = answering(302, null, { location: "/elsewhere?canary" })
      const error = yield* Effect.flip(Homeserver.versions({ homeserver }).pipe(stub.provide))
      assert.deepStrictEqual(yield* plain(error), {
        _tag: "NotHomeserver",
        url,
        status: 302,
        location: "https://matrix.example/elsewhere",
        body: ""
      })
    }))

  it.effect("C21 fails when the homeserver cannot be reached", () =>
    Effect.gen(function*() {
      const stub = memory(() => Effect.succeed({ raises: Object.assign(new Error(), { code: "ECONNREFUSED" }) }))
      const error = yield* Effect.flip(Homeserver.versions({ homeserver }).pipe(stub.provide))
      assert.deepStrictEqual(yield* plain(error), {
        _tag: "HomeserverUnreachable",
        url,
        failure: { kind: "refused", text: "the connection was refused" }
      })
    }))

  it.effect("C21 reads no more than it may", () =>
    Effect.gen(function*() {
      const body = "{\"versions\":[\"v1.7\"]}"
      const versions = (maxBodyBytes: number) =>
        Homeserver.versions({ homeserver, maxBodyBytes }).pipe(answering(200, body).provide)
      assert.deepStrictEqual(yield* versions(body.length), { versions: ["v1.7"] })
      assert.strictEqual((yield* Effect.flip(versions(body.length - 1)))._tag, "NotHomeserver")
    }))

  it.effect("C21 gives up at its deadline, and not before", () =>
    Effect.gen(function*() {
      const stub = memory(() => Effect.never)
      const fiber = yield* Effect.forkChild(
        Effect.flip(Homeserver.versions({ homeserver, timeout: "5 seconds" }).pipe(stub.provide))
      )
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* plain(yield* Fiber.join(fiber)), { _tag: "Undecided", url, after: 5000 })
    }))
})
