/** What a homeserver makes of the appservice's answer: C10, D1 to D4, D7 and D11, over every transport. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { assertHomeserverError, assertPingSucceeded } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { nodeListener } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"
import { type Call, FIN, make, RST, type Step } from "./support/RecordingServer.ts"
import { transports } from "./support/Transports.ts"

const chunkedHead = (status: number) => `HTTP/1.1 ${status} Status\r\nTransfer-Encoding: chunked\r\n\r\n`

const lengthHead = (status: number, length: number) => `HTTP/1.1 ${status} Status\r\nContent-Length: ${length}\r\n\r\n`

/** Lets everything that is under way on the sockets of this process arrive; for what must not happen. */
const settle = Effect.promise(() => new Promise((resolve) => setImmediate(() => setImmediate(resolve))))

/** Writes until the client lets go, at most `bytes`, and gives how much the operating system has taken. */
const pour = (call: Call, bytes: number): Effect.Effect<number> =>
  Effect.callback((resume) => {
    const chunk = Buffer.alloc(64 * 1024, "x")
    let written = 0
    const more = () => {
      while (written < bytes && !call.socket.destroyed) {
        written += chunk.length
        if (!call.socket.write(chunk)) {
          call.socket.once("drain", more)
          return
        }
      }
    }
    call.socket.once("close", () => resume(Effect.succeed(call.socket.bytesWritten - call.socket.writableLength)))
    more()
  })

