import type { Answer } from "@appservice-ping/domain/Answer"
import { listen, ListenError } from "@appservice-ping/node/NodeListener"
import type { Handler } from "@appservice-ping/server/Exchange"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Logger, Scope } from "effect"
import { connect, type Socket } from "node:net"
import { talk } from "./support/RawClient.ts"
import * as ServerSocket from "./support/serverSocket.ts"

const ok: Answer = { status: 200, headers: { "content-type": "application/json" }, body: "{}" }

const get = "GET / HTTP/1.1\r\nHost: listener\r\n\r\n"

const answering = (answer: Answer): Handler => () => Effect.succeed(answer)

/** A handler that never answers, and says when it starts and when it is interrupted. */
const stalling = Effect.gen(function*() {
  const started = yield* Deferred.make<void>()
  const interrupted = yield* Deferred.make<void>()
  const handle: Handler = () =>
    Deferred.succeed(started, undefined).pipe(
      Effect.andThen(Effect.never),
      Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
    )
  return { started: Deferred.await(started), interrupted: Deferred.await(interrupted), handle }
})

/** A connection that sends, and does nothing else until it is told to. */
const open = (port: number, bytes: string) =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => {
        socket.write(bytes)
        resume(Effect.succeed(socket))
      })
      socket.on("error", () => socket.destroy())
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

describe("a listener that starts", () => {
  it.effect("port 0 picks a free port, and the url leads to it", () =>
    Effect.gen(function*() {
      const first = yield* listen(answering(ok), { port: 0 })
      const second = yield* listen(answering(ok), { port: 0 })
      assert.notStrictEqual(first.port, second.port)
      assert.strictEqual(first.url.href, `http://127.0.0.1:${first.port}/`)
      assert.strictEqual(first.host, "127.0.0.1")
      const { answers } = yield* talk(first.port, get, { answers: 1 })
      assert.strictEqual(answers[0]?.body, "{}")
    }))

  it.effect("the url of a listener on all addresses leads to this machine", () =>
    Effect.gen(function*() {
      const { host, port, url } = yield* listen(answering(ok), { port: 0, host: "0.0.0.0" })
      assert.strictEqual(url.href, `http://127.0.0.1:${port}/`)
      assert.strictEqual(host, "0.0.0.0")
    }))

  it.effect("the end of the scope frees the port", () =>
    Effect.gen(function*() {
      const { port } = yield* Effect.scoped(listen(answering(ok), { port: 0 }))
      const again = yield* listen(answering(ok), { port })
      assert.strictEqual(again.port, port)
    }))
})

describe("a listener that cannot start fails with the address and what to do", () => {
  it.effect("a port that is taken", () =>
    Effect.gen(function*() {
      const { port } = yield* listen(answering(ok), { port: 0 })
      const error = yield* Effect.flip(listen(answering(ok), { port }))
      assert.strictEqual(error.code, "EADDRINUSE")
      assert.strictEqual(
        error.message,
        `cannot listen on 127.0.0.1:${port}: the port is taken; stop the program that uses it, or choose another port`
      )
    }))

  it.effect("an empty address, which is none", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(listen(answering(ok), { port: 0, host: "" }))
      assert.strictEqual(error.code, "EADDRNOTAVAIL")
    }))

  for (
    const option of [
      "maxHeaderBytes",
      "maxConnections",
      "maxPipelined",
      "lingerBytes",
      "headersTimeout",
      "requestTimeout",
      "keepAliveTimeout",
      "answerTimeout",
      "halfCloseGrace",
      "lingerTimeout",
      "shutdownGrace"
    ]
  ) {
    it.effect(`a bound that bounds nothing: ${option}`, () =>
      Effect.gen(function*() {
        for (const bad of [Number.NaN, -1]) {
          const exit = yield* Effect.exit(listen(answering(ok), { port: 0, [option]: bad }))
          assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "listening", `${option}: expected`)
        }
      }))
  }

  it.effect("an address of another machine", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(listen(answering(ok), { host: "192.0.2.1", port: 0 }))
      assert.strictEqual(error.code, "EADDRNOTAVAIL")
      assert.include(error.message, "cannot listen on 192.0.2.1:0: this machine has no such address")
    }))

  it.effect("a host name that is not known", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(listen(answering(ok), { host: "listener.invalid", port: 0 }))
      // A machine without a network says EAI_AGAIN.
      assert.include(["ENOTFOUND", "EAI_AGAIN"], error.code)
      assert.include(error.message, "127.0.0.1")
    }))

  it.effect("a port that does not exist", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(listen(answering(ok), { port: 65_536 }))
      assert.strictEqual(error.message, "cannot listen on 127.0.0.1:65536: a port is a number from 0 to 65535")
    }))

  it("a port that is not permitted", () => {
    const error = new ListenError({ host: "::1", port: 80, code: "EACCES" })
    assert.include(error.message, "cannot listen on [::1]:80: not permitted; choose a port above 1023")
  })
})

