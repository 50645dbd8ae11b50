import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as MemoryHttpClient from "@appservice-ping/testbed/carrier/memory/MemoryHttpClient"
import * as MemoryNetwork from "@appservice-ping/testbed/carrier/memory/MemoryNetwork"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import { type Happening, toText } from "@appservice-ping/testbed/play/Journal"
import * as Session from "@appservice-ping/testbed/play/Session"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import type { Step } from "@appservice-ping/testbed/step/Step"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Stream } from "effect"
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

const ok: Handler = () => Effect.succeed({ status: 200, headers: { "content-type": "application/json" }, body: "{}" })

const dies: Handler = () => Effect.die("reached")

interface SetupOptions extends MemoryHttpClient.MemoryHttpClientOptions {
  readonly handle?: Handler
  readonly url?: URL
}

const setup = Effect.fnUntraced(function*(options: SetupOptions = {}) {
  const session = yield* Session.make()
  const server = {
    url: options.url ?? url,
    handle: options.handle ?? ok,
    leg: "to_appservice",
    session
  } as const
  return { session, client: yield* MemoryHttpClient.make(yield* MemoryNetwork.make([server]), options) }
})

const post = (client: HttpClient.HttpClient, path = "/ping?a=b") =>
  client.post(new URL(path, url), { headers: { "x-a": "1" } })

const ask = (client: HttpClient.HttpClient, at: URL = url) =>
  Effect.flatMap(client.post(new URL("/ping", at)), (response) => response.text)

const script = (...steps: ReadonlyArray<Step>): Fault.Fault => ({ type: "script", steps })

const bytes = (text: string): Step => ({ step: "write", bytes: new TextEncoder().encode(text) })

const wait = (duration: Duration.Duration): Step => ({ step: "wait", duration })

/** The journal in short: what happened, on which connection, and what is particular to it. */
const shown = (what: Happening): string => {
  const exchange = "exchange" in what ? `.${what.exchange}` : ""
  const where = "connection" in what ? ` ${what.connection}${exchange}` : ""
  const more = [
    ..."status" in what ? [what.status] : [],
    ..."bytes" in what ? [`${what.bytes} B`] : [],
    ..."by" in what ? [what.by, what.how] : [],
    ..."millis" in what ? [`${what.millis} ms`] : [],
    ..."certificate" in what ? [what.certificate] : [],
    ..."action" in what ? [what.action] : [],
    ..."failure" in what ? [what.failure] : []
  ]
  return [`${what.event}${where}`, ...more].join(" ")
}

const journalOf = (session: Session.Session["Service"]) =>
  Effect.map(session.journal, (entries) => entries.map(({ what }) => shown(what)))

/** Reason, code and text of a failure, and its kind. */
const failureOf = (client: HttpClient.HttpClient, at: URL = url) =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(ask(client, at))
    if (error._tag !== "HttpClientError") return error._tag
    const cause: unknown = error.reason.cause
    const text = cause instanceof Error ? cause.message : ""
    return `${error.reason._tag}: ${text} (${ConnectionFailure.fromUnknown(error).kind})`
  })

