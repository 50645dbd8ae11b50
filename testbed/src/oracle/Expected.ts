/**
 * What has to come of a ping under an action: of the homeserver's request, and of the client's.
 *
 * It is computed from the steps of the action, from how a client reads what they send, and from the rules of the
 * protocol; neither interpreter has a part in it.
 *
 * @since 0.1.0
 */
import * as Answer from "@appservice-ping/domain/Answer"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import * as PingError from "@appservice-ping/domain/PingError"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { corsHeaders } from "@appservice-ping/server/homeserver/Homeserver"
import { Bytes, Duration, Predicate, Result } from "effect"
import * as ClientError from "../carrier/client/ClientError.ts"
import type * as ClientReading from "../carrier/client/ClientReading.ts"
import type { Stage } from "../fault/Kind.ts"
import { Action } from "../step/Action.ts"
import { type Application, type Course, courseOf, type Setting } from "./internal/course.ts"

/**
 * What a homeserver has to answer, or a client has to get.
 *
 * @category models
 * @since 0.1.0
 */
export interface Expected {
  readonly _tag: "Success" | PingError.PingError["_tag"] | TransportError["_tag"]
  /** The HTTP status of the homeserver's answer, where there is one. */
  readonly status?: number
  /** The errcode of an `OtherErrcode`. */
  readonly errcode?: string
  /** How the connection failed, where it is known. */
  readonly kind?: ConnectionFailure.Kind
  /** What an `M_BAD_STATUS` says of the appservice. */
  readonly appservice?: { readonly status: number; readonly body: string }
}

/**
 * What has to come of a request, when, and what it has to have done.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome {
  readonly expected: Expected
  /** When it is there, in milliseconds after the request was sent; infinite if never. */
  readonly after: number
  /** When the appservice is asked, in milliseconds after the request was sent: its length is how often. */
  readonly calls: ReadonlyArray<number>
}

/**
 * The bounds that decide between outcomes, and where the action strikes.
 *
 * @category options
 * @since 0.1.0
 */
export interface ExpectedOptions {
  /** The one deadline of whoever asks. */
  readonly timeout: Duration.Input
  /** How much of an answer is read, in bytes; 65536 for a homeserver and 1 MiB for a client where nothing is said. */
  readonly maxBodyBytes?: number | undefined
  /** Whether the leg speaks TLS. Default: false. */
  readonly tls?: boolean | undefined
  /** What was decided about: a `connection`, or a `request`. Default: `request`. */
  readonly stage?: Stage | undefined
  /** The client that asks. Default: the transport for a homeserver, and `node` for a client. */
  readonly flavour?: ClientReading.Flavour | undefined
  /** How long it waits for a connection. Default: 10 seconds for `undici` and `fetch`, and else for ever. */
  readonly connectTimeout?: Duration.Input | undefined
}

/** What was received: an answer, as far as it is read, or what broke and whether there was a head. */
type Received =
  | {
    readonly _tag: "Answer"
    readonly at: number
    readonly status: number
    readonly headers: { readonly [name: string]: string }
    readonly body: Uint8Array
  }
  | { readonly _tag: "Broken"; readonly at: number; readonly error: Error; readonly hasHead: boolean }
  | { readonly _tag: "Late" }

const receive = (
  { sights }: Course,
  { flavour, maxBodyBytes, timeout }: {
    readonly timeout: number
    readonly maxBodyBytes: number
    readonly flavour: ClientReading.Flavour
  }
): Received => {
  let head: Extract<ClientReading.Event, { _tag: "Head" }> | undefined
  let length = 0
  const body: Array<Uint8Array> = []
  for (const sight of sights) {
    const { at } = sight
    if (at > timeout) return { _tag: "Late" }
    if (sight._tag === "Unconnected") return { _tag: "Broken", at, error: sight.error, hasHead: false }
    const { event } = sight
    switch (event._tag) {
      case "Informational":
      case "End":
        break
      case "Head":
        head = event
        break
      case "Body":
        body.push(event.bytes.subarray(0, maxBodyBytes - length))
        length += event.bytes.length
        break
      case "Failure": {
        const hasHead = head !== undefined
        return { _tag: "Broken", at, error: ClientError.ofReading(flavour, event.defect, hasHead), hasHead }
      }
    }
    // The rest of a long answer is never read, so that whatever is wrong with it is never seen.
    if (head !== undefined && (event._tag === "End" || length >= maxBodyBytes)) {
      const headers = Object.fromEntries(head.headers.map(([name, value]) => [name.toLowerCase(), value]))
      if (flavour === "fetch" && /gzip|deflate|br/.test(headers["content-encoding"] ?? "")) {
        return { _tag: "Broken", at, error: ClientError.ofEncoding(badEncoding), hasHead: true }
      }
      return { _tag: "Answer", at, status: head.status, headers, body: Bytes.concat(body) }
    }
  }
  return { _tag: "Late" }
}

