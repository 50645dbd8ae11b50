/**
 * Decides what happens to a connection or a request: a pure function of the plan, the seed, what was decided before and
 * what happens now. No clock, no randomness, no IO.
 *
 * @since 0.1.0
 */
import { Duration } from "effect"
import { actionOf, type Fault, needsTls } from "../fault/Fault.ts"
import { Action } from "../step/Action.ts"
import type { Leg } from "../step/Leg.ts"
import { draw } from "./Draw.ts"
import { idOf, type Plan, type Rule, stageOfRule } from "./Plan.ts"

interface Common {
  readonly leg: Leg
  /** The number of the connection on its leg, from 1. */
  readonly connection: number
  /** Whether the leg speaks TLS. */
  readonly tls: boolean
  /** Milliseconds since the plan began, monotonic. */
  readonly time: number
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * Someone connects, or wants to.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionEvent extends Common {
  readonly stage: "connection"
}

/**
 * A whole request was read.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestEvent extends Common {
  readonly stage: "request"
  /** The number of the request on its connection, from 1. */
  readonly exchange: number
  /** How many requests of the leg had this transaction id (or none), this one included. */
  readonly attempt: number
  readonly method: string
  /** The path, without a query. */
  readonly path: string
  readonly transactionId: string | undefined
}

/**
 * What happens.
 *
 * @category models
 * @since 0.1.0
 */
export type Event = ConnectionEvent | RequestEvent

/**
 * Why a rule that matched does not strike.
 *
 * @category models
 * @since 0.1.0
 */
export type Reason =
  | "window"
  | "quota"
  | "nth"
  | "first"
  | "every"
  | "probability"
  | "budget"
  | "sequence ended"
  | "healthy turn"
  | "no TLS"

/**
 * What a plan remembers of one rule.
 *
 * @category models
 * @since 0.1.0
 */
export interface RuleState {
  readonly matched: number
  /** How often it would have struck but for its budget: the turn of its sequence. */
  readonly turn: number
  readonly fired: number
  readonly suppressed: number
  /** The window of a quota: when it began, and what it has seen. */
  readonly windowStart: number
  readonly windowCount: number
}

/**
 * What a plan remembers: one small record for each rule, and what is down until when.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  readonly rules: ReadonlyMap<string, RuleState>
  readonly down: ReadonlyMap<Leg, { readonly until: number; readonly rule: string }>
}

/**
 * Nothing has happened yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const initial: State = { rules: new Map(), down: new Map() }

const untouched: RuleState = { matched: 0, turn: 0, fired: 0, suppressed: 0, windowStart: 0, windowCount: 0 }

/**
 * What a plan remembers of a rule.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stateOf = (state: State, rule: string): RuleState => state.rules.get(rule) ?? untouched

/**
 * A rule that matched and did not strike.
 *
 * @category models
 * @since 0.1.0
 */
export interface Suppression {
  readonly rule: string
  readonly reason: Reason
  readonly draw: number | undefined
}

/**
 * What was decided: the action, the rule and the fault behind it, the draw they took, and the rules that matched
 * before and did not strike.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  readonly action: Action
  readonly rule: string | undefined
  readonly fault: Fault | undefined
  readonly draw: number | undefined
  readonly suppressed: ReadonlyArray<Suppression>
}

const matchesOne = <A extends string | number>(
  wanted: A | ReadonlyArray<A> | undefined,
  test: (one: A) => boolean
): boolean => wanted === undefined || (typeof wanted === "object" ? wanted.some(test) : test(wanted))

const pathMatches = (path: string) => (wanted: string): boolean =>
  wanted.endsWith("*") ? path.startsWith(wanted.slice(0, -1)) : path === wanted

const isMatch = (rule: Rule, event: Event): boolean => {
  const stage = stageOfRule(rule) ?? "request"
  if (rule.leg !== event.leg || stage !== event.stage) return false
  const match = rule.match ?? {}
  if (!matchesOne(match.connection, (n) => n === event.connection)) return false
  if (event.stage === "connection") return true
  return matchesOne(match.exchange, (n) => n === event.exchange) &&
    matchesOne(match.attempt, (n) => n === event.attempt) &&
    matchesOne(match.method, (method) => method.toUpperCase() === event.method) &&
    matchesOne(match.path, pathMatches(event.path)) &&
    matchesOne(match.transaction_id, (id) => id === event.transactionId)
}

/** What a draw is for: nothing in it depends on other requests, as far as anything of this one is known. */
const keyOf = (event: Event): ReadonlyArray<string | number> =>
  event.stage === "connection"
    ? [event.leg, event.connection]
    : [event.leg, event.method, event.path, event.transactionId ?? "", event.attempt]

const turnOf = (rule: Rule, turn: number): Fault | undefined => {
  if (rule.fault !== undefined) return rule.fault
  const sequence = rule.sequence ?? []
  const length = sequence.reduce((sum, { times }) => sum + (times ?? 1), 0)
  let left = rule.end === "cycle" ? turn % length : turn
  for (const { fault, times } of sequence) {
    left -= times ?? 1
    if (left < 0) return fault
  }
  return rule.end === "repeat" ? sequence.at(-1)?.fault : undefined
}

const inWindow = (rule: Rule, time: number): boolean =>
  (rule.when?.after === undefined || time >= Duration.toMillis(rule.when.after)) &&
  (rule.when?.until === undefined || time < Duration.toMillis(rule.when.until))

