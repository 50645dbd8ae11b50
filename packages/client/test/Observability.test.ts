// What an exporter of spans sees, and what trace context the homeserver does.
import * as Detection from "@appservice-ping/client/Detection"
import * as Gate from "@appservice-ping/client/Gate"
import * as Homeserver from "@appservice-ping/client/Homeserver"
import { ping } from "@appservice-ping/client/Ping"
import * as VerifiedPing from "@appservice-ping/client/VerifiedPing"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import { listen } from "./support/listener.ts"
import { answeringJson, asToken, memory, registration } from "./support/memory.ts"
import { recorder, shown } from "./support/tracing.ts"

const homeserver = new URL("https://user-canary:password-canary@matrix.example:8448/?query-canary=1#fragment-canary")

const sent = "https://matrix.example:8448/_matrix/client/v1/appservice/irc%20bridge/ping"

const called = { homeserver, registration, transactionId: "transaction" }

const forbidden = answeringJson(403, { errcode: "M_FORBIDDEN" })

const ok = () => answeringJson(200, { duration_ms: 12 })

const traced = Effect.fnUntraced(function*<A, E>(call: Effect.Effect<A, E>) {
  const { layer, spans } = recorder()
  const fiber = yield* Effect.forkChild(call.pipe(Effect.ignore, Effect.provide(layer)))
  yield* TestClock.adjust("1 hour")
  assert.isDefined(fiber.pollUnsafe())
  for (const secret of ["canary", asToken]) assert.notInclude(inspect(spans, { depth: 6 }), secret)
  return spans.map(shown)
})

const ours = {
  "matrix.appservice.id": "irc bridge",
  "server.address": "matrix.example",
  "server.port": 8448,
  "appservice_ping.path": "stable"
}

describe("the span of a ping", () => {
  it.effect("D8 has the appservice, the homeserver's address, the outcome and the homeserver's own measure", () =>
    Effect.gen(function*() {
      const [span, http] = yield* traced(ping(called).pipe(ok().provide))
      assert.deepStrictEqual(span, {
        name: "appservice_ping",
        attributes: { ...ours, "appservice_ping.outcome": "success", "appservice_ping.duration_ms": 12 },
        parent: undefined,
        succeeded: true
      })
      assert.strictEqual(http?.parent, "appservice_ping")
      assert.deepInclude(http?.attributes, {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "matrix.example",
        "url.full": sent
      })
    }))

  it.effect("D8 has the error's tag as outcome and type", () =>
    Effect.gen(function*() {
      const [span] = yield* traced(ping({ ...called, path: "unstable" }).pipe(forbidden.provide))
      assert.deepStrictEqual(span?.attributes, {
        ...ours,
        "appservice_ping.path": "unstable",
        "appservice_ping.outcome": "M_FORBIDDEN",
        "error.type": "M_FORBIDDEN"
      })
      assert.isFalse(span?.succeeded)
    }))

  it.effect("D8 has the port that the scheme means where the URL has none", () =>
    Effect.gen(function*() {
      for (const [url, port] of [["https://matrix.example", 443], ["http://matrix.example", 80]] as const) {
        const [span] = yield* traced(ping({ ...called, homeserver: new URL(url) }).pipe(ok().provide))
        assert.deepInclude(span?.attributes, { "server.address": "matrix.example", "server.port": port })
      }
    }))

  it.effect("D8 is one for an undecided ping too, and of few values for an errcode that a peer made up", () =>
    Effect.gen(function*() {
      const [undecided] = yield* traced(ping(called).pipe(memory(() => Effect.never).provide))
      assert.deepInclude(undecided?.attributes, { "appservice_ping.outcome": "Undecided" })
      const odd = answeringJson(400, { errcode: "COM.EXAMPLE_12345" })
      const [other] = yield* traced(ping(called).pipe(odd.provide))
      assert.deepInclude(other?.attributes, { "error.type": "OtherErrcode" })
    }))

  it.effect("D8 of the HTTP client shows the token redacted where headers are shown", () =>
    Effect.gen(function*() {
      const [, http] = yield* traced(
        ping(called).pipe(forbidden.provide, Effect.provideService(HttpClient.TracerHeaderFilter, () => true))
      )
      assert.include(http?.attributes, { "url.full": sent, "http.request.header.authorization": "<redacted>" })
      assert.notProperty(http?.attributes, "url.query")
    }))
})