describe("MemoryHttpClient", () => {
  it.effect("carries method, target, headers and body to the handler, and its answer back", () =>
    Effect.gen(function*() {
      const { client } = yield* setup({ handle: echo })
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
      const body = (body: string): Handler => () => Effect.succeed({ status: 200, headers: {}, body })
      const { client } = yield* setup({ handle: body("{\"a\":1}") })
      assert.deepStrictEqual(yield* (yield* post(client)).json, { a: 1 })
      assert.strictEqual((yield* (yield* post(client)).arrayBuffer).byteLength, 7)
      assert.strictEqual(
        yield* Stream.mkString(Stream.decodeText((yield* post(client)).stream)),
        "{\"a\":1}"
      )
      const { client: broken } = yield* setup({ handle: body("{") })
      const error = yield* Effect.flip(Effect.flatMap(post(broken), (response) => response.json))
      assert.strictEqual(error.reason._tag, "DecodeError")
    }))

  it.effect("answers 500 for a handler that dies, as a listener does", () =>
    Effect.gen(function*() {
      const { client } = yield* setup({ handle: dies })
      assert.strictEqual((yield* post(client)).status, 500)
    }))

  it.effect("gives no body where the request was a HEAD or the status has none", () =>
    Effect.gen(function*() {
      const handle: Handler = ({ method }) =>
        Effect.succeed({ status: method === "HEAD" ? 200 : 204, headers: {}, body: "never" })
      const { client } = yield* setup({ handle })
      assert.strictEqual(yield* (yield* client.head(url)).text, "")
      assert.strictEqual(yield* (yield* client.get(url)).text, "")
    }))

  it.effect("tells a host that is not there from a port that is not there", () =>
    Effect.gen(function*() {
      const { client, session } = yield* setup()
      const at = (text: string) => failureOf(client, new URL(text))
      assert.include(yield* at("http://elsewhere.test:29300/"), "TransportError: getaddrinfo ENOTFOUND elsewhere.test")
      assert.include(yield* at("http://appservice.test/"), "TransportError: connect ECONNREFUSED appservice.test:80")
      assert.deepStrictEqual(yield* journalOf(session), [])
      // There is a port, which does not speak TLS.
      assert.include(yield* at("https://appservice.test:29300/"), "(tls)")
    }))

  it.effect("needs no session", () =>
    Effect.gen(function*() {
      const client = yield* MemoryHttpClient.make(
        yield* MemoryNetwork.make([{ url, handle: ok, leg: "to_appservice" }])
      )
      const once = ask(client)
      assert.strictEqual(yield* once, "{}")
      // The same request again is another one.
      assert.strictEqual(yield* once, "{}")
    }))
})

