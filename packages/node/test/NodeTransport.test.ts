import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as OutgoingTransport from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Result } from "effect"
import { FetchHttpClient } from "effect/http"
import { readFile } from "node:fs/promises"
import { createServer, type Server } from "node:https"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import * as Raw from "./support/RawServer.ts"

const request = (url: URL): OutgoingTransport.OutgoingRequest => ({
  url,
  headers: { authorization: "Bearer hs_token", "content-type": "application/json" },
  body: "{\"transaction_id\":\"ü\"}",
  maxBodyBytes: 64 * 1024
})

const send = (url: URL) => OutgoingTransport.OutgoingTransport.use((transport) => transport.send(request(url)))

/** An answer in a word or two: the status and the body, or the kind of the failure and its text. */
const sendInWords = (url: URL) =>
  Effect.map(
    Effect.result(send(url)),
    Result.match({
      onFailure: ({ kind, text }) => `${kind}: ${text}`,
      onSuccess: ({ body, status }) => {
        const text = new TextDecoder().decode(body)
        return `${status} ${text.length > 16 ? `${text.length} bytes` : text}`
      }
    })
  )

const closed = "closed: the connection was closed early"
const reset = "reset: the connection was reset"
const malformed = "malformed: the answer was not valid HTTP"
const contradiction = "malformed: the answer's length contradicts its header"
const tooLarge = "malformed: the answer's headers were too large"

const flood = (bytes: string) => (socket: Socket): void => {
  const pump = () => {
    if (!socket.destroyed) socket.write(bytes.repeat(100), pump)
  }
  pump()
}

const drip = (bytes: string) => (socket: Socket): void => {
  let at = 0
  const timer = setInterval(() => socket.write(bytes.charAt(at++)), 2)
  socket.on("close", () => clearInterval(timer))
}

const ok = (headers: string, body: string): string => `HTTP/1.1 200 OK\r\n${headers}\r\n${body}`
const declared = ok("Content-Length: 10\r\n", "{}")
const chunked = ok("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n")

type Transport = "direct" | "node" | "undici" | "fetch"

/** What each transport says: `direct` is ours, the others are the app's `HttpClient` where it differs. */
interface Case {
  readonly title: string
  readonly answer: (socket: Socket) => void
  readonly direct: string
  readonly node?: string
  readonly undici?: string
  readonly fetch?: string
}

