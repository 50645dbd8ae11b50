// The same client over three HTTP clients and real sockets, both sides of each exchange asserted.
import { ping } from "@appservice-ping/client/Ping"
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import type { Kind } from "@appservice-ping/domain/ConnectionFailure"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import type { Socket } from "node:net"
import { listen } from "./support/listener.ts"
import { asToken, plain, registration } from "./support/memory.ts"

const success = "{\"duration_ms\":3}"

const response = (status: string, headers: string, body: string): string =>
  `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

const answer = (bytes: string) => (socket: Socket): void => {
  socket.write(bytes)
}

interface Client {
  readonly name: string
  readonly layer: Layer.Layer<HttpClient.HttpClient>
  /** The head of a ping, after its first line. */
  readonly head: (port: number, length: number) => ReadonlyArray<string>
  /** What a reset in the body looks like: node:http reports it like a close. */
  readonly resetInBody: Kind
}

const clients: ReadonlyArray<Client> = [
  {
    name: "fetch",
    layer: FetchHttpClient.layer,
    head: (port, length) => [
      `host: 127.0.0.1:${port}`,
      "connection: keep-alive",
      "content-type: application/json",
      `authorization: Bearer ${asToken}`,
      "accept: */*",
      "accept-language: *",
      "sec-fetch-mode: cors",
      "user-agent: node",
      "accept-encoding: gzip, deflate",
      `content-length: ${length}`
    ],
    resetInBody: "reset"
  },
  {
    name: "node:http",
    layer: NodeHttpClient.layerNodeHttp,
    head: (port, length) => [
      "content-type: application/json",
      `content-length: ${length}`,
      `authorization: Bearer ${asToken}`,
      `Host: 127.0.0.1:${port}`,
      "Connection: close"
    ],
    resetInBody: "closed"
  },
  {
    name: "undici",
    layer: NodeHttpClient.layerUndici,
    head: (port, length) => [
      `host: 127.0.0.1:${port}`,
      "connection: keep-alive",
      "content-type: application/json",
      `authorization: Bearer ${asToken}`,
      `content-length: ${length}`
    ],
    resetInBody: "reset"
  }
]

/** The client, and a signal that the head of an answer has arrived. */
const observed = Effect.fnUntraced(function*(client: Client) {
  const head = yield* Deferred.make<void>()
  const layer = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, HttpClient.tap(() => Deferred.succeed(head, undefined)))
  )
  return { head: Deferred.await(head), layer: Layer.provide(layer, client.layer) }
})

for (const client of clients) {
  describe(`over ${client.name}`, () => {
    const requests = [
      ["C1 C6 a plain ping", { registration }, "irc%20bridge", "{}"],
      [
        "C20 an id of free text",
        { registration: { ...registration, id: AppserviceId.make("IRC Bridge/ü%") } },
        "IRC%20Bridge%2F%C3%BC%25",
        "{}"
      ],
      ["C7 an empty transaction id", { registration, transactionId: "" }, "irc%20bridge", "{\"transaction_id\":\"\"}"]
    ] as const
    for (const [name, options, id, body] of requests) {
      it.effect(`${name} is these bytes and no others`, () =>
        Effect.gen(function*() {
          const server = yield* listen(answer(response("200 OK", "", success)))
          const result = yield* ping({ homeserver: server.homeserver, ...options }).pipe(
            Effect.provide(client.layer),
            Effect.provideService(HttpClient.TracerPropagationEnabled, false)
          )
          assert.deepStrictEqual(result, { duration_ms: 3 })
          assert.deepStrictEqual(server.requests, [
            [
              `POST /_matrix/client/v1/appservice/${id}/ping HTTP/1.1`,
              ...client.head(server.port, body.length),
              "",
              body
            ].join("\r\n")
          ])
        }))
    }

    for (const status of ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]) {
      it.effect(`D1 sends one request where the answer is ${status}`, () =>
        Effect.gen(function*() {
          const server = yield* listen(answer(response(status, "Location: /elsewhere?canary\r\n", "")))
          const error = yield* Effect.flip(
            ping({ homeserver: server.homeserver, registration }).pipe(Effect.provide(client.layer))
          )
          assert.deepInclude(yield* plain(error), {
            _tag: "NotHomeserver",
            status: Number(status.slice(0, 3)),
            location: `${server.homeserver.origin}/elsewhere`
          })
          assert.lengthOf(server.requests, 1)
        }))
    }

    it.effect("reads no more than it may, and closes the connection", () =>
      Effect.gen(function*() {
        let written = 0
        // Without a limit of the client this test has to fail, and not to fill the memory.
        const writtenMax = 32 * 1024 * 1024
        const chunk = Buffer.alloc(64 * 1024, "x")
        const server = yield* listen((socket) => {
          const pour = (): void => {
            while (written < writtenMax && !socket.destroyed && socket.write(chunk)) written += chunk.length
          }
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
          socket.on("drain", pour)
          pour()
        })
        const error = yield* Effect.flip(
          ping({ homeserver: server.homeserver, registration, maxBodyBytes: 1000 }).pipe(Effect.provide(client.layer))
        )
        const { _tag, ...fields } = yield* plain(error)
        assert.strictEqual(_tag, "NotHomeserver")
        assert.include(fields, { status: 200, body: "x".repeat(1000) })
        yield* server.closed
        assert.isBelow(written, writtenMax)
      }))

    it.effect("D3 leaves a homeserver that says nothing at the deadline, and closes the connection", () =>
      Effect.gen(function*() {
        const server = yield* listen(() => {})
        const fiber = yield* Effect.forkChild(
          Effect.flip(ping({ homeserver: server.homeserver, registration }).pipe(Effect.provide(client.layer)))
        )
        yield* server.received
        yield* TestClock.adjust("89999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.deepInclude(yield* plain(yield* Fiber.join(fiber)), { _tag: "Undecided", after: 90_000 })
        yield* server.closed
        assert.lengthOf(server.requests, 1)
      }))

    it.effect("D3 leaves a homeserver that stalls in the body at the deadline, and closes the connection", () =>
      Effect.gen(function*() {
        const { head, layer } = yield* observed(client)
        const server = yield* listen(answer("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"duration"))
        const fiber = yield* Effect.forkChild(
          Effect.flip(ping({ homeserver: server.homeserver, registration }).pipe(Effect.provide(layer)))
        )
        yield* head
        yield* TestClock.adjust("89999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.deepInclude(yield* plain(yield* Fiber.join(fiber)), { _tag: "Undecided", after: 90_000 })
        yield* server.closed
      }))

    it.effect("closes the connection when it is interrupted", () =>
      Effect.gen(function*() {
        const server = yield* listen(() => {})
        const fiber = yield* Effect.forkChild(
          ping({ homeserver: server.homeserver, registration }).pipe(Effect.provide(client.layer))
        )
        yield* server.received
        yield* Fiber.interrupt(fiber)
        yield* server.closed
      }))

    const failures: ReadonlyArray<readonly [string, (socket: Socket) => void, Kind]> = [
      ["D7 a close before the head", (socket) => socket.end(), "closed"],
      ["D7 a reset before the head", (socket) => socket.resetAndDestroy(), "reset"],
      ["a close in the head", (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Le"), "closed"],
      [
        "D3 a close in the body",
        (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${success}`),
        "closed"
      ],
      ["a bad status", (socket) => socket.end("HTTP/1.1 abc OK\r\n\r\n"), "malformed"],
      ["a huge head", (socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(200_000)}\r\n\r\n`), "malformed"]
    ]
    for (const [name, fault, kind] of failures) {
      it.effect(`${name} leaves the ping undecided`, () =>
        Effect.gen(function*() {
          const server = yield* listen(fault)
          const error = yield* Effect.flip(
            ping({ homeserver: server.homeserver, registration }).pipe(Effect.provide(client.layer))
          )
          const { failure } = error._tag === "Undecided" ? error : assert.fail(error._tag)
          assert.strictEqual(failure?.kind, kind)
          assert.lengthOf(server.requests, 1)
        }))
    }

    for (const banner of ["garbage\r\n\r\n", "SSH-2.0-OpenSSH_10\r\n"]) {
      it.effect(`an answer that is no HTTP came after the request was read, so the ping is undecided: ${banner.trim()}`, () =>
        Effect.gen(function*() {
          const server = yield* listen((socket) => socket.end(banner))
          const error = yield* Effect.flip(
            ping({ homeserver: server.homeserver, registration }).pipe(Effect.provide(client.layer))
          )
          const { failure } = error._tag === "Undecided" ? error : assert.fail(error._tag)
          assert.strictEqual(failure?.kind, "malformed")
          assert.lengthOf(server.requests, 1)
        }))
    }

    it.effect("D3 a reset in the body leaves the ping undecided", () =>
      Effect.gen(function*() {
        const { head, layer } = yield* observed(client)
        const server = yield* listen(answer(`HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${success}`))
        const fiber = yield* Effect.forkChild(
          Effect.flip(ping({ homeserver: server.homeserver, registration }).pipe(Effect.provide(layer)))
        )
        yield* head
        const socket = yield* server.received
        socket.resetAndDestroy()
        const error = yield* Fiber.join(fiber)
        const { failure } = error._tag === "Undecided" ? error : assert.fail(error._tag)
        assert.strictEqual(failure?.kind, client.resetInBody)
      }))

    it.effect("a refused connection is a homeserver that cannot be reached", () =>
      Effect.gen(function*() {
        const server = yield* listen(() => {})
        // Held on one address of loopback, the port is free on another, and no system hands it out there by chance.
        const homeserver = new URL(`http://127.0.0.2:${server.port}`)
        const error = yield* Effect.flip(ping({ homeserver, registration }).pipe(Effect.provide(client.layer)))
        assert.deepInclude(yield* plain(error), {
          _tag: "HomeserverUnreachable",
          failure: { kind: "refused", text: "the connection was refused" }
        })
        assert.lengthOf(server.requests, 0)
      }))

    it.effect("an answer that switches protocols ends at once", () =>
      Effect.gen(function*() {
        const bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: canary\r\nConnection: Upgrade\r\n\r\n"
        const server = yield* listen(answer(bytes))
        const error = yield* Effect.flip(
          ping({ homeserver: server.homeserver, registration }).pipe(Effect.provide(client.layer))
        )
        assert.include(["Undecided", "NotHomeserver"], error._tag)
        assert.lengthOf(server.requests, 1)
      }))
  })
}
