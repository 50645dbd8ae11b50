// Goal: it does not matter in which order a bridge, its homeserver and the proxy in front of that start. Method: each
// refuses connections until it is started; the gate has to end confirmed, by a verified ping, and not before.
import * as Gate from "@appservice-ping/client/Gate"
import * as VerifiedPing from "@appservice-ping/client/VerifiedPing"
import * as NodeListener from "@appservice-ping/node/NodeListener"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as MemoryHttpClient from "@appservice-ping/testbed/carrier/memory/MemoryHttpClient"
import * as MemoryNetwork from "@appservice-ping/testbed/carrier/memory/MemoryNetwork"
import * as MemoryTransport from "@appservice-ping/testbed/carrier/memory/MemoryTransport"
import * as WireProxy from "@appservice-ping/testbed/carrier/wire/WireProxy"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import { registration } from "@appservice-ping/testbed/Testbed"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { HttpBody, HttpClient } from "effect/http"
import { TestClock } from "effect/testing"

const parts = ["listener", "homeserver", "proxy"] as const

type Part = typeof parts[number]

const orders: ReadonlyArray<readonly [Part, Part, Part]> = [
  ["listener", "homeserver", "proxy"],
  ["listener", "proxy", "homeserver"],
  ["homeserver", "listener", "proxy"],
  ["homeserver", "proxy", "listener"],
  ["proxy", "listener", "homeserver"],
  ["proxy", "homeserver", "listener"]
]

/** Each part has a session of its own, so that it does not matter which leg it is on. */
const leg = "to_appservice" as const

/** Refuses connections until it is started. */
const startable = Effect.fnUntraced(function*(session: Session.Session["Service"]) {
  const down = yield* Scope.make()
  yield* session.inject(Plan.of("to_appservice", Fault.refused)).pipe(Effect.provideService(Scope.Scope, down))
  return { start: Scope.close(down, Exit.void) }
})

const makeSessions = Effect.map(
  Effect.all([Session.make(), Session.make(), Session.make()]),
  ([listener, homeserver, proxy]) => ({ listener, homeserver, proxy })
)

const makeStarts = Effect.fnUntraced(function*(sessions: Effect.Success<typeof makeSessions>) {
  return {
    listener: yield* startable(sessions.listener),
    homeserver: yield* startable(sessions.homeserver),
    proxy: yield* startable(sessions.proxy)
  }
})

const badGateway = { status: 502, headers: { "content-type": "text/html" }, body: "<html>Bad Gateway</html>" }

/** Passes requests on as nginx does, and has a page of its own where nobody takes them. */
const proxyTo = (upstream: URL, httpClient: HttpClient.HttpClient): Handler => (request) =>
  Effect.gen(function*() {
    const authorization = request.header("authorization")
    const response = yield* httpClient.post(new URL(request.target, upstream), {
      headers: authorization === undefined ? {} : { authorization },
      body: HttpBody.uint8Array(yield* request.body(1024), "application/json")
    })
    return { status: response.status, headers: { "content-type": "application/json" }, body: yield* response.text }
  }).pipe(Effect.catch(() => Effect.succeed(badGateway)))

const makeListener = (verified: VerifiedPing.VerifiedPing["Service"]) =>
  Effect.map(
    Layer.build(Appservice.layer({ registration, onPing: verified.received })),
    Context.get(Appservice.Appservice)
  )

const makeHomeserver = (url: string, transport: OutgoingTransport["Service"]) =>
  Effect.map(
    Layer.build(
      Homeserver.layer().pipe(Layer.provide([
        Layer.orDie(AppserviceRegistry.layer([{ ...registration, url }])),
        OutgoingPing.layer().pipe(Layer.provide(Layer.succeed(OutgoingTransport, transport)))
      ]))
    ),
    Context.get(Homeserver.Homeserver)
  )

/** What an attempt may find as long as something is missing: nothing of it is for a person to fix. */
const passing = new Set(["HomeserverUnreachable", "NotHomeserver", "M_CONNECTION_FAILED"])

