import { ping } from "@appservice-ping/client/Ping"
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import { BoundError } from "@appservice-ping/domain/Bound"
import * as ConnectDeadline from "@appservice-ping/node/ConnectDeadline"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as Net from "node:net"
import * as Raw from "./support/RawServer.ts"

const registration = { id: AppserviceId.make("bridge"), as_token: Redacted.make("as-token-0123456789") }

const client = (connectTimeout: `${number} millis`) =>
  Layer.provide(
    NodeHttpClient.layerNodeHttpNoAgent,
    Layer.succeed(NodeHttpClient.HttpAgent, ConnectDeadline.agents({ connectTimeout }))
  )

/** Listens, takes connections and says nothing; counts the bytes that came. */
const silent = Effect.acquireRelease(
  Effect.callback<
    {
      readonly port: number
      readonly received: { bytes: number }
      readonly server: Net.Server
      readonly sockets: Set<Net.Socket>
    }
  >(
    (resume) => {
      const sockets = new Set<Net.Socket>()
      const received = { bytes: 0 }
      const server = Net.createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => {})
        socket.on("data", (chunk) => {
          received.bytes += chunk.length
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ port, received, server, sockets }))
      })
    }
  ),
  ({ server, sockets }) =>
    Effect.sync(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
)

describe("a homeserver that is never connected to", () => {
  it.live("is unreachable and never undecided: a TLS handshake that does not end", () =>
    Effect.gen(function*() {
      const { port, received } = yield* silent
      const homeserver = new URL(`https://127.0.0.1:${port}`)
      const error = yield* Effect.flip(ping({ homeserver, registration })).pipe(Effect.provide(client("100 millis")))
      assert.strictEqual(error._tag, "HomeserverUnreachable")
      assert.include(error.message, "the connection timed out")
      assert.isAbove(received.bytes, 0)
    }))

  it.live("is undecided once it is connected, however short the bound on connecting is", () =>
    Effect.gen(function*() {
      const { port, received } = yield* silent
      const homeserver = new URL(`http://127.0.0.1:${port}`)
      const error = yield* Effect.flip(ping({ homeserver, registration, timeout: "400 millis" })).pipe(
        Effect.provide(client("200 millis"))
      )
      assert.strictEqual(error._tag, "Undecided")
      assert.isAbove(received.bytes, 0)
    }))
})

describe("ConnectDeadline.agents", () => {
  it.effect("destroys a connection that is not established in time, with the kernel's own code", () =>
    Effect.gen(function*() {
      const { http } = ConnectDeadline.agents({ connectTimeout: "50 millis" })
      const error = yield* Effect.callback<unknown>((resume) => {
        // A name that is looked up for ever: nothing leaves this machine.
        const socket = http.createConnection({ host: "swallowed.test", port: 80, lookup: () => {} })
        socket?.on("error", (error) => resume(Effect.succeed(error)))
      })
      assert.deepInclude(error, { code: "ETIMEDOUT", syscall: "connect" })
    }))

  it.each([NaN, Infinity, -1])("refuses a connectTimeout of %s", (connectTimeout) => {
    assert.throws(() => ConnectDeadline.agents({ connectTimeout }), BoundError)
  })
})

describe("a homeserver that never stops answering", () => {
  const endless = (head: string, piece: string) =>
    Raw.serve((socket) => {
      socket.write(head)
      const pump = (): void => {
        if (!socket.destroyed) socket.write(piece.repeat(1000), pump)
      }
      pump()
    })
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

  for (
    const [name, head, piece] of [
      ["informational answers", "", "HTTP/1.1 102 Processing\r\n\r\n"],
      ["the extensions of chunks", chunked, `1;a=${"x".repeat(1000)}\r\ny\r\n`]
    ] as const
  ) {
    it.live(`D3 leaves the ping undecided long before its deadline: ${name}`, () =>
      Effect.gen(function*() {
        const server = yield* endless(head, piece)
        const error = yield* Effect.flip(ping({ homeserver: server.url, registration })).pipe(
          Effect.provide(client("5000 millis"))
        )
        assert.strictEqual(error._tag === "Undecided" ? error.failure?.text : error._tag, "the answer was too large")
        yield* server.left(1)
      }))
  }

  it.live("D3 leaves the ping undecided with the agents of the platform too, and as early as the caller says", () =>
    Effect.gen(function*() {
      const server = yield* endless(chunked, `1;a=${"x".repeat(1000)}\r\ny\r\n`)
      const error = yield* Effect.flip(ping({ homeserver: server.url, registration, maxFramingBytes: 100_000 })).pipe(
        Effect.provide(NodeHttpClient.layerNodeHttp)
      )
      assert.strictEqual(error._tag === "Undecided" ? error.failure?.text : error._tag, "the answer was too large")
      yield* server.left(1)
    }))
})
