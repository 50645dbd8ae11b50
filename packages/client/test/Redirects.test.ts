import { ping } from "@appservice-ping/client/Ping"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { answering, endpoint, homeserver, memory, plain, registration } from "./support/memory.ts"

const ok = { duration_ms: 12 }

describe("redirects", () => {
  for (const status of [301, 302, 303, 307, 308]) {
    it.effect(`D1 does not follow a ${status}`, () =>
      Effect.gen(function*() {
        const stub = answering(status, "moved", {
          location: "https://bob:canary@elsewhere.example/login?canary=1#canary",
          "content-type": "text/plain"
        })
        const error = yield* Effect.flip(ping({ homeserver, registration }).pipe(stub.provide))
        assert.deepStrictEqual(yield* plain(error), {
          _tag: "NotHomeserver",
          url: endpoint,
          status,
          contentType: "text/plain",
          location: "https://elsewhere.example/login",
          body: "moved"
        })
        assert.lengthOf(stub.received, 1)
      }))
  }

  it.effect("D1 resolves a relative location against the endpoint", () =>
    Effect.gen(function*() {
      const stub = answering(308, null, { location: "/elsewhere?token=canary" })
      const error = yield* plain(yield* Effect.flip(ping({ homeserver, registration }).pipe(stub.provide)))
      assert.propertyVal(error, "location", "https://matrix.example/elsewhere")
    }))

  it.effect("D1 survives a browser's opaque redirect, which has no status", () =>
    Effect.gen(function*() {
      const stub = memory(() => Effect.sync(() => Response.error()))
      const error = yield* Effect.flip(ping({ homeserver, registration }).pipe(stub.provide))
      assert.deepStrictEqual(yield* plain(error), { _tag: "NotHomeserver", url: endpoint, status: 0, body: "" })
    }))

  const appFetch = (inits: Array<RequestInit | undefined>): typeof fetch => (_, init) => {
    inits.push(init)
    return Promise.resolve(Response.json(ok))
  }
  const appInit: RequestInit = { redirect: "follow", credentials: "include", headers: { "x-app": "1" } }

  it.effect("D1 tells fetch not to follow, and keeps the fetch and the options of the app's layer", () =>
    Effect.gen(function*() {
      const inits: Array<RequestInit | undefined> = []
      const layer = FetchHttpClient.layer.pipe(
        Layer.provide(Layer.succeed(FetchHttpClient.Fetch, appFetch(inits))),
        Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, appInit))
      )
      assert.deepStrictEqual(yield* ping({ homeserver, registration }).pipe(Effect.provide(layer)), ok)
      assert.lengthOf(inits, 1)
      assert.include(inits[0], { redirect: "manual", credentials: "include", method: "POST" })
      assert.strictEqual(new Headers(inits[0]?.headers).get("x-app"), "1")
    }))

  it.effect("D1 tells the fetch around the call not to follow, and leaves it to the app as it was", () =>
    Effect.gen(function*() {
      const inits: Array<RequestInit | undefined> = []
      const fetch = appFetch(inits)
      const program = Effect.gen(function*() {
        yield* ping({ homeserver, registration })
        return yield* FetchHttpClient.Fetch
      })
      const after = yield* program.pipe(
        Effect.provideService(FetchHttpClient.Fetch, fetch),
        Effect.provideService(FetchHttpClient.RequestInit, appInit),
        Effect.provide(FetchHttpClient.layer)
      )
      assert.strictEqual(after, fetch)
      assert.include(inits[0], { redirect: "manual", credentials: "include" })
    }))
})
