/**
 * Turns a fault into the steps it is made of: pure, and the only place where a fault has a meaning.
 *
 * @since 0.1.0
 */
import { Bytes, DateTime, Duration } from "effect"
import { Action, type Certificate, type Step } from "../step/Action.ts"
import type { Leg } from "../step/Leg.ts"
import type { Fault, Framing, Phase } from "./Fault.ts"
import * as Latency from "./Latency.ts"
import { answers } from "./PeerAnswer.ts"

/**
 * What a fault may depend on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Circumstances {
  readonly leg: Leg
  /** A number from 0 to 1 that stands for chance. */
  readonly draw: number
  /** Milliseconds since the plan began. */
  readonly time: number
  /** Milliseconds since 1970, for a date in a header. */
  readonly now: number
  /** The path of the request, where it is known: a redirect loop leads there. */
  readonly path?: string | undefined
}

const encoder = new TextEncoder()

const write = (data: string | Uint8Array): Step => ({
  step: "write",
  bytes: typeof data === "string" ? encoder.encode(data) : data
})

const secure = (certificate: Certificate = "good"): Step => ({ step: "secure", certificate })
const read: Step = { step: "read" }
const forward: Step = { step: "forward" }
const relay: Step = { step: "relay" }
const hang: Step = { step: "hang" }
const fin: Step = { step: "close", how: "fin" }
const rst: Step = { step: "close", how: "rst" }
const wait = (duration: Duration.Duration): Step => ({ step: "wait", duration })

const endings: { readonly [how in "fin" | "rst" | "hang"]: Step } = { fin, rst, hang }

const play = (...steps: ReadonlyArray<Step>): Action => Action.Play({ steps })

interface Head {
  readonly [name: string]: string
}

const head = (status: number, headers: Head, version = "HTTP/1.1"): string =>
  [`${version} ${status} `, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n")

const jsonHead: Head = { "Content-Type": "application/json", Connection: "close" }

const isBodiless = (status: number): boolean => status === 204 || status === 304

/** A whole answer, with the framing that only the testbed writes. */
const answer = (status: number, headers: Head, body: string | Uint8Array): Uint8Array => {
  const bytes = typeof body === "string" ? encoder.encode(body) : body
  return isBodiless(status)
    ? encoder.encode(head(status, { ...headers, Connection: "close" }))
    : Bytes.concat([
      encoder.encode(head(status, { ...headers, "Content-Length": String(bytes.length), Connection: "close" })),
      bytes
    ])
}

const goodBody = (leg: Leg): string => leg === "to_homeserver" ? "{\"duration_ms\":5}" : "{}"

const halfHead = "HTTP/1.1 200 OK\r\nContent-Type: applic"

const halfBody = (framing: Framing): Step => {
  switch (framing) {
    case "content_length":
      return write(head(200, { ...jsonHead, "Content-Length": "20" }) + "{\"cut\":")
    case "chunked":
      // One whole chunk, and the start of the next one.
      return write(head(200, { ...jsonHead, "Transfer-Encoding": "chunked" }) + "4\r\n{\"cu\r\n10\r\nt\":")
    case "until_close":
      return write(head(200, jsonHead) + "{\"cut\":")
  }
}

/** What comes before the break. A step is reached by those that a healthy server would have done before it. */
const before = (phase: Phase, framing: Framing = "content_length"): ReadonlyArray<Step> => {
  switch (phase) {
    case "accept":
      return []
    case "handshake":
      return [{ step: "read", bytes: 1 }]
    case "request":
      return [secure(), { step: "read", bytes: 1 }]
    case "before_headers":
      return []
    case "in_headers":
      return [write(halfHead)]
    case "in_body":
      return [halfBody(framing)]
    case "after_answer":
      return [forward, relay]
    case "next_request":
      return [forward, relay, read]
  }
}

const certificates = {
  self_signed: "self_signed",
  untrusted: "untrusted",
  expired: "expired",
  not_yet_valid: "not_yet_valid",
  wrong_host: "wrong_host"
} as const

const tls = (defect: Extract<Fault, { type: "tls" }>["defect"]): Action => {
  switch (defect) {
    case "alert":
      // A fatal handshake_failure, as RFC 8446 writes it.
      return play({ step: "read", bytes: 1 }, write(Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40)), fin)
    case "plain_http":
      return play({ step: "read", bytes: 1 }, write(answer(400, {}, "")), fin)
    case "old_version":
      return play({ step: "secure", certificate: "good", version: "1.1" }, read, forward, relay)
    case "client_certificate_required":
      return play({ step: "secure", certificate: "good", client_certificate: true }, read, forward, relay)
    default:
      return play(secure(certificates[defect]), read, forward, relay)
  }
}

