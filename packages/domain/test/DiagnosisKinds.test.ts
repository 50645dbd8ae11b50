// Whole kinds of causes, in the words of many clients: one sentence for all members of a kind.
import * as Answer from "@appservice-ping/domain/Answer"
import * as ConnectionSign from "@appservice-ping/domain/ConnectionSign"
import { type Context, diagnose, type Diagnosis } from "@appservice-ping/domain/Diagnosis"
import * as PingError from "@appservice-ping/domain/PingError"
import { NotHomeserver } from "@appservice-ping/domain/TransportError"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Result } from "effect"
import { httpToTls, kinds } from "./cases/texts.ts"

const homeserver = "http://homeserver.example"

/** Reads an answer of the homeserver, and explains it. */
const explain = (status: number, body: unknown, context: Context = {}): Diagnosis => {
  const result = Answer.decode(
    { status, headers: {}, body: typeof body === "string" ? body : JSON.stringify(body) },
    { url: new URL(`${homeserver}/_matrix/client/v1/appservice/bridge/ping`), now: 0 }
  )
  return Result.isFailure(result) ? diagnose(result.failure, { homeserver, ...context }) : assert.fail("a success")
}

const failed = (error: string) => ({ errcode: "M_CONNECTION_FAILED", error })

const badStatus = (status: number, body: string) => ({ errcode: "M_BAD_STATUS", error: "bad", status, body })

const members = kinds.flatMap((kind) => kind.texts.map(([family, text]) => [kind.name, family, text, kind] as const))

describe("the words of many clients", () => {
  it.each(members)("%s: %s: %s", (_, __, text, { actor, cause, temporary, url }) => {
    for (const [status, errcode] of [[502, "M_CONNECTION_FAILED"], [500, "M_UNKNOWN"]] as const) {
      const diagnosis = explain(status, { errcode, error: text }, { url })
      assert.match(diagnosis.cause, cause)
      assert.deepInclude(diagnosis, { actor, temporary, weight: "text" })
    }
  })
})

describe("J: plain HTTP to TLS, in the words of the server", () => {
  it.each(httpToTls)("on the way to the appservice: %s", (_, status, body) => {
    const diagnosis = explain(502, badStatus(status, body), { url: "http://bridge" })
    assert.match(diagnosis.cause, /speaks TLS, but was called with plain HTTP/)
    assert.deepInclude(diagnosis, { actor: "operator", temporary: false, certainty: "certain" })
    assert.match(diagnosis.advice, /https:/)
  })

  it.each(httpToTls)("on the way to the homeserver: %s", (_, status, body) => {
    const diagnosis = explain(status, body)
    assert.match(diagnosis.cause, /homeserver .* speaks TLS, but was called with plain HTTP/)
    assert.deepInclude(diagnosis, { actor: "operator", temporary: false, weight: "seen" })
  })

  it("behind a proxy that takes https: it is the proxy that mixes them up", () => {
    const [[, status, body] = ["", 0, ""]] = httpToTls
    const diagnosis = explain(502, badStatus(status, body), { url: "https://bridge" })
    assert.match(diagnosis.cause, /A proxy in front of .* sends plain HTTP to a port behind it that speaks TLS/)
  })
})

