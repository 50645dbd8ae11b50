/** The proxy between peers that know nothing of it: a bare `node:http` server, and the clients that people use. */
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import { OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import { ca } from "@appservice-ping/testbed/carrier/tls/Certificates"
import * as PreparedAgent from "@appservice-ping/testbed/carrier/wire/PreparedAgent"
import * as WireProxy from "@appservice-ping/testbed/carrier/wire/WireProxy"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { createHash } from "node:crypto"
import * as Http from "node:http"
import * as Net from "node:net"
import { observe, ping } from "./support/Observer.ts"
import { answer, kinds, setup } from "./support/Setup.ts"

const leg = "to_appservice"

/** A server that is not ours, and the proxy in front of it. */
const foreign = Effect.fnUntraced(function*(
  onRequest: Http.RequestListener,
  configure: (server: Http.Server) => void = () => {},
  options: Partial<WireProxy.WireProxyOptions> = {}
) {
  const session = yield* Session.make()
  const port = yield* Effect.acquireRelease(
    Effect.callback<{ readonly server: Http.Server; readonly port: number }>((resume) => {
      const server = Http.createServer(onRequest)
      configure(server)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed({ server, port: typeof address === "object" ? address?.port ?? 0 : 0 }))
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
  const proxy = yield* WireProxy.listen({
    leg,
    session,
    upstream: { host: "127.0.0.1", port: port.port },
    lingerTimeout: "2 seconds",
    ...options
  })
  return { session, proxy }
})

const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

describe("WireProxy between other peers", { timeout: 30_000 }, () => {
  it.live("passes large bodies both ways, many times what it keeps", () =>
    Effect.gen(function*() {
      const { proxy } = yield* foreign(
        (request, response) => {
          const hash = createHash("sha256")
          request.on("data", (chunk: Uint8Array) => hash.update(chunk))
          request.on("end", () => {
            response.setHeader("x-sha", hash.digest("hex"))
            // No length: it goes out in chunks.
            for (let i = 0; i < 160; i++) response.write(Buffer.alloc(64 * 1024, i))
            response.end()
          })
        },
        undefined,
        { maxRequestBytes: 64 * 1024 }
      )
      const body = Buffer.alloc(8 * 1024 * 1024, "abcdefg")
      const response = yield* Effect.promise(() => fetch(proxy.url, { method: "POST", body }))
      assert.strictEqual(response.headers.get("x-sha"), sha(body))
      const bytes = new Uint8Array(yield* Effect.promise(() => response.arrayBuffer()))
      assert.strictEqual(
        sha(bytes),
        sha(Buffer.concat(Array.from({ length: 160 }, (_, i) => Buffer.alloc(64 * 1024, i))))
      )
    }))

  it.live("takes no more from the server than its client does", () =>
    Effect.gen(function*() {
      let written = 0
      const full = yield* Deferred.make<void>()
      const { proxy } = yield* foreign((_, response) => {
        const chunk = Buffer.alloc(256 * 1024)
        const more = (): void => {
          while (written < 400) {
            written++
            if (!response.write(chunk)) {
              // Who takes nothing for so long has stopped; who is only slow does not make the test fail.
              const timer = setTimeout(() => Deferred.doneUnsafe(full, Effect.void), 500)
              response.once("drain", () => {
                clearTimeout(timer)
                more()
              })
              return
            }
          }
          response.end()
        }
        more()
      })
      const response = yield* Effect.promise(() => fetch(proxy.url))
      yield* Deferred.await(full)
      // What the systems and the proxy hold; the whole answer has 100 MiB.
      assert.isBelow(written, 200)
      const { byteLength } = yield* Effect.promise(() => response.arrayBuffer())
      assert.strictEqual(byteLength, 400 * 256 * 1024)
    }))

  it.live("lets the server say that it will take the body", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* foreign((request, response) => {
        request.pipe(response)
      })
      const body = "{\"transaction_id\":\"x\"}"
      const seen = yield* observe(proxy.url, {
        send: [
          {
            text:
              `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`
          },
          { text: body, after: 1 }
        ]
      })
      assert.match(seen.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
      assert.include(seen.text, "transaction_id")
      yield* session.inject(Plan.of(leg, Fault.latency("1 millis")))
      const late = yield* observe(proxy.url, {
        send: [
          {
            text:
              `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`
          },
          { text: body, after: 1 }
        ]
      })
      assert.match(late.text, /^HTTP\/1\.1 100 Continue\r\n\r\n/)
      assert.include(late.text, "transaction_id")
    }))

  it.live("passes early hints, an answer to HEAD, and answers without a body, and keeps the connection", () =>
    Effect.gen(function*() {
      const { proxy } = yield* foreign((request, response) => {
        if (request.url === "/hints") response.writeEarlyHints({ link: "</a.css>; rel=preload" })
        response.statusCode = request.url === "/304" ? 304 : 200
        response.end(request.url === "/304" ? undefined : "whole")
      })
      const get = (method: string, path: string, close = false): string =>
        `${method} ${path} HTTP/1.1\r\nHost: a\r\n${close ? "Connection: close\r\n" : ""}\r\n`
      const seen = yield* observe(proxy.url, {
        send: [{ text: get("GET", "/hints") + get("HEAD", "/") + get("GET", "/304") + get("GET", "/", true) }]
      })
      assert.deepStrictEqual(
        [...seen.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
        ["103", "200", "200", "304", "200"]
      )
      assert.strictEqual(seen.text.split("whole").length - 1, 2)
      assert.strictEqual(seen.ending, "fin")
    }))

  it.live("passes an upgrade on, and then whatever both sides say", () =>
    Effect.gen(function*() {
      const { proxy } = yield* foreign(() => {}, (server) => {
        server.on("upgrade", (_, socket) => {
          socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
          socket.pipe(socket)
        })
      })
      const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"
      const seen = yield* observe(proxy.url, {
        send: [
          { text: "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n" },
          { text: "one", after: head.length },
          { text: "\u0000two", after: head.length + 3 }
        ],
        closeAfter: head.length + 7
      })
      assert.strictEqual(seen.text, `${head}one\u0000two`)
      assert.strictEqual(seen.ending, "fin")
    }))

  it.live("tells the server when its client has closed its side, and lets it answer after that", () =>
    Effect.gen(function*() {
      const server = yield* Effect.acquireRelease(
        Effect.callback<Net.Server>((resume) => {
          const server = Net.createServer({ allowHalfOpen: true }, (socket) => {
            socket.on("error", () => {})
            socket.on("end", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nafter"))
            socket.resume()
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => void server.close())
      )
      const address = server.address()
      const port = typeof address === "object" ? address?.port ?? 0 : 0
      const session = yield* Session.make()
      const proxy = yield* WireProxy.listen({ leg, session, upstream: { host: "127.0.0.1", port } })
      const seen = yield* observe(proxy.url, { send: [{ text: ping({ keepAlive: true }) }], closeAfter: 0 })
      assert.match(seen.text, /after$/)
      assert.strictEqual(seen.ending, "fin")
    }))

  it.live("an answer that comes before the whole request does not break the connection of the client", () =>
    Effect.gen(function*() {
      const { proxy } = yield* foreign(
        (_, response) => {
          response.writeHead(413, { connection: "close" })
          response.end("too large")
        },
        undefined,
        { maxRequestBytes: 1024 }
      )
      const seen = yield* observe(proxy.url, {
        send: [
          { text: `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n${"x".repeat(100_000)}` },
          { text: "x".repeat(100_000), after: 1 }
        ]
      })
      assert.match(seen.text, /^HTTP\/1\.1 413 /)
      assert.strictEqual(seen.ending, "fin")
    }))

  it.live("a server that resets or closes in its answer does so for its client", () =>
    Effect.gen(function*() {
      const { proxy } = yield* foreign((request, response) => {
        response.writeHead(200, { "content-length": 100 })
        response.write("half")
        // What was written has to be on its way before the end.
        response.socket?.write("", () => {
          if (request.url === "/rst") response.socket?.resetAndDestroy()
          else response.socket?.end()
        })
      })
      for (const ending of ["rst", "fin"]) {
        const seen = yield* observe(proxy.url, { send: [{ text: ping({ path: `/${ending}` }) }] })
        assert.match(seen.text, /half$/)
        assert.strictEqual(seen.ending, ending)
      }
    }))

  it.live("a hundred fetches in a row and ten at a time all arrive", () =>
    Effect.gen(function*() {
      let count = 0
      const { proxy } = yield* foreign((_, response) => {
        response.end(String(++count))
      })
      const bodies = yield* Effect.forEach(
        Array.from({ length: 100 }),
        () => Effect.promise(async () => Number(await (await fetch(proxy.url)).text())),
        { concurrency: 10 }
      )
      assert.deepStrictEqual(bodies.toSorted((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i + 1))
    }))
})

const send = (proxies: ReadonlyArray<WireProxy.WireProxy>, url: URL, options?: NodeTransport.NodeTransportOptions) =>
  Effect.gen(function*() {
    const connect = yield* PreparedAgent.connector(proxies)
    const services = yield* Layer.build(NodeTransport.layer({ connect, ...options }))
    return yield* Context.get(services, OutgoingTransport).send({ url, headers: {}, body: "{}", maxBodyBytes: 1000 })
  })

describe("our own clients", { timeout: 30_000 }, () => {
  const prepared = [
    { fault: Fault.refused, kind: "refused" },
    { fault: { type: "dns", failure: "not_found" }, kind: "dns" },
    { fault: { type: "dns", failure: "try_again" }, kind: "dns" }
  ] as const
  for (const { fault, kind } of prepared) {
    it.live(`NodeTransport: ${Fault.describe(fault)}, once, and then an answer`, () =>
      Effect.gen(function*() {
        const { asked, proxy, session } = yield* setup()
        const injection = yield* session.inject(Plan.of(leg, fault, { when: { nth: 1 } }))
        const failure = yield* Effect.flip(send([proxy], proxy.url))
        assert.strictEqual(failure.kind, kind)
        const { body, status } = yield* send([proxy], proxy.url)
        assert.strictEqual(status, 200)
        assert.strictEqual(new TextDecoder().decode(body), answer.body)
        assert.strictEqual(yield* injection.applied, 1)
        assert.strictEqual(asked.length, 1)
      }))
  }

  it.live("NodeTransport: trusts the authority that it is given, for a name that nobody looks up", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup({ tls: true })
      const url = new URL(`https://appservice.test:${proxy.port}/`)
      assert.strictEqual((yield* send([proxy], url, { ca })).status, 200)
      const untrusted = yield* Effect.flip(send([proxy], url))
      assert.strictEqual(untrusted.kind, "tls")
      yield* session.inject(Plan.of(leg, Fault.refused))
      assert.strictEqual((yield* Effect.flip(send([proxy], url, { ca }))).kind, "refused")
      const { text } = ConnectionFailure.fromUnknown({ code: "CERT_HAS_EXPIRED" })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* session.inject(Plan.of(leg, { type: "tls", defect: "expired" }))
        assert.strictEqual((yield* Effect.flip(send([proxy], url, { ca }))).text, text)
      }))
    }))

  it.live("NodeTransport: looks names up with what it is given", () =>
    Effect.gen(function*() {
      const { proxy } = yield* setup()
      const transport = NodeTransport.layer({
        lookup: (_, __, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }])
      })
      const services = yield* Layer.build(transport)
      const url = new URL(`http://appservice.test:${proxy.port}/`)
      const request = { url, headers: {}, body: "{}", maxBodyBytes: 1000 }
      assert.strictEqual((yield* Context.get(services, OutgoingTransport).send(request)).status, 200)
    }))

  for (const tls of [false, true]) {
    it.live(`NodeHttpClient over ${tls ? "TLS" : "TCP"}: prepares each connection, and uses it again`, () =>
      Effect.gen(function*() {
        const { asked, proxy, session } = yield* setup({ tls })
        const injection = yield* session.inject(Plan.of(leg, Fault.refused, { when: { first: 2 } }))
        const layer = NodeHttpClient.layerNodeHttpNoAgent.pipe(
          Layer.provide(PreparedAgent.layer([proxy], { keepAlive: true, maxSockets: 1, ca }))
        )
        const client = Context.get(yield* Layer.build(layer), HttpClient.HttpClient)
        const url = `${proxy.url.protocol}//appservice.test:${proxy.port}/`
        const get = Effect.flatMap(client.get(url), (response) => response.text)
        for (let i = 0; i < 2; i++) {
          const error = yield* Effect.flip(get)
          assert.strictEqual(ConnectionFailure.fromUnknown(error).kind, "refused")
        }
        assert.deepStrictEqual(yield* Effect.all([get, get]), [answer.body, answer.body])
        assert.strictEqual(asked.length, 2)
        assert.strictEqual(yield* injection.applied, 2)
        assert.strictEqual(kinds(yield* session.journal).filter((kind) => kind === "connected").length, 1)
      }))
  }

  it.live("undici: prepares its connections too", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup({ tls: true })
      const injection = yield* session.inject(Plan.of(leg, { type: "dns", failure: "not_found" }, { when: { nth: 1 } }))
      const connect = yield* PreparedAgent.undiciConnect([proxy], { ca })
      const dispatcher = Layer.effect(NodeHttpClient.Dispatcher, NodeHttpClient.makeDispatcherOptions({ connect }))
      const layer = Layer.effect(HttpClient.HttpClient, NodeHttpClient.makeUndici).pipe(Layer.provide(dispatcher))
      const client = Context.get(yield* Layer.build(layer), HttpClient.HttpClient)
      const get = Effect.flatMap(client.get(`https://localhost:${proxy.port}/`), (response) => response.text)
      assert.strictEqual(ConnectionFailure.fromUnknown(yield* Effect.flip(get)).kind, "dns")
      assert.strictEqual(yield* get, answer.body)
      assert.strictEqual(yield* injection.applied, 1)
    }))
})
