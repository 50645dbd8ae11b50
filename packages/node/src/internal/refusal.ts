/** Answers to what never became a request: the parser refused it, so no handler has seen it. */
import { type Answer, fromError } from "@appservice-ping/domain/Answer"
import { LimitExceeded, NotJson, OtherErrcode, Unrecognized } from "@appservice-ping/domain/PingError"
import { tooLarge } from "@appservice-ping/server/Exchange"
import { Duration, Predicate } from "effect"
import { type IncomingMessage, METHODS } from "node:http"

/** Where the client was in its request when it went wrong. */
export type Phase = "head" | "body"

const malformed = { ...fromError(new Unrecognized({ error: "The request is not valid HTTP" })), status: 400 }

const malformedBody = fromError(new NotJson({ error: "The request body is not valid HTTP, or ended early" }))

const headTooSlow = { ...fromError(new Unrecognized({ error: "The request did not arrive in time" })), status: 408 }

const bodyTooSlow = { ...fromError(new NotJson({ error: "The request body did not arrive in time" })), status: 408 }

const headersTooLarge = fromError(
  new OtherErrcode({ errcode: "M_TOO_LARGE", status: 431, error: "The headers of the request are too large" })
)

const withoutHost: Answer = {
  ...fromError(new Unrecognized({ error: "The request needs exactly one Host header" })),
  status: 400
}

/** All connections are busy. */
export const noRoom: Answer = fromError(
  new LimitExceeded({ error: "Too many connections at once", retryAfter: Duration.seconds(1) })
)

export const unknownExpectation: Answer = {
  ...fromError(new Unrecognized({ error: "The server meets no expectation but 100-continue" })),
  status: 417
}

/**
 * Refuses what the parser lets through, but a proxy in front may have read another way: an unknown version, two hosts,
 * and a transfer coding that is not just `chunked`, or that HTTP/1.0 does not have.
 */
export const fromHead = (request: IncomingMessage): Answer | undefined => {
  const { host, "transfer-encoding": transferEncoding } = request.headers
  if (request.httpVersionMajor !== 1) return malformed
  if (host === undefined ? request.httpVersionMinor === 1 : host.includes(",")) return withoutHost
  if (transferEncoding === undefined) return undefined
  return request.httpVersionMinor === 1 && transferEncoding.toLowerCase() === "chunked" ? undefined : malformed
}

const codeOf = (error: unknown): string =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : ""

/** Chooses the answer by the parser's code alone: its text may quote what the client sent. */
export const fromParserError = (error: unknown, phase: Phase): Answer => {
  switch (codeOf(error)) {
    case "HPE_HEADER_OVERFLOW":
      return headersTooLarge
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return tooLarge
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return phase === "head" ? headTooSlow : bodyTooSlow
    default:
      return phase === "head" ? malformed : malformedBody
  }
}

/** A request line whose method the parser does not know: it can be routed nevertheless. */
export interface RequestLine {
  readonly method: string
  readonly target: string
}

const requestLine = /^([A-Za-z!#$%&'*+.^_`|~-]{1,32}) (\/[\x21-\x7e]{0,4096}) HTTP\/1\.[01]\r\n/

/**
 * Reads the request line of a request that was refused for its method, so that `FOO` on an endpoint is answered like
 * any other wrong method (C16, A6).
 */
export const requestLineOf = (error: unknown): RequestLine | undefined => {
  if (codeOf(error) !== "HPE_INVALID_METHOD" || !Predicate.hasProperty(error, "rawPacket")) return undefined
  const packet = error.rawPacket
  if (!(packet instanceof Uint8Array)) return undefined
  const [, method, target] = requestLine.exec(Buffer.from(packet.subarray(0, 8192)).toString("latin1")) ?? []
  // A known method is that of an earlier request in the same packet.
  return method === undefined || target === undefined || METHODS.includes(method) ? undefined : { method, target }
}
