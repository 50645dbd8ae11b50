import * as NodeListener from "@appservice-ping/node/NodeListener"
import * as PreparedAgent from "@appservice-ping/testbed/carrier/wire/PreparedAgent"
import * as WireProxy from "@appservice-ping/testbed/carrier/wire/WireProxy"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Scope } from "effect"
import * as Net from "node:net"
import { until } from "../../support/observe.ts"
import { observe, ping } from "./support/Observer.ts"
import { answer, kinds, setup } from "./support/Setup.ts"

const leg = "to_appservice"

const journalOf = (session: Session.Session["Service"]) => Effect.map(session.journal, kinds)

/** Waits until the journal ends with, or has, an entry of this kind so many times. */
const untilCount = (session: Session.Session["Service"], kind: string, count: number) =>
  until(Effect.map(journalOf(session), (all) => all.filter((one) => one === kind).length >= count), true)

/** What is opened here has been refused by the system, or by the proxy, and by nobody else. */
const isOpen = (port: number) =>
  Effect.callback<boolean>((resume) => {
    const socket = Net.connect(port, "127.0.0.1")
    socket.on("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.on("error", () => resume(Effect.succeed(false)))
  })

describe("WireProxy: a reset after much was written", { timeout: 30_000 }, () => {
  it.live("waits until what was written is on its way, and resets then", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      // More than the buffers of the system hold, so that most of it waits in the process when the reset is due.
      const written = 48 * 1024 * 1024
      yield* session.inject(
        Plan.of(leg, Fault.script([{ step: "write", bytes: new Uint8Array(written) }, { step: "close", how: "rst" }]))
      )
      const socket = Net.connect({ host: proxy.host, port: proxy.port })
      const seen = yield* Effect.callback<{ readonly bytes: number; readonly code: string | undefined }>((resume) => {
        let bytes = 0
        socket.on("data", (chunk) => {
          bytes += chunk.length
        })
        socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed({ bytes, code: error.code })))
        socket.on("end", () => resume(Effect.succeed({ bytes, code: undefined })))
        socket.write(ping())
      })
      assert.strictEqual(seen.code, "ECONNRESET")
      assert.isAbove(seen.bytes, written / 2)
    }))
})

