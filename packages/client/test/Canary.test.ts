// Goal: no answer and no failure makes a secret show up in an error, a span or a log line (D8).
// Method: every secret contains the word "canary"; whatever a caller could print is searched for it.
import * as Gate from "@appservice-ping/client/Gate"
import * as Homeserver from "@appservice-ping/client/Homeserver"
import { ping } from "@appservice-ping/client/Ping"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Inspectable, Layer, Logger, Redacted, References, Tracer } from "effect"
import { FetchHttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import { listen } from "./support/listener.ts"
import { answeringJson, asToken, memory, type Reaction, type Received, registration } from "./support/memory.ts"

const homeserver = new URL("https://user-canary:password-canary@matrix.example/?query-canary=1#fragment-canary")

/** The token as it stands, percent-encoded, and as much of it as nobody would take for something else. */
const secrets = ["canary", asToken, encodeURIComponent(asToken), asToken.slice(0, 12)]

const assertSilent = (text: string, where: string): void => {
  for (const secret of secrets) assert.notInclude(text, secret, where)
}

/** Everything that a caller could print about a failure. */
const rendered = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => {
  const error = Cause.squash(cause)
  return [
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: Infinity, showHidden: true }),
    Inspectable.toStringUnknown(error),
    error instanceof Error ? `${error.name} ${error.message} ${error.stack}` : "",
    String(cause),
    JSON.stringify(cause),
    inspect(cause, { depth: Infinity, showHidden: true }),
    Cause.pretty(cause)
  ]
}

interface Recorder {
  readonly spans: Array<Tracer.NativeSpan>
  readonly lines: Array<string>
  readonly layer: Layer.Layer<never>
}

const recorder = (): Recorder => {
  const spans: Array<Tracer.NativeSpan> = []
  const lines: Array<string> = []
  const record = (logger: Logger.Logger<unknown, unknown>) =>
    Logger.make((options) => {
      lines.push(inspect(logger.log(options), { depth: Infinity }))
    })
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const loggers = [Logger.formatSimple, Logger.formatLogFmt, Logger.formatJson, Logger.formatStructured].map(record)
  return {
    spans,
    lines,
    layer: Layer.mergeAll(
      Logger.layer(loggers),
      Layer.succeed(Tracer.Tracer, tracer),
      Layer.succeed(References.MinimumLogLevel, "All")
    )
  }
}

/** Fails the call in every way a caller can see, and searches all of them. */
const assertNothingLeaks = Effect.fnUntraced(
  function*<A, E>(call: Effect.Effect<A, E>, expected: string) {
    const { layer, lines, spans } = recorder()
    const exit = yield* call.pipe(
      Effect.tapCause((cause) => Effect.logError("the ping failed", cause)),
      Effect.exit,
      Effect.provide(layer)
    )
    const cause = Exit.isFailure(exit) ? exit.cause : assert.fail("expected a failure")
    assert.propertyVal(Cause.squash(cause), "_tag", expected)
    for (const text of rendered(cause)) assertSilent(text, "an error")

    assert.lengthOf(lines, 4)
    for (const line of lines) assertSilent(line, "a log line")

    // Ours and the HTTP client's.
    assert.isAtLeast(spans.length, 1)
    assert.isTrue(spans.some((span) => /^appservice_ping(?:\.versions)?$/.test(span.name)))
    for (const span of spans) {
      assertSilent(inspect([span.name, span.attributes, span.events, span.links], { depth: Infinity }), "a span")
      const { status } = span
      assert.strictEqual(status._tag, "Ended")
      if (status._tag === "Ended" && Exit.isFailure(status.exit)) {
        assertSilent(Cause.pretty(status.exit.cause), "the end of a span")
      }
    }
  }
)

const authorization = (received: Received): string => received.headers["authorization"] ?? assert.fail("no token")

