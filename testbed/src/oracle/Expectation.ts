/**
 * What a ping has to end in under an action, for the homeserver and for its client.
 *
 * It follows from the steps of the action, from how `node:http` reads what they send, and from the rules of the protocol;
 * no interpreter takes part.
 *
 * @since 0.1.0
 */
import * as Answer from "@appservice-ping/domain/Answer"
import type * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import * as PingError from "@appservice-ping/domain/PingError"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { corsHeaders } from "@appservice-ping/server/homeserver/Homeserver"
import { Bytes, Duration, Predicate, Result } from "effect"
import type { Stage } from "../fault/Kind.ts"
import { Action } from "../step/Action.ts"
import type { Reader, Seen } from "./internal/AnswerReader.ts"
import { type Application, type ClientView, type Setting, viewOf } from "./internal/clientView.ts"

/**
 * What a homeserver has to answer, or a client has to get.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExpectedAnswer {
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
 * What a request has to end in, when, and how often the appservice has to be asked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Expectation {
  readonly answer: ExpectedAnswer
  /** When it is there, in milliseconds after the request was sent; infinite if never. */
  readonly after: number
  /** When the appservice is asked, in milliseconds after the request was sent: its length is how often. */
  readonly calls: ReadonlyArray<number>
}

/**
 * The bounds that decide between answers, and where the action strikes.
 *
 * @category options
 * @since 0.1.0
 */
export interface ExpectationOptions {
  /** The one deadline of the side that asks. */
  readonly timeout: Duration.Input
  /** How much of an answer is read, in bytes; 65536 for a homeserver and 1 MiB for a client where nothing is said. */
  readonly maxBodyBytes?: number | undefined
  /** Whether the leg speaks TLS. Default: false. */
  readonly tls?: boolean | undefined
  /** What was decided about: a `connection`, or a `request`. Default: `request`. */
  readonly stage?: Stage | undefined
  /** How long the client waits for a connection. Default: as long as for everything. */
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
  | {
    readonly _tag: "Broken"
    readonly at: number
    readonly kind: ConnectionFailure.Kind
    readonly isUnreached: boolean
  }
  | { readonly _tag: "Late" }

const receive = ({ sights }: ClientView, timeout: number, maxBodyBytes: number): Received => {
  let head: Extract<Seen, { _tag: "Head" }> | undefined
  let length = 0
  const body: Array<Uint8Array> = []
  for (const { at, what } of sights) {
    if (at > timeout) return { _tag: "Late" }
    switch (what._tag) {
      case "Unconnected":
        return { _tag: "Broken", at, kind: what.kind, isUnreached: what.isUnreached }
      case "Broken":
        return { _tag: "Broken", at, kind: what.kind, isUnreached: head === undefined && what.isTlsAlert }
      case "Head":
        head = what
        break
      case "Body":
        body.push(what.bytes.subarray(0, maxBodyBytes - length))
        length += what.bytes.length
        break
      case "End":
        break
    }
    // The rest of a long answer is never read, so that whatever is wrong with it is never seen.
    if (head !== undefined && (what._tag === "End" || length >= maxBodyBytes)) {
      return { _tag: "Answer", at, status: head.status, headers: head.headers, body: Bytes.concat(body) }
    }
  }
  return { _tag: "Late" }
}

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

const settingOf = (options: ExpectationOptions, reader: Reader, application: Application): Setting => ({
  application,
  reader,
  tls: options.tls ?? false,
  stage: options.stage ?? "request",
  connectTimeout: options.connectTimeout === undefined
    ? Number.POSITIVE_INFINITY
    : Duration.toMillis(Duration.fromInputUnsafe(options.connectTimeout))
})

const status = (tag: keyof typeof Answer.statuses): { readonly _tag: typeof tag; readonly status: number } => ({
  _tag: tag,
  status: Answer.statuses[tag]
})

const timedOut = status("M_CONNECTION_TIMEOUT")

const failed = (kind: ConnectionFailure.Kind): ExpectedAnswer =>
  kind === "timeout" ? timedOut : { ...status("M_CONNECTION_FAILED"), kind }

const answerOfHomeserver = (received: Received): ExpectedAnswer => {
  switch (received._tag) {
    case "Late":
      return timedOut
    case "Broken":
      return failed(received.kind)
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

const expectationOf = (
  answer: ExpectedAnswer,
  received: Received,
  timeout: number,
  calls: (after: number) => ReadonlyArray<number>
): Expectation => {
  const after = received._tag === "Late" ? timeout : received.at
  return { answer, after, calls: calls(after) }
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
 * import * as Expectation from "@appservice-ping/testbed/oracle/Expectation"
 * import * as Fault from "@appservice-ping/testbed/fault/Fault"
 *
 * const action = Fault.actionOf(Fault.close({ phase: "in_body" }), { leg: "to_appservice", draw: 0, time: 0, now: 0 })
 *
 * Expectation.ofAppservice(action, { timeout: "30 seconds" }).answer
 * // => { _tag: "M_CONNECTION_FAILED", status: 502, kind: "closed" }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofAppservice = (action: Action, options: ExpectationOptions): Expectation => {
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.timeout))
  const application = applicationOf(
    { status: 200, headers: { "content-type": "application/json", connection: "close" }, body: "{}" },
    0
  )
  const view = viewOf(action, settingOf(options, "transport", application))
  const received = receive(view, timeout, options.maxBodyBytes ?? 64 * 1024)
  return expectationOf(
    answerOfHomeserver(received),
    received,
    timeout,
    (after) => view.asked.filter((at) => at <= after)
  )
}

/** The answer of a homeserver to its client. */
const answerOf = (expected: ExpectedAnswer): Answer.Answer => {
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

const ofDecoded = (
  received: Extract<Received, { _tag: "Answer" }>,
  decoded: ReturnType<typeof Answer.decode>
): ExpectedAnswer => {
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

const resultOfClient = (received: Received): ExpectedAnswer => {
  switch (received._tag) {
    case "Late":
      return { _tag: "Undecided" }
    case "Broken": {
      const { isUnreached, kind } = received
      if (isUnreached) return { _tag: "HomeserverUnreachable", kind }
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
export const ofHomeserver = (action: Action, homeserver: Expectation, options: ExpectationOptions): Expectation => {
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.timeout))
  const answer = answerOf(homeserver.answer)
  const application = applicationOf({ ...answer, headers: { ...corsHeaders, ...answer.headers } }, homeserver.after)
  const view = viewOf(action, settingOf(options, "client", application))
  const received = receive(view, timeout, options.maxBodyBytes ?? 1024 * 1024)
  return expectationOf(
    resultOfClient(received),
    received,
    timeout,
    (after) =>
      view.asked.filter((at) => at <= after).flatMap((asked) =>
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
export const healthy: Expectation = ofAppservice(Action.Pass(), { timeout: Duration.infinity })

const propertyOf = (u: unknown, name: string): unknown => Predicate.hasProperty(u, name) ? u[name] : undefined

/**
 * Checks whether what a client got is what was expected: the tag or errcode, and whatever else is expected of it and
 * known to the client.
 *
 * **Gotchas**
 *
 * Only the text of the homeserver's error says how its connection to the appservice failed, so that `kind` is
 * compared only where the client's own connection failed.
 *
 * @category predicates
 * @since 0.1.0
 */
export const matches = (
  expected: ExpectedAnswer,
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