describe("a client that goes away", () => {
  it.effect("a reset interrupts its request at once", () =>
    Effect.gen(function*() {
      const { handle, interrupted, started } = yield* stalling
      const { port } = yield* listen(handle, { port: 0, halfCloseGrace: "1 hour" })
      const socket = yield* open(port, get)
      yield* started
      socket.resetAndDestroy()
      yield* interrupted
    }))

  it.effect("a close interrupts its request after the grace for those who only closed one side", () =>
    Effect.gen(function*() {
      const { handle, interrupted, started } = yield* stalling
      const { port } = yield* listen(handle, { port: 0, halfCloseGrace: "50 millis" })
      const socket = yield* open(port, get)
      yield* started
      const from = performance.now()
      socket.destroy()
      yield* interrupted
      assert.isAtLeast(performance.now() - from, 45)
    }))

  it.effect("a client that closed only its own side gets its answer", () =>
    Effect.gen(function*() {
      const seen = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<Answer>()
      const handle: Handler = () => Effect.andThen(Deferred.succeed(seen, undefined), Deferred.await(answer))
      const { port } = yield* listen(handle, { port: 0, halfCloseGrace: "1 hour" })
      const talking = yield* Effect.forkChild(talk(port, get, { halfClose: true }), { startImmediately: true })
      yield* Deferred.await(seen)
      yield* Deferred.succeed(answer, ok)
      const { answers, closedBy } = yield* Fiber.join(talking)
      assert.strictEqual(answers[0]?.body, "{}")
      assert.strictEqual(closedBy, "fin")
    }))

  it.effect("a reset after a CONNECT that waits for its turn harms nobody", () =>
    Effect.gen(function*() {
      const { handle, interrupted, started } = yield* stalling
      const { port } = yield* listen(handle, { port: 0 })
      const socket = yield* open(port, `${get}CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n`)
      yield* started
      socket.resetAndDestroy()
      yield* interrupted
    }))

  it.effect("a reset in the middle of a large answer harms nobody else", () =>
    Effect.gen(function*() {
      const accepted = yield* ServerSocket.watch
      const large: Answer = { ...ok, body: "x".repeat(50_000_000) }
      const { port } = yield* listen(({ target }) => Effect.succeed(target === "/large" ? large : ok), { port: 0 })
      const socket = yield* open(port, get.replace("/", "/large"))
      yield* Effect.callback<void>((resume) => {
        socket.once("data", () => resume(Effect.void))
      })
      socket.resetAndDestroy()
      yield* accepted.closed(port, 1)
      const { answers } = yield* talk(port, get, { answers: 1 })
      assert.strictEqual(answers[0]?.body, "{}")
    }))
})

