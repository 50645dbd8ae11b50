/**
 * The results of a scenario's pings, and the verdict on it: pure.
 *
 * @since 0.1.0
 */
import type { PingSuccess } from "@appservice-ping/domain/Answer"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { Duration, Result, Schema } from "effect"
import { idOf } from "../plan/Plan.ts"
import type { Entry } from "../play/Journal.ts"
import type { RuleReport } from "../play/Session.ts"
import type { Leg } from "../step/Leg.ts"
import type { Expectation, Scenario } from "./Scenario.ts"

/**
 * The result of one ping.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PingOutcome = Schema.Struct({
  ping: Schema.Int,
  /** `Success`, an errcode, or the tag of a client that got no Matrix answer. */
  answer: Schema.String,
  /** The status the appservice gave, of an `M_BAD_STATUS`. */
  status: Schema.optionalKey(Schema.Int),
  millis: Schema.Finite,
  attempts: Schema.Int,
  calls: Schema.Int
})

/**
 * The result of one ping.
 *
 * @category models
 * @since 0.1.0
 */
export type PingOutcome = typeof PingOutcome.Type

/**
 * The verdict on a scenario.
 *
 * **Details**
 *
 * - `pass`: every expectation was met, every fault was played, and after healing a ping worked.
 * - `fail`: an expectation was not met, or healing did not help.
 * - `not applied`: the answers are as expected, but a fault was never played: they prove nothing.
 * - `inconclusive`: nothing was asked, or part of what happened is not known.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ScenarioVerdict = Schema.Literals(["pass", "fail", "not applied", "inconclusive"])

/**
 * The verdict on a scenario.
 *
 * @category models
 * @since 0.1.0
 */
export type ScenarioVerdict = typeof ScenarioVerdict.Type

/**
 * A verdict with its reasons.
 *
 * @category models
 * @since 0.1.0
 */
export interface Judgement {
  readonly verdict: ScenarioVerdict
  readonly problems: ReadonlyArray<string>
}

/**
 * The answer of a ping in one word, and the status of the appservice where it has one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const answerOf = (
  result: Result.Result<PingSuccess, PingError | TransportError>
): { readonly answer: string; readonly status?: number } => {
  if (Result.isSuccess(result)) return { answer: "Success" }
  const { failure } = result
  if (failure._tag === "OtherErrcode") return { answer: failure.errcode }
  return failure._tag === "M_BAD_STATUS" && failure.status !== undefined
    ? { answer: failure._tag, status: failure.status }
    : { answer: failure._tag }
}

/**
 * How often a leg was asked: its requests, and its connections that never came to one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const attemptsIn = (entries: ReadonlyArray<Entry>, leg: Leg): number => {
  const opened = new Set<number>()
  let requests = 0
  for (const { what } of entries) {
    if (what.event === "outcome" || what.leg !== leg) continue
    if (what.event === "connecting") opened.add(what.connection)
    if (what.event === "request") {
      requests++
      opened.delete(what.connection)
    }
  }
  return requests + opened.size
}

/**
 * The entries about the requests with one transaction id, of pings that were sent at the same time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const ofTransaction = (entries: ReadonlyArray<Entry>, transactionId: string): ReadonlyArray<Entry> => {
  const own = new Set<string>()
  return entries.filter(({ what }) => {
    if (!("exchange" in what) || what.exchange === undefined) return false
    const exchange = `${what.leg} ${what.connection} ${what.exchange}`
    if (what.event === "request" && what.transaction_id === transactionId) own.add(exchange)
    return own.has(exchange)
  })
}

/**
 * How often the application of a leg got a request.
 *
 * @category combinators
 * @since 0.1.0
 */
export const callsIn = (entries: ReadonlyArray<Entry>, leg: Leg): number =>
  entries.filter(({ what }) => what.event === "asked" && what.leg === leg).length

/**
 * How many decisions to strike have not been played to their end yet.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unplayed = (entries: ReadonlyArray<Entry>): number => {
  let open = 0
  for (const { what } of entries) {
    if (what.event === "decided") open++
    if (what.event === "applied") open--
  }
  return Math.max(0, open)
}

/**
 * Everything the verdict is about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Evidence {
  /** For each ping of the scenario, in order, the outcomes of it and of those sent together with it. */
  readonly pings: ReadonlyArray<ReadonlyArray<PingOutcome>>
  readonly rules: ReadonlyArray<RuleReport>
  /** The ping after healing; `undefined` if there was none. */
  readonly healed: PingOutcome | undefined
  /** How many entries the journal had to drop. */
  readonly dropped: number
  /** What is added to every `at_most`: nothing on virtual time. */
  readonly slack: Duration.Duration
}

