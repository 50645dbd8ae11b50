/** How reqwest and hyper, the HTTP client of the homeservers in Rust, read answers, and what they call their failures. */
import { Result } from "effect"
import { STATUS_CODES } from "node:http"
import type { CertificateFacts, CertificateProblem, Ended, PeerFailure } from "../PeerOutcome.ts"
import type { Dialect } from "./http1.ts"

const version = "HTTP/1."

const isToken = /^[!#$%&'*+\-.^_`|~\da-z]+$/i

/** A problem is what hyper shows of it. */
export const dialect: Dialect = {
  maxLineBytes: 400 * 1024,
  maxHeadBytes: 400 * 1024,
  start: (text) => version.startsWith(text.slice(0, version.length)) ? undefined : "invalid HTTP version parsed",
  statusLine: (line) => {
    if (!/^HTTP\/1\.[01] /.test(line)) return Result.fail("invalid HTTP version parsed")
    const [, code = "", reason = ""] = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(line) ?? []
    return code === ""
      ? Result.fail("invalid HTTP status-code parsed")
      : Result.succeed({ status: Number(code), reason })
  },
  header: (line) => {
    const colon = line.indexOf(":")
    const name = line.slice(0, Math.max(0, colon))
    return isToken.test(name)
      ? Result.succeed([name, line.slice(colon + 1).trim()])
      : Result.fail("invalid HTTP header parsed")
  },
  length: (values) =>
    values.every((value) => /^\d+$/.test(value)) && new Set(values.map(Number)).size === 1
      ? Result.succeed(Number(values[0]))
      : Result.fail("invalid content-length parsed"),
  // To hyper it is the end of HTTP on this connection.
  isFinal: (status) => status === 101,
  acceptsUntilClose: true
}

/** What rustls looks at first. */
const order: ReadonlyArray<CertificateProblem> = ["not_yet_valid", "expired", "untrusted", "self_signed", "wrong_host"]

export const certificateProblem = ({ problems }: CertificateFacts): CertificateProblem =>
  order.find((problem) => problems.includes(problem)) ?? "untrusted"

const invalidCertificate = (facts: CertificateFacts, host: string, now: number): string => {
  const { validFrom, validTo } = facts
  switch (certificateProblem(facts)) {
    case "expired": {
      const time = Math.max(now, validTo + 1)
      return `certificate expired: verification time ${time} (UNIX), but certificate is not valid after ${validTo} (${
        time - validTo
      } seconds ago)`
    }
    case "not_yet_valid": {
      const time = Math.min(now, validFrom - 1)
      return `certificate not valid yet: verification time ${time} (UNIX), but certificate is not valid before ${validFrom} (${
        validFrom - time
      } seconds in future)`
    }
    case "wrong_host":
      return `certificate not valid for name "${host}"`
    case "self_signed":
    case "untrusted":
      return "UnknownIssuer"
  }
}

export const alerts = { alert: "HandshakeFailure", version: "ProtocolVersion" } as const

const closed = "connection closed before message completed"
const reset = "connection error: Connection reset by peer (os error 104)"

const endedTexts: { readonly [H in Exclude<Ended, "timeout">]: string } = {
  fin: closed,
  rst: reset,
  alert: "connection error: received fatal alert: CertificateRequired"
}

const notConnected: { readonly [W in Extract<PeerFailure, { _tag: "NotConnected" }>["why"]]: string } = {
  refused: "tcp connect error: Connection refused (os error 111)",
  unreachable: "tcp connect error: No route to host (os error 113)",
  rst: "tcp connect error: Connection reset by peer (os error 104)",
  timeout: "tcp connect error: deadline has elapsed"
}

const notSecured = (why: Extract<PeerFailure, { _tag: "NotSecured" }>["why"]): string => {
  switch (why) {
    case "alert":
    case "version":
      return `received fatal alert: ${alerts[why]}`
    case "plain":
      return "received corrupt message of type InvalidContentType"
    case "fin":
      return "tls handshake eof"
    case "rst":
      return "Connection reset by peer (os error 104)"
    case "timeout":
      return "deadline has elapsed"
    case "other":
      return "received corrupt message of type Handshake"
  }
}

/** Whether it was the time that was up, in the request or in the body. */
export const isTimeout = (failure: PeerFailure): boolean => {
  switch (failure._tag) {
    case "NotConnected":
    case "NotSecured":
      return failure.why === "timeout"
    case "Unanswered":
    case "HeadBroken":
    case "BodyBroken":
      return failure.how === "timeout"
    default:
      return false
  }
}

const withoutQuery = (url: URL): string => url.origin + url.pathname

/** A failure as Rust shows it to a person. */
export const display = (failure: PeerFailure, url: URL, now: number): string => {
  const sending = `Request error: error sending request for url (${url.href})`
  switch (failure._tag) {
    case "NotResolved":
      return failure.temporary
        ? "dns error: failed to lookup address information: Temporary failure in name resolution"
        : "dns error: failed to lookup address information: Name or service not known"
    case "NotConnected":
      return notConnected[failure.why]
    case "NotSecured":
      return notSecured(failure.why)
    case "BadCertificate":
      return `invalid peer certificate: ${invalidCertificate(failure, url.hostname, now)}`
    case "Unanswered":
      return failure.how === "timeout" ? sending : endedTexts[failure.how]
    case "HeadBroken":
      if (failure.how === "timeout") return sending
      return failure.how === "too_long" ? "message head is too large" : endedTexts[failure.how]
    case "HeadMalformed":
      return failure.problem
    case "BodyBroken":
    case "BodyMalformed":
      return "Request error: error decoding response body"
    case "NotFollowed":
    case "NoLocation":
    case "TooManyRedirects":
      return `Request error: error following redirect for url (${withoutQuery(failure.url)})`
  }
}

/** The name of a status, as Rust knows it. */
export const reason = (status: number): string =>
  status === 418 ? "I'm a teapot" : STATUS_CODES[status] ?? "<unknown status code>"