describe("what a client can make the listener hold is bounded", () => {
  it.effect("headersTimeout: a silent connection, and a head that never ends, are answered 408", () =>
    Effect.gen(function*() {
      const { port } = yield* listen(answering(ok), { port: 0, headersTimeout: "300 millis", headers: { vary: "a" } })
      for (const bytes of ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nA:"]) {
        const { answers, closedBy, millis } = yield* talk(port, bytes)
        assert.strictEqual(answers[0]?.status, 408)
        assert.strictEqual(JSON.parse(answers[0]?.body ?? "").errcode, "M_UNRECOGNIZED")
        assert.strictEqual(answers[0]?.headers["vary"], "a")
        assert.strictEqual(closedBy, "fin")
        assert.isAtLeast(millis, 290)
      }
    }))

  it.effect("requestTimeout: a body that drips is answered 408, and its request is interrupted", () =>
    Effect.gen(function*() {
      const failed = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
      const handle: Handler = ({ body }) =>
        body(1000).pipe(
          Effect.onExit((exit) => Deferred.succeed(failed, exit)),
          Effect.as(ok),
          Effect.orDie
        )
      const { port } = yield* listen(handle, { port: 0, headersTimeout: "200 millis", requestTimeout: "400 millis" })
      const socket = yield* open(port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
      const drip = setInterval(() => socket.write("x"), 20)
      const text = yield* Effect.callback<string>((resume) => {
        let text = ""
        socket.on("data", (chunk) => {
          text += chunk.toString()
        })
        socket.on("end", () => resume(Effect.succeed(text)))
      }).pipe(Effect.ensuring(Effect.sync(() => clearInterval(drip))))
      assert.match(text, /^HTTP\/1\.1 408 /)
      assert.include(text, "M_NOT_JSON")
      const exit = yield* Deferred.await(failed)
      assert.isTrue(Exit.hasInterrupts(exit))
    }))

  it.effect("keepAliveTimeout: a connection that stays idle after an answer is closed", () =>
    Effect.gen(function*() {
      const { port } = yield* listen(answering(ok), { port: 0, keepAliveTimeout: "100 millis" })
      const { answers, closedBy, millis } = yield* talk(port, get)
      assert.lengthOf(answers, 1)
      assert.strictEqual(closedBy, "fin")
      assert.isAtLeast(millis, 95)
    }))

  it.effect("maxConnections: for one more the connection that has been idle the longest is closed", () =>
    Effect.gen(function*() {
      const accepted = yield* ServerSocket.watch
      const { port } = yield* listen(answering(ok), { port: 0, maxConnections: 2 })
      yield* open(port, "")
      const second = yield* open(port, get)
      yield* Effect.callback<void>((resume) => {
        second.once("data", () => resume(Effect.void))
      })
      assert.lengthOf((yield* talk(port, get, { answers: 1 })).answers, 1)
      yield* accepted.closed(port, 1)
      const again = yield* Effect.forkChild(
        Effect.callback<string>((resume) => {
          second.once("data", (bytes: Buffer) => resume(Effect.succeed(bytes.toString())))
        }),
        { startImmediately: true }
      )
      second.write(get)
      assert.match(yield* Fiber.join(again), /^HTTP\/1\.1 200 /)
    }))

  it.effect("maxConnections: where none is idle, one more is answered 429 and never handled", () =>
    Effect.gen(function*() {
      let handled = 0
      const gate = yield* Deferred.make<void>()
      const both = yield* Deferred.make<void>()
      const handle: Handler = () =>
        Effect.suspend(() => {
          handled++
          return (handled === 2 ? Deferred.succeed(both, undefined) : Effect.void).pipe(
            Effect.andThen(Deferred.await(gate)),
            Effect.as(ok)
          )
        })
      const { port } = yield* listen(handle, { port: 0, maxConnections: 2, headers: { via: "test" } })
      const busy = [
        yield* Effect.forkChild(talk(port, get, { answers: 1 }), { startImmediately: true }),
        yield* Effect.forkChild(talk(port, get, { answers: 1 }), { startImmediately: true })
      ]
      yield* Deferred.await(both)
      for (let i = 0; i < 300; i++) {
        const { answers, closedBy } = yield* talk(port, get)
        assert.lengthOf(answers, 1)
        assert.strictEqual(closedBy, "fin")
        const [answer] = answers
        assert.deepStrictEqual(
          [answer?.status, answer?.headers["retry-after"], answer?.headers["connection"], answer?.headers["via"]],
          [429, "1", "close", "test"]
        )
        assert.deepStrictEqual(JSON.parse(answer?.body ?? ""), {
          errcode: "M_LIMIT_EXCEEDED",
          error: "Too many connections at once",
          retry_after_ms: 1000
        })
      }
      assert.strictEqual(handled, 2)
      yield* Deferred.succeed(gate, undefined)
      for (const fiber of busy) assert.strictEqual((yield* Fiber.join(fiber)).answers[0]?.status, 200)
      assert.strictEqual((yield* talk(port, get, { answers: 1 })).answers[0]?.status, 200)
    }))

  it.effect("maxConnections: thousands of silent clients lock nobody out", () =>
    Effect.gen(function*() {
      const { port } = yield* listen(answering(ok), { port: 0, maxConnections: 50 })
      const sockets = Array.from({ length: 1000 }, () => connect({ port, host: "127.0.0.1" }).on("error", () => {}))
      yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
      for (let i = 0; i < 10; i++) {
        assert.strictEqual((yield* talk(port, get, { answers: 1 })).answers[0]?.status, 200)
      }
    }))

  it.effect("maxPipelined: no more requests are taken than that, and those are answered", () =>
    Effect.gen(function*() {
      let handled = 0
      const gate = yield* Deferred.make<void>()
      const seen = yield* Deferred.make<void>()
      const handle: Handler = () =>
        Effect.suspend(() => {
          handled++
          return Deferred.succeed(seen, undefined).pipe(Effect.andThen(Deferred.await(gate)), Effect.as(ok))
        })
      const { port } = yield* listen(handle, { port: 0, maxPipelined: 3 })
      const talking = yield* Effect.forkChild(talk(port, get.repeat(20_000)), { startImmediately: true })
      yield* Deferred.await(seen)
      assert.strictEqual(handled, 1)
      yield* Deferred.succeed(gate, undefined)
      const { answers, closedBy } = yield* Fiber.join(talking)
      assert.strictEqual(handled, 4)
      assert.lengthOf(answers, 4)
      assert.deepStrictEqual(answers.map(({ headers }) => headers["connection"]), [
        "keep-alive",
        "keep-alive",
        "keep-alive",
        "close"
      ])
      assert.strictEqual(closedBy, "fin")
    }))

  it.effect("answerTimeout: a client that does not take its answer is closed", () =>
    Effect.gen(function*() {
      const accepted = yield* ServerSocket.watch
      const { port } = yield* listen(answering({ ...ok, body: "x".repeat(50_000_000) }), {
        port: 0,
        answerTimeout: "100 millis"
      })
      const socket = yield* open(port, get)
      socket.pause()
      yield* accepted.closed(port, 1)
    }))

  it.effect("lingerTimeout: a client that goes on after its last answer is closed", () =>
    Effect.gen(function*() {
      const accepted = yield* ServerSocket.watch
      const { port } = yield* listen(answering(ok), { port: 0, lingerTimeout: "100 millis" })
      const socket = yield* open(port, "garbage\r\n\r\n")
      const drip = setInterval(() => socket.write("x"), 20)
      socket.resume()
      yield* Effect.ensuring(accepted.closed(port, 1), Effect.sync(() => clearInterval(drip)))
    }))

  it.effect("lingerBytes: a client that sends on and on after its last answer is closed", () =>
    Effect.gen(function*() {
      const accepted = yield* ServerSocket.watch
      const { port } = yield* listen(answering(ok), { port: 0, lingerTimeout: "1 hour", lingerBytes: 1_000_000 })
      const socket = yield* open(port, "garbage\r\n\r\n")
      socket.resume()
      const pump = () => {
        if (!socket.destroyed) socket.write(Buffer.alloc(65_536), pump)
      }
      pump()
      yield* accepted.closed(port, 1)
    }))
})

describe("the end of the scope", () => {
  it.effect("lets a running request end, and says that the connection ends with it", () =>
    Effect.gen(function*() {
      const seen = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<Answer>()
      const handle: Handler = () => Effect.andThen(Deferred.succeed(seen, undefined), Deferred.await(answer))
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(listen(handle, { port: 0, shutdownGrace: "1 hour" }), scope)
      const talking = yield* Effect.forkChild(talk(port, get), { startImmediately: true })
      yield* Deferred.await(seen)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* Deferred.succeed(answer, ok)
      const { answers } = yield* Fiber.join(talking)
      assert.strictEqual(answers[0]?.status, 200)
      assert.strictEqual(answers[0]?.headers["connection"], "close")
      yield* Fiber.join(closing)
    }))

  it.effect("closes idle connections at once, also those that have sent half a request", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(listen(answering(ok), { port: 0, shutdownGrace: "1 hour" }), scope)
      const idle = yield* open(port, get)
      yield* Effect.callback<void>((resume) => {
        idle.once("data", () => resume(Effect.void))
      })
      yield* open(port, "GET / HT")
      yield* Scope.close(scope, Exit.void)
    }))

  it.effect("interrupts what is still running after the grace", () =>
    Effect.gen(function*() {
      const { handle, interrupted, started } = yield* stalling
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(listen(handle, { port: 0, shutdownGrace: "50 millis" }), scope)
      const talking = yield* Effect.forkChild(talk(port, get), { startImmediately: true })
      yield* started
      yield* Scope.close(scope, Exit.void)
      yield* interrupted
      assert.lengthOf((yield* Fiber.join(talking)).answers, 0)
    }))

  it.effect("waits for what an interrupted request releases, but not for ever", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const handle: Handler = () =>
        Effect.uninterruptible(Effect.andThen(Deferred.succeed(started, undefined), Effect.never))
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(listen(handle, { port: 0, shutdownGrace: "50 millis" }), scope)
      yield* open(port, get)
      yield* Deferred.await(started)
      const from = performance.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(performance.now() - from, 2000)
    }))
})