/** A header, whose characters are few, may still hold the token. */
const echoes: ReadonlyArray<readonly [string, string, (received: Received) => Reaction]> = [
  [
    "in a page",
    "NotHomeserver",
    (request) =>
      new Response(`<html><pre>${JSON.stringify(request, undefined, 2)}</pre></html>`, {
        status: 502,
        headers: { "content-type": "text/html" }
      })
  ],
  [
    "in a page, percent-encoded",
    "NotHomeserver",
    (request) => new Response(`<a href="/?token=${encodeURIComponent(authorization(request))}">`, { status: 200 })
  ],
  [
    "in a page, cut off where an error keeps no more",
    "NotHomeserver",
    (request) => new Response("x".repeat(1024 - 16) + authorization(request) + "x".repeat(2000), { status: 200 })
  ],
  [
    "in error",
    "M_FORBIDDEN",
    (request) => Response.json({ errcode: "M_FORBIDDEN", error: `wrong: ${authorization(request)}` }, { status: 403 })
  ],
  [
    "in error, with escaped slashes",
    "M_FORBIDDEN",
    (request) => {
      const body = JSON.stringify({ errcode: "M_FORBIDDEN", error: authorization(request) })
      return new Response(body.replaceAll("/", "\\/"), { status: 403 })
    }
  ],
  [
    "in the errcode",
    "OtherErrcode",
    (request) => Response.json({ errcode: authorization(request), error: "why" }, { status: 400 })
  ],
  [
    "in the error of an unknown errcode",
    "OtherErrcode",
    (request) => Response.json({ errcode: "M_UNKNOWN", error: authorization(request) }, { status: 500 })
  ],
  ["in the body of M_BAD_STATUS", "M_BAD_STATUS", (request) =>
    Response.json({
      errcode: "M_BAD_STATUS",
      error: "bad status",
      status: 400,
      body: JSON.stringify({ headers: request.headers })
    }, { status: 502 })],
  ["in the error of M_CONNECTION_FAILED, with a URL", "M_CONNECTION_FAILED", (request) =>
    Response.json({
      errcode: "M_CONNECTION_FAILED",
      error: `http://localhost/?access_token=${encodeURIComponent(authorization(request).slice(7))}`
    }, { status: 502 })],
  ["in a Location", "NotHomeserver", (request) => {
    const token = encodeURIComponent(authorization(request).slice(7))
    const location = `https://${token}:${token}@elsewhere.example/${token}?access_token=${token}#${token}`
    return new Response(null, { status: 302, headers: { location } })
  }],
  [
    "in a Location that is no URL",
    "NotHomeserver",
    (request) => new Response(null, { status: 302, headers: { location: `https://${authorization(request)}` } })
  ],
  [
    "in a Content-Type",
    "NotHomeserver",
    (request) =>
      new Response("x", { status: 502, headers: { "content-type": `text/html; token="${authorization(request)}"` } })
  ],
  [
    "in any header",
    "NotHomeserver",
    (request) =>
      new Response("x", { status: 502, headers: { "x-echo": authorization(request), "retry-after": asToken } })
  ]
]

const unsendable = Redacted.make(`${asToken}\n`)

const called = { homeserver, registration, transactionId: "transaction" }

