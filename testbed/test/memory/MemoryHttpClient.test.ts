import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as Fault from "@appservice-ping/testbed/Fault"
import * as Faults from "@appservice-ping/testbed/Faults"
import * as MemoryHttpClient from "@appservice-ping/testbed/memory/MemoryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { type HttpClient, HttpClientRequest } from "effect/http"
import { TestClock } from "effect/testing"

const url = new URL("http://appservice.test:29300")

const echo: Handler = (request) =>
  Effect.map(Effect.orDie(request.body(1024)), (body) => ({
    status: 200,
    headers: { "content-type": "text/plain" },
    body: `${request.method} ${request.target} ${request.header("host")} ${request.header("x-a")} ${
      new TextDecoder().decode(body)
    }`
  }))

const setup = Effect.fnUntraced(function*(handle: Handler = echo) {
  const faults = yield* Faults.make
  return { faults, client: MemoryHttpClient.make([{ url, handle, faults }]) }
})

const post = (client: HttpClient.HttpClient, path = "/ping?a=b") =>
  client.post(new URL(path, url), { headers: { "x-a": "1" } })

/** What a failure is, and the code it has on a socket. */
const failureOf = (client: HttpClient.HttpClient) =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Effect.flatMap(post(client), (response) => response.text))
    const cause: unknown = error.reason.cause
    return {
      reason: error.reason._tag,
      code: cause instanceof Error && "code" in cause ? cause.code : undefined,
      text: cause instanceof Error ? cause.message : undefined,
      kind: ConnectionFailure.fromUnknown(error).kind
    }
  })

