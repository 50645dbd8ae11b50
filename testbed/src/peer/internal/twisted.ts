/** How Twisted, the HTTP client of Synapse, reads answers, and what it calls its failures. */
import { Result } from "effect"
import { STATUS_CODES } from "node:http"
import type { CertificateProblem, ChunkState, Ended, PeerFailure } from "../PeerOutcome.ts"
import type { Dialect } from "./http1.ts"
import { pythonBytes } from "./python.ts"

const nested = (name: string, text: string): string => `<twisted.python.failure.Failure ${name}: ${text}>`

const oneOf = (name: string, ...failures: ReadonlyArray<string>): string => `${name}: [${failures.join(", ")}]`

const parseError = (problem: string, line: string): string =>
  nested("twisted.web._newclient.ParseError", `('${problem}', ${pythonBytes(line)})`)

const valueError = (text: string): string => nested("builtins.ValueError", text)

/** A problem is the failure that is nested in `ResponseFailed`. */
export const dialect: Dialect = {
  maxLineBytes: 16384,
  maxHeadBytes: 16 * 1024 * 1024,
  start: () => undefined,
  statusLine: (line) => {
    const [version, code, ...phrase] = line.split(" ")
    if (version === undefined || code === undefined) return Result.fail(parseError("wrong number of parts", line))
    return /^\s*[+-]?\d+\s*$/.test(code)
      ? Result.succeed({ status: Number(code), reason: phrase.join(" ") })
      : Result.fail(parseError("non-integer status code", line))
  },
  header: (line) => {
    const colon = line.indexOf(":")
    return colon === -1
      ? Result.fail(valueError("not enough values to unpack (expected 2, got 1)"))
      : Result.succeed([line.slice(0, colon), line.slice(colon + 1).trim()])
  },
  length: (values) => {
    const all = values.flatMap((value) => value.split(",")).map((value) => value.trim())
    const odd = all.find((value) => !/^\d+$/.test(value))
    if (odd !== undefined) return Result.fail(valueError(`Value contains non-decimal digits: ${pythonBytes(odd)}`))
    return new Set(all.map(Number)).size === 1
      ? Result.succeed(Number(all[0]))
      : Result.fail(
        valueError(`Invalid response: conflicting Content-Length headers: ${pythonBytes(values.join(","))}`)
      )
  },
  isFinal: () => false,
  acceptsUntilClose: false
}

const lost = "twisted.internet.error.ConnectionLost"

const ended: { readonly [H in Ended | "too_long"]: string } = {
  fin: nested("twisted.internet.error.ConnectionDone", "Connection was closed cleanly."),
  too_long: nested("twisted.internet.error.ConnectionDone", "Connection was closed cleanly."),
  rst: nested(lost, "Connection to the other side was lost in a non-clean fashion."),
  alert: nested(
    "OpenSSL.SSL.Error",
    "[('SSL routines', '', 'tlsv13 alert certificate required')]"
  ),
  timeout: nested("twisted.internet.defer.CancelledError", "")
}

const openssl = (reason: string): string =>
  oneOf("RequestTransmissionFailed", nested("OpenSSL.SSL.Error", `[('SSL routines', '', '${reason}')]`))

/** It verifies the chain in the handshake, and the name after it. */
const certificateTexts = (problems: ReadonlyArray<CertificateProblem>, host: string): string =>
  problems.every((problem) => problem === "wrong_host")
    ? oneOf(
      "RequestTransmissionFailed",
      nested(
        "service_identity.exceptions.VerificationError",
        `VerificationError(errors=[DNSMismatch(mismatched_id=DNS_ID(hostname=${pythonBytes(host)}))])`
      )
    )
    : openssl("certificate verify failed")

const secured: { readonly [W in Extract<PeerFailure, { _tag: "NotSecured" }>["why"]]: string } = {
  alert: openssl("tls alert handshake failure"),
  version: openssl("tlsv1 alert protocol version"),
  plain: openssl("wrong version number"),
  other: openssl("unexpected eof while reading"),
  fin: oneOf(
    "RequestTransmissionFailed",
    nested(lost, "Connection to the other side was lost in a non-clean fashion: Connection lost.")
  ),
  rst: oneOf(
    "RequestTransmissionFailed",
    nested(lost, "Connection to the other side was lost in a non-clean fashion: Connection lost.")
  ),
  timeout: oneOf("RequestGenerationFailed", nested("twisted.internet.defer.CancelledError", ""))
}

const notConnected: { readonly [W in Extract<PeerFailure, { _tag: "NotConnected" }>["why"]]: string } = {
  refused: "ConnectionRefusedError: Connection was refused by other side: 111: Connection refused.",
  unreachable: "NoRouteError: No route to host: 113: No route to host.",
  rst: "ConnectError: An error occurred while connecting: 104: Connection reset by peer.",
  timeout: "Timeout connecting to remote server"
}

const states: { readonly [S in ChunkState]: string } = {
  size: "CHUNK_LENGTH",
  data: "BODY",
  data_end: "CRLF",
  trailer: "TRAILER",
  finished: "FINISHED"
}

const dataLoss = (chunk: ChunkState | undefined): string =>
  nested(
    "twisted.web.http._DataLoss",
    chunk === undefined
      ? ""
      : `Chunked decoder in '${states[chunk]}' state, still expecting more data to get to 'FINISHED' state.`
  )

const responseFailed = (...failures: ReadonlyArray<string>): string => oneOf("ResponseFailed", ...failures)

const timeout = { isTimeout: true, text: "Timeout waiting for response from remote server" } as const

/** What Synapse writes about a failure of its client, and whether it takes it for a timeout. */
export const words = (failure: PeerFailure, host: string): { readonly isTimeout: boolean; readonly text: string } => {
  const failed = (text: string) => ({ isTimeout: false, text })
  const redirected = (name: string, text: string) => failed(responseFailed(nested(`twisted.web.error.${name}`, text)))
  switch (failure._tag) {
    case "NotResolved":
      return failed(`DNSLookupError: DNS lookup failed: no results for hostname lookup: ${host}.`)
    case "NotConnected":
      return { isTimeout: failure.why === "timeout", text: notConnected[failure.why] }
    case "NotSecured":
      return failed(secured[failure.why])
    case "BadCertificate":
      return failed(certificateTexts(failure.problems, host))
    // Whatever ends a connection before the first byte is a timeout to it.
    case "Unanswered":
      return timeout
    case "HeadBroken":
      return failed(responseFailed(ended[failure.how]))
    case "HeadMalformed":
      return failed(responseFailed(failure.problem))
    case "BodyBroken":
      return failed(
        failure.framing === "until_close"
          ? `PartialDownloadError: ${failure.status} ${failure.reason || (STATUS_CODES[failure.status] ?? "")}`
          : responseFailed(ended[failure.how], dataLoss(failure.framing === "chunked" ? failure.chunk : undefined))
      )
    case "BodyMalformed":
      return failed(responseFailed(
        nested("twisted.web.http._MalformedChunkedDataError", "Chunk-size must be an integer."),
        dataLoss(failure.chunk)
      ))
    case "NotFollowed":
      return redirected(
        "PageRedirect",
        `${failure.status} ${STATUS_CODES[failure.status] ?? ""} to ${failure.url.href}`
      )
    case "NoLocation":
      return redirected("RedirectWithNoLocation", `${failure.status} No location header field to ${failure.url.href}`)
    case "TooManyRedirects":
      return redirected(
        "InfiniteRedirection",
        `${failure.status} Infinite redirection detected to ${failure.url.href}`
      )
  }
}
