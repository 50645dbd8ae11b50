import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import * as http from "node:http"
import * as https from "node:https"
import { leaks } from "./support/canary.ts"
import { cpuMillis } from "./support/cpu.ts"
import { faults, rawServer } from "./support/rawServer.ts"

/** What a client raises for a POST, at whatever phase. */
type Client = (url: string, signal?: AbortSignal) => Effect.Effect<unknown>

const succeeded = new Error("the request succeeded")

const viaFetch: Client = (url, signal) =>
  Effect.promise(async () => {
    try {
      const response = await fetch(url, { method: "POST", body: "{}", ...(signal === undefined ? {} : { signal }) })
      await response.text()
    } catch (error) {
      return error
    }
    throw succeeded
  })

const viaNode = (options: http.RequestOptions = {}): Client => (url, signal) =>
  Effect.promise(() =>
    new Promise((resolve, reject) => {
      const { request } = url.startsWith("https:") ? https : http
      const sent = request(url, {
        method: "POST",
        agent: false,
        ...options,
        ...(signal === undefined ? {} : { signal })
      })
      sent.on("error", resolve)
      sent.on("response", (response) => {
        response.on("error", resolve)
        response.on("end", () => reject(succeeded))
        response.resume()
      })
      sent.end("{}")
    })
  )

const viaEffect = (layer: typeof FetchHttpClient.layer): Client => (url) =>
  HttpClient.post(url).pipe(
    Effect.flatMap((response) => response.text),
    Effect.flip,
    Effect.provide(layer),
    Effect.orDie
  )

const clients: { readonly [name: string]: Client } = {
  "fetch": viaFetch,
  "node:http": viaNode(),
  "Effect over fetch": viaEffect(FetchHttpClient.layer),
  "Effect over node:http": viaEffect(NodeHttpClient.layerNodeHttp),
  "Effect over undici": viaEffect(NodeHttpClient.layerUndici)
}

const kindOf = (error: unknown): ConnectionFailure.Kind => ConnectionFailure.fromUnknown(error).kind

describe.each(Object.entries(clients))("ConnectionFailure of what %s raises", (name, client) => {
  it.effect.each<readonly [keyof typeof faults, ReadonlyArray<ConnectionFailure.Kind>]>([
    ["FIN before the head", ["closed"]],
    ["FIN in the head", ["closed"]],
    ["FIN in the body", ["closed"]],
    ["RST before the head", ["reset"]],
    // node:http reports a reset in the body as it reports a FIN there.
    ["RST in the body", name.includes("node:http") ? ["reset", "closed"] : ["reset"]],
    ["garbage", ["malformed"]],
    ["SSH", ["malformed"]],
    // The layer over node:http only hears of the broken response, not of what broke it.
    ["a bad chunk", name === "Effect over node:http" ? ["closed"] : ["malformed"]],
    ["headers of 200 KB", ["malformed"]],
    ["two lengths", ["malformed"]]
  ])("C11 %s", ([fault, kinds]) =>
    Effect.gen(function*() {
      const port = yield* rawServer(faults[fault])
      const error = yield* client(`http://127.0.0.1:${port}/`)
      assert.include(kinds, kindOf(error))
    }))

  it.effect("C11 a refused connection", () =>
    Effect.gen(function*() {
      // The port is held on one loopback address, so nobody else can open it on the other.
      const port = yield* rawServer(faults.silence)
      assert.strictEqual(kindOf(yield* client(`http://127.0.0.2:${port}/`)), "refused")
    }))

  it.effect("C11 a host name that does not exist", () =>
    Effect.gen(function*() {
      assert.strictEqual(kindOf(yield* client("http://no-such-host.invalid/")), "dns")
    }))

  it.effect("C11 TLS on a port that does not speak it", () =>
    Effect.gen(function*() {
      const port = yield* rawServer((socket) =>
        socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
      )
      const failure = ConnectionFailure.fromUnknown(yield* client(`https://127.0.0.1:${port}/`))
      assert.deepStrictEqual({ ...failure }, { kind: "tls", text: "the port does not speak TLS" })
    }))

  it.effect("C11 a connection that closes in the TLS handshake", () =>
    Effect.gen(function*() {
      const port = yield* rawServer((socket) => socket.once("data", () => socket.end()))
      assert.strictEqual(kindOf(yield* client(`https://127.0.0.1:${port}/`)), "tls")
    }))
})

describe("ConnectionFailure of a timer", () => {
  it.effect.each(["fetch", "node:http"])("C12 %s gave up", (name) =>
    Effect.gen(function*() {
      const port = yield* rawServer(faults.silence)
      const client = name === "fetch" ? viaFetch : viaNode()
      const error = yield* client(`http://127.0.0.1:${port}/`, AbortSignal.timeout(1))
      assert.strictEqual(kindOf(error), "timeout")
    }))
})