describe("a homeserver that echoes the token", () => {
  for (const [name, tag, echo] of echoes) {
    const stub = () => memory((received) => Effect.sync(() => echo(received)))

    it.effect(`D8 ${name} does not make ping repeat it`, () =>
      assertNothingLeaks(ping(called).pipe(stub().provide), tag))

    it.effect(`D8 ${name} does not make the gate repeat it`, () =>
      assertNothingLeaks(Gate.wait({ ping: ping(called), maxAttempts: 1 }).pipe(stub().provide), "GaveUpError"))
  }

  it.effect("D8 a homeserver that writes the hs_token into its error does not make ping repeat it", () =>
    Effect.gen(function*() {
      const hsToken = "hs-token-canary-0123456789"
      const stub = answeringJson(502, { errcode: "M_CONNECTION_FAILED", error: `/ping?access_token=${hsToken}` })
      const withBoth = { ...registration, hs_token: Redacted.make(hsToken) }
      const error = yield* Effect.flip(ping({ ...called, registration: withBoth }).pipe(stub.provide))
      assert.strictEqual(error.message, "M_CONNECTION_FAILED: /ping?access_token=<redacted>")
    }))

  it.effect("D8 in a page, cut in two by the size limit, does not make ping repeat its start", () => {
    const stub = memory((request) =>
      Effect.sync(() => new Response("x".repeat(80) + authorization(request), { status: 502 }))
    )
    return assertNothingLeaks(ping({ ...called, maxBodyBytes: 100 }).pipe(stub.provide), "NotHomeserver")
  })

  const sockets = [
    ["fetch", FetchHttpClient.layer],
    ["node:http", NodeHttpClient.layerNodeHttp],
    ["undici", NodeHttpClient.layerUndici]
  ] as const
  for (const [name, layer] of sockets) {
    it.effect(`D8 over ${name}, in its head and its body, does not make ping repeat it`, () =>
      Effect.gen(function*() {
        const server = yield* listen((socket) => {
          const [request] = server.requests
          const echo = (request ?? "").replaceAll("\r\n", " ")
          socket.end(`HTTP/1.1 500 ${echo}\r\nx-echo: ${echo}\r\nContent-Length: ${echo.length}\r\n\r\n${echo}`)
        })
        const url = new URL(server.homeserver)
        url.username = "user-canary"
        url.password = "password-canary"
        url.search = "query-canary"
        yield* assertNothingLeaks(
          ping({ homeserver: url, registration }).pipe(Effect.provide(layer)),
          "NotHomeserver"
        )
        assert.include(server.requests[0], asToken)
        for (const secret of ["user-canary", "password-canary", "query-canary"]) {
          assert.notInclude(server.requests[0], secret)
        }
      }))
  }
})

describe("a failure without an answer", () => {
  const cause = new Error(`canary ${asToken} https://user-canary:password-canary@matrix.example?query-canary`)
  const failures: ReadonlyArray<readonly [string, unknown, string]> = [
    ["a refused connection", Object.assign(new Error("refused"), { code: "ECONNREFUSED" }), "HomeserverUnreachable"],
    ["a reset connection", Object.assign(new Error("reset"), { code: "ECONNRESET" }), "Undecided"],
    ["an error of an unknown kind", new TypeError("fetch failed"), "Undecided"]
  ]
  for (const [name, raises, tag] of failures) {
    it.effect(`D8 shows no secret of the homeserver's URL: ${name}`, () =>
      assertNothingLeaks(ping(called).pipe(memory(() => Effect.succeed({ raises })).provide), tag))
  }

  it.effect("D8 does not repeat the HTTP client's own text in its error", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(ping(called).pipe(memory(() => Effect.succeed({ raises: cause })).provide))
      for (const text of rendered(Exit.isFailure(exit) ? exit.cause : assert.fail("no failure"))) {
        assertSilent(text, "an error")
      }
    }))

  it.effect("D8 shows no secret when the ping is undecided", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(
        assertNothingLeaks(ping(called).pipe(memory(() => Effect.never).provide), "Undecided")
      )
      yield* TestClock.adjust("90 seconds")
      yield* Fiber.join(fiber)
    }))

  it.effect("D8 shows no secret of a token that cannot be sent", () =>
    assertNothingLeaks(
      ping({ ...called, registration: { ...registration, as_token: unsendable } }).pipe(
        memory(() => Effect.never).provide
      ),
      "HomeserverUnreachable"
    ))

  it.effect("D8 shows no secret of the homeserver's URL when it is asked for its versions", () =>
    assertNothingLeaks(
      Homeserver.versions({ homeserver }).pipe(memory(() => Effect.sync(() => new Response("<html>"))).provide),
      "NotHomeserver"
    ))
})
