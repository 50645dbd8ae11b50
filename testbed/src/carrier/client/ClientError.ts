/**
 * What an HTTP client raises when a connection or an answer breaks: real `Error` objects, with the name, code, message
 * and nesting that the client gives them.
 *
 * Measured with Node 24 (see {@link "client/ClientReading"}), so that whoever looks at a cause finds in memory what is
 * there on a socket. Texts of OpenSSL are given without their addresses, which differ from run to run.
 *
 * @since 0.1.0
 */
import { Data } from "effect"
import type { Certificate } from "../../step/Step.ts"
import type { Defect, Flavour } from "./ClientReading.ts"

/**
 * A connection that did not come about: no name, no port, no time, no TLS.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectDefect = Data.TaggedEnum<{
  NotFound: {}
  TryAgain: {}
  Refused: {}
  /** The client's own bound for connecting is over. */
  Timeout: { readonly millis: number }
  /** Reset before anything was sent. */
  ConnectReset: {}
  BadCertificate: { readonly certificate: Exclude<Certificate, "good"> }
  ClientCertificateRequired: {}
  /** A fatal alert, by its number: 40 is `handshake_failure`, 70 `protocol_version`. */
  Alert: { readonly number: number }
  NotTls: {}
  HandshakeClosed: {}
  HandshakeReset: {}
}>

/**
 * Constructors of what goes wrong before a request is sent.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ConnectDefect = Data.taggedEnum<ConnectDefect>()

/**
 * Where the client wanted to go.
 *
 * @category models
 * @since 0.1.0
 */
export interface Peer {
  readonly host: string
  readonly port: number
}

type Fields = { readonly [name: string]: string | number | undefined }

const make = (message: string, fields: Fields): Error => Object.assign(new Error(message), fields)

/** undici's errors have names of their own, which are not those of their constructors' parents. */
const undici = (name: string, message: string, code: string | undefined): Error => {
  const error = make(message, { code })
  error.name = name
  return error
}

const isUndici = (flavour: Flavour): boolean => flavour === "undici" || flavour === "fetch"

/** `fetch` hides every cause behind one of two errors of its own. */
const wrap = (flavour: Flavour, text: "fetch failed" | "terminated", cause: Error): Error =>
  flavour === "fetch" ? new TypeError(text, { cause }) : cause

const mismatch = (): Error =>
  undici(
    "ResponseContentLengthMismatchError",
    "Response body length does not match content-length header",
    "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"
  )

const parserError = (reason: string): Error =>
  undici("HTTPParserError", `Response does not match the HTTP/1.1 protocol (${reason})`, undefined)

const socketError = (message: string): Error => undici("SocketError", message, "UND_ERR_SOCKET")

const readReset = (): Error => make("read ECONNRESET", { errno: -104, code: "ECONNRESET", syscall: "read" })

const useSystemCa = "; if the root CA is installed locally, try running Node.js with --use-system-ca"