/** Nothing in the testbed is really compressed. */
const badEncoding = Object.assign(new Error("incorrect header check"), { code: "Z_DATA_ERROR" })

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

const encoder = new TextEncoder()

/** What a healthy listener sends before a body; only that it is longer than any cut in a head matters. */
const applicationOf = (answer: Answer.Answer, after: number): Application => {
  const body = encoder.encode(answer.body)
  const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value ?? ""}\r\n`)
  return {
    head: encoder.encode(`HTTP/1.1 ${answer.status} OK\r\n${lines.join("")}content-length: ${body.length}\r\n\r\n`),
    body,
    after
  }
}

const kindOf = (error: Error): ConnectionFailure.Kind => ConnectionFailure.fromUnknown(error).kind

const settingOf = (
  options: ExpectedOptions,
  flavour: ClientReading.Flavour,
  application: Application
): Setting => ({
  application,
  flavour,
  tls: options.tls ?? false,
  stage: options.stage ?? "request",
  connectTimeout: options.connectTimeout === undefined
    ? flavour === "undici" || flavour === "fetch" ? 10_000 : Number.POSITIVE_INFINITY
    : Duration.toMillis(Duration.fromInputUnsafe(options.connectTimeout))
})

const status = (tag: keyof typeof Answer.statuses): { readonly _tag: typeof tag; readonly status: number } => ({
  _tag: tag,
  status: Answer.statuses[tag]
})

const timedOut = status("M_CONNECTION_TIMEOUT")

const failed = (kind: ConnectionFailure.Kind): Expected =>
  kind === "timeout" ? timedOut : { ...status("M_CONNECTION_FAILED"), kind }

const answerOfHomeserver = (received: Received): Expected => {
  switch (received._tag) {
    case "Late":
      return timedOut
    case "Broken":
      return failed(kindOf(received.error))
    case "Answer":
      // 1xx as the final answer: the appservice switched to another protocol.
      if (received.status < 200) return { ...status("M_CONNECTION_FAILED") }
      return received.status < 300
        ? { _tag: "Success", status: 200 }
        : {
          ...status("M_BAD_STATUS"),
          appservice: { status: received.status, body: utf8.decode(received.body) }
        }
  }
}

const outcomeOf = (
  expected: Expected,
  received: Received,
  timeout: number,
  calls: (after: number) => ReadonlyArray<number>
): Outcome => {
  const after = received._tag === "Late" ? timeout : received.at
  return { expected, after, calls: calls(after) }
}

/**
 * What a homeserver has to answer to a ping when its request to a healthy appservice meets this action.
 *
 * **Gotchas**
 *
 * What takes exactly as long as the deadline is decided by chance; choose times that are clearly on one side of it.
 *
 * **Example** (An answer that is cut short)
 *
 * ```ts
 * import * as Expected from "@appservice-ping/testbed/oracle/Expected"
 * import * as Fault from "@appservice-ping/testbed/fault/Fault"
 *
 * const action = Fault.actionOf(Fault.close({ phase: "in_body" }), { leg: "to_appservice", draw: 0, time: 0, now: 0 })
 *
 * Expected.ofAppservice(action, { timeout: "30 seconds" }).expected
 * // => { _tag: "M_CONNECTION_FAILED", status: 502, kind: "closed" }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofAppservice = (action: Action, options: ExpectedOptions): Outcome => {
  const flavour = options.flavour ?? "transport"
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.timeout))
  const application = applicationOf(
    { status: 200, headers: { "content-type": "application/json", connection: "close" }, body: "{}" },
    0
  )
  const course = courseOf(action, settingOf(options, flavour, application))
  const received = receive(course, { flavour, timeout, maxBodyBytes: options.maxBodyBytes ?? 64 * 1024 })
  return outcomeOf(
    answerOfHomeserver(received),
    received,
    timeout,
    (after) => course.asked.filter((at) => at <= after)
  )
}

/** The answer of a homeserver to its client. */
const answerOf = (expected: Expected): Answer.Answer => {
  const { ConnectionFailed, ConnectionTimeout } = PingError
  switch (expected._tag) {
    case "M_BAD_STATUS":
      return Answer.fromError(new PingError.BadStatus({ error: "", ...expected.appservice }))
    case "M_CONNECTION_FAILED":
      return Answer.fromError(new ConnectionFailed({ error: "" }))
    case "M_CONNECTION_TIMEOUT":
      return Answer.fromError(new ConnectionTimeout({ error: "" }))
    default:
      return { status: 200, headers: { "content-type": "application/json" }, body: "{\"duration_ms\":1}" }
  }
}

