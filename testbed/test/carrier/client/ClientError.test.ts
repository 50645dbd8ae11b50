import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import * as ClientError from "@appservice-ping/testbed/carrier/client/ClientError"
import { Defect, type Flavour } from "@appservice-ping/testbed/carrier/client/ClientReading"
import { assert, describe, it } from "@effect/vitest"
import { Predicate } from "effect"

const flavours = ["node", "undici", "fetch", "transport"] as const

const peer = { host: "example.test", port: 8448 } as const

const codeOf = (error: Error): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : undefined

/** Name, code and message of an error, and those of its cause. */
const shown = (error: Error): string => {
  const code = codeOf(error)
  const own = `${error.name} ${code === undefined ? "" : `${code} `}${error.message}`
  return error.cause instanceof Error ? `${own} <- ${shown(error.cause)}` : own
}

const { ConnectDefect } = ClientError

const noConnection: ReadonlyArray<readonly [ClientError.ConnectDefect, node: string, undici: string, kind: string]> = [
  [
    ConnectDefect.NotFound(),
    "Error ENOTFOUND getaddrinfo ENOTFOUND example.test",
    "Error ENOTFOUND getaddrinfo ENOTFOUND example.test",
    "dns"
  ],
  [
    ConnectDefect.TryAgain(),
    "Error EAI_AGAIN getaddrinfo EAI_AGAIN example.test",
    "Error EAI_AGAIN getaddrinfo EAI_AGAIN example.test",
    "dns"
  ],
  [
    ConnectDefect.Refused(),
    "Error ECONNREFUSED connect ECONNREFUSED example.test:8448",
    "Error ECONNREFUSED connect ECONNREFUSED example.test:8448",
    "refused"
  ],
  [
    ConnectDefect.ConnectReset(),
    "Error ECONNRESET connect ECONNRESET example.test:8448",
    "Error ECONNRESET connect ECONNRESET example.test:8448",
    "reset"
  ],
  [
    ConnectDefect.Timeout({ millis: 10_000 }),
    "Error ETIMEDOUT connect ETIMEDOUT example.test:8448",
    "ConnectTimeoutError UND_ERR_CONNECT_TIMEOUT Connect Timeout Error (attempted address: example.test:8448, timeout: 10000ms)",
    "timeout"
  ],
  [
    ConnectDefect.BadCertificate({ certificate: "expired" }),
    "Error CERT_HAS_EXPIRED certificate has expired",
    "Error CERT_HAS_EXPIRED certificate has expired",
    "tls"
  ],
  [
    ConnectDefect.BadCertificate({ certificate: "not_yet_valid" }),
    "Error CERT_NOT_YET_VALID certificate is not yet valid",
    "Error CERT_NOT_YET_VALID certificate is not yet valid",
    "tls"
  ],
  [
    ConnectDefect.ClientCertificateRequired(),
    "Error ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED error:0A00045C:SSL routines::tlsv13 alert certificate required:SSL alert number 116",
    "SocketError UND_ERR_SOCKET other side closed",
    "tls"
  ],
  [
    ConnectDefect.Alert({ number: 70 }),
    "Error EPROTO write EPROTO error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number 70",
    "Error ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number 70",
    "tls"
  ],
  [
    ConnectDefect.NotTls(),
    "Error EPROTO write EPROTO error:0A00010B:SSL routines::wrong version number:",
    "Error ERR_SSL_WRONG_VERSION_NUMBER error:0A00010B:SSL routines::wrong version number:",
    "tls"
  ],
  [
    ConnectDefect.HandshakeClosed(),
    "Error ECONNRESET Client network socket disconnected before secure TLS connection was established",
    "Error ECONNRESET Client network socket disconnected before secure TLS connection was established",
    "tls"
  ],
  [ConnectDefect.HandshakeReset(), "Error ECONNRESET read ECONNRESET", "Error ECONNRESET read ECONNRESET", "reset"]
]

const parser = { code: "HPE_INVALID_CHUNK_SIZE", reason: "Invalid character in chunk size" }