describe("MemoryHttpClient", () => {
  it.effect("carries method, target, headers and body to the handler, and its answer back", () =>
    Effect.gen(function*() {
      const { client } = yield* setup()
      const request = HttpClientRequest.post(new URL("/ping?a=b", url), { headers: { "x-a": "1" } })
      const text = yield* client.execute(HttpClientRequest.bodyText(request, "{\"ü\":1}"))
      assert.strictEqual(text.status, 200)
      assert.strictEqual(text.headers["content-type"], "text/plain")
      assert.strictEqual(yield* text.text, "POST /ping?a=b appservice.test:29300 1 {\"ü\":1}")
      const streamed = yield* client.execute(
        HttpClientRequest.bodyStream(request, Stream.succeed(new TextEncoder().encode("in pieces")))
      )
      assert.match(yield* streamed.text, / in pieces$/)
      const empty = yield* client.execute(request)
      assert.match(yield* empty.text, / 1 $/)
    }))

  it.effect("gives the body as text, bytes, JSON and a stream", () =>
    Effect.gen(function*() {
      const { client } = yield* setup(() => Effect.succeed({ status: 200, headers: {}, body: "{\"a\":1}" }))
      const response = yield* post(client)
      assert.deepStrictEqual(yield* response.json, { a: 1 })
      assert.strictEqual((yield* response.arrayBuffer).byteLength, 7)
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(response.stream)), "{\"a\":1}")
      const { client: broken } = yield* setup(() => Effect.succeed({ status: 200, headers: {}, body: "{" }))
      const error = yield* Effect.flip(Effect.flatMap(post(broken), (response) => response.json))
      assert.strictEqual(error.reason._tag, "DecodeError")
    }))

  it.effect("tells a host that is not there from a port that is not there", () =>
    Effect.gen(function*() {
      const { client } = yield* setup()
      const notFound = yield* Effect.flip(client.get("http://elsewhere.test:29300/"))
      assert.strictEqual(notFound.reason._tag, "TransportError")
      assert.strictEqual(ConnectionFailure.fromUnknown(notFound).kind, "dns")
      const refused = yield* Effect.flip(client.get("http://appservice.test/"))
      assert.strictEqual(refused.reason._tag, "TransportError")
      assert.strictEqual(ConnectionFailure.fromUnknown(refused).kind, "refused")
      const otherScheme = yield* Effect.flip(client.get("https://appservice.test:29300/"))
      assert.strictEqual(ConnectionFailure.fromUnknown(otherScheme).kind, "refused")
    }))

  // What `node:http` raises, as measured; the parity suite compares the answers that come of it with those of sockets.
  const failures = [
    [Fault.refused, "TransportError", "ECONNREFUSED", "connect ECONNREFUSED appservice.test:29300", "refused"],
    [Fault.close({ at: "before-headers" }), "TransportError", "ECONNRESET", "socket hang up", "closed"],
    [Fault.close({ at: "in-headers" }), "TransportError", "ECONNRESET", "socket hang up", "closed"],
    [Fault.close({ at: "in-body" }), "DecodeError", "ECONNRESET", "aborted", "closed"],
    [Fault.close({ at: "in-body", framing: "chunked" }), "DecodeError", "ECONNRESET", "aborted", "closed"],
    [Fault.resetPeer({ at: "before-headers" }), "TransportError", "ECONNRESET", "read ECONNRESET", "reset"],
    [Fault.resetPeer({ at: "in-headers" }), "TransportError", "ECONNRESET", "read ECONNRESET", "reset"],
    [Fault.resetPeer({ at: "in-body" }), "DecodeError", "ECONNRESET", "read ECONNRESET", "reset"],
    [
      Fault.malformed,
      "TransportError",
      "HPE_INVALID_CONSTANT",
      "Parse Error: Expected HTTP/, RTSP/ or ICE/",
      "malformed"
    ]
  ] as const
  for (const [fault, reason, code, text, kind] of failures) {
    it.effect(`${Fault.describe(fault)}: fails as node:http does, and the handler sees nothing`, () =>
      Effect.gen(function*() {
        const { client, faults } = yield* setup(() => Effect.die("reached"))
        const injection = yield* faults.inject(fault)
        assert.deepStrictEqual<unknown>(yield* failureOf(client), { reason, code, text, kind })
        assert.strictEqual(yield* injection.applied, 1)
      }))
  }

  it.effect("gives the part of a body that came before the cut", () =>
    Effect.gen(function*() {
      const { client, faults } = yield* setup()
      yield* faults.inject(Fault.close({ at: "in-body" }))
      const response = yield* post(client)
      assert.strictEqual(response.status, 200)
      const got: Array<string> = []
      yield* Effect.flip(
        Stream.runForEach(Stream.decodeText(response.stream), (text) => Effect.sync(() => got.push(text)))
      )
      assert.strictEqual(got.join(""), "{\"cut\":")
    }))

  it.effect("answers in the handler's place", () =>
    Effect.gen(function*() {
      const { client, faults } = yield* setup(() => Effect.die("reached"))
      yield* faults.inject(Fault.status(503, { headers: { "Retry-After": "5" }, body: "später" }))
      const response = yield* post(client)
      assert.strictEqual(response.status, 503)
      assert.strictEqual(response.headers["retry-after"], "5")
      assert.strictEqual(yield* response.text, "später")
      yield* faults.inject(Fault.status(204))
      const empty = yield* post(client)
      assert.strictEqual(yield* empty.text, "")
    }))

  it.effect("waits for a latency on Effect's clock, to the millisecond", () =>
    Effect.gen(function*() {
      const { client, faults } = yield* setup()
      yield* faults.inject(Fault.latency("1 hour"))
      const fiber = yield* Effect.forkChild(post(client))
      yield* TestClock.adjust("3599999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
    }))

  it.effect("gives each byte of a drip when it comes", () =>
    Effect.gen(function*() {
      const { client, faults } = yield* setup()
      yield* faults.inject(Fault.drip({ gap: "1 second", body: "ab" }))
      const head =
        "HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n".length
      let got = ""
      const fiber = yield* Effect.forkChild(Effect.flatMap(post(client), (response) =>
        Stream.runForEach(Stream.decodeText(response.stream), (text) =>
          Effect.sync(() => {
            got += text
          }))))
      yield* TestClock.adjust((head + 1) * 1000 - 1)
      assert.strictEqual(got, "")
      yield* TestClock.adjust(1)
      assert.strictEqual(got, "a")
      yield* TestClock.adjust(999)
      assert.strictEqual(got, "a")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual(got, "ab")
      yield* Fiber.join(fiber)
    }))

  it.effect("stalls for ever, and lets go when interrupted", () =>
    Effect.gen(function*() {
      const { client, faults } = yield* setup()
      for (const at of Fault.Place.literals) {
        yield* faults.inject(Fault.stall({ at }))
        const fiber = yield* Effect.forkChild(Effect.flatMap(post(client), (response) => response.text))
        yield* TestClock.adjust("1000 days")
        assert.isUndefined(fiber.pollUnsafe(), at)
        yield* Fiber.interrupt(fiber)
      }
    }))

  it.effect("interrupts the handler when the client gives up", () =>
    Effect.gen(function*() {
      let interrupted = 0
      const { client } = yield* setup(() =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            interrupted++
          }))
      )
      const fiber = yield* Effect.forkChild(post(client), { startImmediately: true })
      assert.strictEqual(interrupted, 0)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(interrupted, 1)
    }))
})