describe("names that a peer repeats", () => {
  const says = (error: string, context: Context) => ConnectionSign.read({ error }, context).sign

  it.each([
    ["tls-irc", "appservice \"tls-irc\": Connection refused (os error 111)", "refused"],
    ["tls-irc", "Appservice tls-irc did not answer: unknown", "unknown"],
    ["redirect-bot", "Could not ping redirect-bot: operation timed out", "timeout"],
    ["redirect-bot", " appservice=\"redirect-bot\" dest=http://bridge e=unknown", "unknown"],
    ["timeout", "Failed to ping appservice timeout: unknown", "unknown"],
    ["refused", "appservice 'refused': no such host", "dns"],
    ["x509-reset", "x509-reset: EOF", "closed"]
  ])("are no sign of anything: the id %s in %s", (id, error, sign) => {
    assert.strictEqual(says(error, { id, url: "https://bridge" }), sign)
  })

  it.each([
    ["https://certificate.invalid", "could not connect to certificate.invalid: unknown", "unknown"],
    ["https://certificate.invalid:29318", "dial tcp: lookup certificate.invalid: no such host", "dns"],
    ["https://expired.example", "x509: certificate is valid for a.example, not expired.example", "tls"],
    ["http://reset:29318", "Cannot connect to host reset:29318 ssl:default [None]", "unknown"],
    ["http://bridge:502", "connect to bridge:502 failed, nothing more", "unknown"],
    ["http://timeout.example", "ping of timeout.example (http://timeout.example/x) failed", "unknown"],
    ["http://proxyconnect", "Post \"http://proxyconnect/\": EOF", "closed"],
    ["http://[::1]:29401", "Cannot connect to host ::1:29401: unknown", "unknown"]
  ])("are no sign of anything: the url %s in %s", (url, error, sign) => {
    assert.strictEqual(says(error, { url }), sign)
  })

  it("an id or a host of one of the words leaves the words themselves alone", () => {
    assert.strictEqual(says("Connection refused", { id: "refused", url: "http://bridge" }), "refused")
    assert.strictEqual(says("tcp connect error: Connection refused", { id: "connect" }), "refused")
  })

  it("L: TLS is no cause where the url says http", () => {
    for (const error of ["x509: certificate has expired", "ssl error", "the certificate of tls.example", "tls: x"]) {
      assert.notMatch(explain(502, failed(error), { url: "http://bridge" }).cause, /secure|TLS|certificate/)
    }
    assert.match(explain(502, failed("x509: unknown authority"), { url: "https://bridge" }).cause, /not trusted/)
  })
})

describe("the status in a text", () => {
  it.each([
    ["Appservice \"a\" returned unsuccessful HTTP response 504 Gateway Timeout at http://h:1", 504],
    ["HTTP 504 ", 504],
    ["HTTP/1.1 502 Bad Gateway", 502],
    ["status: 503 Service Unavailable", 503],
    ["HTTP status server error (504 Gateway Timeout) for url (http://h:1/)", 504],
    ["returned status code 408", 408],
    ["ClientResponseError: 504, message='Gateway Timeout', url='http://h'", 504],
    ["HTTP Error 401: Unauthorized", 401],
    ["Server returned HTTP response code: 403 for URL: http://h", 403],
    ["Client request(POST http://h) invalid: 404 Not Found. Text: \"\"", 404],
    ["unexpected status: 304 Not Modified", 304],
    ["Gateway Time-out", 504],
    ["Bad Gateway", 502]
  ])("comes before its reason phrase: %s", (error, status) => {
    assert.deepInclude(ConnectionSign.read({ error }), { sign: "answered", status })
  })

  it.each([
    "Connection reset by peer (os error 104)",
    "[Errno 111] Connect call failed ('127.0.0.1', 404)",
    "PartialDownloadError: 200 OK",
    "dial tcp 10.0.4.4:500: i/o timeout",
    "x509: current time 500"
  ])("is no other number: %s", (error) => {
    assert.isUndefined(ConnectionSign.read({ error }).status)
  })
})

describe("127.0.0.1 of the homeserver", () => {
  const local = { url: "http://127.0.0.1:29318", homeserver: "https://matrix.example" }

  it("is only named where the connection was refused, timed out, or found no way", () => {
    for (const error of ["Connection refused", "timed out", "No route to host"]) {
      assert.match(explain(502, failed(error), local).advice, /own? ?machine|machine or container of the homeserver/)
    }
    for (
      const error of [
        "",
        "Failed to ping appservice",
        "PartialDownloadError: 200 OK",
        "InvalidCodepoint: Codepoint U+003A at position 1 of '::1' not allowed",
        "ValueError: invalid hostname: user:@127.0.0.1",
        "UnicodeDecodeError: 'utf-8' codec can't decode byte",
        "Connection reset by peer",
        "something that nobody knows"
      ]
    ) {
      assert.notMatch(JSON.stringify(explain(502, failed(error), local)), /container/)
    }
  })
})