describe("WireProxy: nothing is broken", { timeout: 30_000 }, () => {
  it.live("writes a healthy exchange into the journal, and passes it on byte for byte", () =>
    Effect.gen(function*() {
      const { asked, proxy, session, upstream } = yield* setup()
      const direct = yield* observe(upstream.url)
      const seen = yield* observe(proxy.url)
      assert.strictEqual(seen.text.replace(/date: .*/i, ""), direct.text.replace(/date: .*/i, ""))
      assert.strictEqual(seen.ending, "fin")
      assert.strictEqual(asked.length, 2)
      assert.deepStrictEqual(yield* journalOf(session), [
        "connecting",
        "connected",
        "request",
        "asked",
        "answered",
        "sent",
        "closed server fin"
      ])
      const [, , request, , answered, sent] = yield* session.journal
      assert.deepInclude(request?.what, {
        event: "request",
        leg,
        connection: 1,
        exchange: 1,
        method: "POST",
        path: "/_matrix/app/v1/ping",
        attempt: 1,
        transaction_id: "ping"
      })
      assert.deepInclude(answered?.what, { event: "answered", status: 200 })
      assert.deepInclude(sent?.what, { event: "sent", exchange: 1, bytes: seen.text.length })
    }))

  it.live("keeps the connection where both sides allow it, and numbers its exchanges", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const request = ping({ keepAlive: true })
      const seen = yield* observe(proxy.url, {
        send: [{ text: request }, { text: request, after: 100 }, { text: ping(), after: 250 }]
      })
      assert.strictEqual(seen.text.split(answer.body).length - 1, 3)
      assert.strictEqual(asked.length, 3)
      const entries = yield* session.journal
      assert.deepStrictEqual(
        entries.flatMap(({ what }) => what.event === "request" ? [[what.connection, what.exchange, what.attempt]] : []),
        [[1, 1, 1], [1, 2, 2], [1, 3, 3]]
      )
    }))

  it.live("answers requests that come all at once one after the other, in their order", () =>
    Effect.gen(function*() {
      const { asked, proxy } = yield* setup()
      const paths = ["/1", "/2", "/3", "/4"]
      const requests = paths.map((path, index) => ping({ path, keepAlive: index < 3 }))
      const seen = yield* observe(proxy.url, { send: [{ text: requests.join("") }] })
      assert.deepStrictEqual(asked, paths)
      assert.strictEqual(seen.text.split(answer.body).length - 1, 4)
      assert.strictEqual(seen.ending, "fin")
    }))

  it.live("reads a request that comes byte by byte, and one in chunks", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const body = "{\"transaction_id\":\"one\"}"
      const chunked = [
        "POST /p?secret=1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        `5;ext=1\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${
          body.slice(5)
        }\r\n0\r\nTrailer: x\r\n\r\n`
      ].join("")
      const seen = yield* observe(proxy.url, { send: [...chunked].map((text) => ({ text })) })
      assert.include(seen.text, answer.body)
      assert.deepStrictEqual(asked, ["/p?secret=1"])
      const request = (yield* session.journal).find(({ what }) => what.event === "request")
      assert.deepInclude(request?.what, { path: "/p", transaction_id: "one" })
    }))

  it.live("passes on what is not HTTP, and the FIN of its client", () =>
    Effect.gen(function*() {
      const { proxy } = yield* setup()
      const seen = yield* observe(proxy.url, { send: [{ text: "EHLO there\r\n\r\n" }] })
      assert.match(seen.text, /^HTTP\/1\.1 400 /)
      assert.strictEqual(seen.ending, "fin")
      const cut = yield* observe(proxy.url, { send: [{ text: ping().slice(0, -3) }], closeAfter: 0 })
      assert.match(cut.text, /^HTTP\/1\.1 400 /)
    }))

  it.live("passes the answer on to a client that has closed its side", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      const seen = yield* observe(proxy.url, { send: [{ text: ping({ keepAlive: true }) }], closeAfter: 0 })
      assert.include(seen.text, answer.body)
      assert.strictEqual(seen.ending, "fin")
      yield* untilCount(session, "closed client fin", 1)
    }))

  it.live("resets the connection where the real server cannot be reached", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup({ upstream: { host: "127.0.0.1", port: 1 } })
      assert.strictEqual((yield* observe(proxy.url)).ending, "rst")
      assert.deepStrictEqual(yield* journalOf(session), [
        "connecting",
        "connected",
        "request",
        "sent",
        "closed server rst"
      ])
    }))

  it.live("passes the reset of a client on, so that the application stops", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      const { proxy, session } = yield* setup({
        handle: () =>
          Deferred.succeed(started, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
          )
      })
      const socket = Net.connect({ host: "127.0.0.1", port: proxy.port })
      socket.on("error", () => {})
      socket.write(ping())
      yield* Deferred.await(started)
      socket.resetAndDestroy()
      yield* Deferred.await(stopped)
      yield* untilCount(session, "closed client rst", 1)
    }))

  it.live("closes a connection on which its client says nothing, or half a request", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup({ idleTimeout: "50 millis" })
      for (const text of ["", ping().slice(0, 20)]) {
        const seen = yield* observe(proxy.url, { send: [{ text }] })
        assert.strictEqual(seen.text, "")
        assert.strictEqual(seen.ending, "fin")
        assert.isAtLeast(seen.atMillis, 45)
      }
      yield* untilCount(session, "closed server fin", 2)
    }))

  it.live("closes a connection whose client says nothing while a fault waits for its request", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup({ idleTimeout: "200 millis" })
      const injection = yield* session.inject(Plan.of(leg, Fault.resetPeer({ phase: "request" })))
      const seen = yield* observe(proxy.url, { send: [] })
      assert.strictEqual(seen.ending, "fin")
      assert.strictEqual(yield* injection.applied, 0)
    }))

  it.live("closes a connection that stays idle", () =>
    Effect.gen(function*() {
      const { proxy } = yield* setup({ idleTimeout: "50 millis" })
      const seen = yield* observe(proxy.url, { send: [{ text: ping({ keepAlive: true }) }] })
      assert.include(seen.text, answer.body)
      assert.strictEqual(seen.ending, "fin")
      assert.isAtLeast(seen.atMillis, 45)
      // The real server closes after five seconds.
      assert.isBelow(seen.atMillis, 4500)
    }))

  it.live("drops a peer that does not close its side after the FIN", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup({ lingerTimeout: "50 millis" })
      yield* session.inject(Plan.of(leg, Fault.close({ phase: "before_headers" })))
      const dropped = yield* Effect.callback<string>((resume) => {
        const socket = Net.connect({ host: "127.0.0.1", port: proxy.port, allowHalfOpen: true })
        socket.on("connect", () => socket.write(ping()))
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
})

describe("WireProxy: bounds", { timeout: 30_000 }, () => {
  it.live("decides about a request that is longer than what is kept, and passes all of it on", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup({ maxRequestBytes: 1000 })
      const long = `POST /long HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\nConnection: close\r\n\r\n`
      const text = long + "x".repeat(50_000)
      assert.include((yield* observe(proxy.url, { send: [{ text }] })).text, answer.body)
      yield* session.inject(Plan.of(leg, Fault.lostAnswer("fin")))
      const lost = yield* observe(proxy.url, { send: [{ text }] })
      assert.strictEqual(lost.text, "")
      assert.strictEqual(lost.ending, "fin")
      assert.deepStrictEqual(asked, ["/long", "/long"])
      yield* session.inject(Plan.of(leg, Fault.resetPeer({ phase: "before_headers" })))
      assert.strictEqual((yield* observe(proxy.url, { send: [{ text: long + "x".repeat(2000) }] })).ending, "rst")
    }))

  it.live("cuts an answer that is longer than what is kept, and says so with a reset", () =>
    Effect.gen(function*() {
      const body = "x".repeat(100_000)
      const { proxy, session } = yield* setup({
        maxAnswerBytes: 1000,
        handle: () => Effect.succeed({ ...answer, body })
      })
      assert.include((yield* observe(proxy.url)).text, body)
      yield* session.inject(Plan.of(leg, Fault.latency("1 millis")))
      const cut = yield* observe(proxy.url)
      assert.strictEqual(cut.ending, "rst")
      assert.match(cut.text, /^HTTP\/1\.1 200 OK\r\n/)
      assert.isBelow(cut.text.length, body.length)
    }))

  it.live("passes a head on unread that is longer than what is read of it", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup({ maxHeadBytes: 1000 })
      const text = `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(2000)}\r\nConnection: close\r\n\r\n`
      assert.include((yield* observe(proxy.url, { send: [{ text }] })).text, answer.body)
      assert.notInclude(yield* journalOf(session), "request")
    }))

  it.live("closes connections beyond the most that are held at once", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup({ maxConnections: 1 })
      const held = yield* Effect.forkChild(observe(proxy.url, { send: [{ text: ping({ keepAlive: true }) }] }))
      yield* untilCount(session, "sent", 1)
      const refused = yield* observe(proxy.url, { send: [] })
      assert.strictEqual(refused.text, "")
      yield* Fiber.interrupt(held)
    }))
})

describe("WireProxy: before there is a connection", { timeout: 30_000 }, () => {
  it.live("refuses every client while the plan says so, and has the same port again when it is healed", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      for (let i = 0; i < 3; i++) {
        const refused = yield* Effect.scoped(
          Effect.andThen(session.inject(Plan.of(leg, Fault.refused)), observe(proxy.url))
        )
        assert.strictEqual(refused.ending, "refused")
        assert.include((yield* observe(proxy.url)).text, answer.body)
      }
      assert.strictEqual(asked.length, 3)
    }))

  it.live("is open again when the session is reset, though the crash before it would have lasted", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      yield* session.inject(Plan.of(leg, Fault.crash({ down_for: "1 hour" }), { when: { first: 1 } }))
      assert.strictEqual((yield* observe(proxy.url)).ending, "rst")
      assert.strictEqual((yield* observe(proxy.url)).ending, "refused")
      yield* session.reset
      // The counters began anew, so that the crash strikes again: whoever is reset was let in.
      assert.strictEqual((yield* observe(proxy.url)).ending, "rst")
    }))

  it.live("refuses from its time on, and until its time, though nobody asks for anything meanwhile", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      const time = Duration.millis(100)
      // The window counts from somewhere in the injection, and that may take a while on a busy machine.
      const passes = (when: Plan.When, isOpenAfter: boolean) =>
        session.inject(Plan.of(leg, Fault.refused, { when })).pipe(
          Effect.andThen(until(isOpen(proxy.port), isOpenAfter)),
          Effect.timed,
          Effect.map(([duration]) => Duration.toMillis(duration))
        )
      assert.isAtLeast(yield* Effect.scoped(passes({ after: time }, false)), 99)
      assert.isTrue(yield* isOpen(proxy.port))
      assert.isAtLeast(yield* passes({ until: time }, true), 99)
    }))

  it.live("misses no edge of a window, wherever between two of its looks it lies", () =>
    Effect.forEach(Array.from({ length: 200 }, (_, n) => n), (n) =>
      Effect.scoped(Effect.gen(function*() {
        const { proxy, session } = yield* setup()
        const edge = Duration.micros(BigInt(5000 + n * 17))
        yield* Effect.scoped(Effect.andThen(
          session.inject(Plan.of(leg, Fault.refused, { when: { after: edge } })),
          until(isOpen(proxy.port), false)
        ))
        yield* session.inject(Plan.of(leg, Fault.refused, { when: { until: edge } }))
        yield* until(isOpen(proxy.port), true)
      })), { concurrency: 4, discard: true }))

  it.live("leaves the connections that are there when the port is refused", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const { proxy, session } = yield* setup({
        handle: () => Deferred.succeed(started, undefined).pipe(Effect.andThen(Deferred.await(go)), Effect.as(answer))
      })
      const fiber = yield* Effect.forkChild(observe(proxy.url))
      yield* Deferred.await(started)
      yield* session.inject(Plan.of(leg, Fault.refused))
      assert.isFalse(yield* isOpen(proxy.port))
      yield* Deferred.succeed(go, undefined)
      assert.include((yield* Fiber.join(fiber)).text, answer.body)
    }))

  it.live.runIf(process.platform === "linux")(
    "gives a port that is refused to nobody else",
    () =>
      Effect.gen(function*() {
        const session = yield* Session.make()
        const nobody = { host: "127.0.0.1", port: 1 }
        const held = yield* Effect.replicateEffect(WireProxy.listen({ leg, upstream: nobody, session }), 60)
        yield* session.inject(Plan.of(leg, Fault.refused))
        const free = Effect.scoped(NodeListener.listen(() => Effect.succeed(answer), { port: 0, shutdownGrace: 0 }))
        const others = yield* Effect.replicateEffect(free, 2000)
        const ports = new Set(held.map(({ port }) => port))
        assert.strictEqual(ports.size, 60)
        assert.deepStrictEqual(others.filter(({ port }) => ports.has(port)), [])
      })
  )

  it.live("refuses exactly the first two connections of clients that prepare, and passes the third", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const injection = yield* session.inject(Plan.of(leg, Fault.refused, { when: { first: 2 } }))
      const endings: Array<string> = []
      for (let i = 0; i < 3; i++) {
        const { connect } = yield* proxy.prepare
        endings.push((yield* observe(proxy.url, { connect })).ending)
      }
      assert.deepStrictEqual(endings, ["refused", "refused", "fin"])
      assert.strictEqual(asked.length, 1)
      assert.strictEqual(yield* injection.applied, 2)
      assert.deepStrictEqual((yield* journalOf(session)).slice(0, 10), [
        ...Array.from({ length: 2 }, () => ["connecting", "decided", "refused", "applied"]).flat(),
        "connecting",
        "suppressed"
      ])
      assert.include((yield* observe(proxy.url)).text, answer.body)
    }))

  it.live("finishes what it began to prepare when the client loses interest, so that the count stays right", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      const injection = yield* session.inject(Plan.of(leg, Fault.refused, { when: { first: 1 } }))
      const preparing = yield* Effect.forkChild(proxy.prepare)
      // The port that refuses is still being opened when the client goes.
      yield* until(Effect.map(journalOf(session), (all) => all.includes("decided")), true)
      yield* Fiber.interrupt(preparing)
      assert.deepStrictEqual(yield* journalOf(session), ["connecting", "decided", "refused", "applied"])
      assert.strictEqual(yield* injection.applied, 1)
    }))

  it.live("decides about the very connection that was prepared, whoever connects meanwhile", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      yield* session.inject(Plan.of(leg, Fault.resetPeer({ phase: "accept" }), { match: { connection: [1, 3] } }))
      const first = yield* proxy.prepare
      const second = yield* proxy.prepare
      const third = yield* proxy.prepare
      const endings: Array<string> = []
      for (const { connect } of [third, second, first]) {
        endings.push((yield* observe(proxy.url, { connect })).ending)
      }
      assert.deepStrictEqual(endings, ["rst", "fin", "rst"])
    }))

  it.live("keeps the port open for a client that was let pass, though the next one is refused", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      yield* session.inject(Plan.of(leg, Fault.refused, { when: { nth: 2 } }))
      const { connect } = yield* proxy.prepare
      assert.strictEqual((yield* session.peek(leg, false))._tag, "Refuse")
      assert.include((yield* observe(proxy.url, { connect })).text, answer.body)
      yield* until(isOpen(proxy.port), false)
      const next = yield* proxy.prepare
      assert.strictEqual((yield* observe(proxy.url, { connect: next.connect })).ending, "refused")
      yield* until(isOpen(proxy.port), true)
    }))

  for (const [failure, code] of [["not_found", "ENOTFOUND"], ["try_again", "EAI_AGAIN"]] as const) {
    it.live(`fails to look a name up as the system does: ${code}`, () =>
      Effect.gen(function*() {
        const { asked, proxy, session } = yield* setup()
        const injection = yield* session.inject(Plan.of(leg, { type: "dns", failure }))
        const { connect } = yield* proxy.prepare
        const error = yield* Effect.callback<NodeJS.ErrnoException>((resume) => {
          connect("appservice.test").on("error", (error) => resume(Effect.succeed(error)))
        })
        assert.strictEqual(error.code, code)
        assert.strictEqual(error.message, `getaddrinfo ${code} appservice.test`)
        assert.strictEqual(error.syscall, "getaddrinfo")
        assert.strictEqual(yield* injection.applied, 1)
        assert.deepStrictEqual(yield* journalOf(session), ["connecting", "decided", "not_resolved", "applied"])
        assert.deepStrictEqual(asked, [])
      }))
  }

  it.live("never answers a client that asks for a name, when the name server hangs", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      const injection = yield* session.inject(Plan.of(leg, { type: "dns", failure: "hang" }))
      const { connect } = yield* proxy.prepare
      const ended = yield* Effect.timeoutOption(observe(proxy.url, { connect }), "100 millis")
      assert.strictEqual(ended._tag, "None")
      assert.strictEqual(yield* injection.applied, 1)
    }))
})

describe("WireProxy: a client that does not prepare", { timeout: 30_000 }, () => {
  it.live("is reset where its name should not have been found, and that does not count as applied", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const injection = yield* session.inject(Plan.of(leg, { type: "dns", failure: "not_found" }))
      assert.strictEqual((yield* observe(proxy.url)).ending, "rst")
      const [report] = yield* injection.report
      assert.deepInclude(report, { matched: 1, fired: 1, applied: 0 })
      assert.deepStrictEqual(asked, [])
    }))

  it.live("is told apart by its connection and decided when it is accepted", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      yield* session.inject(Plan.of(leg, Fault.resetPeer({ phase: "accept" }), { match: { connection: 2 } }))
      const endings = yield* Effect.replicateEffect(Effect.map(observe(proxy.url), ({ ending }) => ending), 3)
      assert.deepStrictEqual(endings, ["fin", "rst", "fin"])
    }))
})

describe.runIf(process.platform === "linux")("WireProxy: never accepted", { timeout: 30_000 }, () => {
  const connects = (connect: () => Net.Socket) =>
    Effect.callback<boolean>((resume) => {
      const socket = connect()
      socket.on("connect", () => resume(Effect.succeed(true)))
      socket.on("error", () => resume(Effect.succeed(true)))
      return Effect.sync(() => socket.destroy())
    })

  it.live("lets every client wait for a connection, and has the same port again when it is healed", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const connect = () => Net.connect({ host: "127.0.0.1", port: proxy.port })
      for (let i = 0; i < 2; i++) {
        yield* Effect.scoped(Effect.gen(function*() {
          yield* session.inject(Plan.of(leg, { type: "never_accepted" }))
          const waiting = yield* Effect.all(
            Array.from({ length: 5 }, () => Effect.timeoutOption(connects(connect), "150 millis")),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(waiting.map(({ _tag }) => _tag), ["None", "None", "None", "None", "None"])
        }))
        assert.include((yield* observe(proxy.url)).text, answer.body)
      }
      assert.strictEqual(asked.length, 2)
    }))

  it.live("lets exactly the one client wait that the plan means", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const injection = yield* session.inject(Plan.of(leg, { type: "never_accepted" }, { when: { nth: 2 } }))
      const first = yield* proxy.prepare
      assert.strictEqual((yield* observe(proxy.url, { connect: first.connect })).ending, "fin")
      const second = yield* proxy.prepare
      const waiting = yield* Effect.timeoutOption(connects(second.connect), "150 millis")
      assert.strictEqual(waiting._tag, "None")
      const third = yield* proxy.prepare
      assert.strictEqual((yield* observe(proxy.url, { connect: third.connect })).ending, "fin")
      assert.strictEqual(yield* injection.applied, 1)
      assert.strictEqual(asked.length, 2)
      assert.include(yield* journalOf(session), "ignored")
    }))
})

describe("WireProxy: the whole leg", { timeout: 30_000 }, () => {
  it.live("crash: resets every connection, refuses new ones, and is back after its time", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const injection = yield* session.inject(
        Plan.of(leg, Fault.crash({ down_for: "200 millis" }), { match: { path: "/crash" } })
      )
      const idle = yield* Effect.forkChild(observe(proxy.url, { send: [{ text: ping({ keepAlive: true }) }] }))
      yield* untilCount(session, "sent", 1)
      const crashed = yield* observe(proxy.url, { send: [{ text: ping({ path: "/crash" }) }] })
      assert.strictEqual(crashed.ending, "rst")
      assert.strictEqual(crashed.text, "")
      assert.isFalse(yield* isOpen(proxy.port))
      const other = yield* Fiber.join(idle)
      assert.include(other.text, answer.body)
      assert.strictEqual(other.ending, "rst")
      yield* until(isOpen(proxy.port), true)
      assert.include((yield* observe(proxy.url)).text, answer.body)
      assert.strictEqual(yield* injection.applied, 1)
      assert.deepStrictEqual(asked, ["/_matrix/app/v1/ping", "/_matrix/app/v1/ping"])
      yield* untilCount(session, "closed server rst", 2)
    }))

  it.live("fifty connections at once get what each of them is meant to", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const actions: ReadonlyArray<{ readonly fault: Fault.Fault; readonly ending: string; readonly text: string }> = [
        { fault: Fault.pass, ending: "fin", text: answer.body },
        { fault: Fault.resetPeer({ phase: "in_headers" }), ending: "rst", text: "HTTP/1.1 200 OK" },
        { fault: Fault.close({ phase: "before_headers" }), ending: "fin", text: "" },
        { fault: Fault.status(503, { body: "no" }), ending: "fin", text: "HTTP/1.1 503 " },
        { fault: Fault.lostAnswer("rst"), ending: "rst", text: "" }
      ]
      yield* session.inject({
        rules: actions.map(({ fault }, index) => ({
          leg,
          fault,
          match: { transaction_id: Array.from({ length: 10 }, (_, n) => `ping-${n * 5 + index}`) }
        }))
      })
      const seen = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, n) => n),
        (n) => observe(proxy.url, { send: [{ text: ping({ id: `ping-${n}` }) }] }),
        { concurrency: "unbounded" }
      )
      for (const [n, { ending, text }] of seen.entries()) {
        const wanted = actions[n % 5]
        assert.strictEqual(ending, wanted?.ending, `ping-${n}`)
        assert.include(text, wanted?.text ?? "", `ping-${n}`)
        if (wanted?.text === "") assert.strictEqual(text, "")
      }
      assert.strictEqual(asked.length, 20)
      yield* until(
        Effect.map(journalOf(session), (all) => all.filter((kind) => kind.startsWith("closed")).length),
        50
      )
    }))

  it.live("fifty clients that prepare at once get a refusal or an answer, each as it was decided", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const injection = yield* session.inject(Plan.of(leg, Fault.refused, { when: { every: 2 } }))
      const endings = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, n) => n),
        () => Effect.flatMap(proxy.prepare, ({ connect }) => observe(proxy.url, { connect })),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        endings.map(({ ending }) => ending),
        Array.from({ length: 50 }, (_, n) => n % 2 === 0 ? "fin" : "refused")
      )
      assert.strictEqual(yield* injection.applied, 25)
      assert.strictEqual(asked.length, 25)
    }))

  it.live("a FIN while the client still sends stays a FIN: what it sends is read and thrown away", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      yield* session.inject(Plan.of(leg, Fault.close({ phase: "request" })))
      const text = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n${"x".repeat(3_000_000)}`
      for (let i = 0; i < 5; i++) {
        assert.strictEqual((yield* observe(proxy.url, { send: [{ text }] })).ending, "fin")
      }
      assert.deepStrictEqual(asked, [])
    }))

  it.live("a client that leaves is seen behind all that it has sent while a fault stalls", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      yield* session.inject(Plan.of(leg, Fault.stall({ phase: "request" })))
      const text = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n${"x".repeat(5_000_000)}`
      const stalled = yield* Effect.forkChild(observe(proxy.url, { send: [{ text }], closeAfter: 0 }))
      yield* untilCount(session, "closed client fin", 1)
      yield* Fiber.join(stalled)
    }))

  it.live("a fault of the next request has not struck a client that sends none", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      const injection = yield* session.inject(Plan.of(leg, Fault.resetPeer({ phase: "next_request" })))
      const seen = yield* observe(proxy.url, { send: [{ text: ping({ keepAlive: true }) }], closeAfter: 1 })
      assert.include(seen.text, answer.body)
      yield* untilCount(session, "closed client fin", 1)
      const [report] = yield* injection.report
      assert.deepInclude(report, { fired: 1, applied: 0 })
    }))

  it.live("a client that leaves while a fault makes it wait has met the fault", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const injection = yield* session.inject(Plan.of(leg, Fault.latency("1 minute")))
      const waiting = yield* Effect.forkChild(observe(proxy.url))
      yield* untilCount(session, "applied", 1)
      yield* Fiber.interrupt(waiting)
      yield* untilCount(session, "closed client fin", 1)
      assert.strictEqual(yield* injection.applied, 1)
      assert.deepStrictEqual(asked, [])
    }))

  it.live("a fault concerns what is decided while it is in force, and what it made stall stays so", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      const scope = yield* Scope.make()
      yield* Scope.provide(session.inject(Plan.of(leg, Fault.stall({ phase: "before_headers" }))), scope)
      const stalled = yield* Effect.forkChild(observe(proxy.url))
      yield* untilCount(session, "hung", 1)
      yield* Scope.close(scope, Exit.void)
      assert.include((yield* observe(proxy.url)).text, answer.body)
      assert.isUndefined(stalled.pollUnsafe())
      yield* Fiber.interrupt(stalled)
      yield* untilCount(session, "closed client fin", 1)
    }))

  it.live("heals when the effect that broke it is interrupted", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup()
      const broken = yield* Effect.forkChild(
        Effect.scoped(Effect.andThen(session.inject(Plan.of(leg, Fault.refused)), Effect.never))
      )
      yield* until(isOpen(proxy.port), false)
      yield* Fiber.interrupt(broken)
      assert.isTrue(yield* isOpen(proxy.port))
    }))

  it.live("lets go of its connections, its port, its thread and everything else when the scope closes", () =>
    Effect.gen(function*() {
      const handles = Effect.sync(() =>
        process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP") || name === "Worker").length
      )
      // What earlier tests have left is on its way out.
      yield* until(handles, 0)
      const scope = yield* Scope.make()
      const { proxy, session } = yield* Scope.provide(setup(), scope)
      yield* Scope.provide(
        session.inject({
          rules: [
            { leg, fault: { type: "never_accepted" }, when: { nth: 2 } },
            { leg, fault: Fault.stall({ phase: "in_body" }) }
          ]
        }),
        scope
      )
      const stalled = yield* Effect.forkChild(observe(proxy.url))
      yield* untilCount(session, "hung", 1)
      const { connect } = yield* proxy.prepare
      connect().on("error", () => {}).destroy()
      yield* Scope.close(scope, Exit.void)
      const seen = yield* Fiber.join(stalled)
      assert.strictEqual(seen.ending, "fin")
      assert.strictEqual((yield* journalOf(session)).at(-1), "closed server gone")
      assert.strictEqual((yield* observe(proxy.url)).ending, "refused")
      const server = Net.createServer()
      yield* Effect.callback<void, Error>((resume) => {
        server.once("error", (error) => resume(Effect.fail(error)))
        server.listen(proxy.port, "127.0.0.1", () => resume(Effect.void))
      })
      yield* Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
      yield* until(handles, 0)
    }))

  it.live("fails with the port and the reason when the port is taken or is none", () =>
    Effect.gen(function*() {
      const { session, upstream } = yield* setup()
      const taken = yield* Effect.flip(WireProxy.listen({ leg, session, upstream, port: upstream.port }))
      assert.strictEqual(taken.code, "EADDRINUSE")
      assert.strictEqual(taken.port, upstream.port)
      const none = yield* Effect.flip(WireProxy.listen({ leg, session, upstream, port: 70_000 }))
      assert.strictEqual(none.code, "ERR_SOCKET_BAD_PORT")
    }))

  it.live("listens on the address of a name, and fails with the reason where it has none", () =>
    Effect.gen(function*() {
      const { proxy, session, upstream } = yield* setup({ host: "localhost" })
      assert.notStrictEqual(Net.isIP(proxy.host), 0)
      assert.strictEqual((yield* observe(new URL(`http://${proxy.host}:${proxy.port}`))).ending, "fin")
      const unknown = yield* Effect.flip(WireProxy.listen({ leg, session, upstream, host: "" }))
      assert.deepStrictEqual([unknown.host, unknown.code], ["", "ENOTFOUND"])
    }))

  it.live("tells a client that prepares when its connection cannot be prepared", () =>
    Effect.gen(function*() {
      const { session, upstream } = yield* setup()
      const broken = { ...session, connection: () => Effect.die("no more memory") }
      const proxy = yield* WireProxy.listen({ leg, session: broken, upstream })
      const connect = yield* PreparedAgent.connector([proxy])
      const error = yield* Effect.callback<Error | null>((resume) => {
        connect({ host: proxy.host, port: proxy.port }, (error) => resume(Effect.succeed(error)))
      })
      assert.strictEqual(error?.message, "The connection could not be prepared")
    }))
})
