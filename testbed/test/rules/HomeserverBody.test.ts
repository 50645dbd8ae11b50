/** What a homeserver takes for a ping's body, and what it passes on of it: C6, C7 and D9, over every mount. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertHomeserverError, assertPingSucceeded } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { effectHttpApp, mounts, nodeListener } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"

const withHeaders = (body: string, ...headers: Http.RawHeaders): Buffer =>
  Http.request({ target: Fixture.path(), headers: [Fixture.bearer(Fixture.tokens.as), ...headers], body })

const notJson: ReadonlyArray<readonly [name: string, body: string | Uint8Array]> = [
  ["an empty body", ""],
  ["white space", " \r\n\t "],
  ["half an object", "{"],
  ["text", "hello"],
  ["a form", "transaction_id=x"],
  ["single quotes", "{'transaction_id':'x'}"],
  ["a comma too many", "{\"transaction_id\":\"x\",}"],
  ["two objects", "{}{}"],
  ["undefined", "undefined"],
  ["NaN", "NaN"],
  ["zero bytes", new Uint8Array(4)],
  ["an object with a zero byte after it", "{}\u0000"],
  ["a raw control character in a string", "{\"transaction_id\":\"\u0001\"}"],
  [
    "invalid UTF-8",
    Buffer.concat([Buffer.from("{\"transaction_id\":\""), Buffer.from([0xff, 0xfe]), Buffer.from("\"}")])
  ],
  ["a surrogate encoded as UTF-8", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ["UTF-16", Buffer.from("\ufeff{}", "utf16le")],
  ["gzip", Buffer.from([0x1f, 0x8b, 0x08, 0x00])]
]

const badJson: ReadonlyArray<readonly [name: string, body: string]> = [
  ["null", "null"],
  ["an array", "[]"],
  ["an array with an object", "[{\"transaction_id\":\"x\"}]"],
  ["a string", "\"x\""],
  ["a number", "1"],
  ["a boolean", "true"],
  ["transaction_id null", "{\"transaction_id\":null}"],
  ["transaction_id a number", "{\"transaction_id\":1}"],
  ["transaction_id a boolean", "{\"transaction_id\":true}"],
  ["transaction_id an object", "{\"transaction_id\":{}}"],
  ["transaction_id an array", "{\"transaction_id\":[\"x\"]}"],
  ["arrays in arrays, 100 000 deep", "[".repeat(100_000) + "]".repeat(100_000)]
]

const accepted: ReadonlyArray<readonly [name: string, body: string, passedOn: string]> = [
  ["{}", "{}", "{}"],
  ["white space around", " \r\n{ \"transaction_id\" : \"x\" }\n ", "{\"transaction_id\":\"x\"}"],
  [
    "keys nobody knows",
    "{\"a\":null,\"transaction_id\":\"x\",\"__proto__\":{},\"b\":[1]}",
    "{\"transaction_id\":\"x\"}"
  ],
  ["the key in another case", "{\"Transaction_Id\":1}", "{}"],
  [
    "a byte order mark, which RFC 8259 lets a parser ignore",
    "\ufeff{\"transaction_id\":\"x\"}",
    "{\"transaction_id\":\"x\"}"
  ],
  ["an unknown key 100 000 arrays deep", `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "{}"]
]

const transactionIds: ReadonlyArray<readonly [name: string, id: string]> = [
  ["an empty one", ""],
  ["a blank", " "],
  ["mautrix's", "mautrix-go_1666000000000000000_1"],
  ["quotes, backslashes and slashes", "\"\\/'"],
  ["what looks like JSON", "{\"transaction_id\":null}"],
  ["every kind of script", "ñ ß Привет 中文 עברית"],
  ["an emoji, outside the basic plane", "👩‍👩‍👧"],
  ["composed and decomposed letters, left as they are", "\u00e9e\u0301"],
  ["control characters and U+0000", "\u0000\u0001\t\r\n\u007f\u2028"],
  ["a byte order mark and U+FFFD", "\ufeff\ufffd"],
  ["a header and a request in it", "x\r\nX-Evil: 1\r\n\r\nGET / HTTP/1.1"],
  ["100 000 characters", "ä".repeat(100_000)]
]

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    for (const [name, body] of notJson) {
      it.effect(`C6 answers 400 M_NOT_JSON to ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          assertHomeserverError(yield* RawClient.send(port, Fixture.ping({ body })), 400, "M_NOT_JSON")
          assert.strictEqual(appservice.requests().length, 0)
        }))
    }

    for (const [name, body] of badJson) {
      it.effect(`C6 answers 400 M_BAD_JSON to ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          assertHomeserverError(yield* RawClient.send(port, Fixture.ping({ body })), 400, "M_BAD_JSON")
          assert.strictEqual(appservice.requests().length, 0)
        }))
    }

    it.effect("C6 answers 400 M_NOT_JSON where neither body nor Content-Length came", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        const bytes = `POST ${Fixture.path()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${Fixture.tokens.as}\r\n\r\n`
        assertHomeserverError(yield* RawClient.send(port, bytes), 400, "M_NOT_JSON")
        assert.strictEqual(appservice.requests().length, 0)
      }))

    for (const [name, body, passedOn] of accepted) {
      it.effect(`C6 accepts ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping({ body })))
          assert.deepStrictEqual(appservice.requests().map((call) => call.request().body.toString()), [passedOn])
        }))
    }

    for (
      const contentType of [
        undefined,
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
        "garbage",
        ""
      ]
    ) {
      it.effect(`C6 does not check the Content-Type: ${contentType ?? "none"}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          const headers: Http.RawHeaders = contentType === undefined ? [] : [["Content-Type", contentType]]
          assertPingSucceeded(yield* RawClient.send(port, withHeaders("{\"transaction_id\":\"x\"}", ...headers)))
          assert.deepStrictEqual(appservice.requests().map((call) => call.request().body.toString()), [
            "{\"transaction_id\":\"x\"}"
          ])
        }))
    }

    it.effect("C6 reads a chunked body", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        const body = Http.chunked("{\"trans", "action_id\":", "\"chünked\"}")
        assertPingSucceeded(yield* RawClient.send(port, withHeaders(body, ["Transfer-Encoding", "chunked"])))
        assert.deepStrictEqual(appservice.requests().map((call) => call.request().body.toString()), [
          "{\"transaction_id\":\"chünked\"}"
        ])
        assertHomeserverError(
          yield* RawClient.send(port, withHeaders(Http.chunked(), ["Transfer-Encoding", "chunked"])),
          400,
          "M_NOT_JSON"
        )
      }))

    it.effect("C6 reads a body that arrives byte by byte, a character cut in two", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        const connection = yield* RawClient.open(port)
        connection.socket.setNoDelay(true)
        for (const byte of Fixture.ping({ body: "{\"transaction_id\":\"ü😀\"}" })) {
          yield* connection.write(Uint8Array.of(byte))
          yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        }
        assertPingSucceeded(yield* connection.answer)
        assert.deepStrictEqual(appservice.requests().map((call) => call.request().body.toString()), [
          "{\"transaction_id\":\"ü😀\"}"
        ])
      }))

    it.effect("C6 answers 413 M_TOO_LARGE to a body over the bound, and takes one of exactly the bound", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount, { options: { maxBodyBytes: 1000 } })
        const ofLength = (length: number) => `{"transaction_id":"${"x".repeat(length - 21)}"}`
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping({ body: ofLength(1000) })))
        assert.strictEqual(appservice.requests().length, 1)
        assertHomeserverError(yield* RawClient.send(port, Fixture.ping({ body: ofLength(1001) })), 413, "M_TOO_LARGE")
        assertHomeserverError(
          yield* RawClient.send(
            port,
            withHeaders(Http.chunked(ofLength(600), ofLength(600)), ["Transfer-Encoding", "chunked"])
          ),
          413,
          "M_TOO_LARGE"
        )
        assert.strictEqual(appservice.requests().length, 1)
      }))

    it.effect("C6 answers 413 M_TOO_LARGE from the Content-Length alone", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        const head = Http.request({
          target: Fixture.path(),
          headers: [Fixture.bearer(Fixture.tokens.as), ["Content-Length", String(30 * 1024 * 1024)]]
        })
        assertHomeserverError(yield* RawClient.send(port, head), 413, "M_TOO_LARGE")
      }))

    it.effect("C6 answers on over a connection with bodies that nobody read", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        const connection = yield* RawClient.open(port)
        yield* connection.write(
          Fixture.ping({ token: "unknown-to-all", body: "{\"transaction_id\":\"a stranger's\"}" })
        )
        assertHomeserverError(yield* connection.answer, 401, "M_UNKNOWN_TOKEN", { soft_logout: false })
        yield* connection.write(Http.request({ method: "PUT", target: Fixture.path(), body: "x".repeat(1000) }))
        assertHomeserverError(yield* connection.answer, 405, "M_UNRECOGNIZED")
        yield* connection.write(Fixture.ping({ body: "not json" }))
        assertHomeserverError(yield* connection.answer, 400, "M_NOT_JSON")
        yield* connection.write(Fixture.ping({ body: "{\"transaction_id\":\"the last\"}" }))
        assertPingSucceeded(yield* connection.answer)
        assert.deepStrictEqual(appservice.requests().map((call) => call.request().body.toString()), [
          "{\"transaction_id\":\"the last\"}"
        ])
      }))

    it.effect("C6 survives a client that goes away in the middle of its body", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        for (const end of ["fin", "reset"]) {
          const gone = yield* RawClient.open(port)
          yield* gone.write(Http.request({
            target: Fixture.path(),
            headers: [Fixture.bearer(Fixture.tokens.as), ["Content-Length", "1000"]],
            body: "{\"transaction_id\":\""
          }))
          if (end === "fin") gone.socket.end()
          else gone.socket.resetAndDestroy()
        }
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        assert.strictEqual(appservice.requests().length, 1)
      }))

    for (const [name, id] of transactionIds) {
      it.effect(`C7 passes a transaction_id through as it is: ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          const body = JSON.stringify({ transaction_id: id })
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping({ body })))
          assert.strictEqual(appservice.requests().length, 1)
          const received = appservice.requests()[0]?.request()
          assert.strictEqual(received?.body.toString(), body)
          assert.strictEqual(received?.header("content-length"), String(Buffer.byteLength(body)))
          assert.strictEqual(received?.rest.length, 0)
        }))
    }

    it.effect("C7 passes a lone surrogate through as the escape it came as", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        for (const body of ["{\"transaction_id\":\"\\ud800\"}", "{\"transaction_id\":\"\\udc00\\ud800x\"}"]) {
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping({ body })))
          assert.strictEqual(appservice.requests().at(-1)?.request().body.toString(), body)
        }
      }))

    it.effect("C7 makes two calls of two pings with one id", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        const bytes = Fixture.ping({ body: "{\"transaction_id\":\"once\"}" })
        assertPingSucceeded(yield* RawClient.send(port, bytes))
        assertPingSucceeded(yield* RawClient.send(port, bytes))
        assert.deepStrictEqual(appservice.requests().map((call) => call.request().body.toString()), [
          "{\"transaction_id\":\"once\"}",
          "{\"transaction_id\":\"once\"}"
        ])
      }))

    it.effect("D9 sends {} where the caller gave no transaction_id, and \"\" where it gave an empty one", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        for (const body of ["{}", "{\"transaction_id\":\"\"}"]) {
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping({ body })))
          const received = appservice.requests().at(-1)?.request()
          assert.deepStrictEqual(received?.body, Buffer.from(body))
          assert.strictEqual(received?.header("content-length"), String(body.length))
          assert.isUndefined(received?.header("transfer-encoding"))
        }
      }))
  })
}

// The bridge of the tests to a web-standard handler is not held to this: how a connection ends is the server's business.
for (const mount of [effectHttpApp, nodeListener]) {
  describe(`on ${mount.name}`, () => {
    it.effect("C6 answers 413 M_TOO_LARGE to a client that goes on to send 30 MB", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        const body = Buffer.alloc(30 * 1024 * 1024, " ")
        const bytes = Http.request({ target: Fixture.path(), headers: [Fixture.bearer(Fixture.tokens.as)], body })
        assertHomeserverError(yield* RawClient.send(port, bytes), 413, "M_TOO_LARGE")
        const chunks = Http.request({
          target: Fixture.path(),
          headers: [Fixture.bearer(Fixture.tokens.as), ["Transfer-Encoding", "chunked"]],
          body: Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")])
        })
        assertHomeserverError(yield* RawClient.send(port, chunks), 413, "M_TOO_LARGE")
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        assert.strictEqual(appservice.requests().length, 1)
      }))
  })
}