const certificateError = (certificate: Exclude<Certificate, "good">, { host }: Peer): Error => {
  switch (certificate) {
    case "self_signed":
      return make(`self-signed certificate${useSystemCa}`, { code: "DEPTH_ZERO_SELF_SIGNED_CERT" })
    case "untrusted":
      return make(`unable to verify the first certificate${useSystemCa}`, { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" })
    case "expired":
      return make("certificate has expired", { code: "CERT_HAS_EXPIRED" })
    case "not_yet_valid":
      return make("certificate is not yet valid", { code: "CERT_NOT_YET_VALID" })
    case "wrong_host": {
      const reason = /^[\d.]+$|:/.test(host)
        ? `IP: ${host} is not in the cert's list: `
        : `Host: ${host}. is not in the cert's altnames: DNS:wrong.test`
      return make(`Hostname/IP does not match certificate's altnames: ${reason}`, {
        reason,
        host,
        code: "ERR_TLS_CERT_ALTNAME_INVALID"
      })
    }
  }
}

const alerts: { readonly [number: number]: readonly [hex: string, reason: string] } = {
  40: ["0A000410", "ssl/tls alert handshake failure"],
  70: ["0A00042E", "tlsv1 alert protocol version"],
  116: ["0A00045C", "tlsv13 alert certificate required"]
}

/** OpenSSL says one thing, and `node:http` says another one if it was just writing. */
const sslError = (flavour: Flavour, hex: string, reason: string, tail: string): Error => {
  const text = `error:${hex}:SSL routines::${reason}${tail}`
  return isUndici(flavour)
    ? make(text, {
      library: "SSL routines",
      reason,
      code: `ERR_SSL_${reason.toUpperCase().replaceAll(" ", "_")}`
    })
    : make(`write EPROTO ${text}`, { errno: -71, code: "EPROTO", syscall: "write" })
}

const alertError = (flavour: Flavour, number: number): Error => {
  const [hex, reason] = alerts[number] ?? ["0A000000", `ssl/tls alert ${number}`]
  return sslError(flavour, hex, reason, `:SSL alert number ${number}`)
}

const connectError = (flavour: Flavour, defect: ConnectDefect, peer: Peer): Error => {
  const { host, port } = peer
  const place = { address: host, port }
  switch (defect._tag) {
    case "NotFound":
      return make(`getaddrinfo ENOTFOUND ${host}`, {
        errno: -3008,
        code: "ENOTFOUND",
        syscall: "getaddrinfo",
        hostname: host
      })
    case "TryAgain":
      return make(`getaddrinfo EAI_AGAIN ${host}`, {
        errno: -3001,
        code: "EAI_AGAIN",
        syscall: "getaddrinfo",
        hostname: host
      })
    case "Refused":
      return make(`connect ECONNREFUSED ${host}:${port}`, {
        errno: -111,
        code: "ECONNREFUSED",
        syscall: "connect",
        ...place
      })
    case "ConnectReset":
      return make(`connect ECONNRESET ${host}:${port}`, {
        errno: -104,
        code: "ECONNRESET",
        syscall: "connect",
        ...place
      })
    case "Timeout":
      return isUndici(flavour)
        ? undici(
          "ConnectTimeoutError",
          `Connect Timeout Error (attempted address: ${host}:${port}, timeout: ${defect.millis}ms)`,
          "UND_ERR_CONNECT_TIMEOUT"
        )
        : make(`connect ETIMEDOUT ${host}:${port}`, { errno: -110, code: "ETIMEDOUT", syscall: "connect", ...place })
    case "BadCertificate":
      return certificateError(defect.certificate, peer)
    case "ClientCertificateRequired": {
      // With TLS 1.3 the handshake is over for the client when the alert comes: undici sees only the end after it.
      if (isUndici(flavour)) return socketError("other side closed")
      const [hex, reason] = alerts[116] ?? ["", ""]
      return sslError("undici", hex, reason, ":SSL alert number 116")
    }
    case "Alert":
      return alertError(flavour, defect.number)
    case "NotTls":
      return sslError(flavour, "0A00010B", "wrong version number", ":")
    case "HandshakeClosed":
      return make("Client network socket disconnected before secure TLS connection was established", {
        code: "ECONNRESET",
        host,
        port
      })
    case "HandshakeReset":
      return readReset()
  }
}

/**
 * What a client raises where no connection came about.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofConnect = (flavour: Flavour, defect: ConnectDefect, peer: Peer): Error =>
  wrap(flavour, "fetch failed", connectError(flavour, defect, peer))

const assertion = (text: string): Error =>
  undici("AssertionError", `The expression evaluated to a falsy value:\n\n  assert(${text})\n`, "ERR_ASSERTION")

const undiciError = (defect: Defect): Error => {
  switch (defect._tag) {
    case "Closed":
      return socketError("other side closed")
    case "Reset":
      return readReset()
    case "Malformed":
      return parserError(defect.reason)
    case "HeaderOverflow":
      return undici("HeadersOverflowError", "Headers Overflow Error", "UND_ERR_HEADERS_OVERFLOW")
    case "LengthMismatch":
      return mismatch()
    case "InvalidEnd":
      return parserError("Invalid EOF state")
    case "BadUpgrade":
      return defect.isAnnounced ? socketError("bad upgrade") : assertion("upgrade")
    case "InvalidStatus":
      return assertion("statusCode >= 100")
    default:
      return socketError("bad response")
  }
}

const parseError = (code: string, reason: string): Error => make(`Parse Error: ${reason}`, { code, reason })

/** With `node:http` a FIN has the code of an RST, and only the text tells them apart. */
const nodeError = (flavour: Flavour, defect: Defect, isInBody: boolean): Error => {
  // Effect's client hears of a broken body from the answer, which says the same of all of them.
  if (isInBody && flavour === "node") return make("aborted", { code: "ECONNRESET" })
  switch (defect._tag) {
    case "Closed":
      return make(isInBody ? "aborted" : "socket hang up", { code: "ECONNRESET" })
    case "Reset":
      return readReset()
    case "HeaderOverflow":
      return parseError("HPE_HEADER_OVERFLOW", "Header overflow")
    case "Malformed":
      return parseError(defect.code, defect.reason)
    case "TooManyInformational":
      return make("too many informational answers came, and no final one", { code: "HPE_USER" })
    case "SwitchedProtocols":
      return make("the answer switched to another protocol, which nobody asked for", { code: "HPE_USER" })
    default:
      return make("the answer has no valid status", { code: "HPE_USER" })
  }
}

/**
 * What a client raises where an answer broke: before its head was there, or in its body.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofReading = (flavour: Flavour, defect: Defect, isInBody: boolean): Error =>
  isUndici(flavour)
    ? wrap(flavour, isInBody ? "terminated" : "fetch failed", undiciError(defect))
    : nodeError(flavour, defect, isInBody)

/**
 * What `fetch` raises for a body that is not encoded as its head says; the others give the bytes as they are.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofEncoding = (cause: unknown): Error => new TypeError("terminated", { cause })