/** Timers of Node count whole milliseconds, and may be that much early. */
const timerMillis = 1

const ordinal = (ping: PingOutcome): string => `ping ${ping.ping}`

const problemsOfPing = (
  expect: Expectation,
  got: PingOutcome,
  slack: Duration.Duration
): ReadonlyArray<string> => {
  const answers = typeof expect.answer === "string" ? [expect.answer] : expect.answer
  const checks: ReadonlyArray<readonly [isWrong: boolean, problem: string]> = [
    [!answers.includes(got.answer), `answered ${got.answer}, expected ${answers.join(" or ")}`],
    [
      expect.status !== undefined && got.status !== expect.status,
      `told of status ${got.status ?? "none"}, expected ${expect.status}`
    ],
    [
      expect.attempts !== undefined && got.attempts !== expect.attempts,
      `took ${got.attempts} attempts, expected ${expect.attempts}`
    ],
    [
      expect.calls !== undefined && got.calls !== expect.calls,
      `reached the application ${got.calls} times, expected ${expect.calls}`
    ],
    [
      expect.at_least !== undefined && got.millis + timerMillis < Duration.toMillis(expect.at_least),
      `took ${got.millis} ms, expected at least ${
        expect.at_least === undefined ? "" : Duration.format(expect.at_least)
      }`
    ],
    [
      expect.at_most !== undefined && got.millis > Duration.toMillis(Duration.sum(expect.at_most, slack)),
      `took ${got.millis} ms, expected at most ${expect.at_most === undefined ? "" : Duration.format(expect.at_most)}`
    ]
  ]
  return checks.flatMap(([isWrong, problem]) => isWrong ? [`${ordinal(got)} ${problem}`] : [])
}

/** Which of the three ways of not being played it was. */
const whyNotPlayed = ({ fired, matched, rule, suppressed }: RuleReport): string => {
  if (matched === 0) return `${rule} never matched anything`
  return fired === 0
    ? `${rule} matched ${matched} times and was held back ${suppressed} times`
    : `${rule} was decided on ${fired} times, but never played`
}

/**
 * Judges a scenario: what is wrong weighs more than what is not proven, and that more than what is not known.
 *
 * @category combinators
 * @since 0.1.0
 */
export const judge = (scenario: Scenario, evidence: Evidence): Judgement => {
  const idle = new Set(scenario.idle ?? [])
  const wrong = [
    ...scenario.pings.flatMap(({ expect }, index) =>
      (evidence.pings[index] ?? []).flatMap((got) => problemsOfPing(expect, got, evidence.slack))
    ),
    ...evidence.rules.flatMap(({ applied, rule }) =>
      idle.has(rule) && applied > 0 ? [`${rule} was played ${applied} times, and had to stay idle`] : []
    ),
    ...evidence.healed !== undefined && evidence.healed.answer !== "Success"
      ? [`not healed: the ping after it answered ${evidence.healed.answer}`]
      : []
  ]
  if (wrong.length > 0) return { verdict: "fail", problems: wrong }
  const ids = new Set(scenario.plan.rules.map(idOf))
  const unplayed = [
    ...evidence.rules.flatMap((report) => idle.has(report.rule) || report.applied > 0 ? [] : [whyNotPlayed(report)]),
    ...[...idle].flatMap((rule) => ids.has(rule) ? [] : [`${rule} is in idle, but is no rule of the plan`])
  ]
  if (unplayed.length > 0) return { verdict: "not applied", problems: unplayed }
  const unknown = [
    ...scenario.pings.length === 0 ? ["nothing was asked"] : [],
    ...scenario.pings.some((_, index) => (evidence.pings[index] ?? []).length === 0) ? ["a ping did not end"] : [],
    ...evidence.dropped > 0 ? [`${evidence.dropped} entries of the journal were dropped`] : []
  ]
  return unknown.length > 0 ? { verdict: "inconclusive", problems: unknown } : { verdict: "pass", problems: [] }
}
