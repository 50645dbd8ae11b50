// What an HTTP client raises instead of an answer, and what a caller gets for it.
import { versions } from "@appservice-ping/client/Homeserver"
import { ping } from "@appservice-ping/client/Ping"
import type { Kind } from "@appservice-ping/domain/ConnectionFailure"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { HttpClient, HttpClientError } from "effect/http"
import { TestClock } from "effect/testing"
import { asToken, endpoint, homeserver, memory, plain, registration } from "./support/memory.ts"

const pinged = ping({ homeserver, registration })

/** An error as clients raise it, its own text full of what must not be repeated. */
const coded = (code: string, more: object = {}): Error =>
  Object.assign(new Error(`${code} canary https://bob:canary@matrix.example?access_token=${asToken}`), {
    code,
    ...more
  })

const raising = (raises: unknown) => memory(() => Effect.succeed({ raises }))

/** A body that breaks after its first bytes. */
const breaking = (error: unknown) =>
  memory(() =>
    Effect.sync(() => {
      const chunks = ["{\"duration_ms\":1}"]
      return new Response(
        new ReadableStream<Uint8Array>({
          pull: (controller) => {
            const chunk = chunks.shift()
            if (chunk === undefined) controller.error(error)
            else controller.enqueue(new TextEncoder().encode(chunk))
          }
        })
      )
    })
  )

const fetchFailed = (cause: unknown): Error => new TypeError("fetch failed", { cause })

const notHttp = "Response does not match the HTTP/1.1 protocol (Expected HTTP/, RTSP/ or ICE/)"

/** What an HTTP client raises, and what it means: who raised it, its kind, and the text of our own for it. */
type Row = readonly [name: string, raises: unknown, kind: Kind, text: string]

describe("a homeserver that cannot be reached", () => {
  const refusedTwice = Object.assign(new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")]), {
    code: "ECONNREFUSED"
  })
  const rows: ReadonlyArray<Row> = [
    ["an unknown host", fetchFailed(coded("ENOTFOUND")), "dns", "the host name could not be resolved"],
    ["a refused connection", fetchFailed(coded("ECONNREFUSED")), "refused", "the connection was refused"],
    ["two refused addresses", fetchFailed(refusedTwice), "refused", "the connection was refused"],
    ["no route", coded("EHOSTUNREACH"), "unreachable", "the host or its network is unreachable"],
    ["an expired certificate", coded("CERT_HAS_EXPIRED"), "tls", "the TLS certificate has expired"],
    ["a reset while connecting", coded("ECONNRESET", { syscall: "connect" }), "reset", "the connection was reset"]
  ]
  for (const [name, cause, kind, text] of rows) {
    it.effect(`is told by its kind: ${name}`, () =>
      Effect.gen(function*() {
        const stub = raising(cause)
        const error = yield* Effect.flip(pinged.pipe(stub.provide))
        assert.deepStrictEqual(yield* plain(error), {
          _tag: "HomeserverUnreachable",
          url: endpoint,
          failure: { kind, text }
        })
        assert.lengthOf(stub.received, 1)
      }))
  }
})

describe("a port that speaks TLS, asked in plain", () => {
  it.effect("has refused what is no TLS, so that no homeserver had the ping", () =>
    Effect.gen(function*() {
      const alert = Uint8Array.of(0x15, 0x03, 0x01, 0, 2, 2, 22)
      const stub = raising(coded("HPE_INVALID_CONSTANT", { rawPacket: alert }))
      const error = yield* Effect.flip(pinged.pipe(stub.provide))
      assert.strictEqual(error._tag, "HomeserverUnreachable")
    }))
})

