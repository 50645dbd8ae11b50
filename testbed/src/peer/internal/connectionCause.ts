/** What the errors of sockets and of TLS say about a connection. */
import { Predicate } from "effect"
import type { TLSSocket } from "node:tls"
import { type CertificateFacts, type CertificateProblem, type Ended, PeerFailure } from "../PeerOutcome.ts"

const textOf = (error: unknown, field: "code" | "message"): string => {
  const value = Predicate.hasProperty(error, field) ? error[field] : undefined
  return typeof value === "string" ? value : ""
}

const resets: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"])

/** How a connection ended that failed with this error. */
export const endOf = (error: unknown): Exclude<Ended, "timeout"> => {
  const code = textOf(error, "code")
  if (/^ERR_SSL_|^EPROTO$/.test(code)) return "alert"
  return resets.has(code) ? "rst" : "fin"
}

const unreachable: ReadonlySet<string> = new Set(["EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "EACCES"])

/** Why there is no TCP connection. */
export const notConnected = (error: unknown): PeerFailure => {
  const code = textOf(error, "code")
  if (code === "ENOTFOUND" || code.startsWith("EAI_")) {
    return PeerFailure.NotResolved({ temporary: code === "EAI_AGAIN" })
  }
  if (code === "ETIMEDOUT") return PeerFailure.NotConnected({ why: "timeout" })
  if (resets.has(code)) return PeerFailure.NotConnected({ why: "rst" })
  return PeerFailure.NotConnected({ why: unreachable.has(code) ? "unreachable" : "refused" })
}

/** The connection that ends in a handshake raises a code of its own, whether by a FIN or by an RST. */
const endedInHandshake = /before secure TLS connection was established/

/** Why the TLS handshake did not come to its end. */
export const notSecured = (error: unknown): PeerFailure => {
  const code = textOf(error, "code")
  const message = textOf(error, "message")
  if (endedInHandshake.test(message)) return PeerFailure.NotSecured({ why: "fin" })
  if (resets.has(code)) return PeerFailure.NotSecured({ why: "rst" })
  const words = `${code} ${message}`.replaceAll("_", " ")
  if (/wrong version number|packet length too long|http request/i.test(words)) {
    return PeerFailure.NotSecured({ why: "plain" })
  }
  if (/protocol version|unsupported protocol/i.test(words)) return PeerFailure.NotSecured({ why: "version" })
  return PeerFailure.NotSecured({ why: /alert/i.test(words) ? "alert" : "other" })
}

const problemOf = (code: string): CertificateProblem => {
  switch (code) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "self_signed"
    case "CERT_HAS_EXPIRED":
      return "expired"
    case "CERT_NOT_YET_VALID":
      return "not_yet_valid"
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "wrong_host"
    default:
      return "untrusted"
  }
}

const seconds = (date: string): number => Math.floor(Date.parse(date) / 1000)

/** What is wrong with the certificate of a connection whose handshake is over; Node names only one thing. */
export const certificateFacts = (stream: TLSSocket): CertificateFacts => {
  const certificate = stream.getPeerCertificate()
  const reason: unknown = stream.authorizationError
  const code = typeof reason === "string" ? reason : textOf(reason, "code")
  return {
    problems: stream.authorized ? [] : [problemOf(code)],
    validFrom: seconds(certificate.valid_from),
    validTo: seconds(certificate.valid_to)
  }
}
