/** Whatever a handler gives, what carries its answer writes one answer that can be read. */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as NodeListener from "@appservice-ping/node/NodeListener"
import type { Handler } from "@appservice-ping/server/Exchange"
import { Homeserver } from "@appservice-ping/server/homeserver/Homeserver"
import * as HttpMount from "@appservice-ping/server/HttpMount"
import { MemoryNetwork } from "@appservice-ping/testbed"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import { HttpRouter } from "effect/http"
import { createServer, request as nodeRequest } from "node:http"
import type { AddressInfo } from "node:net"
import * as WebBridge from "./support/WebBridge.ts"

interface Seen {
  readonly status: number
  readonly errcode: unknown
  /** Names and values as they stood on the wire, names in lower case. */
  readonly headers: ReadonlyArray<string>
}

const path = "/_matrix/client/v1/appservice/x/ping"

const errcodeOf = (body: string): unknown => {
  const json: unknown = body === "" ? {} : JSON.parse(body)
  return typeof json === "object" && json !== null && "errcode" in json ? json.errcode : undefined
}

const askSocket = (port: number): Effect.Effect<Seen> =>
  Effect.callback((resume) => {
    const asked = nodeRequest(
      { host: "127.0.0.1", port, path, method: "POST", agent: false, timeout: 5000 },
      (answer) => {
        let body = ""
        answer.setEncoding("utf8").on("data", (text: string) => body += text).on("end", () =>
          resume(Effect.succeed({
            status: answer.statusCode ?? 0,
            errcode: errcodeOf(body),
            headers: answer.rawHeaders.map((text, i) => i % 2 === 0 ? text.toLowerCase() : text)
          })))
      }
    )
    const failed = (error: Error) => resume(Effect.die(error))
    asked.on("error", failed).on("timeout", () => asked.destroy(new Error("no answer"))).on(
      "information",
      () => failed(new Error("an informational answer"))
    ).end()
  })

const url = new URL("http://homeserver.test")

const edges: ReadonlyArray<
  readonly [name: string, ask: (handle: Handler) => Effect.Effect<Seen, unknown, Scope.Scope>]
> = [
  [
    "the listener on node:http",
    (handle) => Effect.flatMap(NodeListener.listen(handle, { port: 0 }), ({ port }) => askSocket(port))
  ],
  ["an Effect HTTP app", (handle) =>
    Effect.gen(function*() {
      const server = createServer()
      yield* Layer.build(
        HttpRouter.serve(HttpMount.layerHomeserver, { disableListenLog: true }).pipe(
          Layer.provide(Layer.succeed(Homeserver, Homeserver.of({ handle }))),
          Layer.provide(Layer.orDie(NodeHttpServer.layerServer(() => server, { host: "127.0.0.1", port: 0 })))
        )
      )
      return yield* askSocket((server.address() as AddressInfo).port)
    })],
  ["a web-standard handler", (handle) =>
    Effect.gen(function*() {
      const { handler } = yield* Effect.acquireRelease(
        Effect.sync(() => HttpMount.homeserverWebHandler(Layer.succeed(Homeserver, Homeserver.of({ handle })))),
        ({ dispose }) => Effect.promise(dispose)
      )
      const server = createServer(WebBridge.listener(handler)).listen(0, "127.0.0.1")
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
      )
      yield* Effect.callback<void>((resume) => {
        server.once("listening", () => resume(Effect.void))
      })
      return yield* askSocket((server.address() as AddressInfo).port)
    })],
  ["memory", (handle) =>
    Effect.gen(function*() {
      const network = yield* MemoryNetwork.make([{ url, leg: "to_homeserver", handle }])
      const exchanged = yield* network.exchange(new URL(path, url), {
        method: "POST",
        headers: {},
        body: new Uint8Array()
      })
      if (exchanged._tag !== "Answered") return yield* Effect.die("nothing was decided")
      const { body, headers, status } = exchanged.answer
      return {
        status,
        errcode: errcodeOf(body),
        headers: headers.flatMap(([name, value]) => [name.toLowerCase(), value])
      }
    })]
]

const json = { "content-type": "application/json" }