const framing = (defect: Extract<Fault, { type: "framing" }>["defect"], leg: Leg): Action => {
  const body = goodBody(leg)
  const length = String(body.length)
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  switch (defect) {
    case "bad_chunk_size":
      return play(write(head(200, { ...jsonHead, "Transfer-Encoding": "chunked" }) + `zz\r\n${body}\r\n0\r\n\r\n`), fin)
    case "length_too_long":
      return play(write(head(200, { ...jsonHead, "Content-Length": String(body.length + 100) }) + body), fin)
    case "extra_bytes":
      return play(write(head(200, { ...jsonHead, "Content-Length": length }) + body + "and more"), fin)
    case "length_and_chunked":
      return play(
        write(head(200, { ...jsonHead, "Content-Length": length, "Transfer-Encoding": "chunked" }) + chunk),
        fin
      )
    case "duplicate_length":
      return play(write(head(200, { ...jsonHead, "Content-Length": length, "content-length": length }) + body), fin)
    case "negative_length":
      return play(write(head(200, { ...jsonHead, "Content-Length": "-1" }) + body), fin)
    case "body_on_204":
      return play(write(head(204, { ...jsonHead, "Content-Length": length }) + body), fin)
    case "http_1_0":
      return play(write(head(200, { ...jsonHead, "Content-Length": length }, "HTTP/1.0") + body), fin)
    case "until_close":
      return play(write(head(200, jsonHead) + body), fin)
  }
}

const headDefect = (defect: Extract<Fault, { type: "head" }>["defect"], leg: Leg): Action => {
  switch (defect) {
    case "not_http":
      // What an SSH server says when a client connects, and nothing an HTTP server ever says.
      return play(write("SSH-2.0-OpenSSH_9.9\r\n"), fin)
    case "garbage":
      return play(write(Uint8Array.of(0, 255, 1, 254, 2, 253, 13, 10, 13, 10)), fin)
    case "bad_status_line":
      return play(write("HTTP/1.1 twohundred OK\r\n\r\n"), fin)
    case "bad_header":
      return play(write(`HTTP/1.1 200 OK\r\nBad Header\u0001\r\nContent-Length: 2\r\n\r\n{}`), fin)
    case "huge_headers":
      return play(write(answer(200, { ...jsonHead, "X-Padding": "x".repeat(200 * 1024) }, goodBody(leg))), fin)
    case "http2_preface":
      // An empty SETTINGS frame: the first thing an HTTP/2 server says.
      return play(write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0)), fin)
  }
}

const gzip = { ...jsonHead, "Content-Encoding": "gzip" }

/** Made once, when it is first needed, because it is large. */
const once = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

const huge = once(() => encoder.encode(`{"padding":"${"x".repeat(2 * 1024 * 1024)}"}`))

const bodyDefect = (fault: Extract<Fault, { type: "body" }>, leg: Leg): Action => {
  const { defect, status = 200 } = fault
  const of = (body: string | Uint8Array, headers: Head = jsonHead): Action =>
    play(write(answer(status, headers, body)), fin)
  switch (defect) {
    case "truncated_json":
      return of(goodBody(leg).slice(0, -1))
    case "malformed_json":
      return of("{not json}")
    case "wrong_type":
      return of("[\"ok\"]")
    case "empty":
      return of("")
    case "not_utf8":
      return of(Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d))
    case "bom":
      return of(`\ufeff${goodBody(leg)}`)
    case "deep":
      return of("[".repeat(20_000) + "]".repeat(20_000))
    case "huge":
      return play(write(head(status, { ...jsonHead, "Content-Length": String(huge().length) })), write(huge()), fin)
    case "wrong_content_type":
      return of(goodBody(leg), { ...jsonHead, "Content-Type": "text/html" })
    case "bad_gzip":
      return of(goodBody(leg), gzip)
  }
}

const httpDate = (millis: number): string => DateTime.toDateUtc(DateTime.makeUnsafe(millis)).toUTCString()