describe("an answer that says Connection: close", () => {
  const last = answering({ ...ok, headers: { ...ok.headers, connection: "close" } })

  it.effect("is the last one: what follows reaches no handler", () =>
    Effect.gen(function*() {
      let handled = 0
      const { port } = yield* listen((request) => {
        handled++
        return last(request)
      }, { port: 0 })
      const { answers, closedBy, rest } = yield* talk(port, get + get)
      assert.deepStrictEqual(answers.map(({ headers }) => headers["connection"]), ["close"])
      assert.strictEqual(rest, "")
      assert.strictEqual(closedBy, "fin")
      assert.strictEqual(handled, 1)
    }))

  it.effect("reaches a client that sends on", () =>
    Effect.gen(function*() {
      const { port } = yield* listen(last, { port: 0 })
      const { answers, closedBy } = yield* talk(port, [get, Buffer.alloc(5_000_000)], { sendAll: true })
      assert.lengthOf(answers, 1)
      assert.strictEqual(closedBy, "fin")
    }))

  it.effect("has no body for HEAD", () =>
    Effect.gen(function*() {
      const { port } = yield* listen(last, { port: 0 })
      const { answers, rest } = yield* talk(port, get.replace("GET", "HEAD"), { head: true })
      assert.strictEqual(answers[0]?.headers["content-length"], "2")
      assert.strictEqual(rest, "")
    }))
})

