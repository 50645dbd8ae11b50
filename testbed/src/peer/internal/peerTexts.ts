/**
 * What each homeserver writes into `error` about a ping that failed: the names that its HTTP client has for it. Clients
 * tell the cause from these texts, so they are worth imitating; two of the homeservers write the `hs_token` there.
 */
import type { Kind } from "@appservice-ping/domain/ConnectionFailure"
import { STATUS_CODES } from "node:http"
import type { Name } from "../HomeserverPeer.ts"
import type { Outcome, TlsDefect } from "./outgoing.ts"

/** An outcome that is no success. */
export type Failing = Outcome | { readonly _tag: "NotJson"; readonly isText: boolean }

export interface Subject {
  /** The id of the appservice. */
  readonly id: string
  /** The `url` of its registration. */
  readonly destination: string
  /** The URL that was asked, with its query string. */
  readonly url: URL
}

const reason = (status: number): string => STATUS_CODES[status] ?? ""

const twistedFailure = (name: string, text: string): string => `<twisted.python.failure.Failure ${name}: ${text}>`

const twistedResponse = (...failures: ReadonlyArray<string>): string => `ResponseFailed: [${failures.join(", ")}]`

const connectionLost = twistedFailure(
  "twisted.internet.error.ConnectionLost",
  "Connection to the other side was lost in a non-clean fashion: Connection lost."
)

const connectionDone = twistedFailure("twisted.internet.error.ConnectionDone", "Connection was closed cleanly.")

const dataLoss = twistedFailure("twisted.web.http._DataLoss", "")

const twistedKinds: { readonly [K in Kind]: string } = {
  dns: "DNSLookupError: DNS lookup failed: no results for hostname lookup.",
  refused: "ConnectionRefusedError: Connection was refused by other side: 111: Connection refused.",
  unreachable: "NoRouteError: No route to host: 113: No route to host.",
  reset: twistedResponse(connectionLost),
  closed: twistedResponse(connectionDone, dataLoss),
  tls: twistedResponse(twistedFailure("OpenSSL.SSL.Error", "certificate verify failed")),
  malformed: twistedResponse(twistedFailure("twisted.web._newclient.ParseError", "wrong number of parts")),
  timeout: "TimeoutError: User timeout caused connection failure.",
  unknown: "ConnectError: An error occurred while connecting."
}

const twisted = (failing: Failing): string => {
  switch (failing._tag) {
    case "Answered":
      return `HTTP ${failing.status} ${reason(failing.status)}`
    case "NotJson":
      return failing.isText
        ? "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
        : "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
    case "TimedOut":
      return failing.phase === "connect"
        ? "Timeout connecting to remote server"
        : "Timeout waiting for response from remote server"
    case "Redirected":
      return twistedResponse(
        twistedFailure("twisted.web.error.PageRedirect", `${failing.status} ${reason(failing.status)}`)
      )
    case "TooManyRedirects":
      return twistedResponse(twistedFailure("twisted.web.error.InfiniteRedirection", "303 See Other"))
    case "Failed":
      return twistedKinds[failing.kind]
  }
}

const legacy = (phase: "Connect" | "SendRequest", source: string): string =>
  `hyper_util::client::legacy::Error(${phase}, ${source})`

const os = (code: number, kind: string, message: string): string =>
  `Os { code: ${code}, kind: ${kind}, message: "${message}" }`

/** What rustls calls it, as a value and in words. */
const rustTls: { readonly [K in TlsDefect]: readonly [debug: string, display: string] } = {
  untrusted: ["InvalidCertificate(UnknownIssuer)", "invalid peer certificate: UnknownIssuer"],
  expired: ["InvalidCertificate(Expired)", "invalid peer certificate: Expired"],
  early: ["InvalidCertificate(NotValidYet)", "invalid peer certificate: NotValidYet"],
  "other host": ["InvalidCertificate(NotValidForName)", "invalid peer certificate: NotValidForName"],
  plain: ["InvalidMessage(InvalidContentType)", "received corrupt message of type InvalidContentType"],
  handshake: ["AlertReceived(HandshakeFailure)", "received fatal alert: HandshakeFailure"]
}

