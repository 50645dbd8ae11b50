import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { diagnose, type Diagnosis } from "@appservice-ping/domain/Diagnosis"
import * as PingError from "@appservice-ping/domain/PingError"
import * as TransportError from "@appservice-ping/domain/TransportError"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { leaks } from "./support/canary.ts"
import { badStatus, failed, homeserverUrl, textOf, unreachable } from "./support/diagnoses.ts"

/** Texts of homeservers for one failure each, as their clients write them. */
const peerTexts: { readonly [K in ConnectionFailure.Kind]: ReadonlyArray<string> } = {
  dns: [
    "DNSLookupError: DNS lookup failed: no results for hostname lookup: bridge.",
    "error sending request for url (http://refused.reset/): client error (Connect): dns error: failed to lookup address information: Name or service not known",
    "dial tcp: lookup bridge: no such host",
    "getaddrinfo: Temporary failure in name resolution"
  ],
  refused: [
    "ConnectionRefusedError: Connection was refused by other side: 111: Connection refused.",
    "client error (Connect): tcp connect error: Connection refused (os error 111)",
    "dial tcp 127.0.0.1:29318: connect: connection refused"
  ],
  unreachable: [
    "NoRouteError: No route to host: 113: No route to host.",
    "tcp connect error: Network is unreachable (os error 101)"
  ],
  reset: [
    "ConnectError: An error occurred while connecting: 104: Connection reset by peer.",
    "connection error: Connection reset by peer (os error 104)",
    "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer"
  ],
  closed: [
    "ResponseNeverReceived: [<twisted.python.failure.Failure twisted.internet.error.ConnectionDone: Connection was closed cleanly.>]",
    "ResponseNeverReceived: [<twisted.python.failure.Failure twisted.internet.error.ConnectionLost: Connection to the other side was lost in a non-clean fashion.>]",
    "ResponseFailed: [<twisted.python.failure.Failure twisted.internet.error.ConnectionDone: Connection was closed cleanly.>, <twisted.python.failure.Failure twisted.web.http._DataLoss: >]",
    "ConnectionDone",
    "connection closed before message completed",
    "Post \"http://tls.example/_matrix/app/v1/ping\": EOF",
    "the answer was cut short"
  ],
  tls: [
    "ResponseNeverReceived: [<twisted.python.failure.Failure OpenSSL.SSL.Error: [('SSL routines', '', 'certificate verify failed')]>]",
    "client error (Connect): invalid peer certificate: UnknownIssuer",
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    "client error (Connect): tls handshake eof"
  ],
  malformed: [
    "ResponseFailed: [<twisted.python.failure.Failure twisted.web._newclient.ParseError: ('Invalid status line')>]",
    "ResponseFailed: [<twisted.python.failure.Failure twisted.web.http._MalformedChunkedDataError: >]",
    "client error (SendRequest): invalid HTTP version parsed",
    "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
  ],
  timeout: [
    "TCPTimedOutError: TCP connection timed out: 110: Connection timed out.",
    "TimeoutError: User timeout caused connection failure.",
    "dial tcp 10.0.0.1:29318: i/o timeout"
  ],
  unknown: ["", "Internal error", "http://refused.example/reset/timeout", "x".repeat(100_000)]
}

const kinds = Object.keys(peerTexts).filter(Schema.is(ConnectionFailure.Kind))

