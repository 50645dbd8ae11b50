import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { assertError, assertHealthy, asToken, hsToken, makePair, pingPath, post, type Side } from "./support/pair.ts"
import { talk } from "./support/RawClient.ts"

class Pair extends Context.Service<Pair, { readonly homeserver: Side; readonly appservice: Side }>()("test/Pair") {
  static readonly layer = Layer.effect(Pair, makePair())
}

const versions = "GET /_matrix/client/versions HTTP/1.1\r\nHost: pair\r\n\r\n"

/** The head of a good ping up to the lines that say how long its body is. */
const head = (side: Side): string => side.good.slice(0, side.good.indexOf("Content-Length"))

/** A request that must never be answered: whoever answers it took part of a body for a request. */
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: pair\r\n\r\n"

interface Case {
  readonly title: string
  readonly bytes: (side: Side) => string
  readonly status: number
  readonly errcode: string
  readonly halfClose?: true
}

const malformed = (title: string, bytes: (side: Side) => string): Case => ({
  title,
  bytes,
  status: 400,
  errcode: "M_UNRECOGNIZED"
})

const cases: ReadonlyArray<Case> = [
  malformed("a TLS handshake", () => "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003"),
  malformed("text that is no HTTP", () => "SSH-2.0-OpenSSH_9.6\r\n"),
  malformed("the preface of HTTP/2", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  malformed("a request line without a version", () => "GET /_matrix/client/versions\r\n\r\n"),
  malformed("a version that does not exist", () => versions.replace("HTTP/1.1", "HTTP/1.2")),
  malformed("version 2.0 in the text form", () => versions.replace("HTTP/1.1", "HTTP/2.0")),
  malformed("a header without a colon", () => "GET / HTTP/1.1\r\nHost: pair\r\nno colon\r\n\r\n"),
  malformed("a space before the colon of a header", () => "GET / HTTP/1.1\r\nHost : pair\r\n\r\n"),
  malformed("a header that goes on in the next line", () => "GET / HTTP/1.1\r\nHost: pair\r\nA: b\r\n c\r\n\r\n"),
  malformed("a NUL in a header", () => "GET / HTTP/1.1\r\nHost: pair\r\nA: b\u0000c\r\n\r\n"),
  malformed("lines that end in LF alone", () => "GET / HTTP/1.1\nHost: pair\n\n"),
  malformed("no Host", () => "GET /_matrix/client/versions HTTP/1.1\r\n\r\n"),
  malformed("two Hosts", () => "GET / HTTP/1.1\r\nHost: pair\r\nHost: other\r\n\r\n"),
  { ...malformed("half a request line, then the end", () => "GET /_mat"), halfClose: true },
  { ...malformed("half a head, then the end", () => "GET / HTTP/1.1\r\nHost: pa"), halfClose: true },
  {
    title: "half a body, then the end",
    bytes: (side) => side.good.slice(0, -1),
    halfClose: true,
    status: 400,
    errcode: "M_NOT_JSON"
  },
  {
    title: "200 KB of headers",
    bytes: (side) => head(side).replace("Host", `X-Large: ${"x".repeat(200_000)}\r\nHost`) + "\r\n",
    status: 431,
    errcode: "M_TOO_LARGE"
  },
  {
    title: "200 KB of a path",
    bytes: () => `GET /${"x".repeat(200_000)} HTTP/1.1\r\nHost: pair\r\n\r\n`,
    status: 431,
    errcode: "M_TOO_LARGE"
  },
  {
    title: "200 KB of trailers",
    bytes: (side) =>
      `${head(side)}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Large: ${"x".repeat(200_000)}\r\n\r\n`,
    status: 431,
    errcode: "M_TOO_LARGE"
  },
  malformed(
    "Content-Length and Transfer-Encoding",
    (side) => `${head(side)}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`
  ),
  malformed(
    "Transfer-Encoding and Content-Length",
    (side) => `${head(side)}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`
  ),
  ...[
    "2\r\nContent-Length: 2",
    "2\r\nContent-Length: 42",
    "2, 2",
    "+2",
    "-2",
    "0x2",
    "2 2",
    "",
    "9".repeat(30)
  ].map((length) =>
    malformed(
      `Content-Length: ${JSON.stringify(length)}`,
      (side) => `${head(side)}Content-Length: ${length}\r\n\r\n{}${smuggled}`
    )
  ),
  ...[
    "gzip",
    "identity",
    "xchunked",
    "chunked, gzip",
    "gzip, chunked",
    "chunked, chunked",
    "chunked\r\nTransfer-Encoding: chunked",
    "chunked\r\nTransfer-Encoding: x",
    "\u000bchunked"
  ].map((coding) =>
    malformed(
      `Transfer-Encoding: ${JSON.stringify(coding)}`,
      (side) => `${head(side)}Transfer-Encoding: ${coding}\r\n\r\n2\r\n{}\r\n0\r\n\r\n${smuggled}`
    )
  ),
  malformed(
    "Transfer-Encoding in HTTP/1.0",
    (side) =>
      `${head(side).replace("HTTP/1.1", "HTTP/1.0")}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n${smuggled}`
  ),
  ...["zz\r\n{}\r\n0\r\n\r\n", "2\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "2\r\n{}}\r\n0\r\n\r\n", "f".repeat(20)]
    .map((
      chunks
    ): Case => ({
      title: `the chunks ${JSON.stringify(chunks)}`,
      bytes: (side) => `${head(side)}Transfer-Encoding: chunked\r\n\r\n${chunks}${smuggled}`,
      status: 400,
      errcode: "M_NOT_JSON"
    })),
  {
    title: "40 KB of extensions of a chunk",
    bytes: (side) => `${head(side)}Transfer-Encoding: chunked\r\n\r\n2;${"x".repeat(40_000)}\r\n{}\r\n0\r\n\r\n`,
    status: 413,
    errcode: "M_TOO_LARGE"
  },
  {
    title: "an expectation that no server meets",
    bytes: (side) => side.good.replace("Host", "Expect: a-teapot\r\nHost"),
    status: 417,
    errcode: "M_UNRECOGNIZED"
  },
  {
    title: "CONNECT",
    bytes: () => "CONNECT pair:443 HTTP/1.1\r\nHost: pair:443\r\n\r\n",
    status: 404,
    errcode: "M_UNRECOGNIZED"
  },
  {
    title: "a method that nobody knows, on a path that nobody knows",
    bytes: () => "FOO /_matrix/nothing HTTP/1.1\r\nHost: pair\r\n\r\n",
    status: 404,
    errcode: "M_UNRECOGNIZED"
  }
]

for (const name of ["homeserver", "appservice"] as const) {
  it.layer(Pair.layer)(`what a raw socket sends to the ${name}`, (it) => {
    for (const { bytes, errcode, halfClose, status, title } of cases) {
      it.effect(`${title}: ${status} ${errcode}, and the connection ends`, () =>
        Effect.gen(function*() {
          const side = (yield* Pair)[name]
          const heard = yield* talk(side.port, bytes(side), { halfClose })
          assert.lengthOf(heard.answers, 1)
          assertError(side, heard.answers[0], status, errcode)
          assert.strictEqual(heard.answers[0]?.headers["connection"], "close")
          assert.strictEqual(heard.rest, "")
          assert.strictEqual(heard.closedBy, "fin")
          yield* assertHealthy(side)
        }))
    }

    it.effect("the text of an answer holds nothing that the client sent", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const canary = "canary_4d1f"
        for (
          const bytes of [
            `GET /${canary} HTTP/9.9\r\n\r\n`,
            `${canary}\r\n\r\n`,
            `GET / HTTP/1.1\r\n${canary}\r\n\r\n`,
            `GET / HTTP/1.1\r\nHost: pair\r\nContent-Length: ${canary}\r\n\r\n`,
            `${canary} /${canary} HTTP/1.1\r\nHost: pair\r\n\r\n`,
            side.good.replace("Host", `Expect: ${canary}\r\nHost`)
          ]
        ) {
          const { answers } = yield* talk(side.port, bytes)
          assert.lengthOf(answers, 1)
          assert.notInclude(JSON.stringify(answers), canary)
        }
      }))

    it.effect("a method that nobody knows, on the ping: 405 with Allow", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        for (const method of ["FOO", "post", "GETT"]) {
          const heard = yield* talk(side.port, side.good.replace("POST", method))
          assert.lengthOf(heard.answers, 1)
          assertError(side, heard.answers[0], 405, "M_UNRECOGNIZED")
          assert.strictEqual(heard.answers[0]?.headers["allow"], name === "homeserver" ? "POST, OPTIONS" : "POST")
          assert.strictEqual(heard.closedBy, "fin")
        }
        yield* assertHealthy(side)
      }))

    it.effect("two Authorization headers: neither wins", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const token = name === "homeserver" ? asToken : hsToken
        const good = `Authorization: Bearer ${token}`
        for (const lines of [`${good}\r\nAuthorization: Bearer other`, `Authorization: Bearer other\r\n${good}`]) {
          const { answers } = yield* talk(side.port, side.good.replace(good, lines), { answers: 1 })
          if (name === "homeserver") assertError(side, answers[0], 401, "M_UNKNOWN_TOKEN")
          else assertError(side, answers[0], 403, "M_FORBIDDEN")
        }
      }))

    it.effect("HTTP/1.0 without Host is answered, and the connection ends", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const heard = yield* talk(side.port, side.good.replace("HTTP/1.1", "HTTP/1.0").replace("Host: pair\r\n", ""))
        assert.strictEqual(heard.answers[0]?.status, 200)
        assert.strictEqual(heard.answers[0]?.headers["connection"], "close")
        assert.strictEqual(heard.closedBy, "fin")
      }))

    it.effect("a target in absolute form is answered by its path", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const { answers } = yield* talk(side.port, side.good.replace("POST /", "POST http://elsewhere/"), {
          answers: 1
        })
        assert.strictEqual(answers[0]?.status, 200)
      }))

    it.effect("OPTIONS * is no endpoint", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const { answers } = yield* talk(side.port, "OPTIONS * HTTP/1.1\r\nHost: pair\r\n\r\n", { answers: 1 })
        assertError(side, answers[0], 404, "M_UNRECOGNIZED")
      }))

    it.effect("a wish to upgrade is ignored, and the request answered", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        for (const protocol of ["websocket", "h2c"]) {
          const wish = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\nHost`
          const { answers } = yield* talk(side.port, side.good.replace("Host", wish), { answers: 1 })
          assert.strictEqual(answers[0]?.status, 200)
        }
      }))

    it.effect("a request with a wish to upgrade is the last on its connection", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const wish = side.good.replace("Host", "Connection: Upgrade\r\nUpgrade: websocket\r\nHost")
        const { answers, closedBy } = yield* talk(side.port, wish + side.good)
        assert.deepStrictEqual(answers.map(({ headers, status }) => [status, headers["connection"]]), [[200, "close"]])
        assert.strictEqual(closedBy, "fin")
      }))

    it.effect("CONNECT after a request that still runs is answered after it", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const heard = yield* talk(side.port, `${side.good}CONNECT pair:443 HTTP/1.1\r\nHost: pair:443\r\n\r\n`)
        assert.deepStrictEqual(heard.answers.map(({ status }) => status), [200, 404])
        assert.strictEqual(heard.closedBy, "fin")
      }))

    it.effect("pipelined requests are answered in order", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const missing = "GET /_matrix/nothing HTTP/1.1\r\nHost: pair\r\n\r\n"
        const heard = yield* talk(side.port, (side.good + missing + side.good + missing).repeat(25), { answers: 100 })
        assert.deepStrictEqual(
          heard.answers.map(({ status }) => status),
          Array.from({ length: 100 }, (_, i) => i % 2 === 0 ? 200 : 404)
        )
        assert.strictEqual(heard.rest, "")
      }))

    it.effect("garbage after pipelined requests is answered after them", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const heard = yield* talk(side.port, `${side.good}${side.good}\u0000garbage\r\n\r\n`)
        assert.deepStrictEqual(heard.answers.map(({ status }) => status), [200, 200, 400])
        assertError(side, heard.answers[2], 400, "M_UNRECOGNIZED")
        assert.strictEqual(heard.closedBy, "fin")
      }))

    it.effect("a body that breaks off after pipelined requests is answered after them", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const broken = `${head(side)}Transfer-Encoding: chunked\r\n\r\nzz\r\n`
        const heard = yield* talk(side.port, side.good + side.good + broken + smuggled)
        assert.deepStrictEqual(heard.answers.map(({ status }) => status), [200, 200, 400])
        assertError(side, heard.answers[2], 400, "M_NOT_JSON")
      }))

    it.effect("nothing after Connection: close is answered", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const heard = yield* talk(side.port, side.good.replace("Host", "Connection: close\r\nHost") + smuggled)
        assert.deepStrictEqual(heard.answers.map(({ status }) => status), [200])
      }))

    it.effect("a stranger's body is not read, and not taken for a request", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const stranger = post(pingPath, "x", smuggled, "X-Note: short").replace(/Authorization.*\r\n/, "")
        const path = name === "homeserver" ? pingPath : "/_matrix/app/v1/ping"
        const short = yield* talk(side.port, stranger.replace(pingPath, path) + side.good, { answers: 2 })
        assert.deepStrictEqual(short.answers.map(({ status }) => status), [401, 200])
        // A chunked body has no known end, so nothing may follow it.
        const chunked = `POST ${path} HTTP/1.1\r\nHost: pair\r\nTransfer-Encoding: chunked\r\n\r\n`
        const heard = yield* talk(side.port, `${chunked}2\r\n{}\r\n0\r\n\r\n${smuggled}`)
        assert.deepStrictEqual(heard.answers.map(({ status }) => status), [401])
        assert.strictEqual(heard.answers[0]?.headers["connection"], "close")
        assert.strictEqual(heard.closedBy, "fin")
      }))

    it.effect("a stranger who sends half a body is answered once", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const stranger = side.good.replace(/Authorization.*\r\n/, "")
        const heard = yield* talk(side.port, stranger.slice(0, -1), { halfClose: true })
        assert.deepStrictEqual(heard.answers.map(({ status }) => status), [401])
        assert.strictEqual(heard.closedBy, "fin")
      }))

    it.effect("Expect: 100-continue asks for a body that is acceptable", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const expecting = side.good.replace("Host", "Expect: 100-continue\r\nHost")
        const heard = yield* talk(side.port, expecting, { answers: 2 })
        assert.strictEqual(heard.answers[0]?.statusLine, "HTTP/1.1 100 Continue")
        assert.strictEqual(heard.answers[1]?.status, 200)
      }))

    it.effect("Expect: 100-continue asks for no body that is too large, nor for a stranger's", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const expecting = head(side).replace("Host", "Expect: 100-continue\r\nHost")
        const large = yield* talk(side.port, `${expecting}Content-Length: 30000000\r\n\r\n`)
        assert.lengthOf(large.answers, 1)
        assertError(side, large.answers[0], 413, "M_TOO_LARGE")
        const stranger = expecting.replace(/Authorization.*\r\n/, "")
        const unknown = yield* talk(side.port, `${stranger}Content-Length: 2\r\n\r\n`)
        assert.lengthOf(unknown.answers, 1)
        assertError(side, unknown.answers[0], 401, "M_MISSING_TOKEN")
        assert.strictEqual(unknown.closedBy, "fin")
      }))

    it.effect("a body of 30 MB is answered 413 although it is still being sent", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const body = Buffer.alloc(30_000_000, "a")
        const declared = yield* talk(side.port, [`${head(side)}Content-Length: ${body.length}\r\n\r\n`, body])
        const chunked = yield* talk(side.port, [
          `${head(side)}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`,
          body
        ])
        for (const heard of [declared, chunked]) {
          assert.lengthOf(heard.answers, 1)
          assertError(side, heard.answers[0], 413, "M_TOO_LARGE")
          assert.strictEqual(heard.closedBy, "fin")
        }
        yield* assertHealthy(side)
      }))

    it.effect("a client that reads only after it has sent 30 MB gets its 413", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const path = name === "homeserver" ? pingPath : "/_matrix/app/v1/ping"
        const token = name === "homeserver" ? asToken : hsToken
        const response = yield* Effect.promise(() =>
          fetch(`http://127.0.0.1:${side.port}${path}`, {
            method: "POST",
            headers: { authorization: `Bearer ${token}` },
            body: new Uint8Array(30_000_000)
          })
        )
        assert.strictEqual(response.status, 413)
      }))

    it.effect("100 000 nested arrays are answered", () =>
      Effect.gen(function*() {
        const side = (yield* Pair)[name]
        const path = name === "homeserver" ? pingPath : "/_matrix/app/v1/ping"
        const token = name === "homeserver" ? asToken : hsToken
        const nested = "[".repeat(100_000) + "]".repeat(100_000)
        for (const body of [nested, `{"transaction_id":${nested}}`]) {
          const { answers } = yield* talk(side.port, post(path, token, body), { answers: 1 })
          assertError(side, answers[0], 400, "M_BAD_JSON")
        }
        const { answers } = yield* talk(side.port, post(path, token, "[".repeat(500_000)), { answers: 1 })
        assertError(side, answers[0], 400, "M_NOT_JSON")
        yield* assertHealthy(side)
      }))
  })
}

describe("HEAD and OPTIONS on the wire", () => {
  it.effect("HEAD has the Content-Length of GET and no body, OPTIONS has neither", () =>
    Effect.gen(function*() {
      const { homeserver } = yield* makePair()
      const get = yield* talk(homeserver.port, versions, { answers: 1 })
      const head = yield* talk(homeserver.port, versions.replace("GET", "HEAD").repeat(2), { answers: 2, head: true })
      assert.isAbove(get.answers[0]?.body.length ?? 0, 0)
      for (const answer of head.answers) {
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers["content-length"], get.answers[0]?.headers["content-length"])
      }
      assert.strictEqual(head.rest, "")
      const options = yield* talk(homeserver.port, `OPTIONS ${pingPath} HTTP/1.1\r\nHost: pair\r\n\r\n`, { answers: 1 })
      assert.strictEqual(options.answers[0]?.status, 204)
      assert.isUndefined(options.answers[0]?.headers["content-length"])
      assert.isUndefined(options.answers[0]?.headers["transfer-encoding"])
    }))
})