describe("MemoryHttpClient, the journal", () => {
  it.effect("tells of a healthy exchange from the connection to its end", () =>
    Effect.gen(function*() {
      const { client, session } = yield* setup()
      yield* ask(client)
      const head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nConnection: close\r\n\r\n"
      assert.deepStrictEqual<unknown>(
        yield* session.journal,
        [
          { event: "connecting", leg: "to_appservice", connection: 1 },
          { event: "connected", leg: "to_appservice", connection: 1 },
          {
            event: "request",
            leg: "to_appservice",
            connection: 1,
            exchange: 1,
            method: "POST",
            path: "/ping",
            attempt: 1
          },
          { event: "asked", leg: "to_appservice", connection: 1, exchange: 1 },
          { event: "answered", leg: "to_appservice", connection: 1, exchange: 1, status: 200 },
          { event: "sent", leg: "to_appservice", connection: 1, exchange: 1, bytes: head.length + 2 },
          { event: "closed", leg: "to_appservice", connection: 1, by: "server", how: "fin" }
        ].map((what, index) => ({ n: index + 1, time: 0, what }))
      )
    }))

  it.effect("says with which certificate the connection is secured", () =>
    Effect.gen(function*() {
      const secure = new URL("https://appservice.test:29300")
      const { client, session } = yield* setup({ url: secure })
      yield* ask(client, secure)
      assert.deepStrictEqual((yield* journalOf(session)).slice(0, 4), [
        "connecting 1",
        "connected 1",
        "secured 1 good",
        "request 1.1"
      ])
    }))

  const after = ["connecting 1", "connected 1", "request 1.1", "decided 1.1 Play"]
  const forwarded = [...after, "asked 1.1", "answered 1.1 200"]
  const cases: ReadonlyArray<readonly [Fault.Fault, ReadonlyArray<string>]> = [
    [{ type: "dns", failure: "not_found" }, [
      "connecting 1",
      "decided 1 Resolve",
      "not_resolved 1 not_found",
      "applied 1"
    ]],
    [Fault.refused, ["connecting 1", "decided 1 Refuse", "refused 1", "applied 1"]],
    [Fault.resetPeer({ phase: "accept" }), [
      "connecting 1",
      "decided 1 Play",
      "connected 1",
      "applied 1",
      "closed 1 server rst"
    ]],
    [Fault.resetPeer({ phase: "before_headers" }), [...after, "sent 1.1 0 B", "applied 1.1", "closed 1 server rst"]],
    [Fault.close({ phase: "in_body", framing: "until_close" }), [
      ...after,
      "sent 1.1 75 B",
      "applied 1.1",
      "closed 1 server fin"
    ]],
    [Fault.latency("2 seconds"), [
      ...after,
      "applied 1.1",
      "waited 1 2000 ms",
      "asked 1.1",
      "answered 1.1 200",
      "sent 1.1 128 B",
      "closed 1 server fin"
    ]],
    [Fault.latency("2 seconds", { phase: "response" }), [
      ...forwarded,
      "applied 1.1",
      "waited 1 2000 ms",
      "sent 1.1 128 B",
      "closed 1 server fin"
    ]],
    [Fault.lostAnswer("fin"), [...forwarded, "sent 1.1 0 B", "applied 1.1", "closed 1 server fin"]],
    [{ type: "limit_data", bytes: 12, how: "rst" }, [
      ...forwarded,
      "sent 1.1 12 B",
      "applied 1.1",
      "closed 1 server rst"
    ]],
    [{ type: "replayed" }, [
      ...forwarded,
      "asked 1.1",
      "answered 1.1 200",
      "sent 1.1 128 B",
      "applied 1.1",
      "closed 1 server fin"
    ]],
    [{ type: "duplicate" }, [...forwarded, "sent 1.1 256 B", "applied 1.1", "closed 1 server fin"]],
    [Fault.crash({ down_for: "1 second" }), [
      "connecting 1",
      "connected 1",
      "request 1.1",
      "decided 1.1 Crash",
      "sent 1.1 0 B",
      "applied 1.1",
      "closed 1 server rst"
    ]]
  ]
  for (const [fault, expected] of cases) {
    it.effect(`${Fault.describe(fault)}: each step, in order`, () =>
      Effect.gen(function*() {
        const { client, session } = yield* setup()
        yield* session.inject(Plan.of("to_appservice", fault))
        const fiber = yield* Effect.forkChild(Effect.result(ask(client)))
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(yield* journalOf(session), expected)
      }))
  }

  it.effect("says who was held back", () =>
    Effect.gen(function*() {
      const { client, session } = yield* setup()
      yield* session.inject(Plan.of("to_appservice", Fault.status(503), { when: { nth: 2 } }))
      yield* ask(client)
      assert.deepStrictEqual((yield* journalOf(session)).slice(2, 5), ["request 1.1", "suppressed 1.1", "asked 1.1"])
    }))

  it.effect("is the same to the byte when the same is done again", () =>
    Effect.gen(function*() {
      const plan: Plan.Plan = {
        seed: 42,
        rules: [
          { leg: "to_appservice", fault: Fault.status(503), when: { probability: 0.3 } },
          {
            leg: "to_appservice",
            fault: Fault.latency({ distribution: "exponential", mean: Duration.seconds(1) }),
            when: { probability: 0.5 }
          }
        ]
      }
      const journal = Virtual.run(
        Effect.gen(function*() {
          const { client, session } = yield* setup()
          yield* session.inject(plan)
          yield* Effect.forEach(Array.from({ length: 50 }), () => ask(client), { concurrency: 5 })
          return toText(yield* session.journal)
        }).pipe(Effect.scoped)
      )
      const first = yield* journal
      assert.match(first, /"event":"waited"/)
      assert.match(first, /"event":"suppressed"/)
      assert.strictEqual(yield* journal, first)
    }))
})