describe("ConnectionFailure of several addresses", () => {
  const options: http.RequestOptions & { readonly autoSelectFamily: boolean } = {
    autoSelectFamily: true,
    lookup: (_host, _options, callback) =>
      callback(null, [{ address: "127.0.0.2", family: 4 }, { address: "127.0.0.3", family: 4 }])
  }

  it.effect("C11 all of them refused", () =>
    Effect.gen(function*() {
      const port = yield* rawServer(faults.silence)
      const error = yield* viaNode(options)(`http://bridge.example:${port}/`)
      assert.instanceOf(error, AggregateError)
      assert.strictEqual(kindOf(error), "refused")
    }))
})

const withCode = (code: string, message = ""): Error => Object.assign(new Error(message), { code })

describe("ConnectionFailure of codes", () => {
  const codes: ReadonlyArray<readonly [ConnectionFailure.Kind, ReadonlyArray<string>]> = [
    ["dns", ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "EAI_NONAME", "ENODATA", "EAI_MEMORY"]],
    ["refused", ["ECONNREFUSED", "ConnectionRefused", "FailedToOpenSocket"]],
    ["unreachable", ["EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL", "EACCES", "EPERM"]],
    ["reset", ["ECONNRESET", "ConnectionReset"]],
    ["closed", [
      "UND_ERR_SOCKET",
      "UND_ERR_CLOSED",
      "ECONNABORTED",
      "EPIPE",
      "ConnectionClosed",
      "ERR_STREAM_PREMATURE_CLOSE"
    ]],
    ["timeout", [
      "ETIMEDOUT",
      "ESOCKETTIMEDOUT",
      "UND_ERR_CONNECT_TIMEOUT",
      "UND_ERR_HEADERS_TIMEOUT",
      "UND_ERR_BODY_TIMEOUT"
    ]],
    ["malformed", [
      "HPE_INVALID_CHUNK_SIZE",
      "HPE_INVALID_CONSTANT",
      "HPE_INVALID_STATUS",
      "HPE_HEADER_OVERFLOW",
      "HPE_INVALID_TRANSFER_ENCODING",
      "HPE_UNEXPECTED_CONTENT_LENGTH",
      "HPE_CLOSED_CONNECTION",
      "UND_ERR_HEADERS_OVERFLOW",
      "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
      "UND_ERR_RES_EXCEEDED_MAX_SIZE",
      "Z_DATA_ERROR",
      "Z_BUF_ERROR"
    ]],
    ["tls", [
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "CERT_HAS_EXPIRED",
      "CERT_NOT_YET_VALID",
      "CERT_REVOKED",
      "CERT_UNTRUSTED",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
      "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
      "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
      "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
      "ERR_SSL_WRONG_VERSION_NUMBER",
      "EPROTO"
    ]],
    ["unknown", ["", "E_SOMETHING", "ERR_INVALID_URL", "constructor"]]
  ]

  it.each(codes.flatMap(([kind, all]) => all.map((code) => [code, kind] as const)))("C11 %s is %s", (code, kind) => {
    assert.strictEqual(kindOf(withCode(code)), kind)
    assert.strictEqual(kindOf(new TypeError("fetch failed", { cause: withCode(code) })), kind)
    assert.strictEqual(kindOf({ _tag: "HttpClientError", reason: { cause: withCode(code) } }), kind)
    assert.strictEqual(kindOf(new AggregateError([withCode(code), withCode(code)])), kind)
  })

  it.each([
    ["socket hang up", "closed"],
    ["aborted", "closed"],
    ["other side closed", "closed"],
    ["read ECONNRESET", "reset"],
    ["connect ECONNRESET", "reset"],
    ["write ECONNRESET", "reset"],
    ["Client network socket disconnected before secure TLS connection was established", "tls"]
  ])("C11 ECONNRESET with the text %j is %s", (text, kind) => {
    assert.strictEqual(kindOf(withCode("ECONNRESET", text)), kind)
  })

  it.each(["HTTPParserError", "TimeoutError", "ConnectTimeoutError", "HeadersTimeoutError", "BodyTimeoutError"])(
    "C11 %s is known by its name, without a code",
    (name) => {
      const error = Object.assign(new Error("x"), { name })
      assert.strictEqual(kindOf(error), name === "HTTPParserError" ? "malformed" : "timeout")
    }
  )

  it.each([
    ["error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)", "refused"],
    ["client error (SendRequest): connection error: Connection reset by peer (os error 104)", "reset"],
    ["client error (Connect): dns error: failed to lookup address information: Name or service not known", "dns"],
    ["client error (SendRequest): connection closed before message completed", "closed"],
    ["client error (Connect): invalid peer certificate: UnknownIssuer", "tls"],
    ["Cannot connect to host [Connection refused]", "refused"],
    ["[Errno 104] Connection reset by peer", "reset"],
    ["Temporary failure in name resolution", "dns"],
    ["The operation timed out.", "timeout"],
    ["Connect Timeout Error", "timeout"],
    ["something else", "unknown"]
  ])("C11 a runtime that has only the text %j: %s", (text, kind) => {
    assert.strictEqual(kindOf(new TypeError(text)), kind)
  })

  it("C11 the innermost cause that is known decides", () => {
    const inner = withCode("CERT_HAS_EXPIRED")
    assert.strictEqual(kindOf(Object.assign(new Error("x", { cause: inner }), { code: "ECONNRESET" })), "tls")
    const unknownInner = withCode("E_SOMETHING")
    assert.strictEqual(kindOf(Object.assign(new Error("x", { cause: unknownInner }), { code: "ECONNRESET" })), "reset")
  })
})