/** How Rust shows a value to a programmer. */
const rustDebug: { readonly [K in Exclude<Kind, "tls">]: string } = {
  dns: legacy(
    "Connect",
    "ConnectError(\"dns error\", Custom { kind: Uncategorized, error: \"failed to lookup address information: Name or service not known\" })"
  ),
  refused: legacy(
    "Connect",
    `ConnectError("tcp connect error", ${os(111, "ConnectionRefused", "Connection refused")})`
  ),
  unreachable: legacy(
    "Connect",
    `ConnectError("tcp connect error", ${os(113, "HostUnreachable", "No route to host")})`
  ),
  reset: legacy("SendRequest", `hyper::Error(Io, ${os(104, "ConnectionReset", "Connection reset by peer")})`),
  closed: legacy("SendRequest", "hyper::Error(IncompleteMessage)"),
  malformed: legacy("SendRequest", "hyper::Error(Parse(Version))"),
  timeout: "TimedOut",
  unknown: legacy("SendRequest", "hyper::Error(Canceled)")
}

const debugOf = (failing: Extract<Outcome, { readonly _tag: "Failed" }>): string =>
  failing.kind === "tls"
    ? legacy(
      "Connect",
      `Custom { kind: Other, error: Custom { kind: InvalidData, error: ${rustTls[failing.tls][0]} } }`
    )
    : rustDebug[failing.kind]

const tuwunel = (failing: Failing, { destination, id, url }: Subject): string => {
  const asked = (kind: string, source: string): string =>
    ` appservice="${id}" dest=${destination} e=reqwest::Error { kind: ${kind}, url: "${url.href}", source: ${source} }`
  switch (failing._tag) {
    case "Answered":
      return `Appservice returned status ${failing.status} ${reason(failing.status)}`
    case "TimedOut":
      return `Connection to appservice timed out${asked("Request", "TimedOut")}`
    case "Redirected":
    case "TooManyRedirects":
      return `Could not send request to appservice${asked("Redirect", "TooManyRedirects")}`
    case "NotJson":
      return `Could not send request to appservice${asked("Decode", rustDebug.unknown)}`
    case "Failed":
      return `Could not send request to appservice${asked("Request", debugOf(failing))}`
  }
}

/** How Rust shows an error to a person. */
const rustDisplay: { readonly [K in Exclude<Kind, "tls">]: string } = {
  dns: "dns error: failed to lookup address information: Name or service not known",
  refused: "tcp connect error: Connection refused (os error 111)",
  unreachable: "tcp connect error: No route to host (os error 113)",
  reset: "connection error: Connection reset by peer (os error 104)",
  closed: "connection closed before message completed",
  malformed: "invalid HTTP version parsed",
  timeout: "operation timed out",
  unknown: "operation was canceled"
}

const bodyUnreadable = "Request error: error decoding response body"

/** Only the first one says that it was a timeout. */
const timedOutDisplay = (phase: "connect" | "head" | "body", url: URL): string => {
  switch (phase) {
    case "connect":
      return rustDisplay.timeout
    case "head":
      return `Request error: error sending request for url (${url.href})`
    case "body":
      return bodyUnreadable
  }
}

const continuwuity = (failing: Failing, { destination, id, url }: Subject): string => {
  switch (failing._tag) {
    case "Answered":
      return `Appservice "${id}" returned unsuccessful HTTP response ${failing.status} ${
        reason(failing.status)
      } at ${destination}`
    case "TimedOut":
      return timedOutDisplay(failing.phase, url)
    case "Redirected":
    case "TooManyRedirects":
      return `Request error: error following redirect for url (${url.href})`
    case "NotJson":
      return bodyUnreadable
    case "Failed":
      if (failing.phase === "body") return bodyUnreadable
      return failing.kind === "tls" ? rustTls[failing.tls][1] : rustDisplay[failing.kind]
  }
}

const conduit = (failing: Failing): string => {
  switch (failing._tag) {
    case "Answered":
    case "NotJson":
      return "The appservice gave an invalid response"
    case "TimedOut":
      return "The connection to the appservice timed out"
    case "Redirected":
    case "TooManyRedirects":
    case "Failed":
      return "The appservice could not be pinged"
  }
}

/** The text of each homeserver. */
export const texts: { readonly [K in Name]: (failing: Failing, subject: Subject) => string } = {
  synapse: twisted,
  tuwunel,
  continuwuity,
  conduit
}