describe("in memory, on virtual time", () => {
  const urls = {
    listener: new URL("http://appservice.test:29300"),
    homeserver: new URL("http://homeserver.test"),
    proxy: new URL("http://proxy.test")
  }

  const make = Effect.gen(function*() {
    const sessions = yield* makeSessions
    const starts = yield* makeStarts(sessions)
    const verified = yield* VerifiedPing.make()

    const listener = {
      leg,
      url: urls.listener,
      session: sessions.listener,
      handle: (yield* makeListener(verified)).handle
    }
    const { handle } = yield* makeHomeserver(
      urls.listener.href,
      MemoryTransport.make(yield* MemoryNetwork.make([listener]))
    )
    const homeserver = { leg, url: urls.homeserver, session: sessions.homeserver, handle }
    const proxy = {
      leg,
      url: urls.proxy,
      session: sessions.proxy,
      handle: proxyTo(urls.homeserver, yield* MemoryHttpClient.make(yield* MemoryNetwork.make([homeserver])))
    }
    const ping = verified.ping({ homeserver: urls.proxy, registration }).pipe(
      Effect.provideService(HttpClient.HttpClient, yield* MemoryHttpClient.make(yield* MemoryNetwork.make([proxy])))
    )
    return { starts, ping }
  })

  for (const order of orders) {
    for (const delays of [[0, 0, 0], [500, 1000, 5000], [7000, 1, 60_000], [20_000, 200_000, 1]] as const) {
      it.effect(`A10 the gate ends confirmed: ${order.join(", ")}, after ${delays.join(", ")} ms`, () =>
        Effect.gen(function*() {
          const { ping, starts } = yield* make
          const failures: Array<string> = []
          const fiber = yield* Effect.forkChild(Gate.wait({
            ping,
            onEvent: (event) =>
              Effect.sync(() => {
                if (event._tag === "Failed") failures.push(event.error._tag)
              })
          }))
          for (const [index, part] of order.entries()) {
            yield* TestClock.adjust(`${delays[index] ?? 0} millis`)
            assert.isUndefined(fiber.pollUnsafe(), `confirmed without the ${part}`)
            yield* starts[part].start
          }
          // The longest wait between two attempts.
          yield* TestClock.adjust("30 seconds")
          assert.isDefined(fiber.pollUnsafe())
          const confirmed = yield* Fiber.join(fiber)
          assert.match(confirmed.transactionId, /^ping-/)
          assert.isAtLeast(failures.length, 1)
          for (const tag of failures) assert.isTrue(passing.has(tag), tag)
        }))
    }
  }

  it.effect("A10 the gate gives up at its deadline where the listener never starts, and says what is missing", () =>
    Effect.gen(function*() {
      const { ping, starts } = yield* make
      const fiber = yield* Effect.forkChild(Effect.flip(Gate.wait({ ping, jitter: 0, deadline: "31 seconds" })))
      yield* Effect.all([starts.proxy.start, starts.homeserver.start])
      yield* TestClock.adjust("14999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { attempts, diagnosis, reason } = yield* Fiber.join(fiber)
      assert.deepStrictEqual([reason, attempts], ["deadline", 5])
      assert.match(diagnosis.cause, /Nothing listens where the appservice/)
    }))
})

describe("on sockets, in real time", () => {
  const make = Effect.gen(function*() {
    const sessions = yield* makeSessions
    const verified = yield* VerifiedPing.make()
    const client = yield* Layer.build(NodeHttpClient.layerNodeHttp)
    const transport = yield* Layer.build(NodeTransport.layer())

    const open = Effect.fnUntraced(function*(part: Part, handle: Handler) {
      const upstream = yield* NodeListener.listen(handle, { port: 0, shutdownGrace: 0 })
      return (yield* WireProxy.listen({ leg, upstream, session: sessions[part] })).url
    })
    const listener = yield* open("listener", (yield* makeListener(verified)).handle)
    const { handle } = yield* makeHomeserver(listener.href, Context.get(transport, OutgoingTransport))
    const homeserver = yield* open("homeserver", handle)
    const proxy = yield* open("proxy", proxyTo(homeserver, Context.get(client, HttpClient.HttpClient)))
    return {
      starts: yield* makeStarts(sessions),
      ping: verified.ping({ homeserver: proxy, registration }).pipe(Effect.provide(client))
    }
  })

  for (const order of orders) {
    it.live(`A10 the gate ends confirmed at the first attempt that finds all: ${order.join(", ")}`, () =>
      Effect.gen(function*() {
        const { ping, starts } = yield* make
        const events: Array<string> = []
        const confirmed = yield* Gate.wait({
          ping,
          firstDelay: "1 millis",
          maxDelay: "5 millis",
          deadline: "20 seconds",
          // What comes next starts when an attempt has failed without it, so that nothing here depends on time.
          onEvent: (event) => {
            const next = event._tag === "Failed" ? order[event.number - 1] : undefined
            events.push(event._tag === "Failed" ? event.error._tag : event._tag)
            return next === undefined ? Effect.void : starts[next].start
          }
        })
        assert.match(confirmed.transactionId, /^ping-/)
        const failures = events.filter((event) => event !== "Attempt" && event !== "Connected")
        assert.lengthOf(failures, 3)
        for (const tag of failures) assert.isTrue(passing.has(tag), tag)
        assert.strictEqual(events.at(-1), "Connected")
      }))
  }
})