const rateLimited = (fault: Extract<Fault, { type: "rate_limited" }>, now: number): Action => {
  const millis = Duration.toMillis(fault.retry_after)
  const body = { errcode: "M_LIMIT_EXCEEDED", error: "Too many requests" }
  const of = (headers: Head, body: { readonly [key: string]: unknown }): Action =>
    play(write(answer(429, { "Content-Type": "application/json", ...headers }, JSON.stringify(body))), fin)
  switch (fault.form ?? "seconds") {
    case "seconds":
      return of({ "Retry-After": String(Math.ceil(millis / 1000)) }, body)
    case "date":
      return of({ "Retry-After": httpDate(Math.ceil((now + millis) / 1000) * 1000) }, body)
    case "body":
      return of({}, { ...body, retry_after_ms: Math.ceil(millis) })
  }
}

const informational = (fault: Extract<Fault, { type: "informational" }>): Action => {
  const { count = 1, ending = "answer", gap } = fault
  const one = write(head(fault.status, fault.status === 103 ? { Link: "</style.css>; rel=preload" } : {}))
  const pause = gap === undefined ? [] : [wait(gap)]
  const flood = Array.from({ length: count }, () => [one, ...pause]).flat()
  return ending === "answer" ? play(...flood, forward, relay) : play(...flood, endings[ending])
}

/**
 * The action that a fault stands for.
 *
 * @category combinators
 * @since 0.1.0
 */
export const actionOf = (fault: Fault, circumstances: Circumstances): Action => {
  const { draw, leg, time } = circumstances
  switch (fault.type) {
    case "pass":
      return Action.Pass()
    case "dns":
      return Action.Resolve({ failure: fault.failure })
    case "refused":
      return Action.Refuse()
    case "never_accepted":
      return Action.Ignore()
    case "latency": {
      const delay = wait(Latency.sample(fault.latency, draw, time))
      switch (fault.phase ?? "request") {
        case "connect":
          return play(delay, secure(), read, forward, relay)
        case "request":
          return play(delay, forward, relay)
        default:
          return play(forward, delay, relay)
      }
    }
    case "tls":
      return tls(fault.defect)
    case "reset_peer":
      return play(...before(fault.phase, fault.framing), rst)
    case "close":
      return play(...before(fault.phase, fault.framing), ...fault.after === undefined ? [] : [wait(fault.after)], fin)
    case "stall":
      return play(...before(fault.phase, fault.framing), hang)
    case "drip": {
      if (fault.status === undefined && fault.body === undefined) {
        return play(forward, { step: "relay", size: 1, gap: fault.gap })
      }
      const bytes = answer(
        fault.status ?? 200,
        { "Content-Type": "application/json" },
        fault.body ?? goodBody(leg)
      )
      const steps = Array.from(bytes, (_, index) => [wait(fault.gap), write(bytes.subarray(index, index + 1))])
      return play(...steps.flat(), fin)
    }
    case "bandwidth": {
      // Pieces of about a tenth of a second, and never less than a byte.
      const size = Math.max(1, Math.round(fault.bytes_per_second / 10))
      return play(forward, { step: "relay", size, gap: Duration.millis((size * 1000) / fault.bytes_per_second) })
    }
    case "slicer":
      return play(forward, { step: "relay", size: fault.size, ...fault.gap === undefined ? {} : { gap: fault.gap } })
    case "limit_data":
      return play(forward, { step: "relay", to: fault.bytes }, endings[fault.how ?? "fin"])
    case "slow_close":
      return play(forward, relay, wait(fault.delay), fin)
    case "status":
      return play(write(answer(fault.status, fault.headers ?? {}, fault.body ?? "")), fin)
    case "rate_limited":
      return rateLimited(fault, circumstances.now)
    case "redirect": {
      const location = fault.location === "self" ? circumstances.path ?? "/" : fault.location
      return play(write(answer(fault.status, { Location: location }, "")), fin)
    }
    case "informational":
      return informational(fault)
    case "framing":
      return framing(fault.defect, leg)
    case "head":
      return headDefect(fault.defect, leg)
    case "body":
      return bodyDefect(fault, leg)
    case "lost_answer":
      return play(forward, endings[fault.how ?? "rst"])
    case "replayed":
      return play(...Array.from({ length: fault.times ?? 2 }, () => forward), relay)
    case "duplicate":
      return play(forward, relay, relay)
    case "crash":
      return Action.Crash({ down_for: fault.down_for })
    case "peer_answer": {
      const { body, contentType, status } = answers[fault.answer]
      return play(write(answer(status, { "Content-Type": contentType }, body)), fin)
    }
    case "script":
      return play(...fault.steps)
  }
}
