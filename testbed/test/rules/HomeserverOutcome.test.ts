/** What a homeserver says about its call to the appservice: C8 to C13 and D6, over every mount. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Queue } from "effect"
import { TestClock } from "effect/testing"
import { assertHomeserverError, assertPingSucceeded } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { mounts } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"
import { FIN, refusingPort, RST, type Step } from "./support/RecordingServer.ts"

const badStatuses = [300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 418, 429, 500, 501, 502, 503, 504, 599]

const cuts: ReadonlyArray<readonly [name: string, steps: ReadonlyArray<Step>]> = [
  ["a reset before the first byte", [RST]],
  ["a close before the first byte", [FIN]],
  ["a reset in the head", ["HTTP/1.1 200 OK\r\nContent-Le", RST]],
  ["a close in the head", ["HTTP/1.1 200 OK\r\nContent-Le", FIN]],
  ["a reset in a body with Content-Length", ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", RST]],
  ["a close in a body with Content-Length", ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", FIN]],
  ["a reset in a chunked body", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", RST]],
  ["a close in a chunked body", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", FIN]],
  ["something that is not HTTP", ["SSH-2.0-OpenSSH_9.6\r\n\r\n", FIN]],
  ["a status line without a status", ["HTTP/1.1 OK\r\n\r\n", FIN]],
  ["a chunk size that is none", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n", FIN]],
  ["two Content-Lengths that differ", ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", FIN]],
  ["a head of 200 KB", [`HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(200_000)}\r\n\r\n`, FIN]],
  ["an informational answer and then nothing", ["HTTP/1.1 103 Early Hints\r\n\r\n", FIN]],
  ["100 Continue and then nothing", ["HTTP/1.1 100 Continue\r\n\r\n", FIN]]
]

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    it.effect("C8 answers 400 M_URL_NOT_SET where the registration's url is null", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount, { url: () => null })
        assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 400, "M_URL_NOT_SET")
        assert.strictEqual(appservice.requests().length, 0)
      }))

    it.effect("D6 answers 400 M_URL_NOT_SET where the registration's url is empty", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount, { url: () => "" })
        assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 400, "M_URL_NOT_SET")
        assert.strictEqual(appservice.requests().length, 0)
      }))

    for (
      const [name, adjust, expected] of [
        ["0", "0 millis", 0],
        ["150", "150 millis", 150],
        ["rounded to an integer", "1600 micros", 2],
        ["29999", "29999 millis", 29_999]
      ] as const
    ) {
      it.effect(`C9 answers 200 with the duration of its own request: ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, { steps: [] })
          const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
          const call = yield* appservice.next
          yield* TestClock.adjust(adjust)
          yield* call.write(Http.response(200))
          assertPingSucceeded(yield* Fiber.join(fiber), expected)
        }))
    }

    it.effect("C9 counts the body of the answer into the duration", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount, { steps: [] })
        const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
        const call = yield* appservice.next
        yield* TestClock.adjust("40 millis")
        yield* call.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
        yield* TestClock.adjust("60 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* call.write("}")
        assertPingSucceeded(yield* Fiber.join(fiber), 100)
      }))

    for (const status of [200, 201, 202, 203, 206, 299]) {
      it.effect(`C9 takes ${status} for success`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, { steps: [Http.response(status)] })
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    for (const status of badStatuses) {
      it.effect(`C10 answers 502 M_BAD_STATUS with the appservice's status and body: ${status}`, () =>
        Effect.gen(function*() {
          const body = status === 304 ? "" : "{\"errcode\":\"M_X\",\"ü\":\"😀\"}"
          const { appservice, port } = yield* Pair.start(mount, { steps: [Http.response(status, body)] })
          const answer = yield* RawClient.send(port, Fixture.ping())
          assertHomeserverError(answer, 502, "M_BAD_STATUS", { status, body })
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    for (
      const [name, bytes, expected] of [
        ["none", Http.response(500, ""), ""],
        ["HTML", Http.response(500, "<html>&lt;\"quotes\"</html>"), "<html>&lt;\"quotes\"</html>"],
        ["bytes that are not UTF-8", Http.response(500, Uint8Array.of(0x61, 0xff, 0x62, 0xc3)), "a\ufffdb\ufffd"],
        ["zero bytes", Http.response(500, Uint8Array.of(0x61, 0, 0x62)), "a\u0000b"],
        ["a byte order mark", Http.response(500, "\ufeffx"), "\ufeffx"],
        ["chunks", `HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n${Http.chunked("ab", "cd")}`, "abcd"]
      ] as const
    ) {
      it.effect(`C10 gives the body as a string: ${name}`, () =>
        Effect.gen(function*() {
          const { port } = yield* Pair.start(mount, { steps: [bytes] })
          assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_BAD_STATUS", {
            status: 500,
            body: expected
          })
        }))
    }

    it.effect("C10 gives a body without framing, which ends where the connection does", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { steps: ["HTTP/1.1 500 No\r\n\r\nall of it", FIN] })
        assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_BAD_STATUS", {
          status: 500,
          body: "all of it"
        })
      }))

    it.effect("C10 gives the first 64 KiB of a body of 200 KB", () =>
      Effect.gen(function*() {
        const body = "0123456789".repeat(20_000)
        const { port } = yield* Pair.start(mount, { steps: [Http.response(500, body)] })
        assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_BAD_STATUS", {
          status: 500,
          body: body.slice(0, 65_536)
        })
      }))

    for (const head of ["102 Processing", "103 Early Hints"]) {
      it.effect(`C10 does not take ${head} for an answer`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, { steps: [] })
          for (
            const [final, check] of [
              [200, (answer: RawClient.Answer) => assertPingSucceeded(answer)],
              [
                503,
                (answer: RawClient.Answer) =>
                  assertHomeserverError(answer, 502, "M_BAD_STATUS", { status: 503, body: "{}" })
              ]
            ] as const
          ) {
            const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
            const call = yield* appservice.next
            yield* call.write(`HTTP/1.1 ${head}\r\n\r\n`)
            yield* call.write(Http.response(final))
            check(yield* Fiber.join(fiber))
          }
        }))
    }

    for (const [name, steps] of cuts) {
      it.effect(`C11 answers 502 M_CONNECTION_FAILED to ${name}, and asks once`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, { steps })
          const error = assertHomeserverError(
            yield* RawClient.send(port, Fixture.ping()),
            502,
            "M_CONNECTION_FAILED"
          )
          // The cause stands in `error`: the url, without what nobody may see, and why.
          assert.include(error, `${appservice.url}/_matrix/app/v1/ping: `)
          assert.notInclude(error, "unknown reason")
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    it.effect("C11 answers 502 M_CONNECTION_FAILED where the connection is refused", () =>
      Effect.gen(function*() {
        const refusing = yield* refusingPort
        const { port } = yield* Pair.start(mount, { url: () => `http://127.0.0.1:${refusing}` })
        const error = assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_CONNECTION_FAILED")
        assert.include(error, "the connection was refused")
      }))

    it.effect("C11 answers 502 M_CONNECTION_FAILED where the host does not exist", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { url: () => "http://no-such-host.invalid:29317" })
        const error = assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_CONNECTION_FAILED")
        assert.include(error, "the host name could not be resolved")
      }))

    for (
      const [name, steps] of [
        ["speaks plain HTTP", ["HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", FIN]],
        ["refuses the handshake", [Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28), FIN]]
      ] as const
    ) {
      it.effect(`C11 answers 502 M_CONNECTION_FAILED where an https port ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, {
            url: (origin) => origin.replace("http:", "https:"),
            onData: steps
          })
          const error = assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_CONNECTION_FAILED")
          assert.match(error, /TLS/)
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    for (
      const [name, start] of [
        ["before the head", ""],
        ["in the head", "HTTP/1.1 200 OK\r\nContent-Le"],
        ["in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]
      ] as const
    ) {
      it.effect(`C12 answers 504 M_CONNECTION_TIMEOUT to silence ${name}, at the deadline and not before`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount, { steps: [] })
          const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
          const call = yield* appservice.next
          if (start !== "") yield* call.write(start)
          yield* TestClock.adjust("29999 millis")
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          const error = assertHomeserverError(yield* Fiber.join(fiber), 504, "M_CONNECTION_TIMEOUT")
          assert.include(error, "30s")
          // The connection is let go of, and was the only one.
          yield* call.released
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    it.effect("C13 runs the hook once for each ping that succeeded, with the registration", () =>
      Effect.gen(function*() {
        const woken = yield* Queue.unbounded<string>()
        const { port } = yield* Pair.start(mount, {
          options: { onPingSucceeded: ({ id }) => Effect.asVoid(Queue.offer(woken, id)) }
        })
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        assert.strictEqual(yield* Queue.take(woken), "telegram")
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        assert.strictEqual(yield* Queue.take(woken), "telegram")
        assert.strictEqual(yield* Queue.size(woken), 0)
      }))

    it.effect("C13 does not run the hook for a ping that failed", () =>
      Effect.gen(function*() {
        const woken = yield* Queue.unbounded<string>()
        const options = {
          options: { onPingSucceeded: ({ id }: { readonly id: string }) => Effect.asVoid(Queue.offer(woken, id)) }
        }
        for (
          const pair of [
            yield* Pair.start(mount, { ...options, steps: [Http.response(500)] }),
            yield* Pair.start(mount, { ...options, steps: [RST] }),
            yield* Pair.start(mount, { ...options, url: () => null })
          ]
        ) {
          assert.notStrictEqual((yield* RawClient.send(pair.port, Fixture.ping())).status, 200)
          assert.strictEqual((yield* RawClient.send(pair.port, Fixture.ping({ token: "nobody" }))).status, 401)
        }
        // A ping that succeeds, so that a hook run for an earlier one would have been seen by now.
        const healthy = yield* Pair.start(mount, options)
        assertPingSucceeded(yield* RawClient.send(healthy.port, Fixture.ping()))
        yield* Queue.take(woken)
        assert.strictEqual(yield* Queue.size(woken), 0)
      }))

    for (
      const [name, hook] of [
        ["fails", () => Effect.fail("no")],
        ["dies", () => Effect.die(new Error("no"))],
        ["throws", () => {
          throw new Error("no")
        }],
        ["interrupts itself", () => Effect.interrupt],
        ["never ends", () => Effect.never]
      ] as const
    ) {
      it.effect(`C13 answers at once and the same where the hook ${name}`, () =>
        Effect.gen(function*() {
          let runs = 0
          const { port } = yield* Pair.start(mount, {
            options: {
              onPingSucceeded: () => {
                runs++
                return hook()
              }
            }
          })
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
          assert.strictEqual(runs, 2)
        }))
    }

    it.effect("C13 answers at once and the same where the hook cannot be interrupted", () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const { port } = yield* Pair.start(mount, {
          options: { onPingSucceeded: () => Effect.uninterruptible(Deferred.await(gate)) }
        })
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        // Past the hook's own deadline, which cannot end it either.
        yield* TestClock.adjust("31 seconds")
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        yield* Deferred.succeed(gate, undefined)
      }))
  })
}
