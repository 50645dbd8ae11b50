/**
 * Everything that can be broken on the way of a ping, as data, by the names people know.
 *
 * Each fault is sugar over the algebra of `Action`; `script` gives the algebra itself.
 *
 * @since 0.1.0
 */
import { Duration, Schema } from "effect"
import { Step } from "../step/Action.ts"
import { Delay } from "../step/Delay.ts"
import { faultText } from "./internal/faultText.ts"
import * as Latency from "./Latency.ts"
import { PeerAnswer } from "./PeerAnswer.ts"

/**
 * Where in an exchange a connection breaks or goes quiet, in the order of time.
 *
 * **Details**
 *
 * `handshake` is inside the TLS handshake, `request` while the request is still coming, `after_answer` after a whole
 * answer that promised to keep the connection, `next_request` when another request comes on that connection.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Phase = Schema.Literals([
  "accept",
  "handshake",
  "request",
  "before_headers",
  "in_headers",
  "in_body",
  "after_answer",
  "next_request"
])

/**
 * Where in an exchange a connection breaks or goes quiet.
 *
 * @category models
 * @since 0.1.0
 */
export type Phase = typeof Phase.Type

/**
 * How a broken body says how long it is. With `until_close` its end is the end of the connection, so that no client
 * can tell a FIN in the middle from the end.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Framing = Schema.Literals(["content_length", "chunked", "until_close"])

/**
 * How a body says where it ends.
 *
 * @category models
 * @since 0.1.0
 */
export type Framing = typeof Framing.Type

const StatusCode = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 200, maximum: 599 })))

const headerName = /^(?!(?:connection|content-length|transfer-encoding)$)[\w!#$%&'*+.^`|~-]+$/i

const Headers = Schema.Record(
  Schema.String,
  Schema.String.pipe(
    Schema.check(Schema.isPattern(/^[\t\x20-\x7e]*$/, { expected: "printable ASCII, as the value of an HTTP header" }))
  )
).pipe(
  Schema.check(
    Schema.makeFilter((headers) => Object.keys(headers).every((name) => headerName.test(name)), {
      expected:
        "names of HTTP headers, without Connection, Content-Length and Transfer-Encoding, which the testbed writes"
    })
  )
)

const Text = Schema.String.pipe(
  Schema.check(Schema.makeFilter((text) => text.isWellFormed(), { expected: "text without lone surrogates" }))
)

const Size = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 64 * 1024 * 1024 })))

const Ending = Schema.Literals(["fin", "rst", "hang"])

const broken = { phase: Phase, framing: Schema.optionalKey(Framing) }

