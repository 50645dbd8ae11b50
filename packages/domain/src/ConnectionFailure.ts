/**
 * Why a connection failed, read from what an HTTP client raised.
 *
 * The clients of Node, Bun and Deno name one thing in many ways; this is the one place that knows them. It reads
 * codes and names, and never repeats a client's own text, which may carry a URL or a token (D8).
 *
 * @since 0.1.0
 */
import { Predicate, Schema } from "effect"

/**
 * Schema for the kinds of a failed connection.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Kind = Schema.Literals([
  "dns",
  "refused",
  "unreachable",
  "reset",
  "closed",
  "tls",
  "malformed",
  "timeout",
  "unknown"
])

/**
 * The kind of a failed connection.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = typeof Kind.Type

/**
 * A failed connection: its kind, and a plain text that names no secret.
 *
 * @category models
 * @since 0.1.0
 */
export class ConnectionFailure extends Schema.Class<ConnectionFailure>(
  "@appservice-ping/domain/ConnectionFailure"
)({
  kind: Kind,
  text: Schema.String
}) {}

const texts: { readonly [K in Kind]: string } = {
  dns: "the host name could not be resolved",
  refused: "the connection was refused",
  unreachable: "the host or its network is unreachable",
  reset: "the connection was reset",
  closed: "the connection was closed early",
  tls: "the TLS connection could not be established",
  malformed: "the answer was not valid HTTP",
  timeout: "the connection timed out",
  unknown: "the connection failed for an unknown reason"
}

const make = (kind: Kind, text: string = texts[kind]): ConnectionFailure => new ConnectionFailure({ kind, text })

const byCode = new Map<string, ConnectionFailure>([
  ["ENOTFOUND", make("dns")],
  ["EAI_AGAIN", make("dns", "the host name could not be resolved for now")],
  ["EAI_FAIL", make("dns")],
  ["EAI_NODATA", make("dns", "the host name has no address")],
  ["EAI_NONAME", make("dns")],
  ["ENODATA", make("dns", "the host name has no address")],
  ["ECONNREFUSED", make("refused")],
  ["ConnectionRefused", make("refused")],
  ["FailedToOpenSocket", make("refused")],
  ["EHOSTUNREACH", make("unreachable")],
  ["EHOSTDOWN", make("unreachable")],
  ["ENETUNREACH", make("unreachable")],
  ["ENETDOWN", make("unreachable")],
  ["EADDRNOTAVAIL", make("unreachable")],
  ["EACCES", make("unreachable", "the connection was not permitted")],
  ["EPERM", make("unreachable", "the connection was not permitted")],
  ["ECONNRESET", make("reset")],
  ["ConnectionReset", make("reset")],
  ["ECONNABORTED", make("closed")],
  ["EPIPE", make("closed")],
  ["ConnectionClosed", make("closed")],
  ["UND_ERR_SOCKET", make("closed")],
  ["UND_ERR_CLOSED", make("closed")],
  ["ERR_STREAM_PREMATURE_CLOSE", make("closed")],
  ["ETIMEDOUT", make("timeout")],
  ["ESOCKETTIMEDOUT", make("timeout")],
  ["UND_ERR_CONNECT_TIMEOUT", make("timeout")],
  ["UND_ERR_HEADERS_TIMEOUT", make("timeout")],
  ["UND_ERR_BODY_TIMEOUT", make("timeout")],
  ["UND_ERR_HEADERS_OVERFLOW", make("malformed", "the answer's headers were too large")],
  ["HPE_HEADER_OVERFLOW", make("malformed", "the answer's headers were too large")],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", make("malformed", "the answer's length contradicts its header")],
  ["UND_ERR_RES_EXCEEDED_MAX_SIZE", make("malformed", "the answer was too large")],
  ["ERR_ANSWER_TOO_LARGE", make("malformed", "the answer was too large")],
  ["Z_DATA_ERROR", make("malformed", "the answer's body was not encoded as its header says")],
  ["Z_BUF_ERROR", make("malformed", "the answer's compressed body was cut short")],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", make("tls", "the TLS certificate is self-signed")],
  ["SELF_SIGNED_CERT_IN_CHAIN", make("tls", "the TLS certificate chain has a self-signed certificate")],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", make("tls", "the TLS certificate chain is incomplete or untrusted")],
  ["UNABLE_TO_GET_ISSUER_CERT", make("tls", "the issuer of the TLS certificate is unknown")],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", make("tls", "the issuer of the TLS certificate is unknown")],
  ["CERT_HAS_EXPIRED", make("tls", "the TLS certificate has expired")],
  ["CERT_NOT_YET_VALID", make("tls", "the TLS certificate is not valid yet")],
  ["CERT_REVOKED", make("tls", "the TLS certificate is revoked")],
  ["ERR_TLS_CERT_ALTNAME_INVALID", make("tls", "the TLS certificate is for another host")],
  ["ERR_SSL_WRONG_VERSION_NUMBER", make("tls", "the port does not speak TLS")],
  ["EPROTO", make("tls", "the TLS handshake failed")]
])

const byCodePrefix: ReadonlyArray<readonly [RegExp, ConnectionFailure]> = [
  [/^HPE_/, make("malformed")],
  [/^EAI_/, make("dns")],
  [/^CERT_/, make("tls", "the TLS certificate was rejected")],
  [/^ERR_SSL_/, make("tls", "the TLS handshake failed")],
  [/^ERR_TLS_/, make("tls")]
]