/** What is raised before the head, and what in the body, where a defect can come there. */
const broken: ReadonlyArray<readonly [Defect, isInBody: boolean, string, string, kind: string]> = [
  [Defect.Closed(), false, "Error ECONNRESET socket hang up", "SocketError UND_ERR_SOCKET other side closed", "closed"],
  [Defect.Closed(), true, "Error ECONNRESET aborted", "SocketError UND_ERR_SOCKET other side closed", "closed"],
  [Defect.Reset(), false, "Error ECONNRESET read ECONNRESET", "Error ECONNRESET read ECONNRESET", "reset"],
  [Defect.Reset(), true, "Error ECONNRESET aborted", "Error ECONNRESET read ECONNRESET", "reset"],
  [
    Defect.Malformed(parser),
    true,
    "Error ECONNRESET aborted",
    "HTTPParserError Response does not match the HTTP/1.1 protocol (Invalid character in chunk size)",
    "malformed"
  ],
  [
    Defect.HeaderOverflow(),
    false,
    "Error HPE_HEADER_OVERFLOW Parse Error: Header overflow",
    "HeadersOverflowError UND_ERR_HEADERS_OVERFLOW Headers Overflow Error",
    "malformed"
  ]
]

const onlyUndici: ReadonlyArray<readonly [Defect, string, kind: string]> = [
  [
    Defect.LengthMismatch(),
    "ResponseContentLengthMismatchError UND_ERR_RES_CONTENT_LENGTH_MISMATCH Response body length does not match content-length header",
    "malformed"
  ],
  [
    Defect.InvalidEnd(),
    "HTTPParserError Response does not match the HTTP/1.1 protocol (Invalid EOF state)",
    "malformed"
  ],
  [Defect.BadResponse(), "SocketError UND_ERR_SOCKET bad response", "closed"],
  [Defect.BadUpgrade({ isAnnounced: true }), "SocketError UND_ERR_SOCKET bad upgrade", "closed"]
]

const isUndici = (flavour: Flavour) => flavour === "undici" || flavour === "fetch"

const kind = (error: Error) => ConnectionFailure.fromUnknown(error).kind

describe("ClientError", () => {
  for (const [defect, node, undici, expectedKind] of noConnection) {
    it(`${defect._tag}: is what each client raises where there is no connection`, () => {
      for (const flavour of flavours) {
        const error = ClientError.ofConnect(flavour, defect, peer)
        const text = isUndici(flavour) ? undici : node
        assert.strictEqual(shown(error), flavour === "fetch" ? `TypeError fetch failed <- ${text}` : text)
        // undici sees nothing but the end of a connection whose client certificate is missing.
        const isHidden = isUndici(flavour) && defect._tag === "ClientCertificateRequired"
        assert.strictEqual(kind(error), isHidden ? "closed" : expectedKind)
      }
    })
  }

  for (const [defect, isInBody, node, undici, expectedKind] of broken) {
    it(`${defect._tag} ${isInBody ? "in the body" : "before the head"}: is what each client raises`, () => {
      const of = (flavour: Flavour) => ClientError.ofReading(flavour, defect, isInBody)
      assert.strictEqual(shown(of("node")), node)
      assert.strictEqual(shown(of("undici")), undici)
      assert.strictEqual(shown(of("fetch")), `TypeError ${isInBody ? "terminated" : "fetch failed"} <- ${undici}`)
      for (const flavour of ["undici", "fetch", "transport"] as const) {
        assert.strictEqual(kind(of(flavour)), expectedKind, flavour)
      }
    })
  }

  for (const [defect, undici, expectedKind] of onlyUndici) {
    it(`${defect._tag}: is what undici and fetch raise`, () => {
      assert.strictEqual(shown(ClientError.ofReading("undici", defect, false)), undici)
      assert.strictEqual(
        shown(ClientError.ofReading("fetch", defect, true)),
        `TypeError terminated <- ${undici}`
      )
      assert.strictEqual(kind(ClientError.ofReading("fetch", defect, true)), expectedKind)
    })
  }

  it("names the host of a certificate as a name or as an address", () => {
    const defect = ConnectDefect.BadCertificate({ certificate: "wrong_host" })
    const message = (host: string) => ClientError.ofConnect("node", defect, { host, port: 1 }).message
    assert.include(message("a.test"), "Host: a.test. is not in the cert's altnames")
    assert.include(message("127.0.0.1"), "IP: 127.0.0.1 is not in the cert's list")
    assert.include(message("::1"), "IP: ::1 is not in the cert's list")
  })
})
