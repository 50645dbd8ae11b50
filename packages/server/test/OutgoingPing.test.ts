import { ConnectionFailure, Kind } from "@appservice-ping/domain/ConnectionFailure"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import type { OutgoingRequest } from "@appservice-ping/server/homeserver/OutgoingTransport"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Fiber, Layer, Redacted, Ref } from "effect"
import { TestClock } from "effect/testing"
import { layerTransport, ok, type Send } from "./support/services.ts"

const outgoingOf = (send: Send, options?: OutgoingPing.OutgoingPingOptions) =>
  Effect.map(
    Layer.build(OutgoingPing.layer(options).pipe(Layer.provide(layerTransport(send)))),
    (context) => Context.get(context, OutgoingPing.OutgoingPing)
  )

const ping: OutgoingPing.PingTarget = {
  url: "http://user:password@bridge.test:29317/path/?query=1",
  hsToken: Redacted.make("hs-token-telegram"),
  transactionId: undefined
}

const failure = (kind: typeof Kind.Type) => new ConnectionFailure({ kind, text: `text of ${kind}` })

describe("OutgoingPing", () => {
  it.effect("A1 and D9 send this, and once", () =>
    Effect.gen(function*() {
      const sent: Array<OutgoingRequest> = []
      const outgoing = yield* outgoingOf((request) =>
        Effect.sync(() => {
          sent.push(request)
          return ok
        })
      )
      yield* outgoing.send(ping)
      yield* outgoing.send({ ...ping, transactionId: "" })
      yield* outgoing.send({ ...ping, transactionId: "\"ü\ud800" })
      assert.deepStrictEqual(sent.map(({ body }) => body), [
        "{}",
        "{\"transaction_id\":\"\"}",
        "{\"transaction_id\":\"\\\"ü\\ud800\"}"
      ])
      const [first] = sent
      assert.strictEqual(first?.url.href, "http://bridge.test:29317/path/_matrix/app/v1/ping?query=1")
      assert.strictEqual(first?.maxBodyBytes, 65_536)
      assert.deepStrictEqual(first?.headers, {
        authorization: "Bearer hs-token-telegram",
        "content-type": "application/json",
        accept: "application/json",
        "accept-encoding": "identity"
      })
    }))

  it.effect("A1 sends the token of a legacy appservice in the query too", () =>
    Effect.gen(function*() {
      const sent: Array<string> = []
      const outgoing = yield* outgoingOf(
        ({ url }) =>
          Effect.sync(() => {
            sent.push(url.search)
            return ok
          }),
        { legacyAuthorization: true }
      )
      yield* outgoing.send({ ...ping, hsToken: Redacted.make("a b+&=%") })
      assert.deepStrictEqual(sent, ["?query=1&access_token=a+b%2B%26%3D%25"])
    }))

  it.effect("D3 has one deadline of 30 seconds: not at 29 999 ms, and at 30 000", () =>
    Effect.gen(function*() {
      const interrupted = yield* Ref.make(false)
      const outgoing = yield* outgoingOf(() => Effect.never.pipe(Effect.onInterrupt(() => Ref.set(interrupted, true))))
      const fiber = yield* Effect.forkChild(Effect.flip(outgoing.send(ping)))
      yield* TestClock.adjust("29999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      assert.isFalse(yield* Ref.get(interrupted))
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "M_CONNECTION_TIMEOUT")
      assert.strictEqual(
        error.error,
        "The appservice gave no complete answer within 30s at http://bridge.test:29317/path/_matrix/app/v1/ping"
      )
      // The transport was let go of.
      assert.isTrue(yield* Ref.get(interrupted))
    }))

  it.effect("D3 takes an answer at 29 999 ms", () =>
    Effect.gen(function*() {
      const outgoing = yield* outgoingOf(() => Effect.delay(Effect.succeed(ok), "29999 millis"))
      const fiber = yield* Effect.forkChild(outgoing.send(ping))
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(Duration.toMillis(yield* Fiber.join(fiber)), 29_999)
    }))

  it.effect("D3 makes no further call while too many run on after their deadline", () =>
    Effect.gen(function*() {
      const end = yield* Deferred.make<void>()
      const calls = yield* Ref.make(0)
      const outgoing = yield* outgoingOf(
        () =>
          Ref.update(calls, (n) => n + 1).pipe(
            Effect.andThen(Deferred.await(end)),
            Effect.as(ok),
            Effect.uninterruptible
          ),
        { timeout: "1 second", maxOverdue: 1 }
      )
      const first = yield* Effect.forkChild(Effect.flip(outgoing.send(ping)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(first))._tag, "M_CONNECTION_TIMEOUT")
      assert.strictEqual((yield* Effect.flip(outgoing.send(ping)))._tag, "M_CONNECTION_TIMEOUT")
      assert.strictEqual(yield* Ref.get(calls), 1)
      yield* Deferred.succeed(end, undefined)
      yield* Effect.yieldNow
      yield* outgoing.send(ping)
      assert.strictEqual(yield* Ref.get(calls), 2)
    }))

  it.effect("D3 has the deadline it is given", () =>
    Effect.gen(function*() {
      const outgoing = yield* outgoingOf(() => Effect.never, { timeout: "250 millis" })
      const fiber = yield* Effect.forkChild(Effect.flip(outgoing.send(ping)))
      yield* TestClock.adjust("249 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.include((yield* Fiber.join(fiber)).message, "within 250ms")
    }))

  it.effect("interrupts the transport when it is interrupted itself", () =>
    Effect.gen(function*() {
      const sent = yield* Deferred.make<void>()
      const interrupted = yield* Ref.make(false)
      const outgoing = yield* outgoingOf(() =>
        Deferred.succeed(sent, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.onInterrupt(() => Ref.set(interrupted, true))
        )
      )
      const fiber = yield* Effect.forkChild(outgoing.send(ping))
      yield* Deferred.await(sent)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(yield* Ref.get(interrupted))
    }))

  for (const kind of Kind.literals) {
    const tag = kind === "timeout" ? "M_CONNECTION_TIMEOUT" : "M_CONNECTION_FAILED"
    const rule = kind === "timeout" ? "C12" : kind === "reset" || kind === "closed" ? "D7" : "C11"
    it.effect(`${rule} says ${tag} where the connection ended as "${kind}"`, () =>
      Effect.gen(function*() {
        const outgoing = yield* outgoingOf(() => Effect.fail(failure(kind)))
        const error = yield* Effect.flip(outgoing.send(ping))
        assert.strictEqual(error._tag, tag)
        assert.include(error.error, "http://bridge.test:29317/path/_matrix/app/v1/ping")
        if (kind !== "timeout") assert.include(error.error, `text of ${kind}`)
        for (const secret of ["user", "password", "query", "hs-token"]) assert.notInclude(error.message, secret)
      }))
  }

  it.effect("C10 says M_BAD_STATUS for every status from 300, and success for every one below", () =>
    Effect.gen(function*() {
      for (let status = 200; status < 1000; status++) {
        const outgoing = yield* outgoingOf(() => Effect.succeed({ status, body: new TextEncoder().encode("body") }))
        const result = yield* Effect.result(outgoing.send(ping))
        if (status < 300) assert.strictEqual(result._tag, "Success", String(status))
        else {
          assert.strictEqual(result._tag, "Failure", String(status))
          if (result._tag === "Failure") {
            assert.deepInclude({ ...result.failure }, { _tag: "M_BAD_STATUS", status, body: "body" })
          }
        }
      }
    }))

  it.effect("D8 takes both tokens out of the body of a bad status", () =>
    Effect.gen(function*() {
      const asToken = Redacted.make("as-token-telegram")
      const body = new TextEncoder().encode("as_token: as-token-telegram, hs_token: hs-token-telegram")
      const outgoing = yield* outgoingOf(() => Effect.succeed({ status: 500, body }))
      const error = yield* Effect.flip(outgoing.send({ ...ping, asToken }))
      assert.strictEqual(error._tag === "M_BAD_STATUS" ? error.body : "", "as_token: <redacted>, hs_token: <redacted>")
    }))

  it.effect("C10 takes no informational status for an answer, should a transport give one", () =>
    Effect.gen(function*() {
      for (const status of [0, 100, 101, 103, 199]) {
        const outgoing = yield* outgoingOf(() => Effect.succeed({ ...ok, status }))
        assert.strictEqual((yield* Effect.flip(outgoing.send(ping)))._tag, "M_CONNECTION_FAILED", String(status))
      }
    }))

  it.effect("D4 decodes one body after another on its own", () =>
    Effect.gen(function*() {
      const bodies = [Uint8Array.of(0x61, 0xf0, 0x9f), Uint8Array.of(0x98, 0x80, 0x62), Uint8Array.of(0xef, 0xbb, 0xbf)]
      const outgoing = yield* outgoingOf(() =>
        Effect.sync(() => ({ status: 500, body: bodies.shift() ?? new Uint8Array() }))
      )
      const decoded: Array<string | undefined> = []
      for (let i = 0; i < 4; i++) {
        const error = yield* Effect.flip(outgoing.send(ping))
        decoded.push(error._tag === "M_BAD_STATUS" ? error.body : undefined)
      }
      assert.deepStrictEqual(decoded, ["a\ufffd", "\ufffd\ufffdb", "\ufeff", ""])
    }))

  it.effect("fails where the url is none or the hs_token fits no header, and sends nothing", () =>
    Effect.gen(function*() {
      const outgoing = yield* outgoingOf(() => Effect.die("something was sent"))
      for (
        const bad of [
          { url: "bridge.test" },
          { url: "ftp://bridge.test" },
          { hsToken: Redacted.make("line\nbreak") },
          { hsToken: Redacted.make("snowman \u2603") }
        ]
      ) {
        assert.strictEqual((yield* Effect.flip(outgoing.send({ ...ping, ...bad })))._tag, "M_CONNECTION_FAILED")
      }
    }))
})