const noAnswers: ReadonlyArray<readonly [name: string, given: unknown]> = [
  ...[0, 99, 100, 101, 103, 199, 600, 1000, -1, 200.5, Number.NaN, Number.POSITIVE_INFINITY, "200", undefined].map(
    (status) => [`status ${String(status)}`, { status, headers: json, body: "{}" }] as const
  ),
  ["a status with a line end", { status: "200 OK\r\nx: y", headers: json, body: "{}" }],
  ["a header value with a line end", { status: 200, headers: { ...json, x: "a\r\ny: z" }, body: "{}" }],
  ["a header value with a bare line feed", { status: 200, headers: { ...json, x: "a\nb" }, body: "{}" }],
  ["a header value with a NUL", { status: 200, headers: { ...json, x: "a\0" }, body: "{}" }],
  ["a header value that is not Latin-1", { status: 200, headers: { ...json, x: "\u20ac" }, body: "{}" }],
  ["a header value that is a number", { status: 200, headers: { ...json, x: 1 }, body: "{}" }],
  ["a header name with a colon", { status: 200, headers: { ...json, "x: y\r\nz": "1" }, body: "{}" }],
  ["a header name with a space", { status: 200, headers: { ...json, "x y": "1" }, body: "{}" }],
  ["an empty header name", { status: 200, headers: { ...json, "": "1" }, body: "{}" }],
  ["no headers", { status: 200, body: "{}" }],
  ["a body of bytes", { status: 200, headers: json, body: new Uint8Array([123, 125]) }],
  ["no body", { status: 200, headers: json }],
  ["nothing", undefined],
  ["null", null],
  ["a text", "{}"]
]

describe("C33", () => {
  for (const [edge, ask] of edges) {
    for (const [name, given] of noAnswers) {
      it.live(`C33 what is no answer is 500 M_UNKNOWN: ${name}, ${edge}`, () =>
        Effect.gen(function*() {
          const { errcode, status } = yield* ask(() => Effect.succeed(given as Answer))
          assert.deepStrictEqual({ errcode, status }, { status: 500, errcode: "M_UNKNOWN" })
        }))
    }

    it.live(`C33 a handler that throws, dies, or gives no effect is 500 M_UNKNOWN: ${edge}`, () =>
      Effect.gen(function*() {
        const throws: Handler = () => {
          throw new Error("thrown")
        }
        for (
          const handle of [throws, () => Effect.die("dead"), () => "no effect" as unknown as Effect.Effect<Answer>]
        ) {
          const { errcode, status } = yield* ask(handle)
          assert.deepStrictEqual({ errcode, status }, { status: 500, errcode: "M_UNKNOWN" })
        }
      }))

    it.live(`C33 framing and hop-by-hop headers of a handler do not reach the wire: ${edge}`, () =>
      Effect.gen(function*() {
        const { headers, status } = yield* ask(() =>
          Effect.succeed({
            status: 200,
            headers: {
              ...json,
              "Content-Length": "7",
              "transfer-encoding": "chunked",
              "Keep-Alive": "timeout=99",
              "proxy-connection": "keep-alive",
              TE: "trailers",
              trailer: "x-after",
              upgrade: "h2c",
              connection: "upgrade, x-mine",
              "x-mine": "kept"
            },
            body: "{}"
          })
        )
        assert.strictEqual(status, 200)
        const named = (name: string) => headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === name)
        const lengths = named("content-length")
        assert.deepStrictEqual(
          lengths.length === 0 ? named("transfer-encoding") : lengths,
          lengths.length === 0 ? ["chunked"] : ["2"]
        )
        assert.deepStrictEqual(named("x-mine"), ["kept"])
        for (const name of ["proxy-connection", "te", "trailer", "upgrade"]) {
          assert.deepStrictEqual(named(name), [], name)
        }
        assert.notInclude(named("keep-alive"), "timeout=99")
        assert.notInclude(named("connection").join(), "upgrade")
      }))

    it.live(`C33 a status without a body sends none: ${edge}`, () =>
      Effect.gen(function*() {
        for (const status of [204, 205, 304]) {
          const seen = yield* ask(() => Effect.succeed({ status, headers: {}, body: "{\"errcode\":\"M_BODY\"}" }))
          assert.deepStrictEqual([seen.status, seen.errcode], [status, undefined])
        }
      }))
  }
})