describe("ConnectionFailure is total", () => {
  it("D8 repeats nothing of what it was given", () => {
    const canary = "canary-0123456789"
    const cause = Object.assign(new Error(`connect to http://u:${canary}@h/?access_token=${canary}`), {
      code: "ECONNREFUSED",
      hostname: canary,
      name: canary
    })
    for (const error of [cause, new TypeError(canary, { cause }), new Error(canary), canary, { message: canary }]) {
      assert.deepStrictEqual(leaks(ConnectionFailure.fromUnknown(error), [canary]), [])
    }
  })

  it.each([
    undefined,
    null,
    "ECONNREFUSED",
    0,
    Symbol("x"),
    {},
    [],
    Object.create(null),
    { message: Object.create(null), code: {}, name: [] },
    { cause: null, errors: null, reason: undefined },
    { errors: [] },
    { errors: "ECONNREFUSED" }
  ])("knows nothing of %o", (error) => {
    assert.strictEqual(kindOf(error), "unknown")
  })

  it("ends for causes that lead back to themselves", () => {
    const error: { [key: string]: unknown } = { message: "x" }
    error["cause"] = error
    error["reason"] = error
    error["errors"] = Array.from({ length: 8 }, () => error)
    const other = { cause: error, reason: { cause: error, errors: [error, error] } }
    error["other"] = other
    assert.isBelow(cpuMillis(() => assert.strictEqual(kindOf(other), "unknown")), 500)
  })

  it("ends for a chain of causes without an end", () => {
    const endless = (): object => Object.defineProperty({}, "cause", { get: endless })
    assert.isBelow(cpuMillis(() => assert.strictEqual(kindOf(endless()), "unknown")), 500)
  })

  it.each([
    ["node:http", {
      code: "HPE_INVALID_CONSTANT",
      message: "Parse Error: Expected HTTP/",
      rawPacket: Uint8Array.of(0x15, 3, 3, 0, 2)
    }],
    ["undici", { name: "HTTPParserError", message: "Response does not match", data: "\u0015\u0003\u0001\0\u0002" }],
    ["fetch", new TypeError("fetch failed", { cause: { name: "HTTPParserError", data: "\u0015\u0003\u0003" } })]
  ])("J names a port that speaks TLS by the alert it answers: %s", (_, error) => {
    assert.deepInclude(ConnectionFailure.fromUnknown(error), {
      kind: "malformed",
      text: "the port speaks TLS, and the URL says http"
    })
  })

  it("K names a port that fetch refuses before it sends anything", () => {
    const error = new TypeError("fetch failed", { cause: new Error("bad port") })
    assert.deepInclude(ConnectionFailure.fromUnknown(error), {
      kind: "unreachable",
      text: "the HTTP client refuses this port"
    })
  })

  it.each([
    ["undici", { code: "UND_ERR_ABORTED", message: "Proxy response (407) !== 200 when HTTP Tunneling" }],
    ["tunnel-agent", { message: "tunneling socket could not be established, statusCode=403" }]
  ])("M names the client's own proxy: %s", (_, error) => {
    assert.match(ConnectionFailure.fromUnknown(error).text, /proxy that the connection goes through/)
  })

  it.prop("nothing makes it throw", [Schema.Json, Schema.String], ([json, text]) => {
    for (const error of [json, { cause: json, code: text, message: text }, { errors: [json, text], name: text }]) {
      assert.isTrue(Schema.is(ConnectionFailure.Kind)(kindOf(error)))
    }
  })
})