describe("the spans around a ping", () => {
  it.effect("are one for each attempt of a gate, with its number and outcome, under one for the gate", () =>
    Effect.gen(function*() {
      const stub = memory((_, nth) =>
        Effect.sync(() =>
          nth === 0
            ? { raises: Object.assign(new Error(), { code: "ECONNREFUSED" }) }
            : Response.json({ duration_ms: 1 })
        )
      )
      const spans = yield* traced(Gate.wait({ ping: ping(called) }).pipe(stub.provide))
      assert.deepStrictEqual(spans.map(({ name, parent }) => [name, parent]), [
        ["appservice_ping.gate", undefined],
        ["appservice_ping.attempt", "appservice_ping.gate"],
        ["appservice_ping", "appservice_ping.attempt"],
        ["POST", "appservice_ping"],
        ["appservice_ping.attempt", "appservice_ping.gate"],
        ["appservice_ping", "appservice_ping.attempt"],
        ["POST", "appservice_ping"]
      ])
      assert.deepStrictEqual(spans[0]?.attributes, { "appservice_ping.outcome": "success" })
      assert.deepStrictEqual(spans[1]?.attributes, {
        "appservice_ping.attempt.number": 1,
        "appservice_ping.outcome": "HomeserverUnreachable",
        "error.type": "HomeserverUnreachable"
      })
      assert.deepStrictEqual(spans[4]?.attributes, {
        "appservice_ping.attempt.number": 2,
        "appservice_ping.outcome": "success"
      })
    }))

  it.effect("have the verified ping's own outcome", () =>
    Effect.gen(function*() {
      const verified = yield* VerifiedPing.make()
      const [span, inner] = yield* traced(verified.ping({ homeserver, registration }).pipe(ok().provide))
      assert.deepInclude(span, { name: "appservice_ping.verified" })
      assert.deepStrictEqual(span?.attributes, {
        "matrix.appservice.id": "irc bridge",
        "server.address": "matrix.example",
        "server.port": 8448,
        "appservice_ping.outcome": "AnsweredElsewhere",
        "error.type": "AnsweredElsewhere"
      })
      assert.deepInclude(inner?.attributes, { "appservice_ping.outcome": "success" })
    }))

  it.effect("have what was detected", () =>
    Effect.gen(function*() {
      const stub = answeringJson(200, { versions: ["v1.7"] })
      const detection = yield* Detection.make({ homeserver }).pipe(stub.provide)
      const spans = yield* traced(detection.detect)
      assert.deepStrictEqual(spans[0], {
        name: "appservice_ping.detect",
        attributes: {
          "server.address": "matrix.example",
          "server.port": 8448,
          "appservice_ping.outcome": "success",
          "appservice_ping.path": "stable"
        },
        parent: undefined,
        succeeded: true
      })
      assert.strictEqual(spans[1]?.name, "appservice_ping.versions")
    }))

  it.effect("name the homeserver whose versions are asked for", () =>
    Effect.gen(function*() {
      const [span] = yield* traced(Homeserver.versions({ homeserver }).pipe(answeringJson(500, {}).provide))
      assert.deepStrictEqual(span?.attributes, {
        "server.address": "matrix.example",
        "server.port": 8448,
        "appservice_ping.outcome": "NotHomeserver",
        "error.type": "NotHomeserver"
      })
    }))
})

describe("the trace context on the wire", () => {
  const exchange = Effect.fnUntraced(function*(layer: Layer.Layer<never>) {
    const server = yield* listen((socket) =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 17\r\nConnection: close\r\n\r\n{\"duration_ms\":1}")
    )
    const tracing = recorder()
    yield* ping({ homeserver: server.homeserver, registration }).pipe(
      Effect.provide(Layer.mergeAll(NodeHttpClient.layerNodeHttp, tracing.layer, layer))
    )
    return { request: server.requests[0] ?? "", spans: tracing.spans }
  })

  it.effect("reaches the homeserver as the traceparent of the request's span", () =>
    Effect.gen(function*() {
      const { request, spans } = yield* exchange(Layer.empty)
      const [span, http] = spans
      assert.strictEqual(span?.name, "appservice_ping")
      assert.strictEqual(http?.traceId, span?.traceId)
      const [, traceparent] = /\r\ntraceparent: (\S+)\r\n/i.exec(request) ?? []
      assert.strictEqual(traceparent, `00-${span?.traceId}-${http?.spanId}-01`)
    }))

  it.effect("does not where propagation is off", () =>
    Effect.gen(function*() {
      const { request, spans } = yield* exchange(Layer.succeed(HttpClient.TracerPropagationEnabled, false))
      assert.isAtLeast(spans.length, 2)
      assert.notMatch(request, /traceparent|b3:/i)
    }))
})