for (const transport of transports) {
  const start = (options: Pair.PairOptions = {}) => Pair.start(nodeListener, { transport: transport.layer, ...options })

  describe(`over ${transport.name}`, () => {
    for (const status of [300, 301, 302, 303, 304, 307, 308]) {
      it.effect(`D1 does not follow ${status}: it is M_BAD_STATUS, and its target is never asked`, () =>
        Effect.gen(function*() {
          const target = yield* make([Http.response(200)])
          for (
            const location of [
              `${target.url}/_matrix/app/v1/ping`,
              `//127.0.0.1:${target.port}/`,
              "/_matrix/app/v1/ping/",
              "",
              "http://[",
              undefined
            ]
          ) {
            const headers: Http.RawHeaders = location === undefined ? [] : [["Location", location]]
            const { appservice, port } = yield* start({ steps: [Http.response(status, "", headers)] })
            assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_BAD_STATUS", {
              status,
              body: ""
            })
            yield* settle
            assert.strictEqual(appservice.requests().length, 1, location)
          }
          assert.strictEqual(target.calls.length, 0)
        }))
    }

    for (
      const [name, bytes] of [
        ["HTML", Http.response(200, "<html>nginx</html>", [["Content-Type", "text/html"]])],
        ["no body", Http.response(200, "")],
        ["what is not JSON", Http.response(200, "OK", [["Content-Type", "application/json"]])],
        ["a Matrix error", Http.response(200, "{\"errcode\":\"M_UNKNOWN\"}")],
        ["bytes that are not UTF-8", Http.response(200, Uint8Array.of(0xff, 0xfe, 0x00))],
        ["201", Http.response(201)],
        ["202", Http.response(202, "")],
        ["204", Http.response(204)],
        ["205", Http.response(205, "")],
        ["299", Http.response(299, "x")],
        ["chunks", chunkedHead(200) + Http.chunked("{", "}")],
        ["HTTP/1.0", Http.response(200).toString().replace("HTTP/1.1", "HTTP/1.0")]
      ] as const
    ) {
      it.effect(`D2 takes a 2xx for success, whatever it brings: ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* start({ steps: [bytes] })
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    it.effect("D2 takes a body that ends with the connection for complete", () =>
      Effect.gen(function*() {
        const { port } = yield* start({ steps: ["HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", FIN] })
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
      }))

    for (
      const [name, begin] of [
        ["before the head", []],
        ["in the head", ["HTTP/1.1 200 OK\r\nContent-"]],
        ["after the head, with Content-Length", [lengthHead(200, 9)]],
        ["in the body, with Content-Length", [lengthHead(200, 9), "abc"]],
        ["after the head, in chunks", [chunkedHead(200)]],
        ["in the body, in chunks", [chunkedHead(200), "3\r\nabc\r\n"]],
        ["in a body that only the end of the connection ends", ["HTTP/1.1 200 OK\r\n\r\nabc"]],
        ["in the body of a bad status", [lengthHead(500, 9), "abc"]]
      ] as ReadonlyArray<readonly [string, ReadonlyArray<string>]>
    ) {
      it.effect(`D3 answers 504 M_CONNECTION_TIMEOUT at the deadline to a stall ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* start({ steps: [], outgoing: { timeout: "7 seconds" } })
          const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
          const call = yield* appservice.next
          for (const bytes of begin) yield* call.write(bytes)
          yield* settle
          yield* TestClock.adjust("6999 millis")
          yield* settle
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          const error = assertHomeserverError(yield* Fiber.join(fiber), 504, "M_CONNECTION_TIMEOUT")
          assert.include(error, "7s")
          assert.include(error, `${appservice.url}/_matrix/app/v1/ping`)
          yield* call.released
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    it.effect("D3 takes an answer whose last byte comes a millisecond before the deadline", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start({ steps: [], outgoing: { timeout: "7 seconds" } })
        const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
        const call = yield* appservice.next
        yield* call.write(lengthHead(200, 3) + "ab")
        yield* TestClock.adjust("6999 millis")
        yield* call.write("c")
        assertPingSucceeded(yield* Fiber.join(fiber), 6999)
      }))

    for (
      const [name, head, piece] of [
        ["its head", "HTTP/1.1 200 OK\r\nX-Drip: ", "x"],
        ["its body", lengthHead(200, 1000), "x"],
        ["its body in chunks", chunkedHead(200), "1\r\nx\r\n"],
        ["informational answers", "", "HTTP/1.1 103 Early Hints\r\n\r\n"]
      ] as const
    ) {
      it.effect(`D3 has one deadline for all of it, however slowly an appservice drips ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* start({ steps: [] })
          const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
          const call = yield* appservice.next
          if (head !== "") yield* call.write(head)
          for (let i = 0; i < 9; i++) {
            yield* TestClock.adjust("3 seconds")
            yield* call.write(piece)
            yield* settle
          }
          yield* TestClock.adjust("2999 millis")
          yield* call.write(piece)
          yield* settle
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          assertHomeserverError(yield* Fiber.join(fiber), 504, "M_CONNECTION_TIMEOUT")
          yield* call.released
        }))
    }

    for (const status of [200, 500]) {
      for (
        const [framing, head, piece] of [
          ["Content-Length", lengthHead(status, 9), "abc"],
          ["chunks", chunkedHead(status), "3\r\nabc\r\n"]
        ] as const
      ) {
        for (const end of [FIN, RST] as const) {
          it.effect(`D3 answers 502 M_CONNECTION_FAILED to a ${status} with ${framing} cut by ${end.description}`, () =>
            Effect.gen(function*() {
              for (const steps of [[head, end], [head, piece, end]] satisfies ReadonlyArray<ReadonlyArray<Step>>) {
                const { appservice, port } = yield* start({ steps })
                assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_CONNECTION_FAILED")
                assert.strictEqual(appservice.requests().length, 1)
              }
            }))
        }
      }
    }

    for (
      const [status, head] of [
        [200, lengthHead(200, 30 * 1024 * 1024)],
        [500, lengthHead(500, 30 * 1024 * 1024)],
        [200, "HTTP/1.1 200 OK\r\n\r\n"],
        [500, "HTTP/1.1 500 No\r\n\r\n"]
      ] as const
    ) {
      it.effect(`D4 reads 64 KiB of 30 MB after ${JSON.stringify(head)}, and lets go of the rest`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* start({ steps: [] })
          const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
          const call = yield* appservice.next
          yield* call.write(head)
          const poured = yield* pour(call, 30 * 1024 * 1024)
          const answer = yield* Fiber.join(fiber)
          if (status === 200) assertPingSucceeded(answer)
          else assertHomeserverError(answer, 502, "M_BAD_STATUS", { status, body: "x".repeat(65_536) })
          // What the buffers of the operating system and of the client's socket hold, and far from all of it.
          assert.isBelow(poured, 12 * 1024 * 1024)
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    it.effect("D4 does not wait for a body without end, once it has its part of it", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start({ steps: [], outgoing: { maxBodyBytes: 100 } })
        const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
        const call = yield* appservice.next
        yield* call.write(chunkedHead(500))
        for (let i = 0; i < 10; i++) yield* call.write("a\r\n0123456789\r\n")
        assertHomeserverError(yield* Fiber.join(fiber), 502, "M_BAD_STATUS", {
          status: 500,
          body: "0123456789".repeat(10)
        })
        yield* call.released
      }))

    for (
      const [name, body, maxBodyBytes, expected] of [
        ["shorter than the bound", "0123456789", 11, "0123456789"],
        ["of exactly the bound", "0123456789", 10, "0123456789"],
        ["longer than the bound", "0123456789", 9, "012345678"],
        ["with a character cut in two", "abü", 3, "ab\ufffd"],
        ["with an emoji cut after three of its four bytes", "a😀", 4, "a\ufffd"],
        ["where nothing may be read", "0123456789", 0, ""]
      ] as const
    ) {
      it.effect(`D4 gives a body ${name}`, () =>
        Effect.gen(function*() {
          for (const bytes of [Http.response(500, body), chunkedHead(500) + Http.chunked(body)]) {
            const { port } = yield* start({ steps: [bytes], outgoing: { maxBodyBytes } })
            assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_BAD_STATUS", {
              status: 500,
              body: expected
            })
          }
        }))
    }

    for (
      const [name, options] of [
        ["a reset", { steps: [RST] }],
        ["a close", { steps: [FIN] }],
        ["a reset at the first byte of the request", { steps: [], onData: [RST] }],
        ["a close at the first byte of the request", { steps: [], onData: [FIN] }]
      ] satisfies ReadonlyArray<readonly [string, Pair.PairOptions]>
    ) {
      it.effect(`D7 answers 502 M_CONNECTION_FAILED, never a timeout, to ${name} before the first byte`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* start(options)
          const error = assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_CONNECTION_FAILED")
          assert.match(error, /the connection was (reset|closed early)$/)
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    // A limit of undici, and so of `fetch`: RFC 9110 has a client take an informational answer that it did not expect.
    const unexpectedContinue = transport.takesContinue ? it.effect : it.effect.fails
    unexpectedContinue("C10 does not take 100 Continue for an answer", () =>
      Effect.gen(function*() {
        const { port } = yield* start({ steps: ["HTTP/1.1 100 Continue\r\n\r\n", Http.response(200)] })
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
      }))

    for (const headers of ["", "Connection: Upgrade\r\nUpgrade: websocket\r\n"]) {
      it.effect(`C10 does not take 101 for an answer either${headers === "" ? "" : ", with an Upgrade header"}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* start({ steps: [`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`] })
          assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_CONNECTION_FAILED")
          yield* appservice.requests()[0]?.released ?? Effect.die("no call was made")
        }))
    }

    if (transport.oneConnection) {
      it.effect("D11 opens one connection and no more, however it ends", () =>
        Effect.gen(function*() {
          const ends: ReadonlyArray<ReadonlyArray<Step>> = [
            [Http.response(200)],
            [RST],
            [FIN],
            [lengthHead(200, 9), FIN],
            ["garbage\r\n", FIN]
          ]
          for (const steps of ends) {
            const { appservice, port } = yield* start({ steps })
            yield* RawClient.send(port, Fixture.ping())
            yield* settle
            assert.strictEqual(appservice.calls.length, 1)
          }
          const { appservice, port } = yield* start({ steps: [] })
          const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
          const call = yield* appservice.next
          yield* TestClock.adjust("30 seconds")
          assert.strictEqual((yield* Fiber.join(fiber)).status, 504)
          yield* call.released
          yield* settle
          assert.strictEqual(appservice.calls.length, 1)
        }))
    }
  })
}
