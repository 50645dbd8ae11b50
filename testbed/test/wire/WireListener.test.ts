import type { Handler } from "@appservice-ping/server/Exchange"
import * as Fault from "@appservice-ping/testbed/Fault"
import * as Faults from "@appservice-ping/testbed/Faults"
import * as NodeListener from "@appservice-ping/testbed/node/NodeListener"
import * as WireListener from "@appservice-ping/testbed/wire/WireListener"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import * as Net from "node:net"
import { observe, pingRequest, until } from "../support/observe.ts"

const answer = { status: 200, headers: { "content-type": "application/json" }, body: "{\"real\":true}" }

/** A listener in front of an appservice that notes what it gets. */
const setup = Effect.fnUntraced(function*(handle: Handler = () => Effect.succeed(answer)) {
  const faults = yield* Faults.make
  const targets: Array<string> = []
  const upstream = yield* NodeListener.listen((request) => {
    targets.push(request.target)
    return handle(request)
  }, { port: 0, shutdownGrace: 0 })
  const { url } = yield* WireListener.listen({ upstream, faults })
  return { faults, targets, upstream, url }
})

const head = "HTTP/1.1 200 \r\nContent-Type: application/json\r\nConnection: close\r\n"

describe("WireListener", { timeout: 30_000 }, () => {
  it.live("passes requests on to the appservice, and its answer back, while there is no fault", () =>
    Effect.gen(function*() {
      const { targets, upstream, url } = yield* setup()
      const direct = yield* observe(upstream.url)
      const through = yield* observe(url)
      assert.strictEqual(through.text.replace(/date: .*\r\n/i, ""), direct.text.replace(/date: .*\r\n/i, ""))
      assert.strictEqual(through.ending, "fin")
      assert.include(through.text, answer.body)
      assert.deepStrictEqual(targets, ["/_matrix/app/v1/ping", "/_matrix/app/v1/ping"])
    }))

  it.live("passes on what is not HTTP while there is no fault", () =>
    Effect.gen(function*() {
      const { url } = yield* setup()
      const { ending, text } = yield* observe(url, { request: "EHLO there\r\n\r\n" })
      assert.match(text, /^HTTP\/1\.1 400 /)
      assert.strictEqual(ending, "fin")
    }))

  const cuts = [
    { at: "before-headers", bytes: "" },
    { at: "in-headers", bytes: "HTTP/1.1 200 OK\r\nContent-Type: applic" },
    { at: "in-body", framing: "content-length", bytes: `${head}Content-Length: 20\r\n\r\n{"cut":` },
    { at: "in-body", framing: "chunked", bytes: `${head}Transfer-Encoding: chunked\r\n\r\n4\r\n{"cu\r\n10\r\nt":` }
  ] as const
  for (const { bytes, ...options } of cuts) {
    const faults = [
      { fault: Fault.resetPeer(options), ending: "rst" },
      { fault: Fault.close(options), ending: "fin" },
      { fault: Fault.stall(options), ending: "open" }
    ]
    for (const { ending, fault } of faults) {
      it.live(`${Fault.describe(fault)}: sends these bytes, then ${ending}, and the appservice sees nothing`, () =>
        Effect.gen(function*() {
          const { faults, targets, url } = yield* setup()
          const injection = yield* faults.inject(fault)
          // One would do, if it were not for the reset that overtakes its bytes: it must never happen.
          for (let i = 1; i <= 5; i++) {
            const seen = yield* observe(url, ending === "open" ? { silentAfter: bytes.length } : {})
            assert.strictEqual(seen.text, bytes)
            assert.strictEqual(seen.ending, ending)
            yield* until(injection.applied, i)
          }
          assert.deepStrictEqual(targets, [])
        }))
    }
  }

  it.live("connection refused: the port answers with an RST to the SYN, and is the same port when the fault is healed", () =>
    Effect.gen(function*() {
      const { faults, targets, url } = yield* setup()
      for (let i = 0; i < 3; i++) {
        const refused = yield* Effect.scoped(Effect.andThen(faults.inject(Fault.refused), observe(url)))
        assert.deepStrictEqual(refused, { text: "", pieces: [], ending: "refused" })
        const healed = yield* observe(url)
        assert.include(healed.text, answer.body)
      }
      assert.strictEqual(targets.length, 3)
    }))

  it.live.runIf(process.platform === "linux")(
    "connection refused: the port is never given to anyone else",
    () =>
      Effect.gen(function*() {
        const faults = yield* Faults.make
        const nobody = { host: "127.0.0.1", port: 1 }
        const held = yield* Effect.replicateEffect(WireListener.listen({ upstream: nobody, faults }), 120)
        yield* faults.inject(Fault.refused)
        const free = Effect.scoped(NodeListener.listen(() => Effect.succeed(answer), { port: 0, shutdownGrace: 0 }))
        // So many that, if the ports were free, one of them would be given out in all but one of a thousand runs.
        const others = yield* Effect.replicateEffect(free, 2000)
        const ports = new Set(held.map(({ port }) => port))
        assert.strictEqual(ports.size, 120)
        assert.deepStrictEqual(others.filter(({ port }) => ports.has(port)), [])
      })
  )

  it.live("connection refused: a connection that was there before stays", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const { faults, url } = yield* setup(() =>
        Deferred.succeed(asked, undefined).pipe(Effect.andThen(Deferred.await(go)), Effect.as(answer))
      )
      const fiber = yield* Effect.forkChild(observe(url))
      yield* Deferred.await(asked)
      yield* faults.inject(Fault.refused)
      yield* Deferred.succeed(go, undefined)
      const seen = yield* Fiber.join(fiber)
      assert.include(seen.text, answer.body)
    }))

  it.live("status: sends the status, the headers and the body as they are given, then a FIN", () =>
    Effect.gen(function*() {
      const { faults, url } = yield* setup()
      yield* faults.inject(Fault.status(429, { headers: { "Retry-After": "30" }, body: "später" }))
      const { ending, text } = yield* observe(url)
      assert.strictEqual(
        text,
        "HTTP/1.1 429 \r\nRetry-After: 30\r\nContent-Length: 7\r\nConnection: close\r\n\r\nsp\u00c3\u00a4ter"
      )
      assert.strictEqual(ending, "fin")
    }))

  it.live("status: sends neither a body nor a length where the status allows none", () =>
    Effect.gen(function*() {
      const { faults, url } = yield* setup()
      for (const status of [204, 304]) {
        yield* faults.inject(Fault.status(status, { body: "left out" }))
        const { ending, text } = yield* observe(url)
        assert.strictEqual(text, `HTTP/1.1 ${status} \r\nConnection: close\r\n\r\n`)
        assert.strictEqual(ending, "fin")
      }
    }))

  it.live("drip: sends each byte in a segment of its own, in order, no faster than the gap", () =>
    Effect.gen(function*() {
      const { faults, url } = yield* setup()
      yield* faults.inject(Fault.drip({ gap: "5 millis", body: "{\"a\":1}" }))
      const { ending, pieces, text } = yield* observe(url)
      assert.strictEqual(
        text,
        "HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{\"a\":1}"
      )
      assert.strictEqual(ending, "fin")
      // A machine that is busy may join some; as a whole it can only be slower than the gaps.
      assert.isAbove(pieces.length, 1)
      assert.isAtLeast(pieces.at(-1)?.atMillis ?? 0, text.length * 5 * 0.9)
    }))

  it.live("not HTTP: sends something else and a FIN", () =>
    Effect.gen(function*() {
      const { faults, url } = yield* setup()
      yield* faults.inject(Fault.malformed)
      const { ending, text } = yield* observe(url)
      assert.strictEqual(text, "SSH-2.0-OpenSSH_9.9\r\n")
      assert.strictEqual(ending, "fin")
    }))

  it.live("latency: the appservice gets the request after the delay, not before", () =>
    Effect.gen(function*() {
      const { faults, targets, url } = yield* setup()
      yield* faults.inject(Fault.latency("1 minute"))
      const early = yield* observe(url, { silentAfter: 0 })
      assert.deepStrictEqual(early, { text: "", pieces: [], ending: "open" })
      assert.deepStrictEqual(targets, [])
      yield* faults.inject(Fault.latency("100 millis"))
      const late = yield* observe(url)
      assert.include(late.text, answer.body)
      assert.isAtLeast(late.pieces[0]?.atMillis ?? 0, 99)
      assert.deepStrictEqual(targets, ["/_matrix/app/v1/ping"])
    }))

  it.live("strikes when the whole request was read, be it in pieces", () =>
    Effect.gen(function*() {
      const { faults, url } = yield* setup()
      const injection = yield* faults.inject(Fault.close({ at: "before-headers" }))
      const partial = yield* observe(url, { request: pingRequest.slice(0, -1), silentAfter: 0 })
      assert.strictEqual(partial.ending, "open")
      assert.strictEqual(yield* injection.applied, 0)

      const chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
      const open = yield* observe(url, { request: chunked, silentAfter: 0 })
      assert.strictEqual(open.ending, "open")
      const whole = yield* observe(url, { request: `${chunked}0\r\n\r\n` })
      assert.strictEqual(whole.ending, "fin")
      assert.strictEqual(yield* injection.applied, 1)
    }))

  it.live("strikes a request that is longer than what is kept of it", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.make
      const upstream = { host: "127.0.0.1", port: 1 }
      const { url } = yield* WireListener.listen({ upstream, faults, maxRequestBytes: 100 })
      const injection = yield* faults.inject(Fault.resetPeer({ at: "before-headers" }))
      const long = `POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n${"x".repeat(100)}`
      assert.strictEqual((yield* observe(url, { request: long })).ending, "rst")
      assert.strictEqual(yield* injection.applied, 1)
    }))

  it.live("drops a peer that does not close its side after the FIN", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.make
      const upstream = { host: "127.0.0.1", port: 1 }
      const { url } = yield* WireListener.listen({ upstream, faults, lingerTimeout: "50 millis" })
      yield* faults.inject(Fault.close({ at: "before-headers" }))
      const dropped = yield* Effect.callback<string>((resume) => {
        const socket = Net.connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true })
        socket.on("connect", () => socket.write(pingRequest))
        // Only what is written to a connection that is gone tells that it is; the FIN alone says nothing of the kind.
        socket.on("end", () => {
          const timer = setInterval(() => socket.write("x"), 10)
          socket.on("close", () => clearInterval(timer))
        })
        socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? "")))
        socket.resume()
      })
      assert.include(["ECONNRESET", "EPIPE"], dropped)
    }))

  it.live("a fault concerns the connections that are opened while it is in force", () =>
    Effect.gen(function*() {
      const { faults, url } = yield* setup()
      const scope = yield* Scope.make()
      yield* Scope.provide(faults.inject(Fault.stall({ at: "before-headers" })), scope)
      const stalled = yield* Effect.forkChild(observe(url))
      yield* until(faults.applied, 1)
      yield* Scope.close(scope, Exit.void)
      const healthy = yield* observe(url)
      assert.include(healthy.text, answer.body)
      assert.isUndefined(stalled.pollUnsafe())
      yield* Fiber.interrupt(stalled)
    }))

  it.live("lets go of every connection and of the port when the scope closes", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { faults, url } = yield* Scope.provide(setup(), scope)
      yield* Scope.provide(faults.inject(Fault.stall({ at: "in-body" })), scope)
      const stalled = yield* Effect.forkChild(observe(url))
      yield* until(faults.applied, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(stalled)).ending, "fin")
      assert.strictEqual((yield* observe(url)).ending, "refused")
      const server = Net.createServer()
      yield* Effect.callback<void, Error>((resume) => {
        server.once("error", (error) => resume(Effect.fail(error)))
        server.listen(Number(url.port), url.hostname, () => resume(Effect.void))
      })
      server.close()
    }))

  it.live("fails with the port and the reason when the port is taken", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.make
      const { port, upstream } = yield* Effect.map(
        setup(),
        ({ upstream, url }) => ({ upstream, port: Number(url.port) })
      )
      const error = yield* Effect.flip(WireListener.listen({ upstream, faults, port }))
      assert.strictEqual(error.code, "EADDRINUSE")
      assert.strictEqual(error.port, port)
      const bad = yield* Effect.flip(WireListener.listen({ upstream, faults, port: 70_000 }))
      assert.strictEqual(bad.code, "ERR_SOCKET_BAD_PORT")
    }))
})