describe("diagnose a connection that failed", () => {
  const byKind: { readonly [K in ConnectionFailure.Kind]: readonly [Diagnosis["actor"], boolean, RegExp] } = {
    dns: ["operator", true, /host name of the appservice could not be found/],
    refused: ["operator", true, /Nothing listens/],
    unreachable: ["network", true, /no way through the network/],
    reset: ["network", true, /broken off/],
    closed: ["operator", true, /closed before the answer was complete/],
    tls: ["operator", false, /secure connection to the appservice failed/],
    malformed: ["operator", false, /does not speak HTTP correctly/],
    timeout: ["network", true, /timed out/],
    unknown: ["homeserver admin", true, /nothing says why.*logs of the homeserver/]
  }

  it.each(kinds.flatMap((kind) => peerTexts[kind].map((text) => [kind, text] as const)))(
    "C11 by the text of a peer: %s, %s",
    (kind, text) => {
      const [actor, temporary, says] = byKind[kind]
      assert.deepInclude(diagnose(failed(text)), { actor, temporary })
      assert.match(textOf(diagnose(failed(text))), says)
    }
  )

  it("C11 by every text of our own", () => {
    const own = ["ENOTFOUND", "EAI_AGAIN", "ENODATA", "ECONNREFUSED", "EHOSTUNREACH", "EACCES", "ECONNRESET"].concat(
      ["EPIPE", "ETIMEDOUT", "HPE_INVALID_CONSTANT", "HPE_HEADER_OVERFLOW", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"],
      [
        "UND_ERR_RES_EXCEEDED_MAX_SIZE",
        "Z_DATA_ERROR",
        "Z_BUF_ERROR",
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        "CERT_HAS_EXPIRED"
      ],
      ["CERT_NOT_YET_VALID", "CERT_REVOKED", "CERT_UNTRUSTED", "UNABLE_TO_GET_ISSUER_CERT", "ERR_TLS_X", "ERR_SSL_X"],
      ["SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "ERR_TLS_CERT_ALTNAME_INVALID"],
      ["ERR_SSL_WRONG_VERSION_NUMBER", "E_UNKNOWN"]
    ).map((code) => ConnectionFailure.fromUnknown({ code }))
      .concat(ConnectionFailure.fromUnknown({ message: "before secure TLS connection was established" }))
    assert.sameMembers([...new Set(own.map(({ kind }) => kind))], kinds)
    for (const { kind, text } of own) {
      const [actor, temporary, says] = byKind[kind]
      assert.deepInclude(diagnose(failed(text)), { actor, temporary })
      assert.match(textOf(diagnose(failed(text))), says)
      assert.deepInclude(diagnose(failed(`The homeserver could not ping http://tls.example/refused: ${text}`)), {
        actor,
        temporary
      })
      assert.match(textOf(diagnose(failed(`The homeserver could not ping http://tls.example/refused: ${text}`))), says)
    }
  })

  it.each([
    ["the port does not speak TLS", /http:\/\//],
    ["[('SSL routines', '', 'wrong version number')]", /http:\/\//],
    ["received corrupt message of type InvalidContentType; tls", /http:\/\//],
    ["the TLS certificate has expired", /Renew/],
    ["x509: certificate has expired or is not yet valid", /Renew/],
    ["the TLS certificate is not valid yet", /clocks/],
    ["the TLS certificate is for another host", /host name/],
    ["invalid peer certificate: NotValidForName", /host name/],
    ["the TLS certificate is self-signed", /known authority/],
    ["invalid peer certificate: UnknownIssuer", /known authority/],
    ["certificate verify failed", /known authority/],
    ["the TLS handshake failed", /Check the certificate/]
  ])("C11 tells what is wrong with TLS: %s", (text, advice) => {
    assert.match(diagnose(failed(text)).advice, advice)
    assert.match(diagnose(unreachable("tls", text)).advice, advice)
  })

  it("a redirect that a homeserver takes for a failed connection", () => {
    assert.deepInclude(
      diagnose(
        failed("ResponseFailed: [<twisted.python.failure.Failure twisted.web.error.PageRedirect: 301 Moved to x>]")
      ),
      { actor: "operator", temporary: false }
    )
    assert.match(
      textOf(
        diagnose(
          failed("ResponseFailed: [<twisted.python.failure.Failure twisted.web.error.PageRedirect: 301 Moved to x>]")
        )
      ),
      /redirects/
    )
  })

  it("a success without JSON that a homeserver takes for a failed connection", () => {
    assert.deepInclude(diagnose(failed("JSONDecodeError: Expecting value: line 1")), {
      actor: "operator",
      temporary: false
    })
    assert.match(textOf(diagnose(failed("JSONDecodeError: Expecting value: line 1"))), /not in JSON/)
  })

  it("C12 a timeout, which can be a reset too", () => {
    assert.deepInclude(
      diagnose(new PingError.ConnectionTimeout({ error: "Connection to application service timed out" })),
      { actor: "operator", temporary: true }
    )
    assert.match(
      textOf(diagnose(new PingError.ConnectionTimeout({ error: "Connection to application service timed out" }))),
      /in time.*reset or closed/
    )
  })
})

describe("diagnose names the url", () => {
  const errors = [
    failed("Connection refused"),
    failed("timed out"),
    failed("no route to host"),
    new PingError.ConnectionTimeout({})
  ]

  it("D8 without userinfo, query string and fragment", () => {
    for (const error of [...errors, badStatus(401), badStatus(404), badStatus(502), badStatus(500)]) {
      const diagnosis = diagnose(error, { url: "http://user:canary@bridge.example:29318/x?canary#canary" })
      assert.include(diagnosis.cause, "the appservice (http://bridge.example:29318/x)")
      assert.deepStrictEqual(leaks(diagnosis, ["canary"]), [])
    }
  })

  it.each([
    "http://localhost:29318",
    "http://LOCALHOST",
    "http://bridge.localhost",
    "http://127.0.0.1:29318",
    "http://127.1.2.3",
    "http://[::1]:29318",
    "http://0.0.0.0:29318",
    "http://[::]"
  ])("%s means the homeserver's own container", (url) => {
    for (const error of errors) assert.match(diagnose(error, { url }).advice, /container of the homeserver itself/)
  })

  it.each([
    "http://bridge:29318",
    "http://10.0.0.1",
    "http://localhost.example",
    "http://[fe80::1]",
    "http://128.0.0.1"
  ])(
    "%s means another machine",
    (url) => {
      for (const error of errors) assert.notMatch(diagnose(error, { url }).advice, /localhost|container/)
    }
  )

  it.each([undefined, null, "", "bridge:29318", "not a url"])("%j is not named, but containers are", (url) => {
    for (const error of errors) {
      const diagnosis = diagnose(error, { url })
      assert.match(diagnosis.advice, /in a container, localhost means/)
      assert.notMatch(diagnosis.cause, /\(/)
    }
  })
})

describe("diagnose a homeserver that could not be reached", () => {
  it.each<readonly [ConnectionFailure.Kind, Diagnosis["actor"], boolean, RegExp]>([
    ["dns", "operator", true, /could not be found.*the appservice\./],
    ["refused", "homeserver admin", true, /Nothing listens/],
    ["unreachable", "network", true, /no way through the network/],
    ["reset", "network", true, /broken off/],
    ["closed", "homeserver admin", true, /closed before/],
    ["tls", "homeserver admin", false, /secure connection/],
    ["malformed", "operator", false, /does not speak HTTP/],
    ["timeout", "network", true, /timed out/],
    ["unknown", "operator", true, /logs of the appservice/]
  ])("%s", (kind, actor, temporary, says) => {
    assert.deepInclude(diagnose(unreachable(kind)), { actor, temporary })
    assert.match(textOf(diagnose(unreachable(kind))), says)
    assert.include(diagnose(unreachable(kind)).cause, `the homeserver (${homeserverUrl})`)
  })

  it("explains localhost from the appservice's side", () => {
    const error = new TransportError.HomeserverUnreachable({
      url: "http://localhost:8008/_matrix/client/v1/appservice/telegram/ping",
      failure: ConnectionFailure.fromUnknown({ code: "ECONNREFUSED" })
    })
    assert.match(diagnose(error).advice, /container of the appservice itself: if the homeserver runs in another/)
  })
})

describe("a host name that could not be found", () => {
  const error = failed("DNSLookupError: DNS lookup failed: no results for hostname lookup: elsewhere.test.")

  it.each(["http://127.0.0.1:29318", "http://[2001:db8::1]:29318"])(
    "is not that of a url with an address: %s",
    (url) => {
      const diagnosis = diagnose(error, { url })
      assert.match(diagnosis.cause, /has an address and no name: probably it followed a redirect/)
      assert.deepInclude(diagnosis, { actor: "operator", certainty: "possible" })
    }
  )

  it("is that of a url with a name", () => {
    assert.match(diagnose(error, { url: "http://bridge:29318" }).cause, /^The host name of the appservice .* could not/)
  })
})
