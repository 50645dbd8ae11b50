// Each example of the README is compiled with the sources and run here; `testbed.test.ts` is a test itself.
import * as VerifiedPing from "@appservice-ping/client/VerifiedPing"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Testbed from "@appservice-ping/testbed/Testbed"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, Redacted } from "effect"
import { HttpBody, HttpClient, HttpRouter, HttpServer } from "effect/http"
import { TestClock } from "effect/testing"
import { createServer } from "node:http"
import { check, start } from "./client.ts"
import { app } from "./server.ts"
import { appserviceHandler, homeserverHandler } from "./webHandler.ts"

const authorization = (token: Redacted.Redacted) => ({ authorization: `Bearer ${Redacted.value(token)}` })

describe("client.ts", () => {
  it.effect("tells what is wrong", () =>
    Effect.gen(function*() {
      const testbed = yield* Testbed.Testbed
      const told = check(testbed.homeserver, testbed.registration)
      assert.strictEqual(yield* told, "reached in 0 ms")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* testbed.inject(Fault.refused)
        assert.match(yield* told, /^the homeserver cannot reach us: .*refused/)
      }))
      yield* testbed.inject(Fault.status(404))
      assert.strictEqual(yield* told, "something else answers at our url, with status 404")
    }).pipe(Effect.provide(Testbed.layerMemory())))

  it.effect("waits for what is still starting, and goes on when only a person can help", () =>
    Effect.gen(function*() {
      const verified = yield* VerifiedPing.make()
      const { registration } = Testbed
      const listener = yield* Layer.build(Appservice.layer({ registration, onPing: verified.received }))
      const layer = Testbed.layerMemory({ appservice: Context.get(listener, Appservice.Appservice).handle })
      yield* Effect.gen(function*() {
        const testbed = yield* Testbed.Testbed
        const started = start(testbed.homeserver, registration, verified)
        const fiber = yield* Effect.scoped(Effect.gen(function*() {
          yield* testbed.inject(Fault.refused)
          const fiber = yield* Effect.forkDetach(started)
          yield* TestClock.adjust(0)
          return { fiber }
        }))
        assert.isUndefined(fiber.fiber.pollUnsafe())
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(fiber.fiber), "connected in 0 ms")

        yield* testbed.inject(Fault.status(404))
        assert.match(yield* started, /^What answers as the appservice has no ping \(status 404\).*Check that the url/)
      }).pipe(Effect.scoped, Effect.provide(layer))
    }))
})

/** Serves an app on a free port, and returns where. */
const serve = Effect.fnUntraced(function*<E>(app: Layer.Layer<never, E, HttpRouter.HttpRouter>) {
  const services = yield* Layer.build(
    HttpRouter.serve(app, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
    )
  )
  return yield* HttpServer.addressFormattedWith((address) => Effect.succeed(new URL(address))).pipe(
    Effect.provide(services)
  )
})

describe("server.ts", () => {
  it.live("is both sides and the app's own route", () =>
    Effect.gen(function*() {
      const testbed = yield* Testbed.Testbed
      const client = yield* HttpClient.HttpClient
      const url = yield* serve(app(testbed.registration))

      assert.match(yield* check(url, testbed.registration), /^reached in \d+ ms$/)
      assert.lengthOf(yield* testbed.received, 1)

      const ping = yield* client.post(new URL("/_matrix/app/v1/ping", url), {
        headers: authorization(testbed.registration.hs_token),
        body: HttpBody.text("{}", "application/json")
      })
      assert.strictEqual(ping.status, 200)

      const health = yield* client.get(new URL("/health", url))
      assert.strictEqual(yield* health.text, "ok")
    }).pipe(Effect.provide([Testbed.layerSocket(), Logger.layer([])])))
})

const ask = (handler: (request: Request) => Promise<Response>, path: string, token: Redacted.Redacted) =>
  Effect.promise(() =>
    handler(
      new Request(new URL(path, "http://localhost"), {
        method: "POST",
        headers: authorization(token),
        body: "{\"transaction_id\":\"1\"}"
      })
    )
  )

describe("webHandler.ts", () => {
  it.live("answers web-standard requests, as each of both sides", () =>
    Effect.gen(function*() {
      const { received, registration } = yield* Testbed.Testbed
      const homeserver = yield* Effect.acquireRelease(
        Effect.sync(() => homeserverHandler([registration])),
        ({ dispose }) => Effect.promise(dispose)
      )
      const path = `/_matrix/client/v1/appservice/${registration.id}/ping`
      assert.strictEqual((yield* ask(homeserver.handler, path, registration.as_token)).status, 200)
      assert.deepStrictEqual(yield* received, [{ transactionId: "1" }])

      const appservice = yield* Effect.acquireRelease(
        Effect.sync(() => appserviceHandler(registration)),
        ({ dispose }) => Effect.promise(dispose)
      )
      const answer = yield* ask(appservice.handler, "/_matrix/app/v1/ping", registration.hs_token)
      assert.strictEqual(answer.status, 200)
    }).pipe(Effect.provide([Testbed.layerSocket(), Logger.layer([])])))
})