describe("a connection that broke after the request could have been sent", () => {
  const rows: ReadonlyArray<Row> = [
    ["a reset", fetchFailed(coded("ECONNRESET")), "reset", "the connection was reset"],
    ["a reset while sending", coded("ECONNRESET", { syscall: "write" }), "reset", "the connection was reset"],
    ["a close", fetchFailed(coded("UND_ERR_SOCKET")), "closed", "the connection was closed early"],
    ["a bad status line", coded("HPE_INVALID_STATUS"), "malformed", "the answer was not valid HTTP"],
    ["a bad header", coded("HPE_INVALID_HEADER_TOKEN"), "malformed", "the answer was not valid HTTP"],
    ["headers that are too large", coded("HPE_HEADER_OVERFLOW"), "malformed", "the answer's headers were too large"],
    ["no HTTP, over node:http", coded("HPE_INVALID_CONSTANT"), "malformed", "the answer was not valid HTTP"],
    [
      "no HTTP, over undici",
      fetchFailed(Object.assign(new Error(notHttp), { name: "HTTPParserError" })),
      "malformed",
      "the answer was not valid HTTP"
    ],
    ["anything else", "canary", "unknown", "the connection failed for an unknown reason"],
    ["nothing at all", undefined, "unknown", "the connection failed for an unknown reason"]
  ]
  for (const [name, raises, kind, text] of rows) {
    it.effect(`leaves the ping undecided, with the failure as its cause: ${name}`, () =>
      Effect.gen(function*() {
        const stub = memory(() => Effect.delay(Effect.succeed({ raises }), "3 seconds"))
        const fiber = yield* Effect.forkChild(Effect.flip(pinged.pipe(stub.provide)))
        yield* TestClock.adjust("3 seconds")
        const error = yield* Fiber.join(fiber)
        assert.deepStrictEqual(yield* plain(error), {
          _tag: "Undecided",
          url: endpoint,
          after: 3000,
          failure: { kind, text }
        })
        assert.include(error.message, text)
        assert.notInclude(error.message, "canary")
        assert.lengthOf(stub.received, 1)
      }))

    it.effect(`has only failed where the request was no ping: ${name}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(versions({ homeserver }).pipe(raising(raises).provide))
        assert.deepInclude(yield* plain(error), { _tag: "HomeserverUnreachable", failure: { kind, text } })
      }))
  }

  const inBody: ReadonlyArray<Row> = [
    ...rows,
    ["a bad chunk", coded("HPE_INVALID_CONSTANT"), "malformed", "the answer was not valid HTTP"],
    ["a code of a connection", coded("ECONNREFUSED", { syscall: "connect" }), "refused", "the connection was refused"]
  ]
  for (const [name, raises, kind, text] of inBody) {
    it.effect(`leaves the ping undecided in the body too, even if that was complete: ${name}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(pinged.pipe(breaking(raises).provide))
        assert.deepStrictEqual(yield* plain(error), {
          _tag: "Undecided",
          url: endpoint,
          after: 0,
          failure: { kind, text }
        })
      }))
  }

  it.effect("has not had a request that could not be made", () =>
    Effect.gen(function*() {
      const client = HttpClient.make((request) =>
        Effect.fail(
          new HttpClientError.HttpClientError({
            reason: new HttpClientError.InvalidUrlError({ request, cause: new Error("canary") })
          })
        )
      )
      const error = yield* Effect.flip(pinged.pipe(Effect.provideService(HttpClient.HttpClient, client)))
      assert.strictEqual(error._tag, "HomeserverUnreachable")
    }))
})

describe("a timer of the HTTP client that is faster than ours", () => {
  const twoAddresses = (errors: ReadonlyArray<Error>): Error =>
    Object.assign(new AggregateError(errors), { code: "ETIMEDOUT" })
  const unreachable: ReadonlyArray<readonly [string, unknown]> = [
    ["undici, connecting", new TypeError("fetch failed", { cause: coded("UND_ERR_CONNECT_TIMEOUT") })],
    ["the kernel, connecting", coded("ETIMEDOUT", { syscall: "connect" })],
    [
      "the kernel, connecting to two addresses",
      twoAddresses([coded("ETIMEDOUT", { syscall: "connect" }), coded("ETIMEDOUT", { syscall: "connect" })])
    ]
  ]
  for (const [name, cause] of unreachable) {
    it.effect(`means that the homeserver had no request: ${name}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(pinged.pipe(raising(cause).provide))
        assert.deepStrictEqual(yield* plain(error), {
          _tag: "HomeserverUnreachable",
          url: endpoint,
          failure: { kind: "timeout", text: "the connection timed out" }
        })
      }))
  }

  const undecided: ReadonlyArray<readonly [string, unknown]> = [
    ["undici, waiting for headers", new TypeError("fetch failed", { cause: coded("UND_ERR_HEADERS_TIMEOUT") })],
    ["the kernel, reading", coded("ETIMEDOUT", { syscall: "read" })],
    [
      "two addresses, one of them connected",
      twoAddresses([coded("ETIMEDOUT", { syscall: "connect" }), coded("ETIMEDOUT")])
    ],
    ["an abort signal", Object.assign(new Error("canary"), { name: "TimeoutError" })]
  ]
  for (const [name, raises] of undecided) {
    it.effect(`leaves the ping undecided: ${name}`, () =>
      Effect.gen(function*() {
        const stub = memory(() => Effect.delay(Effect.succeed({ raises }), "40 seconds"))
        const fiber = yield* Effect.forkChild(Effect.flip(pinged.pipe(stub.provide)))
        yield* TestClock.adjust("39999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(yield* plain(yield* Fiber.join(fiber)), {
          _tag: "Undecided",
          url: endpoint,
          after: 40_000
        })
      }))
  }

  it.effect("leaves the ping undecided when it strikes in the body", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(pinged.pipe(breaking(coded("UND_ERR_BODY_TIMEOUT")).provide))
      assert.deepStrictEqual(yield* plain(error), { _tag: "Undecided", url: endpoint, after: 0 })
    }))

  it.effect("is looked for in a bounded chain of causes", () =>
    Effect.gen(function*() {
      const cyclic = coded("ETIMEDOUT")
      cyclic.cause = cyclic
      const error = yield* Effect.flip(pinged.pipe(raising(cyclic).provide))
      assert.strictEqual(error._tag, "Undecided")
    }))
})
