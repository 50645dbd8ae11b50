import type { Handler } from "@appservice-ping/server/Exchange"
import * as MemoryNetwork from "@appservice-ping/testbed/carrier/memory/MemoryNetwork"
import * as MemoryTransport from "@appservice-ping/testbed/carrier/memory/MemoryTransport"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

const url = new URL("http://appservice.test:29300/_matrix/app/v1/ping")

const request = { url, headers: { authorization: "Bearer hs" }, body: "{\"transaction_id\":\"t\"}", maxBodyBytes: 64 }

const ok: Handler = () => Effect.succeed({ status: 200, headers: {}, body: "{}" })

const setup = Effect.fnUntraced(function*(
  fault: Fault.Fault = Fault.pass,
  options: MemoryTransport.MemoryTransportOptions & { readonly handle?: Handler } = {}
) {
  const session = yield* Session.make()
  yield* session.inject(Plan.of("to_appservice", fault))
  const server = { url, handle: options.handle ?? ok, leg: "to_appservice", session } as const
  return { session, transport: MemoryTransport.make(yield* MemoryNetwork.make([server]), options) }
})

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const failureOf = Effect.fnUntraced(function*(fault: Fault.Fault, options?: MemoryTransport.MemoryTransportOptions) {
  const { transport } = yield* setup(fault, options)
  const { kind, text } = yield* Effect.flip(transport.send(request))
  return `${kind}: ${text}`
})

describe("MemoryTransport", () => {
  it.effect("D11 sends a request once, over a connection of its own", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const { session, transport } = yield* setup(undefined, {
        handle: (r) =>
          Effect.flatMap(Effect.orDie(r.body(1024)), (body) => {
            seen.push([r.method, r.target, r.header("authorization"), r.header("connection"), textOf(body)])
            return ok(r)
          })
      })
      const send = transport.send(request)
      const { body, status } = yield* send
      assert.deepStrictEqual([status, textOf(body)], [200, "{}"])
      yield* send
      assert.deepStrictEqual(seen, [
        ["POST", url.pathname, "Bearer hs", "close", request.body],
        ["POST", url.pathname, "Bearer hs", "close", request.body]
      ])
      const ids = (yield* session.journal).flatMap(({ what }) =>
        what.event === "request" ? [[what.connection, what.exchange, what.transaction_id, what.attempt]] : []
      )
      assert.deepStrictEqual(ids, [[1, 1, "t", 1], [2, 1, "t", 2]])
    }))

  it.effect("D4 reads no more than it is asked for, and closes", () =>
    Effect.gen(function*() {
      const { session, transport } = yield* setup({ type: "body", defect: "huge" })
      const { body } = yield* transport.send({ ...request, maxBodyBytes: 5 })
      assert.strictEqual(textOf(body), "{\"pad")
      const { transport: stalled, session: journal } = yield* setup(Fault.stall({ phase: "in_body" }))
      const { body: start } = yield* stalled.send({ ...request, maxBodyBytes: 3 })
      assert.strictEqual(textOf(start), "{\"c")
      assert.deepInclude((yield* journal.journal).at(-1)?.what, { event: "closed", by: "client" })
      assert.deepInclude((yield* session.journal).at(-1)?.what, { event: "closed", by: "server" })
    }))

  it.effect("D3 tells a reset body from a closed one, and a cut from an end", () =>
    Effect.gen(function*() {
      assert.match(yield* failureOf(Fault.resetPeer({ phase: "in_body" })), /^reset: /)
      assert.match(yield* failureOf(Fault.close({ phase: "in_body" })), /^closed: /)
      assert.match(yield* failureOf(Fault.resetPeer({ phase: "in_body", framing: "until_close" })), /^reset: /)
      assert.match(yield* failureOf({ type: "framing", defect: "bad_chunk_size" }), /^malformed: /)
    }))

  it.effect("bounds informational answers and the head, and refuses another protocol", () =>
    Effect.gen(function*() {
      const flood = (count: number): Fault.Fault => ({ type: "informational", status: 102, count })
      assert.include(yield* failureOf(flood(17)), "malformed: too many informational answers")
      const { transport } = yield* setup(flood(16))
      assert.strictEqual((yield* transport.send(request)).status, 200)
      assert.include(yield* failureOf(flood(3), { maxInformational: 2 }), "too many informational answers")
      assert.include(yield* failureOf(Fault.status(200), { maxHeaderBytes: 10 }), "headers were too large")
      const upgrade = new TextEncoder().encode("HTTP/1.1 101 \r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
      assert.include(
        yield* failureOf({ type: "script", steps: [{ step: "write", bytes: upgrade }] }),
        "switched to another protocol"
      )
      const odd = new TextEncoder().encode("HTTP/1.1 099 \r\n\r\n")
      assert.include(yield* failureOf({ type: "script", steps: [{ step: "write", bytes: odd }] }), "no valid status")
    }))

  it.effect("D3 lets go of the connection when it is interrupted", () =>
    Effect.gen(function*() {
      const { session, transport } = yield* setup(Fault.latency("1 hour"))
      const fiber = yield* Effect.forkChild(transport.send(request))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
      assert.deepInclude((yield* session.journal).at(-1)?.what, { event: "closed", by: "client" })
    }))
})
