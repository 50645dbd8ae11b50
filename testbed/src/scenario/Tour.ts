/**
 * The tour: a ping through every fault, each answer compared with what it has to be.
 *
 * @since 0.1.0
 */
import * as Ping from "@appservice-ping/client/Ping"
import type { PingSuccess } from "@appservice-ping/domain/Answer"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { Clock, Duration, Effect, Redacted, Result } from "effect"
import type { HttpClient } from "effect/http"
import type { Single } from "../fault/Catalogue.ts"
import * as Fault from "../fault/Fault.ts"
import type { BreakOptions } from "../fault/Phase.ts"
import * as Expectation from "../oracle/Expectation.ts"
import { Testbed } from "../Testbed.ts"

/** The result that a client got of a ping. */
type Got = Result.Result<PingSuccess, PingError | TransportError>

/**
 * The observation at one stop of the tour.
 *
 * @category models
 * @since 0.1.0
 */
export interface Observation {
  readonly expected: Expectation.ExpectedAnswer
  readonly got: Got
  /** From the client's request to the homeserver's answer, by the monotonic clock. */
  readonly duration: Duration.Duration
  /** How many requests the fault struck; `undefined` at a stop without a fault. */
  readonly applied: number | undefined
  /** What the client got once the fault was healed; `undefined` at a stop without a fault. */
  readonly healed: Got | undefined
}

/**
 * One stop of the tour, and what is wrong with it; nothing, if all is well.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stop {
  readonly name: string
  readonly observation: Observation
  readonly problems: ReadonlyArray<string>
}

/**
 * The bounds by which an observation is judged.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  /** The homeserver's deadline; its answer may take a tenth longer. */
  readonly pingTimeout: Duration.Duration
  /** The tokens that no answer may contain. */
  readonly tokens: ReadonlyArray<Redacted.Redacted>
}

const textOf = (got: Got): string =>
  Result.isSuccess(got) ? JSON.stringify(got.success) : `${got.failure.message} ${JSON.stringify(got.failure)}`

/** A timer may fire this much early, because it counts in whole milliseconds. */
const timerSlack = Duration.millis(1)

/**
 * Judges an observation: a pure function, so that the judge can be tested as well.
 *
 * @category predicates
 * @since 0.1.0
 */
export const judge = (observation: Observation, bounds: Bounds): ReadonlyArray<string> => {
  const { applied, duration, expected, got, healed } = observation
  const isTimeout = expected._tag === "M_CONNECTION_TIMEOUT"
  const answers = [got, ...healed === undefined ? [] : [healed]].map(textOf)
  const checks: ReadonlyArray<readonly [isWrong: boolean, problem: string]> = [
    [!Expectation.matches(expected, got), "wrong answer"],
    [applied === 0, "the fault did not strike"],
    [applied !== undefined && applied > 1, "asked more than once"],
    [isTimeout && Duration.isLessThan(Duration.sum(duration, timerSlack), bounds.pingTimeout), "too early"],
    [Duration.isGreaterThan(duration, Duration.times(bounds.pingTimeout, 1.1)), "too late"],
    [healed !== undefined && Result.isFailure(healed), "not healed"],
    [
      bounds.tokens.some((token) => answers.some((text) => text.includes(Redacted.value(token)))),
      "a token in the answer"
    ]
  ]
  return checks.flatMap(([isWrong, problem]) => isWrong ? [problem] : [])
}

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, Duration.Duration], E, R> =>
  Effect.gen(function*() {
    const start = yield* Clock.monotonicTimeNanos
    const value = yield* effect
    return [value, Duration.nanos((yield* Clock.monotonicTimeNanos) - start)] as const
  })

/**
 * The name of a stop: its fault, and the leg if it is not the one to the appservice.
 *
 * @category combinators
 * @since 0.1.0
 */
export const nameOf = ({ fault, leg }: Single): string =>
  (leg === "to_appservice" ? "" : "homeserver: ") + Fault.describe(fault)

const breaks: ReadonlyArray<BreakOptions> = [
  { phase: "before_headers" },
  { phase: "in_headers" },
  { phase: "in_body", framing: "content_length" },
  { phase: "in_body", framing: "chunked" }
]

const html = { headers: { "Content-Type": "text/html" }, body: "<!doctype html><title>Not here</title>" }

/**
 * The faults of the tour: of every kind, few enough for ten seconds on real sockets.
 *
 * @category constructors
 * @since 0.1.0
 */
