import type { Answer } from "@appservice-ping/domain/Answer"
import type { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import { listen } from "@appservice-ping/node/NodeListener"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as NodePeerTransport from "@appservice-ping/testbed/peer/NodePeerTransport"
import * as PeerTransport from "@appservice-ping/testbed/peer/PeerTransport"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Scope } from "effect"
import { HttpClient } from "effect/http"
import * as RawServer from "../../../packages/node/test/support/RawServer.ts"
import { wireNetwork } from "./support/Network.ts"

interface Kind {
  readonly name: string
  readonly make: Effect.Effect<PeerTransport.PeerTransport, never, Scope.Scope>
}

const transports: ReadonlyArray<Kind> = [
  { name: "node:http", make: Effect.sync(() => NodePeerTransport.make()) },
  {
    name: "an HttpClient",
    make: Effect.map(HttpClient.HttpClient, PeerTransport.fromHttpClient).pipe(
      Effect.provide(NodeHttpClient.layerNodeHttp)
    )
  }
]

const post = (url: string): PeerTransport.PeerRequest => ({
  method: "POST",
  url: new URL("/_matrix/app/v1/ping?access_token=secret", url),
  headers: { authorization: "Bearer secret", "content-type": "application/json" },
  body: "{\"transaction_id\":\"grüß\"}"
})

const exchange = (transport: PeerTransport.PeerTransport, request: PeerTransport.PeerRequest) =>
  Effect.flatMap(transport.open(request.url), (connection) => connection.send(request))

const kindOf = <A>(effect: Effect.Effect<A, ConnectionFailure, Scope.Scope>) =>
  Effect.map(Effect.flip(effect), ({ kind }) => kind)

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

for (const { make, name } of transports) {
  describe(`a transport over ${name}`, () => {
    it.live("brings a request over as it is, on a connection of its own, and the answer back", () =>
      Effect.scoped(Effect.gen(function*() {
        const seen: Array<string> = []
        const answer: Answer = { status: 418, headers: { "x-kind": "teapot" }, body: "short and stout" }
        const handle: Handler = (request) =>
          Effect.map(Effect.orDie(request.body(1024)), (body) => {
            seen.push(request.method, request.target, decode(body))
            for (const header of ["authorization", "content-type", "connection", "host"]) {
              seen.push(request.header(header) ?? "")
            }
            return answer
          })
        const { url } = yield* listen(handle, { port: 0, shutdownGrace: 0 })
        const response = yield* exchange(yield* make, post(url.href))
        assert.strictEqual(response.status, 418)
        assert.strictEqual(response.headers["x-kind"], "teapot")
        assert.strictEqual(decode(yield* response.body(1024)), "short and stout")
        assert.deepStrictEqual(seen, [
          "POST",
          "/_matrix/app/v1/ping?access_token=secret",
          "{\"transaction_id\":\"grüß\"}",
          "Bearer secret",
          "application/json",
          "close",
          url.host
        ])
      })))

    it.live("brings a GET over without a body", () =>
      Effect.scoped(Effect.gen(function*() {
        const seen: Array<string | undefined> = []
        const handle: Handler = (request) =>
          Effect.map(Effect.orDie(request.body(1024)), (body) => {
            seen.push(request.method, decode(body), request.header("content-type"))
            return { status: 204, headers: {}, body: "" }
          })
        const { url } = yield* listen(handle, { port: 0, shutdownGrace: 0 })
        const response = yield* exchange(yield* make, { ...post(url.href), method: "GET", headers: {}, body: "" })
        assert.strictEqual(decode(yield* response.body(1024)), "")
        assert.deepStrictEqual(seen, ["GET", "", undefined])
      })))

    it.live("reads no more of a body than it is asked for", () =>
      Effect.scoped(Effect.gen(function*() {
        const handle: Handler = () => Effect.succeed({ status: 200, headers: {}, body: "x".repeat(1_000_000) })
        const { url } = yield* listen(handle, { port: 0, shutdownGrace: 0 })
        const response = yield* exchange(yield* make, post(url.href))
        assert.strictEqual(decode(yield* response.body(5)), "xxxxx")
      })))

    it.live("gives the head before the body comes, and lets go of the connection with the scope", () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* RawServer.serve(RawServer.stall("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"))
        const transport = yield* make
        yield* Effect.scoped(Effect.gen(function*() {
          const response = yield* exchange(transport, post(server.url.href))
          assert.strictEqual(response.status, 200)
          const fiber = yield* Effect.forkChild(response.body(1024))
          yield* Effect.yieldNow
          assert.isUndefined(fiber.pollUnsafe())
          yield* Fiber.interrupt(fiber)
        }))
        yield* server.left(1)
      })))

    it.live("tells apart how a connection fails", () =>
      Effect.scoped(Effect.gen(function*() {
        const network = wireNetwork()
        const transport = yield* make
        const refused = yield* network.place({ does: "refuse" })
        assert.strictEqual(yield* kindOf(exchange(transport, post(refused.url))), "refused")
        const reset = yield* network.place({ does: "break", how: "rst", at: "head" })
        assert.strictEqual(yield* kindOf(exchange(transport, post(reset.url))), "reset")
        const closed = yield* network.place({ does: "break", how: "fin", at: "head" })
        assert.strictEqual(yield* kindOf(exchange(transport, post(closed.url))), "closed")
        const garbage = yield* network.place({ does: "break", how: "garbage", at: "head" })
        assert.strictEqual(yield* kindOf(exchange(transport, post(garbage.url))), "malformed")
        const cut = yield* network.place({ does: "break", how: "fin", at: "body", status: 200 })
        const response = yield* exchange(transport, post(cut.url))
        assert.strictEqual(yield* kindOf(response.body(1024)), "closed")
        const plain = yield* listen(() => Effect.never, { port: 0, shutdownGrace: 0 })
        assert.strictEqual(yield* kindOf(exchange(transport, post(plain.url.href.replace("http:", "https:")))), "tls")
      })))
  })
}

describe("a transport over node:http", () => {
  it.live("keeps what happened to a body until it is read", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* RawServer.serve(RawServer.fin("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"))
      const response = yield* exchange(NodePeerTransport.make(), post(server.url.href))
      // The client has closed its side in return, so it knew the end of the body before it asks for it.
      yield* server.left(1)
      assert.strictEqual(yield* kindOf(response.body(1024)), "closed")
    })))

  it.live("fails where a header cannot be sent", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* RawServer.serve(RawServer.fin("HTTP/1.1 200 OK\r\n\r\n"))
      const request = { ...post(server.url.href), headers: { authorization: "Bearer sec\nret" } }
      assert.strictEqual(yield* kindOf(exchange(NodePeerTransport.make(), request)), "unknown")
      assert.deepStrictEqual(server.requests.filter((text) => text !== ""), [])
    })))
})