/**
 * Nobody can have acted on a request that found no connection, no TLS, or something that speaks no HTTP at all; of
 * every other one that fails it is open what became of it.
 */
const isUnreached = (error: Error, hasHead: boolean): boolean => {
  if (hasHead) return false
  const cause = error.cause instanceof Error ? error.cause : error
  switch (kindOf(error)) {
    case "dns":
    case "refused":
    case "unreachable":
    case "tls":
      return true
    case "malformed":
      return cause.message.includes("Expected HTTP/")
    default:
      return (Predicate.hasProperty(cause, "syscall") && cause.syscall === "connect") ||
        (Predicate.hasProperty(cause, "code") && cause.code === "UND_ERR_CONNECT_TIMEOUT")
  }
}

const ofDecoded = (
  received: Extract<Received, { _tag: "Answer" }>,
  decoded: ReturnType<typeof Answer.decode>
): Expected => {
  if (Result.isSuccess(decoded)) return { _tag: "Success", status: received.status }
  const { failure } = decoded
  switch (failure._tag) {
    case "OtherErrcode":
      return { _tag: failure._tag, status: received.status, errcode: failure.errcode }
    case "M_BAD_STATUS":
      return failure.status === undefined
        ? { _tag: failure._tag, status: received.status }
        : {
          _tag: failure._tag,
          status: received.status,
          appservice: { status: failure.status, body: failure.body ?? "" }
        }
    default:
      return { _tag: failure._tag, status: received.status }
  }
}

const resultOfClient = (received: Received): Expected => {
  switch (received._tag) {
    case "Late":
      return { _tag: "Undecided" }
    case "Broken": {
      const kind = kindOf(received.error)
      if (isUnreached(received.error, received.hasHead)) return { _tag: "HomeserverUnreachable", kind }
      return kind === "timeout" ? { _tag: "Undecided" } : { _tag: "Undecided", kind }
    }
    case "Answer": {
      const { headers, status } = received
      const answer = { status, headers, body: new TextDecoder().decode(received.body) }
      return ofDecoded(received, Answer.decode(answer, { url: new URL("http://localhost/"), now: 0 }))
    }
  }
}

/** How long an application goes on when its client has left, in milliseconds. */
const grace = 1000

/**
 * What a client has to get when its request meets this action, of a homeserver that answers so.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofHomeserver = (action: Action, homeserver: Outcome, options: ExpectedOptions): Outcome => {
  const flavour = options.flavour ?? "node"
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.timeout))
  const answer = answerOf(homeserver.expected)
  const application = applicationOf({ ...answer, headers: { ...corsHeaders, ...answer.headers } }, homeserver.after)
  const course = courseOf(action, settingOf(options, flavour, application))
  const received = receive(course, { flavour, timeout, maxBodyBytes: options.maxBodyBytes ?? 1024 * 1024 })
  return outcomeOf(
    resultOfClient(received),
    received,
    timeout,
    (after) =>
      course.asked.filter((at) => at <= after).flatMap((asked) =>
        homeserver.calls.map((at) => asked + at).filter((at) => at <= after + grace)
      )
  )
}

/**
 * A healthy pair: a success, and one request to the appservice.
 *
 * @category constants
 * @since 0.1.0
 */
export const ofHealthy: Outcome = ofAppservice(Action.Pass(), { timeout: Duration.infinity })

const propertyOf = (u: unknown, name: string): unknown => Predicate.hasProperty(u, name) ? u[name] : undefined

/**
 * Tells whether what a client got is what was expected: the tag or errcode, and whatever else is expected of it and
 * known to the client.
 *
 * **Gotchas**
 *
 * How the homeserver's connection to the appservice failed stands only in the text of its error, so that `kind` is
 * compared only where the client's own connection failed.
 *
 * @category predicates
 * @since 0.1.0
 */
export const matches = (
  expected: Expected,
  got: Result.Result<Answer.PingSuccess, PingError.PingError | TransportError>
): boolean => {
  if (Result.isSuccess(got)) return expected._tag === "Success"
  const { failure } = got
  if (failure._tag !== expected._tag) return false
  switch (failure._tag) {
    case "M_BAD_STATUS":
      return expected.appservice === undefined
        ? failure.status === undefined
        : failure.status === expected.appservice.status && (failure.body ?? "") === expected.appservice.body
    case "OtherErrcode":
      return failure.errcode === expected.errcode && failure.status === expected.status
    case "NotHomeserver":
      return failure.status === expected.status
    case "HomeserverUnreachable":
    case "Undecided":
      return propertyOf(failure.failure, "kind") === expected.kind
    default:
      return true
  }
}