const byName = new Map<string, ConnectionFailure>([
  // The parser error of undici has no code: https://github.com/nodejs/undici `HTTPParserError`.
  ["HTTPParserError", make("malformed")],
  ["TimeoutError", make("timeout")],
  ["ConnectTimeoutError", make("timeout")],
  ["HeadersTimeoutError", make("timeout")],
  ["BodyTimeoutError", make("timeout")]
])

const speaksTls = make("malformed", "the port speaks TLS, and the URL says http")
const refusedPort = make("unreachable", "the HTTP client refuses this port")
const proxy = make("unreachable", "the proxy that the connection goes through does not make it")

/**
 * Texts are the last resort: they decide only where the code is ambiguous or a runtime gives none.
 */
const byText: ReadonlyArray<readonly [RegExp, ConnectionFailure]> = [
  [/before secure TLS connection was established/i, make("tls", "the connection was closed in the TLS handshake")],
  [/socket hang up|other side closed|\baborted\b|closed before message completed/i, make("closed")],
  [/\bbad port\b/i, refusedPort],
  [/HTTP Tunneling|tunneling socket could not|Proxy CONNECT/i, proxy],
  [/connection refused|os error 111/i, make("refused")],
  [/connection reset|os error 104/i, make("reset")],
  [/dns error|failed to lookup address|name resolution/i, make("dns")],
  [/invalid peer certificate|certificate/i, make("tls", "the TLS certificate was rejected")],
  [/timed? ?out/i, make("timeout")]
]

const textOf = (u: unknown): string =>
  Predicate.hasProperty(u, "message") && typeof u.message === "string" ? u.message : ""

/** RFC 8446: an alert record, which is what a TLS server answers to plain HTTP. */
const isTlsAlert = (first: unknown, second: unknown): boolean => first === 0x15 && second === 3

/** Both HTTP parsers of Node keep the bytes that they could not read: one in `rawPacket`, the other in `data`. */
const gotTlsAlert = (error: unknown): boolean =>
  (Predicate.hasProperty(error, "rawPacket") && error.rawPacket instanceof Uint8Array &&
    isTlsAlert(error.rawPacket[0], error.rawPacket[1])) ||
  (Predicate.hasProperty(error, "data") && typeof error.data === "string" &&
    isTlsAlert(error.data.charCodeAt(0), error.data.charCodeAt(1)))

const ofOne = (error: unknown): ConnectionFailure | undefined => {
  const text = textOf(error)
  if (gotTlsAlert(error)) return speaksTls
  // The client of Node gives a proxy's refusal the code of an abort.
  if (/HTTP Tunneling/i.test(text)) return proxy
  const code = Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : undefined
  if (code === "ECONNRESET") {
    // node:http says ECONNRESET for a FIN too; only its text distinguishes them.
    return byText.slice(0, 2).find(([pattern]) => pattern.test(text))?.[1] ?? byCode.get(code)
  }
  if (code === "EPROTO" && /wrong version number/i.test(text)) return byCode.get("ERR_SSL_WRONG_VERSION_NUMBER")
  if (code !== undefined) {
    const known = byCode.get(code) ?? byCodePrefix.find(([pattern]) => pattern.test(code))?.[1]
    if (known !== undefined) return known
  }
  const name = Predicate.hasProperty(error, "name") && typeof error.name === "string"
    ? byName.get(error.name)
    : undefined
  return name
}

const depthMax = 8

const causes = (error: unknown): ReadonlyArray<unknown> => {
  const chain = new Set<unknown>()
  let queue: ReadonlyArray<unknown> = [error]
  for (let depth = 0; depth < depthMax && queue.length > 0; depth++) {
    // A cause that leads back to itself would grow the queue without end.
    queue = queue.filter((u) => !chain.has(u))
    for (const u of queue) chain.add(u)
    queue = queue.flatMap((u) => [
      ...(Predicate.hasProperty(u, "reason") ? [u.reason] : []),
      ...(Predicate.hasProperty(u, "cause") ? [u.cause] : []),
      ...(Predicate.hasProperty(u, "errors") && Array.isArray(u.errors) ? u.errors.slice(0, depthMax) : [])
    ])
  }
  return [...chain]
}

/**
 * Classifies what an HTTP client raised by why the connection failed; total, `unknown` at worst.
 *
 * **Details**
 *
 * Follows `cause`, `reason` and the errors of an `AggregateError` (two addresses, both refused) to the innermost one
 * that is known.
 *
 * **Example** (Classifying what `fetch` raised)
 *
 * ```ts
 * import { ConnectionFailure } from "@appservice-ping/domain"
 *
 * const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED" })
 * ConnectionFailure.fromUnknown(new TypeError("fetch failed", { cause })).kind // => "refused"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromUnknown = (error: unknown): ConnectionFailure => {
  const chain = causes(error)
  for (let i = chain.length - 1; i >= 0; i--) {
    const known = ofOne(chain[i])
    if (known !== undefined) return known
  }
  for (let i = chain.length - 1; i >= 0; i--) {
    const text = textOf(chain[i])
    const known = byText.find(([pattern]) => pattern.test(text))?.[1]
    if (known !== undefined) return known
  }
  return make("unknown")
}