export const faults = (pingTimeout: Duration.Input): ReadonlyArray<Single> => {
  const timeout = Duration.fromInputUnsafe(pingTimeout)
  const toAppservice: ReadonlyArray<Fault.Fault> = [
    { type: "dns", failure: "not_found" },
    Fault.refused,
    Fault.resetPeer({ phase: "accept" }),
    Fault.latency(Duration.times(timeout, 0.1)),
    Fault.latency(Duration.times(timeout, 2)),
    ...breaks.map(Fault.resetPeer),
    ...breaks.map(Fault.close),
    ...breaks.map(Fault.stall),
    Fault.drip({ gap: "1 millis" }),
    // Each byte comes well within the deadline, and all of them together well after it.
    Fault.drip({ gap: Duration.times(timeout, 0.05), status: 500, body: "broken" }),
    Fault.status(200, html),
    Fault.status(204),
    { type: "redirect", status: 303, location: "http://elsewhere.test/login" },
    { type: "redirect", status: 307, location: "self" },
    Fault.status(404, html),
    Fault.status(503, html),
    Fault.head("not_http"),
    { type: "framing", defect: "bad_chunk_size" },
    { type: "body", defect: "huge", status: 500 },
    Fault.lostAnswer(),
    Fault.peerAnswer("token_drift_mautrix_go"),
    Fault.peerAnswer("token_drift_matrix_bot_sdk"),
    Fault.peerAnswer("homeserver_itself")
  ]
  const toHomeserver: ReadonlyArray<Fault.Fault> = [
    Fault.refused,
    Fault.resetPeer({ phase: "before_headers" }),
    Fault.lostAnswer("fin"),
    { type: "rate_limited", retry_after: Duration.seconds(30) },
    Fault.status(502, html),
    Fault.peerAnswer("unknown_token"),
    Fault.peerAnswer("unrecognized"),
    Fault.peerAnswer("duration_absent")
  ]
  return [
    ...toAppservice.map((fault): Single => ({ leg: "to_appservice", fault })),
    ...toHomeserver.map((fault): Single => ({ leg: "to_homeserver", fault }))
  ]
}

const underFault = Effect.fnUntraced(function*({ fault, leg }: Single) {
  const testbed = yield* Testbed
  const ping = Effect.result(Ping.ping(testbed))
  const struck = yield* Effect.scoped(Effect.gen(function*() {
    const injection = yield* testbed.inject(fault, leg)
    const [got, duration] = yield* timed(ping)
    return { got, duration, applied: yield* injection.applied }
  }))
  return { ...struck, expected: testbed.expected(fault, leg).answer, healed: yield* ping }
})

const withoutFault = Effect.gen(function*() {
  const [got, duration] = yield* timed(Effect.result(Ping.ping(yield* Testbed)))
  return { expected: Expectation.healthy.answer, got, duration, applied: undefined, healed: undefined }
})

/**
 * Asks for a ping through each fault in turn, healthy first and healed last, and reports each stop as it is made.
 *
 * @category tours
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*<R = never>(options: {
  readonly faults: ReadonlyArray<Single>
  readonly pingTimeout: Duration.Input
  /** Runs after each stop; `number` counts from 1 to `count`. */
  readonly report?: ((stop: Stop, number: number, count: number) => Effect.Effect<void, never, R>) | undefined
}): Effect.fn.Return<ReadonlyArray<Stop>, never, Testbed | HttpClient.HttpClient | R> {
  const { registration } = yield* Testbed
  const bounds: Bounds = {
    pingTimeout: Duration.fromInputUnsafe(options.pingTimeout),
    tokens: [registration.as_token, registration.hs_token]
  }
  const plan = [
    { name: "healthy", observe: withoutFault },
    ...options.faults.map((single) => ({ name: nameOf(single), observe: underFault(single) })),
    { name: "healed", observe: withoutFault }
  ]
  return yield* Effect.forEach(plan, ({ name, observe }, index) =>
    Effect.gen(function*() {
      const observation: Observation = yield* observe
      const stop: Stop = { name, observation, problems: judge(observation, bounds) }
      if (options.report !== undefined) yield* options.report(stop, index + 1, plan.length)
      return stop
    }))
})

/**
 * Checks whether a tour went well; one without any stop did not.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isGood = (stops: ReadonlyArray<Stop>): boolean =>
  stops.length > 0 && stops.every((stop) => stop.problems.length === 0)
