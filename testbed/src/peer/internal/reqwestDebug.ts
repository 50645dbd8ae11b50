/** Failures of reqwest as Rust shows a value to a programmer; Tuwunel writes that into its answers. */
import type { CertificateProblem, Ended, PeerFailure } from "../PeerOutcome.ts"
import { alerts, certificateProblem, isTimeout } from "./reqwest.ts"

const legacy = (phase: "Connect" | "SendRequest", source: string): string =>
  `hyper_util::client::legacy::Error(${phase}, ${source})`

const os = (code: number, kind: string, message: string): string =>
  `Os { code: ${code}, kind: ${kind}, message: "${message}" }`

const reset = os(104, "ConnectionReset", "Connection reset by peer")

const tcp = (source: string): string => legacy("Connect", `ConnectError("tcp connect error", ${source})`)

const tls = (problem: string): string =>
  legacy("Connect", `Custom { kind: Other, error: Custom { kind: InvalidData, error: ${problem} } }`)

const certificates: { readonly [P in CertificateProblem]: string } = {
  expired: "InvalidCertificate(Expired)",
  not_yet_valid: "InvalidCertificate(NotValidYet)",
  wrong_host: "InvalidCertificate(NotValidForName)",
  untrusted: "InvalidCertificate(UnknownIssuer)",
  self_signed: "InvalidCertificate(UnknownIssuer)"
}

const endedSources: { readonly [H in Exclude<Ended, "timeout">]: string } = {
  fin: legacy("SendRequest", "hyper::Error(IncompleteMessage)"),
  rst: legacy("SendRequest", `hyper::Error(Io, ${reset})`),
  alert: legacy(
    "SendRequest",
    "hyper::Error(Io, Custom { kind: InvalidData, error: AlertReceived(CertificateRequired) })"
  )
}

const parsed = (problem: string): string => {
  const [, part = ""] = /^invalid (?:HTTP )?(\S+)/.exec(problem) ?? []
  const names: { readonly [part: string]: string } = {
    version: "Version",
    "status-code": "Status",
    header: "Header(Token)",
    "content-length": "Header(ContentLengthInvalid)"
  }
  return legacy("SendRequest", `hyper::Error(Parse(${names[part] ?? "Internal"}))`)
}

const securing = (why: Extract<PeerFailure, { _tag: "NotSecured" }>["why"]): string => {
  switch (why) {
    case "alert":
    case "version":
      return tls(`AlertReceived(${alerts[why]})`)
    case "rst":
      return legacy("Connect", reset)
    case "fin":
      return legacy("Connect", "Custom { kind: UnexpectedEof, error: \"tls handshake eof\" }")
    default:
      return tls("InvalidMessage(InvalidContentType)")
  }
}

/** The kind of the failure, and its source. */
export const debug = (failure: PeerFailure): { readonly kind: string; readonly source: string } => {
  const request = (source: string) => ({ kind: "Request", source })
  if (isTimeout(failure)) return request("TimedOut")
  switch (failure._tag) {
    case "NotResolved":
      return request(legacy(
        "Connect",
        `ConnectError("dns error", Custom { kind: Uncategorized, error: "failed to lookup address information: ${
          failure.temporary ? "Temporary failure in name resolution" : "Name or service not known"
        }" })`
      ))
    case "NotConnected":
      if (failure.why === "rst") return request(tcp(reset))
      return request(tcp(
        failure.why === "refused"
          ? os(111, "ConnectionRefused", "Connection refused")
          : os(113, "HostUnreachable", "No route to host")
      ))
    case "NotSecured":
      return request(securing(failure.why))
    case "BadCertificate":
      return request(tls(certificates[certificateProblem(failure)]))
    case "Unanswered":
      return request(failure.how === "timeout" ? "TimedOut" : endedSources[failure.how])
    case "HeadBroken":
      return request(
        failure.how === "timeout" || failure.how === "too_long"
          ? legacy("SendRequest", "hyper::Error(Parse(TooLarge))")
          : endedSources[failure.how]
      )
    case "HeadMalformed":
      return request(parsed(failure.problem))
    case "BodyBroken":
    case "BodyMalformed":
      return { kind: "Decode", source: "hyper::Error(Body)" }
    case "NotFollowed":
    case "NoLocation":
    case "TooManyRedirects":
      return { kind: "Redirect", source: "TooManyRedirects" }
  }
}