/** Counts a match into the window of the quota, which begins with the first match and anew when it is over. */
const countInWindow = (state: RuleState, rule: Rule, time: number): RuleState => {
  const window = rule.when?.beyond?.window
  if (window === undefined) return state
  return state.windowCount === 0 || time - state.windowStart >= Duration.toMillis(window)
    ? { ...state, windowStart: time, windowCount: 1 }
    : { ...state, windowCount: state.windowCount + 1 }
}

/** Why a rule that matched is held back by its `when`; `chance` is drawn only if it is asked for. */
const heldBack = (rule: Rule, state: RuleState, time: number, chance: number | undefined): Reason | undefined => {
  const when = rule.when ?? {}
  const n = state.matched
  if (!inWindow(rule, time)) return "window"
  if (when.beyond !== undefined && state.windowCount <= when.beyond.limit) return "quota"
  if (!matchesOne(when.nth, (nth) => nth === n)) return "nth"
  if (when.first !== undefined && n > when.first) return "first"
  if (when.every !== undefined && n % when.every !== 0) return "every"
  if (when.probability !== undefined && chance !== undefined && chance >= when.probability) return "probability"
  return undefined
}

interface Asked {
  readonly state: RuleState
  readonly fault: Fault | undefined
  readonly reason: Reason | undefined
  readonly chance: number | undefined
}

/** Draws for a rule without an id are for its place among those of its leg, so that other legs do not shift them. */
const drawIdOf = (plan: Plan, rule: Rule, index: number): string | number =>
  rule.id ?? plan.rules.slice(0, index).filter(({ id, leg }) => id === undefined && leg === rule.leg).length

const ask = (rule: Rule, drawId: string | number, seed: number, before: RuleState, event: Event): Asked => {
  const matched = countInWindow({ ...before, matched: before.matched + 1 }, rule, event.time)
  const chance = rule.when?.probability === undefined
    ? undefined
    : draw(seed, [drawId, "probability", ...keyOf(event)])
  const suppress = (reason: Reason, state = matched): Asked => ({
    state: { ...state, suppressed: state.suppressed + 1 },
    fault: undefined,
    reason,
    chance
  })
  const reason = heldBack(rule, matched, event.time, chance)
  if (reason !== undefined) return suppress(reason)
  const fault = turnOf(rule, matched.turn)
  if (fault === undefined) return suppress("sequence ended")
  const turned = { ...matched, turn: matched.turn + 1 }
  if (fault.type === "pass") return suppress("healthy turn", turned)
  if (needsTls(fault) && !event.tls) return suppress("no TLS", turned)
  if (rule.budget !== undefined && matched.fired >= rule.budget) return suppress("budget", turned)
  return { state: { ...turned, fired: turned.fired + 1 }, fault, reason: undefined, chance }
}

/**
 * The decision, and what the plan remembers from now on.
 *
 * **Details**
 *
 * The rules are asked in their order; each that matches counts the match, whether it strikes or not, and the first one
 * that strikes decides. While a leg is down after a crash, its connections are refused and no rule is asked.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decide = (
  plan: Plan,
  seed: number,
  state: State,
  event: Event
): { readonly decision: Decision; readonly state: State } => {
  const down = state.down.get(event.leg)
  if (event.stage === "connection" && down !== undefined && event.time < down.until) {
    return {
      decision: { action: Action.Refuse(), rule: down.rule, fault: undefined, draw: undefined, suppressed: [] },
      state
    }
  }
  const rules = new Map(state.rules)
  const suppressed: Array<Suppression> = []
  for (const [index, rule] of plan.rules.entries()) {
    if (!isMatch(rule, event)) continue
    const id = idOf(rule, index)
    const drawId = drawIdOf(plan, rule, index)
    const asked = ask(rule, drawId, seed, stateOf(state, id), event)
    rules.set(id, asked.state)
    if (asked.reason !== undefined) suppressed.push({ rule: id, reason: asked.reason, draw: asked.chance })
    if (asked.fault === undefined) continue
    const chance = draw(seed, [drawId, "fault", ...keyOf(event)])
    const action = actionOf(asked.fault, {
      ...event,
      draw: chance,
      path: event.stage === "request" ? event.path : undefined
    })
    return {
      decision: { action, rule: id, fault: asked.fault, draw: chance, suppressed },
      state: {
        rules,
        down: action._tag === "Crash"
          ? new Map(state.down).set(event.leg, { until: event.time + Duration.toMillis(action.down_for), rule: id })
          : state.down
      }
    }
  }
  return {
    decision: { action: Action.Pass(), rule: undefined, fault: undefined, draw: undefined, suppressed },
    state: { ...state, rules }
  }
}

/** When the window of a quota ends that has counted something. */
const quotaEdges = (rule: Rule, { windowCount, windowStart }: RuleState): ReadonlyArray<number> =>
  rule.when?.beyond === undefined || windowCount === 0
    ? []
    : [windowStart + Duration.toMillis(rule.when.beyond.window)]

/**
 * The times, after `time`, at which a decision can change although nothing happens: edges of windows, the end of a
 * quota's window, and the end of what is down. An interpreter that has to open or close a port asks again then.
 *
 * @category combinators
 * @since 0.1.0
 */
export const edgesAfter = (plan: Plan, state: State, time: number): ReadonlyArray<number> =>
  [
    ...plan.rules.flatMap((rule, index) => [
      ...[rule.when?.after, rule.when?.until].flatMap((edge) => edge === undefined ? [] : [Duration.toMillis(edge)]),
      ...quotaEdges(rule, stateOf(state, idOf(rule, index)))
    ]),
    ...[...state.down.values()].map(({ until }) => until)
  ].filter((edge) => edge > time).toSorted((a, b) => a - b)