/**
 * A fault.
 *
 * **Details**
 *
 * | type | what happens |
 * | --- | --- |
 * | `pass` | nothing: the healthy turn of a sequence |
 * | `dns` | the host name cannot be looked up |
 * | `refused` | the connection is refused |
 * | `never_accepted` | the connection is never established |
 * | `latency` | `latency` passes before the connection is accepted, before the request goes on, or before its answer comes back |
 * | `tls` | the TLS handshake goes wrong |
 * | `reset_peer`, `close`, `stall` | RST, FIN or silence in a phase |
 * | `drip` | an answer in small pieces, `gap` apart |
 * | `bandwidth` | the application's answer at so many bytes a second |
 * | `slicer` | the application's answer in pieces of `size` bytes |
 * | `limit_data` | so many bytes of the application's answer, and then the end |
 * | `slow_close` | a whole answer, and the connection ends later |
 * | `status` | an answer with a status, headers and a body |
 * | `rate_limited` | 429 `M_LIMIT_EXCEEDED`, the wait said in one of three forms |
 * | `redirect` | a redirect; `location: "self"` is a loop |
 * | `informational` | 1xx answers before the real one, or instead of it |
 * | `framing`, `head`, `body` | HTTP, or what it carries, is broken |
 * | `lost_answer` | the application got the request, and its answer is lost |
 * | `replayed` | the application gets the request more than once |
 * | `duplicate` | the answer comes twice |
 * | `crash` | every connection is reset, and new ones are refused for a while |
 * | `peer_answer` | what a real peer answers when something is wrong |
 * | `script` | any steps at all |
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fault = Schema.Union([
  Schema.Struct({ type: Schema.tag("pass") }),
  Schema.Struct({ type: Schema.tag("dns"), failure: Schema.Literals(["not_found", "try_again", "hang"]) }),
  Schema.Struct({ type: Schema.tag("refused") }),
  Schema.Struct({ type: Schema.tag("never_accepted") }),
  Schema.Struct({
    type: Schema.tag("latency"),
    latency: Latency.Latency,
    phase: Schema.optionalKey(Schema.Literals(["connect", "request", "response"]))
  }),
  Schema.Struct({
    type: Schema.tag("tls"),
    defect: Schema.Literals([
      "self_signed",
      "untrusted",
      "expired",
      "not_yet_valid",
      "wrong_host",
      "alert",
      "old_version",
      "client_certificate_required",
      "plain_http"
    ])
  }),
  Schema.Struct({ type: Schema.tag("reset_peer"), ...broken }),
  Schema.Struct({ type: Schema.tag("close"), ...broken, after: Schema.optionalKey(Delay) }),
  Schema.Struct({ type: Schema.tag("stall"), ...broken }),
  Schema.Struct({
    type: Schema.tag("drip"),
    gap: Delay,
    status: Schema.optionalKey(StatusCode),
    body: Schema.optionalKey(Text)
  }),
  Schema.Struct({ type: Schema.tag("bandwidth"), bytes_per_second: Size }),
  Schema.Struct({ type: Schema.tag("slicer"), size: Size, gap: Schema.optionalKey(Delay) }),
  Schema.Struct({ type: Schema.tag("limit_data"), bytes: Size, how: Schema.optionalKey(Ending) }),
  Schema.Struct({ type: Schema.tag("slow_close"), delay: Delay }),
  Schema.Struct({
    type: Schema.tag("status"),
    status: StatusCode,
    headers: Schema.optionalKey(Headers),
    body: Schema.optionalKey(Text)
  }),
  Schema.Struct({
    type: Schema.tag("rate_limited"),
    retry_after: Delay,
    form: Schema.optionalKey(Schema.Literals(["seconds", "date", "body"]))
  }),
  Schema.Struct({
    type: Schema.tag("redirect"),
    status: Schema.Literals([301, 302, 303, 307, 308]),
    location: Text.pipe(Schema.check(Schema.isPattern(/^[\x21-\x7e]+$/, { expected: "a URL, or self" })))
  }),
  Schema.Struct({
    type: Schema.tag("informational"),
    status: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 100, maximum: 199 }))),
    count: Schema.optionalKey(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })))),
    gap: Schema.optionalKey(Delay),
    ending: Schema.optionalKey(Schema.Literals(["answer", "fin", "rst", "hang"]))
  }),
  Schema.Struct({
    type: Schema.tag("framing"),
    defect: Schema.Literals([
      "bad_chunk_size",
      "length_too_long",
      "extra_bytes",
      "length_and_chunked",
      "duplicate_length",
      "negative_length",
      "body_on_204",
      "http_1_0",
      "until_close"
    ])
  }),
  Schema.Struct({
    type: Schema.tag("head"),
    defect: Schema.Literals([
      "not_http",
      "garbage",
      "bad_status_line",
      "bad_header",
      "huge_headers",
      "http2_preface"
    ])
  }),
  Schema.Struct({
    type: Schema.tag("body"),
    defect: Schema.Literals([
      "truncated_json",
      "malformed_json",
      "wrong_type",
      "empty",
      "not_utf8",
      "bom",
      "deep",
      "huge",
      "wrong_content_type",
      "bad_gzip"
    ]),
    status: Schema.optionalKey(StatusCode)
  }),
  Schema.Struct({ type: Schema.tag("lost_answer"), how: Schema.optionalKey(Ending) }),
  Schema.Struct({
    type: Schema.tag("replayed"),
    times: Schema.optionalKey(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 2, maximum: 100 }))))
  }),
  Schema.Struct({ type: Schema.tag("duplicate") }),
  Schema.Struct({ type: Schema.tag("crash"), down_for: Delay }),
  Schema.Struct({ type: Schema.tag("peer_answer"), answer: PeerAnswer }),
  Schema.Struct({
    type: Schema.tag("script"),
    stage: Schema.optionalKey(Schema.Literals(["connection", "request"])),
    steps: Schema.Array(Step).pipe(Schema.check(Schema.isMaxLength(10_000)))
  })
]).annotate({ identifier: "Fault", description: "What breaks." }).pipe(Schema.toTaggedUnion("type"))

/**
 * One thing that is broken.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * Options for `resetPeer`, `close` and `stall`.
 *
 * @category models
 * @since 0.1.0
 */
export interface BreakOptions {
  readonly phase: Phase
  /** How a body that breaks off says how long it is; `content_length` where nothing is said. */
  readonly framing?: Framing | undefined
}

const breakFields = ({ framing, phase }: BreakOptions): { readonly phase: Phase; readonly framing?: Framing } =>
  framing === undefined ? { phase } : { phase, framing }

/**
 * Nothing happens: the healthy turn of a sequence.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pass: Fault = { type: "pass" }

/**
 * Time passes: before the request goes on (`request`, where nothing is said), before the connection is accepted, or
 * before the answer comes back. Throws for a time below 0 or longer than a timer can wait.
 *
 * @category constructors
 * @since 0.1.0
 */