describe("MemoryHttpClient, steps and time", () => {
  const play = Effect.fnUntraced(function*(
    fault: Fault.Fault,
    options: SetupOptions = {}
  ) {
    const pair = yield* setup(options)
    const injection = yield* pair.session.inject(Plan.of("to_appservice", fault))
    return { ...pair, injection }
  })

  it.effect("answers in the handler's place, byte for byte", () =>
    Effect.gen(function*() {
      const { client } = yield* play(
        Fault.status(503, { headers: { "Retry-After": "5", "X-A": "b" }, body: "später" }),
        { handle: dies }
      )
      const response = yield* post(client)
      assert.strictEqual(response.status, 503)
      assert.strictEqual(response.headers["retry-after"], "5")
      assert.strictEqual(yield* response.text, "später")
    }))

  it.effect("waits for a latency on Effect's clock, to the millisecond", () =>
    Effect.gen(function*() {
      const { client } = yield* play(Fault.latency("1 hour"))
      const fiber = yield* Effect.forkChild(post(client))
      yield* TestClock.adjust("3599999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
    }))

  it.effect("gives each byte of a drip when it comes", () =>
    Effect.gen(function*() {
      const { client } = yield* play(Fault.drip({ gap: "1 second", status: 200, body: "ab" }))
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

  it.effect("gives the pieces of a bandwidth one after the other", () =>
    Effect.gen(function*() {
      const { client } = yield* play({ type: "bandwidth", bytes_per_second: 10 })
      const fiber = yield* Effect.forkChild(ask(client))
      // 128 bytes, the first of them at once.
      yield* TestClock.adjust("12699 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "{}")
    }))

  it.effect("gives the part of a body that came before the cut", () =>
    Effect.gen(function*() {
      const { client } = yield* play(Fault.close({ phase: "in_body" }))
      const response = yield* post(client)
      assert.strictEqual(response.status, 200)
      let got = ""
      const error = yield* Effect.flip(
        Stream.runForEach(Stream.decodeText(response.stream), (text) =>
          Effect.sync(() => {
            got += text
          }))
      )
      assert.strictEqual(got, "{\"cut\":")
      assert.strictEqual(error.reason._tag, "DecodeError")
    }))

  it.effect("relays from and to a byte, of the whole or of the body, from the start or from the end", () =>
    Effect.gen(function*() {
      const body = "0123456789"
      const handle: Handler = () => Effect.succeed({ status: 200, headers: {}, body })
      const head = (length: number) => bytes(`HTTP/1.1 200 \r\nContent-Length: ${length}\r\n\r\n`)
      const relayed = Effect.fnUntraced(function*(length: number, relay: Step) {
        const { client } = yield* play(script({ step: "forward" }, head(length), relay), { handle })
        return yield* ask(client)
      })
      assert.strictEqual(yield* relayed(10, { step: "relay", body: true }), body)
      assert.strictEqual(yield* relayed(3, { step: "relay", body: true, to: 3 }), "012")
      assert.strictEqual(yield* relayed(3, { step: "relay", body: true, from: 7 }), "789")
      assert.strictEqual(yield* relayed(2, { step: "relay", from: -2 }), "89")
      assert.strictEqual(yield* relayed(3, { step: "relay", body: true, from: 1, to: -6 }), "123")
    }))

  it.effect("closes where the steps leave off in the middle of an answer", () =>
    Effect.gen(function*() {
      const { client, session } = yield* play(script(bytes("HTTP/1.1 200 \r\nContent-Length: 9\r\n\r\n{}")))
      assert.include(yield* failureOf(client), "DecodeError: aborted (closed)")
      assert.deepStrictEqual((yield* journalOf(session)).slice(-2), ["applied 1.1", "closed 1 server fin"])
    }))

  it.effect("plays a whole connection, and reads the request only when the steps do", () =>
    Effect.gen(function*() {
      let asked = 0
      const handle: Handler = () => {
        asked++
        return Effect.succeed({ status: 200, headers: {}, body: "{}" })
      }
      const { client, session } = yield* play({
        type: "script",
        stage: "connection",
        steps: [
          wait(Duration.seconds(1)),
          { step: "secure", certificate: "good" },
          { step: "read" },
          { step: "forward" },
          { step: "relay" }
        ]
      }, { handle })
      const fiber = yield* Effect.forkChild(ask(client))
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(asked, 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(asked, 1)
      assert.strictEqual(yield* Fiber.join(fiber), "{}")
      assert.deepStrictEqual(yield* journalOf(session), [
        "connecting 1",
        "decided 1 Play",
        "connected 1",
        "waited 1 1000 ms",
        "request 1.1",
        "asked 1.1",
        "answered 1.1 200",
        "sent 1.1 96 B",
        "applied 1",
        "closed 1 server fin"
      ])
    }))

  it.effect("fails where it listens to something that is no HTTP", () =>
    Effect.gen(function*() {
      const { client } = yield* play(Fault.head("not_http"), { handle: dies })
      assert.strictEqual(
        yield* failureOf(client),
        "TransportError: Parse Error: Expected HTTP/, RTSP/ or ICE/ (malformed)"
      )
    }))

  it.effect("waits for ever for a connection that does not come about", () =>
    Effect.gen(function*() {
      for (const fault of [{ type: "never_accepted" }, { type: "dns", failure: "hang" }] as const) {
        const { client, injection } = yield* play(fault)
        const endless = yield* Effect.forkChild(failureOf(client))
        yield* TestClock.adjust("1000 days")
        assert.isUndefined(endless.pollUnsafe())
        assert.strictEqual(yield* injection.applied, 1)
        yield* Fiber.interrupt(endless)
      }
    }))

  it.effect("leaves the encoding of a body to its reader", () =>
    Effect.gen(function*() {
      const { client } = yield* play({ type: "body", defect: "bad_gzip" })
      assert.strictEqual(yield* ask(client), "{}")
    }))
})

describe("MemoryHttpClient, who leaves", () => {
  it.effect("stalls for ever, and a client that gives up closes", () =>
    Effect.gen(function*() {
      for (const phase of ["accept", "request", "before_headers", "in_headers", "in_body"] as const) {
        const { client, session } = yield* setup()
        yield* session.inject(Plan.of("to_appservice", Fault.stall({ phase })))
        const fiber = yield* Effect.forkChild(ask(client))
        yield* TestClock.adjust("1000 days")
        assert.isUndefined(fiber.pollUnsafe(), phase)
        assert.match((yield* journalOf(session)).at(-1) ?? "", /^applied/)
        yield* Fiber.interrupt(fiber)
        // A client lets go of a body a moment after it has stopped to read.
        yield* Effect.yieldNow
        assert.strictEqual((yield* journalOf(session)).at(-1), "closed 1 client fin")
      }
    }))

  it.effect("plays a latency to nobody who has left, and does not ask the application", () =>
    Effect.gen(function*() {
      const { client, session } = yield* setup({ handle: dies })
      yield* session.inject(Plan.of("to_appservice", Fault.latency("1 hour")))
      const fiber = yield* Effect.forkChild(ask(client))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual((yield* journalOf(session)).slice(-4), [
        "applied 1.1",
        "waited 1 3600000 ms",
        "sent 1.1 0 B",
        "closed 1 client fin"
      ])
    }))

  it.effect("lets the application go on for a second when its client has left, and not longer", () =>
    Effect.gen(function*() {
      let interrupted = 0
      const { client, session } = yield* setup({
        handle: () =>
          Effect.onInterrupt(Effect.never, () =>
            Effect.sync(() => {
              interrupted++
            }))
      })
      const fiber = yield* Effect.forkChild(ask(client), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* journalOf(session)).at(-1), "closed 1 client fin")
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(interrupted, 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(interrupted, 1)
    }))

  it.effect("lets go of a connection whose body nobody reads to its end", () =>
    Effect.gen(function*() {
      const { client, session } = yield* setup({ keepAlive: true })
      const response = yield* client.post(url)
      yield* Stream.runForEachWhile(response.stream, () => Effect.succeed(false))
      yield* Effect.yieldNow
      assert.strictEqual((yield* journalOf(session)).at(-1), "closed 1 client fin")
    }))
})

describe("MemoryHttpClient, connections that are kept", () => {
  const kept = Effect.fnUntraced(function*(fault: Fault.Fault | undefined, options: SetupOptions = {}) {
    const pair = yield* setup({ keepAlive: true, ...options })
    const injection = yield* pair.session.inject(
      fault === undefined ? Plan.healthy : Plan.of("to_appservice", fault, { when: { first: 1 } })
    )
    return { ...pair, injection }
  })

  it.effect("keeps a connection for the next request, and opens one more for requests at the same time", () =>
    Effect.gen(function*() {
      const { client, session } = yield* kept(undefined, { handle: (r) => Effect.delay(ok(r), "1 second") })
      const both = yield* Effect.forkChild(Effect.all([ask(client), ask(client)], { concurrency: 2 }))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(both)
      const third = yield* Effect.forkChild(ask(client))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(third)
      const journal = yield* journalOf(session)
      assert.deepStrictEqual(journal.filter((line) => /^(?:connected|request|closed)/.test(line)), [
        "connected 1",
        "connected 2",
        "request 1.1",
        "request 2.1",
        "request 2.2"
      ])
    }))

  it.effect("does not keep it where the client, the request or the answer says so", () =>
    Effect.gen(function*() {
      const { client: node, session: first } = yield* setup()
      yield* ask(node)
      yield* ask(node)
      assert.include(yield* journalOf(first), "connected 2")
      const { client: once, session: second } = yield* kept(undefined)
      yield* Effect.flatMap(once.post(url, { headers: { connection: "close" } }), ({ text }) => text)
      assert.strictEqual((yield* journalOf(second)).at(-1), "closed 1 server fin")
      const { client: last, session: third } = yield* kept(undefined, {
        handle: () => Effect.succeed({ status: 413, headers: { connection: "close" }, body: "" })
      })
      yield* ask(last)
      assert.strictEqual((yield* journalOf(third)).at(-1), "closed 1 server fin")
    }))

  const nextRequest: ReadonlyArray<readonly [Fault.Fault, string]> = [
    [Fault.close({ phase: "next_request" }), "TransportError: socket hang up (closed)"],
    [Fault.resetPeer({ phase: "next_request" }), "TransportError: read ECONNRESET (reset)"]
  ]
  for (const [fault, text] of nextRequest) {
    it.effect(`${Fault.describe(fault)}: fails the second request, and the third is well`, () =>
      Effect.gen(function*() {
        const { client, injection, session } = yield* kept(fault)
        assert.strictEqual(yield* ask(client), "{}")
        assert.strictEqual(yield* injection.applied, 0)
        assert.strictEqual(yield* failureOf(client), text)
        assert.strictEqual(yield* injection.applied, 1)
        assert.strictEqual(yield* ask(client), "{}")
        assert.deepStrictEqual((yield* journalOf(session)).filter((line) => /^(?:connected|closed)/.test(line)), [
          "connected 1",
          `closed 1 server ${fault.type === "close" ? "fin" : "rst"}`,
          "connected 2"
        ])
      }))
  }

  it.effect("stalls at the next request until its client leaves", () =>
    Effect.gen(function*() {
      const { client, injection, session } = yield* kept(Fault.stall({ phase: "next_request" }))
      yield* ask(client)
      const fiber = yield* Effect.forkChild(ask(client))
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(fiber.pollUnsafe())
      assert.strictEqual(yield* injection.applied, 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* journalOf(session)).at(-1), "closed 1 client fin")
    }))

  it.effect("has no next request to strike where the connection is not kept", () =>
    Effect.gen(function*() {
      const { client, injection, session } = yield* kept(Fault.stall({ phase: "next_request" }), { keepAlive: false })
      assert.strictEqual(yield* ask(client), "{}")
      assert.deepStrictEqual((yield* journalOf(session)).slice(-2), ["sent 1.1 128 B", "closed 1 server fin"])
      assert.strictEqual(yield* injection.applied, 0)
    }))

  for (const fault of [Fault.close({ phase: "after_answer" }), Fault.resetPeer({ phase: "after_answer" })]) {
    it.effect(`${Fault.describe(fault)}: hurts no later request, because the client has seen the end`, () =>
      Effect.gen(function*() {
        const { client, injection, session } = yield* kept(fault)
        assert.strictEqual(yield* ask(client), "{}")
        assert.strictEqual(yield* injection.applied, 1)
        assert.strictEqual(yield* ask(client), "{}")
        assert.include(yield* journalOf(session), "connected 2")
      }))
  }

  it.effect("uses an idle connection until the server closes it", () =>
    Effect.gen(function*() {
      const { client, session } = yield* kept(Fault.close({ phase: "after_answer", after: "5 seconds" }))
      yield* ask(client)
      yield* TestClock.adjust("5001 millis")
      assert.strictEqual((yield* journalOf(session)).at(-1), "closed 1 server fin")
      yield* ask(client)
      assert.include(yield* journalOf(session), "connected 2")
    }))

  it.effect("does not hear a request that comes while the server only waits to close", () =>
    Effect.gen(function*() {
      const { client, injection } = yield* kept({ type: "slow_close", delay: Duration.seconds(5) })
      yield* ask(client)
      const fiber = yield* Effect.forkChild(failureOf(client))
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "TransportError: socket hang up (closed)")
      assert.strictEqual(yield* injection.applied, 1)
    }))

  it.effect("drops a connection on which more came than the answer", () =>
    Effect.gen(function*() {
      const { client, session } = yield* kept({ type: "duplicate" })
      yield* ask(client)
      assert.strictEqual((yield* journalOf(session)).at(-1), "closed 1 client fin")
      yield* ask(client)
      assert.include(yield* journalOf(session), "connected 2")
    }))

  it.effect("decides again for each request, and by the number of the request on its connection", () =>
    Effect.gen(function*() {
      const { client, session } = yield* setup({ keepAlive: true })
      yield* session.inject(Plan.of("to_appservice", Fault.status(418), { match: { exchange: 2 } }))
      const statusOf = Effect.flatMap(client.post(url), (response) => Effect.as(response.text, response.status))
      assert.strictEqual(yield* statusOf, 200)
      assert.strictEqual(yield* statusOf, 418)
      assert.strictEqual(yield* statusOf, 200)
    }))
})

describe("MemoryHttpClient, a crash", () => {
  it.effect("resets every connection of the leg, refuses for as long as it says, and is back", () =>
    Effect.gen(function*() {
      const session = yield* Session.make()
      const slow: Handler = (request) =>
        request.target === "/slow" ? Effect.delay(ok(request), "1 minute") : ok(request)
      const server = { url, handle: slow, leg: "to_appservice", session } as const
      const network = yield* MemoryNetwork.make([server])
      const client = yield* MemoryHttpClient.make(network, { keepAlive: true })
      const other = yield* MemoryHttpClient.make(network)
      yield* session.inject(
        Plan.of("to_appservice", Fault.crash({ down_for: "5 seconds" }), { match: { path: "/ping" } })
      )
      // One that is busy, of another client, and one that is idle.
      const busy = yield* Effect.forkChild(Effect.flip(other.post(new URL("/slow", url))), { startImmediately: true })
      yield* Effect.flatMap(client.post(new URL("/fast", url)), ({ text }) => text)
      const more = yield* Effect.forkChild(Effect.flip(client.post(new URL("/slow", url))), { startImmediately: true })
      assert.include(yield* failureOf(client), "read ECONNRESET (reset)")
      for (const fiber of [busy, more]) {
        assert.strictEqual(ConnectionFailure.fromUnknown(yield* Fiber.join(fiber)).kind, "reset")
      }
      const closed = (yield* journalOf(session)).filter((line) => line.startsWith("closed"))
      assert.deepStrictEqual(closed, ["closed 1 server rst", "closed 2 server rst", "closed 3 server rst"])
      yield* TestClock.adjust("4999 millis")
      assert.include(yield* failureOf(client), "(refused)")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Effect.flatMap(client.post(new URL("/fast", url)), ({ text }) => text), "{}")
    }))
})