describe("a handler that breaks its contract", () => {
  const broken: ReadonlyArray<readonly [title: string, handle: Handler]> = [
    ["dies", () => Effect.die(new Error("secret"))],
    ["throws", () => {
      throw new Error("secret")
    }],
    ["sets a header that no header can be", answering({ ...ok, headers: { "a b": "c\r\nd" } })],
    [
      "sets such a header on its last answer",
      answering({ ...ok, headers: { connection: "close", a: "c\r\nd" } })
    ]
  ]

  for (const [title, handle] of broken) {
    it.effect(`${title}: 500 M_UNKNOWN, and nothing of it is shown`, () =>
      Effect.gen(function*() {
        const { port } = yield* listen(handle, { port: 0, headers: { vary: "a" } }).pipe(
          Effect.provide(Logger.layer([]))
        )
        const { answers, closedBy, rest } = yield* talk(port, get)
        assert.strictEqual(answers[0]?.status, 500)
        assert.strictEqual(JSON.parse(answers[0]?.body ?? "").errcode, "M_UNKNOWN")
        assert.strictEqual(answers[0]?.headers["vary"], "a")
        assert.notInclude(answers[0]?.body, "secret")
        assert.lengthOf(answers, 1)
        assert.strictEqual(rest, "")
        assert.strictEqual(closedBy, "fin")
      }))
  }

  it.effect("dies: the cause is logged", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => {
        logged.push(message)
      })
      const { port } = yield* listen(() => Effect.die("gone"), { port: 0 }).pipe(Effect.provide(Logger.layer([logger])))
      yield* talk(port, get)
      assert.match(String(logged[0]), /nobody foresaw/)
    }))

  it.effect("interrupts itself: the connection is closed", () =>
    Effect.gen(function*() {
      const { port } = yield* listen(() => Effect.interrupt, { port: 0 })
      const { answers, closedBy } = yield* talk(port, get)
      assert.lengthOf(answers, 0)
      assert.strictEqual(closedBy, "fin")
    }))
})

describe("the body of a request", () => {
  it.effect("is read up to the limit, that is to say at it and not above it", () =>
    Effect.gen(function*() {
      const handle: Handler = ({ body }) =>
        Effect.match(body(5), {
          onFailure: ({ reason }): Answer => ({ ...ok, headers: { connection: "close" }, body: reason }),
          onSuccess: (bytes): Answer => ({ ...ok, body: `${bytes.length}` })
        })
      const { port } = yield* listen(handle, { port: 0 })
      const post = (body: string) => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      const chunked = (body: string) =>
        `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body.length}\r\n${body}\r\n0\r\n\r\n`
      const { answers } = yield* talk(port, post("") + post("12345") + chunked("12345"), { answers: 3 })
      assert.deepStrictEqual(answers.map(({ body }) => body), ["0", "5", "5"])
      for (const bytes of [post("123456"), chunked("123456")]) {
        assert.strictEqual((yield* talk(port, bytes)).answers[0]?.body, "TooLarge")
      }
    }))

  it.effect("cannot be read a second time", () =>
    Effect.gen(function*() {
      const handle: Handler = ({ body }) =>
        body(5).pipe(
          Effect.andThen(Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))),
          Effect.andThen(body(5)),
          Effect.match({
            onFailure: ({ reason }): Answer => ({ ...ok, body: reason }),
            onSuccess: (): Answer => ok
          })
        )
      const { port } = yield* listen(handle, { port: 0 })
      const { answers } = yield* talk(port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", { answers: 1 })
      assert.strictEqual(answers[0]?.body, "Aborted")
    }))
})