const cases: ReadonlyArray<Case> = [
  { title: "a reset before the answer", answer: Raw.rst(""), direct: reset },
  { title: "a close before the answer", answer: Raw.fin(""), direct: closed },
  { title: "a reset in the head", answer: Raw.rst("HTTP/1.1 200 OK\r\nConte"), direct: reset },
  { title: "a close in the head", answer: Raw.fin("HTTP/1.1 200 OK\r\nConte"), direct: closed },
  // node:http itself tells them apart on the request, but the client reports what it says on the answer: "aborted".
  { title: "a reset in a declared body", answer: Raw.rst(declared), direct: reset, node: closed },
  { title: "a close in a declared body", answer: Raw.fin(declared), direct: closed },
  { title: "a reset in a chunked body", answer: Raw.rst(chunked), direct: reset, node: closed },
  { title: "a close in a chunked body", answer: Raw.fin(chunked), direct: closed },
  // Only the direct transport sees that such a body did not end with a close.
  {
    title: "a reset in a body that ends with the connection",
    answer: Raw.rst(ok("", "{}")),
    direct: reset,
    node: "200 {}",
    undici: "200 {}",
    fetch: "200 {}"
  },
  { title: "a close in a body that ends with the connection", answer: Raw.fin(ok("", "{}")), direct: "200 {}" },
  { title: "text that is no HTTP", answer: Raw.fin("SSH-2.0-OpenSSH_9.6\r\n"), direct: malformed },
  { title: "bytes that are no HTTP", answer: Raw.fin("\u0000\u0001\u0002\u0003"), direct: malformed },
  { title: "a body without a head", answer: Raw.fin("{}"), direct: malformed },
  { title: "a status that is no number", answer: Raw.fin("HTTP/1.1 abc OK\r\n\r\n"), direct: malformed },
  {
    title: "a status below 100",
    answer: Raw.fin("HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n"),
    direct: "malformed: the answer has no valid status",
    node: "99 ",
    undici: "unknown: the connection failed for an unknown reason",
    fetch: "unknown: the connection failed for an unknown reason"
  },
  { title: "a header without a colon", answer: Raw.fin(ok("no colon\r\n", "")), direct: malformed },
  {
    title: "a chunk without a size",
    answer: Raw.fin(ok("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n")),
    direct: malformed,
    node: closed
  },
  {
    title: "Content-Length and Transfer-Encoding",
    answer: Raw.fin(ok("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")),
    direct: malformed,
    undici: contradiction,
    fetch: contradiction
  },
  {
    title: "two lengths",
    answer: Raw.fin(ok("Content-Length: 2\r\nContent-Length: 3\r\n", "{}")),
    direct: malformed,
    undici: contradiction,
    fetch: contradiction
  },
  { title: "200 KB of headers", answer: Raw.fin(ok(`A: ${"a".repeat(200_000)}\r\n`, "{}")), direct: tooLarge },
  { title: "100 Continue and nothing more", answer: Raw.fin("HTTP/1.1 100 Continue\r\n\r\n"), direct: closed },
  // undici takes a 100 that nobody asked for as an error.
  {
    title: "100, 102 and 103 before the answer",
    answer: Raw.fin(
      `HTTP/1.1 100 A\r\n\r\nHTTP/1.1 102 B\r\n\r\nHTTP/1.1 103 C\r\nLink: x\r\n\r\n${
        ok("Content-Length: 2\r\n", "{}")
      }`
    ),
    direct: "200 {}",
    undici: closed,
    fetch: closed
  },
  // The "node" client says 101, which is no answer to a ping.
  {
    title: "101 Switching Protocols",
    answer: Raw.fin("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
    direct: "malformed: the answer switched to another protocol, which nobody asked for",
    node: "101 ",
    undici: closed,
    fetch: closed
  },
  { title: "bytes after the body", answer: Raw.fin(ok("Content-Length: 2\r\n", "{}garbage")), direct: "200 {}" },
  {
    title: "bytes after the last body",
    answer: Raw.fin(ok("Connection: close\r\nContent-Length: 2\r\n", "{}garbage")),
    direct: "200 {}"
  },
  { title: "a second answer", answer: Raw.fin(ok("Content-Length: 2\r\n", "{}").repeat(2)), direct: "200 {}" },
  { title: "204", answer: Raw.fin("HTTP/1.1 204 X\r\n\r\n"), direct: "204 " },
  { title: "204 with a body", answer: Raw.fin("HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\n{}"), direct: "204 " },
  { title: "304", answer: Raw.fin("HTTP/1.1 304 X\r\n\r\n"), direct: "304 " },
  { title: "HTTP/1.0", answer: Raw.fin("HTTP/1.0 200 OK\r\n\r\n{}"), direct: "200 {}" },
  {
    title: "a body that never ends",
    answer: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n")
      flood("x".repeat(1024))(socket)
    },
    direct: "200 65536 bytes"
  },
  {
    title: "a body of exactly as much as is read",
    answer: Raw.fin(ok("Content-Length: 65536\r\n", "x".repeat(65_536))),
    direct: "200 65536 bytes"
  },
  { title: "a body that drips", answer: drip(ok("Content-Length: 2\r\n", "{}")), direct: "200 {}" },
  // fetch decodes what nobody asked to be encoded.
  {
    title: "a body that is not what Content-Encoding says",
    answer: Raw.fin(ok("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "{}")),
    direct: "200 {}",
    fetch: "malformed: the answer's body was not encoded as its header says"
  },
  {
    title: "a redirect",
    answer: Raw.fin("HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
    direct: "302 "
  }
]

const transports: { readonly [K in Transport]: Layer.Layer<OutgoingTransport.OutgoingTransport> } = {
  direct: NodeTransport.layer(),
  node: OutgoingTransport.layer.pipe(Layer.provide(NodeHttpClient.layerNodeHttp)),
  undici: OutgoingTransport.layer.pipe(Layer.provide(NodeHttpClient.layerUndici)),
  fetch: OutgoingTransport.layer.pipe(Layer.provide(FetchHttpClient.layer))
}

const names: ReadonlyArray<Transport> = ["direct", "node", "undici", "fetch"]

for (const name of names) {
  describe(`the ${name} transport`, () => {
    for (const test of cases) {
      it.effect(`${test.title}: ${test[name] ?? test.direct}`, () =>
        Effect.gen(function*() {
          const server = yield* Raw.serve(test.answer)
          assert.strictEqual(yield* sendInWords(server.url), test[name] ?? test.direct)
          assert.lengthOf(server.requests, 1)
        }).pipe(Effect.provide(transports[name])))
    }

    it.effect("a port that nobody listens on: refused", () =>
      Effect.gen(function*() {
        const { url } = yield* Effect.scoped(Raw.serve(() => {}))
        assert.strictEqual(yield* sendInWords(url), "refused: the connection was refused")
      }).pipe(Effect.provide(transports[name])))

    it.effect("a host that does not exist: dns", () =>
      Effect.gen(function*() {
        assert.match(yield* sendInWords(new URL("http://appservice.invalid/")), /^dns: /)
      }).pipe(Effect.provide(transports[name])))

    it.effect("https on a port that speaks plain HTTP: tls", () =>
      Effect.gen(function*() {
        // A handshake is no whole request, so that the server answers whatever comes first.
        const server = yield* Raw.serve(Raw.fin("HTTP/1.1 400 Bad Request\r\n\r\n"), () => true)
        const url = new URL(server.url.href.replace("http:", "https:"))
        assert.strictEqual(yield* sendInWords(url), "tls: the port does not speak TLS")
      }).pipe(Effect.provide(transports[name])))
  })
}

describe("the direct transport", () => {
  it.effect("D11 sends these bytes, once, on a connection of its own, and closes it", () =>
    Effect.gen(function*() {
      const server = yield* Raw.serve(Raw.stall(ok("Content-Length: 2\r\n", "{}")))
      for (let i = 1; i <= 3; i++) {
        yield* send(server.url)
        yield* server.left(i)
      }
      assert.lengthOf(server.requests, 3)
      for (const bytes of server.requests) {
        assert.strictEqual(
          bytes.toLowerCase(),
          [
            "post /_matrix/app/v1/ping http/1.1",
            "authorization: bearer hs_token",
            "content-type: application/json",
            "content-length: 23",
            `host: ${server.url.host}`,
            "connection: close",
            "",
            "{\"transaction_id\":\"Ã¼\"}"
          ].join("\r\n").toLowerCase()
        )
      }
    }).pipe(Effect.provide(NodeTransport.layer())))

  for (
    const [phase, bytes] of [
      ["before the answer", ""],
      ["in the head", "HTTP/1.1 200 OK\r\nConte"],
      ["in the body", declared]
    ] as const
  ) {
    it.effect(`D3 an interruption ${phase} lets go of the connection`, () =>
      Effect.gen(function*() {
        const server = yield* Raw.serve(Raw.stall(bytes))
        const sending = yield* Effect.forkChild(send(server.url), { startImmediately: true })
        yield* server.arrived(1)
        assert.isUndefined(sending.pollUnsafe())
        yield* Fiber.interrupt(sending)
        yield* server.left(1)
        assert.lengthOf(server.requests, 1)
      }).pipe(Effect.provide(NodeTransport.layer())))
  }

  it.effect("D4 lets go of a connection whose body is longer than what is read", () =>
    Effect.gen(function*() {
      const server = yield* Raw.serve((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        flood("x".repeat(1024))(socket)
      })
      const { body } = yield* send(server.url)
      assert.lengthOf(body, 64 * 1024)
      yield* server.left(1)
    }).pipe(Effect.provide(NodeTransport.layer())))

  it.effect("bounds the informational answers", () =>
    Effect.gen(function*() {
      const failure = "malformed: too many informational answers came, and no final one"
      for (const status of ["100 Continue", "102 Processing", "103 Early Hints"]) {
        const server = yield* Raw.serve(flood(`HTTP/1.1 ${status}\r\n\r\n`))
        assert.strictEqual(yield* sendInWords(server.url), failure)
        yield* server.left(1)
      }
      const answer = (count: number) =>
        Raw.serve(Raw.fin(`${"HTTP/1.1 102 X\r\n\r\n".repeat(count)}${ok("Content-Length: 2\r\n", "{}")}`))
      assert.strictEqual(yield* sendInWords((yield* answer(3)).url), "200 {}")
      assert.strictEqual(yield* sendInWords((yield* answer(4)).url), failure)
    }).pipe(Effect.provide(NodeTransport.layer({ maxInformational: 3 }))))

  it.effect("D3 bounds what is no body: the extensions of chunks without an end", () =>
    Effect.gen(function*() {
      const chunk = (extension: number) => `1;a=${"x".repeat(extension)}\r\ny\r\n`
      const server = yield* Raw.serve((socket) => {
        socket.write(ok("Transfer-Encoding: chunked\r\n", ""))
        flood(chunk(1000))(socket)
      })
      assert.strictEqual(
        yield* sendInWords(server.url),
        "malformed: the answer has too many bytes beside its body"
      )
      yield* server.left(1)
      const answer = (count: number) =>
        Raw.serve(Raw.fin(`${ok("Transfer-Encoding: chunked\r\n", chunk(1000).repeat(count))}0\r\n\r\n`))
      assert.strictEqual(yield* sendInWords((yield* answer(500)).url), "200 500 bytes")
      const slices = Raw.fin(`${ok("Transfer-Encoding: chunked\r\n", "1\r\ny\r\n".repeat(65_535))}0\r\n\r\n`)
      assert.strictEqual(yield* sendInWords((yield* Raw.serve(slices)).url), "200 65535 bytes")
    }).pipe(Effect.provide(NodeTransport.layer())))

  it.effect("bounds what is no body where the caller says, and a bound that is none is a defect", () =>
    Effect.gen(function*() {
      const server = yield* Raw.serve(Raw.fin(ok(`A: ${"a".repeat(2000)}\r\nContent-Length: 2\r\n`, "{}")))
      const limited = NodeTransport.layer({ maxFramingBytes: 1000 })
      assert.match(yield* sendInWords(server.url).pipe(Effect.provide(limited)), /^malformed/)
      const boundless = NodeTransport.layer({ maxFramingBytes: Number.NaN })
      assert.isTrue(Exit.hasDies(yield* Effect.exit(send(server.url).pipe(Effect.provide(boundless)))))
    }))

  it.effect("bounds the head of the answer where the caller says", () =>
    Effect.gen(function*() {
      const head = (bytes: number) => Raw.serve(Raw.fin(ok(`A: ${"a".repeat(bytes)}\r\nContent-Length: 2\r\n`, "{}")))
      assert.strictEqual(yield* sendInWords((yield* head(100)).url), "200 {}")
      assert.strictEqual(yield* sendInWords((yield* head(2000)).url), tooLarge)
    }).pipe(Effect.provide(NodeTransport.layer({ maxHeaderBytes: 1024 }))))

  it.effect("a header that none can be is a failure and no defect", () =>
    Effect.gen(function*() {
      const server = yield* Raw.serve(() => {})
      const transport = yield* OutgoingTransport.OutgoingTransport
      const bad = { ...request(server.url), headers: { authorization: "Bearer a\r\nX: y" } }
      const failure = yield* Effect.flip(transport.send(bad))
      assert.strictEqual(failure.kind, "unknown")
      assert.notInclude(failure.text, "Bearer")
      assert.lengthOf(server.requests, 0)
    }).pipe(Effect.provide(NodeTransport.layer())))

  it.effect("reaches an address in IPv6 form", () =>
    Effect.gen(function*() {
      // Nothing listens there, so that a machine without IPv6 says the same in another word.
      const { url } = yield* Effect.scoped(Raw.serve(() => {}))
      assert.match(yield* sendInWords(new URL(`http://[::1]:${url.port}/`)), /^(?:refused|unreachable): /)
    }).pipe(Effect.provide(NodeTransport.layer())))

  it.effect("an error on the connection after the answer harms nobody", () =>
    Effect.gen(function*() {
      const server = yield* Raw.serve((socket) => {
        socket.write(ok("Content-Length: 2\r\n", "{}"), () => socket.resetAndDestroy())
      })
      for (let i = 1; i <= 50; i++) {
        const result = yield* sendInWords(server.url)
        assert.strictEqual(result, "200 {}")
        yield* server.left(i)
      }
    }).pipe(Effect.provide(NodeTransport.layer())))
})

describe("the direct transport over TLS", () => {
  const fixture = (name: string) => Effect.promise(() => readFile(join(import.meta.dirname, "fixtures", name), "utf8"))

  /** Answers over TLS with a certificate that is self-signed, and for `localhost` only. */
  const serveTls = Effect.gen(function*() {
    const [cert, key] = yield* Effect.all([fixture("localhost.cert.pem"), fixture("localhost.key.pem")])
    const server = yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer({ cert, key }, (_, response) => response.end("{}"))
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        })
    )
    const address = server.address()
    return { cert, port: typeof address === "object" && address !== null ? address.port : 0 }
  })

  it.effect("a certificate that nobody trusts: tls", () =>
    Effect.gen(function*() {
      const { port } = yield* serveTls
      const result = yield* sendInWords(new URL(`https://localhost:${port}/`))
      assert.strictEqual(result, "tls: the TLS certificate is self-signed")
    }).pipe(Effect.provide(NodeTransport.layer())))

  it.effect("ca: a certificate that the caller trusts is good for its own host, and for no other", () =>
    Effect.gen(function*() {
      const { cert, port } = yield* serveTls
      for (const ca of [cert, [cert]]) {
        const trusting = Effect.provide(NodeTransport.layer({ ca }))
        assert.strictEqual(yield* trusting(sendInWords(new URL(`https://localhost:${port}/`))), "200 {}")
        assert.strictEqual(
          yield* trusting(sendInWords(new URL(`https://127.0.0.1:${port}/`))),
          "tls: the TLS certificate is for another host"
        )
      }
    }))
})

describe("the direct transport over connections of the caller", () => {
  for (const scheme of ["http", "https"]) {
    it.live(`lets go of a connection that is still on its way when it is interrupted: ${scheme}`, () =>
      Effect.gen(function*() {
        const opened = yield* Deferred.make<Socket>()
        const transport = NodeTransport.layer({
          connect: (_, callback) => {
            // The name server never answers.
            const socket = connect({ host: "appservice.test", port: 1, lookup: () => {} })
            Deferred.doneUnsafe(opened, Effect.succeed(socket))
            callback(null, socket)
          }
        })
        const fiber = yield* Effect.forkChild(
          Effect.provide(send(new URL(`${scheme}://appservice.test:1/`)), transport)
        )
        const socket = yield* Deferred.await(opened)
        assert.isFalse(socket.destroyed)
        yield* Fiber.interrupt(fiber)
        assert.isTrue(socket.destroyed)
      }))
  }
})