describe("O: an address that is not the client API's", () => {
  const page = "<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>"

  it.each([
    ["a page", 404, page],
    ["text", 404, "404 page not found\n"],
    ["JSON", 404, { detail: "Not Found" }],
    ["JSON of another service", 404, { error: "not found", code: 5 }],
    ["no body", 404, ""],
    ["a page for GET alone", 405, "<html><title>405 Not Allowed</title></html>"],
    ["a client's page", 200, "<!doctype html><title>Element</title>"],
    ["another JSON", 200, { flows: [] }],
    ["a worker", 404, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" }]
  ])("%s: where to find it, and that it does not end in /_matrix", (_, status, body) => {
    const diagnosis = explain(status, body)
    assert.deepInclude(diagnosis, { actor: "operator", temporary: false })
    assert.match(diagnosis.advice, /\.well-known\/matrix\/client.*must not end in \/_matrix/)
  })

  it.each(["/_matrix", "/_matrix/", "/_matrix/client", "/_matrix/client/v3", "/_matrix/client/v3/", "/base/_matrix"])(
    "one that ends in %s is named",
    (path) => {
      const address = `https://matrix.example${path}`
      const unrecognized = diagnose(new PingError.Unrecognized({}), { homeserver: address })
      const url = `${address.replace(/\/+$/, "")}/_matrix/client/v1/appservice/x/ping`
      for (const diagnosis of [unrecognized, diagnose(new NotHomeserver({ url, status: 404, body: page }))]) {
        assert.match(diagnosis.cause, /ends in \/_matrix/)
        assert.deepInclude(diagnosis, { actor: "operator", certainty: "certain" })
        assert.match(diagnosis.advice, /must not end in \/_matrix/)
      }
    }
  )

  it("one with another path is not", () => {
    const diagnosis = diagnose(new PingError.Unrecognized({}), { homeserver: "https://matrix.example/_matrix.d/x" })
    assert.notMatch(diagnosis.cause, /ends in/)
    assert.deepInclude(diagnosis, { certainty: "possible" })
  })
})

describe("K: a port that fetch refuses", () => {
  it("lasts, on the way to the appservice", () => {
    for (const error of ["bad port", "the HTTP client refuses this port", "TypeError: fetch failed: bad port"]) {
      const diagnosis = explain(502, failed(error), { url: "http://bridge:6667" })
      assert.match(diagnosis.cause, /port belongs to another protocol/)
      assert.deepInclude(diagnosis, { actor: "operator", temporary: false })
    }
  })
})

describe("answers that are not what they seem", () => {
  it("a 504 after 20 ms is no slow answer", () => {
    const of = (millis: number) =>
      explain(504, { errcode: "M_CONNECTION_TIMEOUT" }, {
        url: "http://127.0.0.1:29318",
        elapsed: Duration.millis(millis)
      })
    assert.match(of(20).cause, /after only 20 milliseconds: .* reset or closed/)
    assert.deepInclude(of(20), { certainty: "possible", temporary: true })
    assert.notMatch(of(20).advice, /firewall|container/)
    assert.match(of(15_000).cause, /no answer .* in time/)
    assert.match(of(15_000).advice, /firewall/)
  })

  it("Synapse never gives up before 15 seconds, so that an earlier 504 is a connection that ended", () => {
    const of = (seconds: number, name: string) =>
      explain(504, { errcode: "M_CONNECTION_TIMEOUT" }, { elapsed: Duration.seconds(seconds), server: { name } })
    assert.match(of(3, "Synapse").cause, /reset or closed, or/)
    assert.match(of(15, "Synapse").cause, /no answer .* in time/)
    assert.match(of(3, "Tuwunel").cause, /no answer .* in time/)
  })

  it("304 is no redirect", () => {
    for (const diagnosis of [explain(502, badStatus(304, "")), explain(502, failed("HTTP 304 Not Modified"))]) {
      assert.match(diagnosis.cause, /nothing has changed \(status 304\)/)
      assert.notMatch(JSON.stringify(diagnosis), /redirect/)
    }
  })

  it.each([
    "Received invalid response from appservice",
    "The appservice gave an invalid response",
    "Got an unexpected response"
  ])("something answered: %s", (text) => {
    const diagnosis = explain(502, failed(text), { url: "http://127.0.0.1:29318" })
    assert.match(diagnosis.cause, /^Something answered/)
    assert.notMatch(diagnosis.cause, /nothing says why|not reached/)
  })

  it("continuwuity says of a timeout only which request it was, and of a body that it could not be read", () => {
    const timeout = explain(500, {
      errcode: "M_UNKNOWN",
      error: "Request error: error sending request for url (http://h:1/_matrix/app/v1/ping?access_token=x)"
    })
    assert.deepInclude(timeout, { actor: "network", temporary: true, certainty: "possible" })
    assert.match(timeout.cause, /^Probably: .* timed out/)
    const body = explain(500, { errcode: "M_UNKNOWN", error: "Request error: error decoding response body" })
    assert.match(body.cause, /body could not be read/)
    assert.deepInclude(body, { certainty: "possible" })
  })

  it.each(["No ping request expected", "transaction_id did not match", "transactionId did not match"])(
    "a framework that answers only its own pings is healthy: %s",
    (error) => {
      const diagnosis = explain(502, badStatus(400, JSON.stringify({ errcode: "BAD_REQUEST", error })))
      assert.deepInclude(diagnosis, { healthy: true, actor: "nobody", temporary: false })
      assert.match(diagnosis.cause, /framework answers only its own pings/)
    }
  )

  it("another 400 is not", () => {
    for (const body of ["", "No ping request expected", "{\"errcode\":\"BAD_REQUEST\",\"error\":\"x\"}"]) {
      assert.isFalse(explain(502, badStatus(400, body)).healthy)
    }
    assert.isFalse(explain(502, badStatus(401, "{\"errcode\":\"AUTH_FAILED\",\"error\":\"x\"}")).healthy)
  })

  it.each([
    ["matrix-bot-sdk", 404, "{\"errcode\":\"M_UNRECOGNIZED\",\"error\":\"Endpoint not implemented\"}"],
    ["matrix-appservice-bridge", 404, "<!DOCTYPE html>\n<pre>Cannot POST /_matrix/app/v1/ping</pre>\n"],
    ["mautrix-python before the ping", 404, "404: Not Found"]
  ])("a framework without the ping is a possibility: %s", (_, status, body) => {
    const diagnosis = explain(502, badStatus(status, body))
    assert.match(diagnosis.cause, /it may be an appservice .* whose framework has none/)
    assert.deepInclude(diagnosis, { certainty: "possible", actor: "operator" })
  })

  it("407 and a proxy's page are probably the homeserver's own proxy, and may be one at the url", () => {
    const squid = "<html><head><title>ERROR: The requested URL could not be retrieved</title></head></html>"
    for (const [status, body] of [[407, ""], [403, squid], [503, squid]] as const) {
      const diagnosis = explain(502, badStatus(status, body))
      assert.deepInclude(diagnosis, { actor: "homeserver admin", temporary: true, certainty: "possible" })
      assert.match(diagnosis.cause, /probably the homeserver's own proxy, .* or one that the url .* leads to/)
    }
  })

  it("an errcode is read also where the body is cut", () => {
    const body = `{"errcode":"AUTH_FAILED","error":"${"x".repeat(5000)}"}`
    assert.match(explain(502, badStatus(400, body)).cause, /rejects the hs_token/)
  })
})

describe("the words of the homeserver that was recognised", () => {
  const of = (name: string | undefined): Diagnosis =>
    diagnose(new PingError.UnknownToken({}), { server: name === undefined ? undefined : { name, version: "1" } })

  it.each([
    ["Synapse", /app_service_config_files in homeserver\.yaml.*restart Synapse/],
    ["Dendrite", /app_service_api\.config_files in dendrite\.yaml.*restart Dendrite/],
    ["Tuwunel", /admin room of Tuwunel.*!admin appservices register.*at once/],
    ["continuwuity", /admin room of continuwuity.*!admin appservices register.*at once/],
    ["Conduit", /admin room of Conduit.*register-appservice.*at once/]
  ])("%s", (name, says) => {
    assert.match(of(name).advice, says)
    const drifted = diagnose(new PingError.BadStatus({ status: 401 }), { server: { name } })
    assert.match(drifted.advice, says)
  })

  it("of one that is not known they name no file and no command", () => {
    for (const name of [undefined, "Something else"]) {
      assert.match(of(name).advice, /restart it; others .* admin room/)
      assert.notMatch(of(name).advice, /yaml|!admin/)
    }
  })

  it.each(["Conduit", "continuwuity", "Tuwunel"])("a user's token is possible with %s, which does not tell", (name) => {
    assert.match(of(name).cause, /or the token is a user's/)
    assert.strictEqual(of(name).certainty, "possible")
    assert.strictEqual(of("Synapse").certainty, "certain")
  })
})
