import { diagnose } from "@appservice-ping/domain/Diagnosis"
import { BadStatus } from "@appservice-ping/domain/PingError"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import { BodyError } from "@appservice-ping/server/Exchange"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Redacted, Ref } from "effect"
import { TestClock } from "effect/testing"
import { ask, request, type RequestOptions } from "./support/exchange.ts"

const hsToken = "hs-token-telegram"

const ping: RequestOptions = { target: "/_matrix/app/v1/ping", token: hsToken, body: "{\"transaction_id\":\"mine\"}" }

const handlerOf = (options: Omit<Appservice.AppserviceOptions, "registration"> = {}) =>
  Effect.map(
    Layer.build(Appservice.layer({ registration: { hs_token: Redacted.make(hsToken) }, ...options })),
    (context) => Context.get(context, Appservice.Appservice).handle
  )

describe("Appservice", () => {
  it.effect("A5 answers 200 {} and nothing else", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf()
      assert.deepStrictEqual(yield* handle(request(ping)), {
        status: 200,
        headers: { "content-type": "application/json" },
        body: "{}"
      })
    }))

  it.effect("A2 and A3 read no body of a stranger, and tell no hook", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf({ onPing: () => Effect.die("the hook was told") })
      for (
        const [status, options] of [[403, { ...ping, token: "wrong" }], [401, { target: ping.target ?? "" }]] as const
      ) {
        const asked = request(options)
        assert.strictEqual((yield* handle(asked)).status, status)
        assert.strictEqual(asked.bodyReads(), 0)
      }
    }))

  it.effect("A4 says why a body could not be read", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf()
      for (
        const [reason, status, errcode] of [["TooLarge", 413, "M_TOO_LARGE"], ["Aborted", 400, "M_NOT_JSON"]] as const
      ) {
        assert.deepInclude(yield* ask(handle, { ...ping, body: new BodyError({ reason }) }), { status, errcode })
      }
    }))

  it.effect("A6 an unknown endpoint is not answered as a homeserver does, or a wrong path in a url would look like one", () =>
    Effect.gen(function*() {
      const { body, status } = yield* (yield* handlerOf())(request({ ...ping, target: "/bridge/_matrix/app/v1/ping" }))
      assert.strictEqual(status, 404)
      const { cause } = diagnose(new BadStatus({ status, body }))
      assert.match(cause, /has no ping/)
      assert.notMatch(cause, /homeserver/)
    }))

  it.effect("A5 waits for its hook, which is interrupted after 5 seconds and not before", () =>
    Effect.gen(function*() {
      const told = yield* Deferred.make<string | undefined>()
      const interrupted = yield* Ref.make(false)
      const handle = yield* handlerOf({
        onPing: ({ transactionId }) =>
          Deferred.succeed(told, transactionId).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Ref.set(interrupted, true))
          )
      })
      const fiber = yield* Effect.forkChild(ask(handle, ping))
      assert.strictEqual(yield* Deferred.await(told), "mine")
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      assert.isFalse(yield* Ref.get(interrupted))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.isTrue(yield* Ref.get(interrupted))
    }))

  it.effect("A5 waits for its hook as long as hookTimeout says", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf({ hookTimeout: "100 millis", onPing: () => Effect.never })
      const fiber = yield* Effect.forkChild(ask(handle, ping))
      yield* TestClock.adjust("99 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
    }))

  it.effect("A5 answers on time, although its hook cannot be interrupted", () =>
    Effect.gen(function*() {
      const end = yield* Deferred.make<void>()
      const handle = yield* handlerOf({
        hookTimeout: "100 millis",
        onPing: () => Effect.uninterruptible(Deferred.await(end))
      })
      const fiber = yield* Effect.forkChild(ask(handle, ping))
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(fiber.pollUnsafe()?._tag, "Success")
      yield* Deferred.succeed(end, undefined)
    }))

  it.effect("A5 interrupts its hook when the homeserver goes away", () =>
    Effect.gen(function*() {
      const told = yield* Deferred.make<void>()
      const interrupted = yield* Ref.make(false)
      const handle = yield* handlerOf({
        onPing: () =>
          Deferred.succeed(told, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Ref.set(interrupted, true))
          )
      })
      const fiber = yield* Effect.forkChild(ask(handle, ping))
      yield* Deferred.await(told)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(yield* Ref.get(interrupted))
    }))

  it.effect("A5 gives its hook the services of the layer", () =>
    Effect.gen(function*() {
      class Pending extends Context.Service<Pending, { readonly arrived: Ref.Ref<ReadonlyArray<string>> }>()(
        "test/Pending"
      ) {}
      const arrived = yield* Ref.make<ReadonlyArray<string>>([])
      const layer = Appservice.layer({
        registration: { hs_token: Redacted.make(hsToken) },
        onPing: ({ transactionId }) =>
          Pending.use((pending) => Ref.update(pending.arrived, (ids) => [...ids, transactionId ?? "none"]))
      }).pipe(Layer.provide(Layer.succeed(Pending, { arrived })))
      const { handle } = Context.get(yield* Layer.build(layer), Appservice.Appservice)
      yield* ask(handle, ping)
      yield* ask(handle, { ...ping, body: "" })
      assert.deepStrictEqual(yield* Ref.get(arrived), ["mine", "none"])
    }))

  it.effect("C17 has no CORS headers, and OPTIONS is 405", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf()
      assert.deepStrictEqual(yield* handle(request({ ...ping, method: "OPTIONS" })), {
        status: 405,
        headers: { "content-type": "application/json", allow: "POST" },
        body: "{\"errcode\":\"M_UNRECOGNIZED\",\"error\":\"This endpoint only accepts POST\"}"
      })
    }))
})