export const latency = (
  latency: Duration.Input | Exclude<Latency.Latency, Duration.Duration>,
  options?: { readonly phase?: "connect" | "request" | "response" | undefined }
): Fault => {
  const isDistribution = typeof latency === "object" && "distribution" in latency
  return Fault.cases.latency.make({
    latency: isDistribution ? latency : Duration.fromInputUnsafe(latency),
    ...options?.phase === undefined ? {} : { phase: options.phase }
  })
}

/**
 * The application does not get the request; this answer comes instead.
 *
 * @category constructors
 * @since 0.1.0
 */
export const status = (
  status: number,
  options?: {
    readonly headers?: { readonly [name: string]: string } | undefined
    /** Sent as UTF-8, and with its length; a status that has no body sends none. */
    readonly body?: string | undefined
  }
): Fault => Fault.cases.status.make({ status, headers: options?.headers ?? {}, body: options?.body ?? "" })

/**
 * The connection is refused: nothing listens on the port.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refused: Fault = { type: "refused" }

/**
 * The connection is reset (RST).
 *
 * @category constructors
 * @since 0.1.0
 */
export const resetPeer = (options: BreakOptions): Fault => ({ type: "reset_peer", ...breakFields(options) })

/**
 * The connection is closed (FIN); with `after`, that long after the last byte.
 *
 * @category constructors
 * @since 0.1.0
 */
export const close = (options: BreakOptions & { readonly after?: Duration.Input | undefined }): Fault =>
  Fault.cases.close.make({
    ...breakFields(options),
    ...options.after === undefined ? {} : { after: Duration.fromInputUnsafe(options.after) }
  })

/**
 * Nothing more is sent, and the connection stays open.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stall = (options: BreakOptions): Fault => ({ type: "stall", ...breakFields(options) })

/**
 * An answer comes byte by byte, `gap` apart: one of its own with `status` and `body`, and else the application's.
 *
 * @category constructors
 * @since 0.1.0
 */
export const drip = (options: {
  readonly gap: Duration.Input
  readonly status?: number | undefined
  readonly body?: string | undefined
}): Fault =>
  Fault.cases.drip.make({
    gap: Duration.fromInputUnsafe(options.gap),
    ...options.status === undefined ? {} : { status: options.status },
    ...options.body === undefined ? {} : { body: options.body }
  })

/**
 * What answers does not speak HTTP, as an SSH server does not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const malformed: Fault = { type: "head", defect: "not_http" }

/**
 * What a real peer answers when something is wrong.
 *
 * @category constructors
 * @since 0.1.0
 */
export const peerAnswer = (name: PeerAnswer): Fault => ({ type: "peer_answer", answer: name })

/**
 * The application gets the request and runs; its answer never arrives.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lostAnswer = (how: "fin" | "rst" | "hang" = "rst"): Fault => ({ type: "lost_answer", how })

/**
 * Every connection is reset, as by a process that dies, and the port is refused until it is back.
 *
 * @category constructors
 * @since 0.1.0
 */
export const crash = (options: { readonly down_for: Duration.Input }): Fault =>
  Fault.cases.crash.make({ down_for: Duration.fromInputUnsafe(options.down_for) })

/**
 * When a fault has to be decided: for a `connection`, of which nothing is known yet, or for a `request` that was read.
 *
 * @category models
 * @since 0.1.0
 */
export type Stage = "connection" | "request"

const early: ReadonlySet<Phase> = new Set<Phase>(["accept", "handshake", "request"])

/**
 * The stage of a fault; `undefined` for `pass`, which has none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stageOf = (fault: Fault): Stage | undefined => {
  switch (fault.type) {
    case "pass":
      return undefined
    case "dns":
    case "refused":
    case "never_accepted":
    case "tls":
      return "connection"
    case "latency":
      return fault.phase === "connect" ? "connection" : "request"
    case "reset_peer":
    case "close":
    case "stall":
      return early.has(fault.phase) ? "connection" : "request"
    case "script":
      return fault.stage ?? "request"
    default:
      return "request"
  }
}

/**
 * Tells whether a fault needs a connection that speaks TLS.
 *
 * @category guards
 * @since 0.1.0
 */
export const needsTls = (fault: Fault): boolean =>
  fault.type === "tls" || ("phase" in fault && fault.phase === "handshake")

/**
 * Describes a fault in one line, for reports and the names of tests.
 *
 * **Example** (Describing a reset)
 *
 * ```ts
 * import * as Fault from "@appservice-ping/testbed/fault/Fault"
 *
 * Fault.describe(Fault.resetPeer({ phase: "in_body", framing: "chunked" })) // => "reset in the body, chunked"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const describe = (fault: Fault): string => faultText(fault)
