/**
 * A fault plan: which fault strikes which connection or request, when and how often.
 *
 * One schema gives the values of the program, the scenario file and what the control API takes.
 *
 * @since 0.1.0
 */
import { Duration, Schema } from "effect"
import { Fault, stageOf } from "../fault/Fault.ts"
import { Delay } from "../step/Delay.ts"
import { Leg } from "../step/Leg.ts"

const Ordinal = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 2 ** 31 - 1 })))

const OneOrMore = <S extends Schema.Constraint>(item: S) =>
  Schema.Union([item, Schema.Array(item).pipe(Schema.check(Schema.isMinLength(1), Schema.isMaxLength(1000)))])

/**
 * The connections and requests that a rule matches. A missing field matches everything; a list matches any of its
 * members; a `path` that ends with `*` matches every path that begins so.
 *
 * **Details**
 *
 * `connection` counts the connections of the leg, `exchange` the requests on one connection, and `attempt` the requests
 * of the leg with the same transaction id, each from 1.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Match = Schema.Struct({
  connection: Schema.optionalKey(OneOrMore(Ordinal)),
  exchange: Schema.optionalKey(OneOrMore(Ordinal)),
  attempt: Schema.optionalKey(OneOrMore(Ordinal)),
  method: Schema.optionalKey(OneOrMore(Schema.String)),
  path: Schema.optionalKey(OneOrMore(Schema.String)),
  transaction_id: Schema.optionalKey(OneOrMore(Schema.String))
}).annotate({
  identifier: "Match",
  description: "The connections and requests that the rule matches; everything, if no field is given."
})

/**
 * The connections and requests that a rule matches.
 *
 * @category models
 * @since 0.1.0
 */
export type Match = typeof Match.Type

/**
 * When a rule strikes, among what it matches; all that is named has to hold.
 *
 * **Details**
 *
 * - `nth`: only this match, or these, from 1; `first`: only so many; `every`: each k-th.
 * - `after`, `until`: in this window of time since the plan began.
 * - `beyond`: a quota; the matches of a window beyond its limit.
 * - `probability`: by a draw of its own for each match.
 *
 * @category schemas
 * @since 0.1.0
 */
export const When = Schema.Struct({
  nth: Schema.optionalKey(OneOrMore(Ordinal)),
  first: Schema.optionalKey(Ordinal),
  every: Schema.optionalKey(Ordinal),
  after: Schema.optionalKey(Delay),
  until: Schema.optionalKey(Delay),
  beyond: Schema.optionalKey(Schema.Struct({
    limit: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))),
    window: Delay
  })),
  probability: Schema.optionalKey(Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1 }))))
}).annotate({ identifier: "When", description: "When the rule strikes, among what it matches." })

/**
 * When a rule strikes, among what it matches.
 *
 * @category models
 * @since 0.1.0
 */
export type When = typeof When.Type

/**
 * One turn of a sequence: a fault, so many times.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Turn = Schema.Struct({ fault: Fault, times: Schema.optionalKey(Ordinal) })

/**
 * One turn of a sequence.
 *
 * @category models
 * @since 0.1.0
 */
export type Turn = typeof Turn.Type

const ruleFields = {
  id: Schema.optionalKey(
    Schema.String.pipe(
      Schema.check(
        Schema.isPattern(/^[\w.-]{1,64}$/, { expected: "1 to 64 letters, digits, dots, underscores or dashes" })
      )
    )
  ),
  leg: Leg,
  match: Schema.optionalKey(Match),
  when: Schema.optionalKey(When),
  budget: Schema.optionalKey(Ordinal),
  fault: Schema.optionalKey(Fault),
  sequence: Schema.optionalKey(
    Schema.Array(Turn).pipe(Schema.check(Schema.isMinLength(1), Schema.isMaxLength(1000)))
  ),
  end: Schema.optionalKey(Schema.Literals(["pass", "repeat", "cycle"]))
}

interface RuleShape {
  readonly fault?: Fault
  readonly sequence?: ReadonlyArray<Turn>
  readonly match?: Match
  readonly when?: When
  readonly end?: "pass" | "repeat" | "cycle"
}

const faultsIn = (rule: RuleShape): ReadonlyArray<Fault> =>
  rule.fault === undefined ? (rule.sequence ?? []).map(({ fault }) => fault) : [rule.fault]

const requestOnly = ["exchange", "attempt", "method", "path", "transaction_id"] as const

/** What is wrong with a rule beyond its form. */
const problemOf = (rule: RuleShape): string | undefined => {
  if ((rule.fault === undefined) === (rule.sequence === undefined)) return "exactly one of fault and sequence"
  if (rule.end !== undefined && rule.sequence === undefined) return "no end without a sequence"
  const { after = Duration.zero, until = Duration.infinity } = rule.when ?? {}
  if (!Duration.isLessThan(after, until)) return "an until that is later than after: this rule could never strike"
  const stages = new Set(faultsIn(rule).map(stageOf).filter((stage) => stage !== undefined))
  if (stages.size > 1) {
    return "a sequence of faults of one stage: faults of a connection (dns, refused, never_accepted, tls and what happens up to the request) and faults of a request need rules of their own"
  }
  const early = requestOnly.find((key) => rule.match?.[key] !== undefined)
  return stages.has("connection") && early !== undefined
    ? `no match on ${early}: a fault of a connection strikes before there is a request`
    : undefined
}

/**
 * One rule: whom it means, when it strikes, and with which fault or sequence of faults.
 *
 * **Details**
 *
 * `budget` is how often it strikes at most. A sequence goes on by one turn each time the rule would strike, at that
 * moment and not when the fault is over; at its end it passes everything (`end: "pass"`, where nothing is said),
 * repeats its last turn or starts again.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Rule = Schema.Struct(ruleFields).pipe(
  Schema.check(Schema.makeFilter((rule) => {
    const problem = problemOf(rule)
    return problem === undefined ? undefined : `Expected ${problem}`
  }, {
    // An editor can show this much before the plan is read.
    toJsonSchema: () => ({ oneOf: [{ required: ["fault"] }, { required: ["sequence"] }] })
  })),
  Schema.annotate({ identifier: "Rule", description: "One fault or sequence of faults, whom it means and when." })
)

/**
 * The requests that a rule matches, when it strikes, and with which fault.
 *
 * @category models
 * @since 0.1.0
 */
export type Rule = typeof Rule.Type

/**
 * The id of a rule: its own, or `rule-1` for the first one of its plan, and so on.
 *
 * @category combinators
 * @since 0.1.0
 */
export const idOf = (rule: Rule, index: number): string => rule.id ?? `rule-${index + 1}`

/**
 * A plan: rules in the order in which they are asked. The first one that strikes decides; where none does, all is well.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Plan = Schema.Struct({
  seed: Schema.optionalKey(
    Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })))
  ),
  rules: Schema.Array(Rule).pipe(
    Schema.check(
      Schema.isMaxLength(1000),
      Schema.makeFilter((rules) => new Set(rules.map(idOf)).size === rules.length, {
        expected: "rules with ids of their own"
      })
    )
  )
})

/**
 * Rules in the order in which they are asked, and the seed of their draws.
 *
 * @category models
 * @since 0.1.0
 */
export type Plan = typeof Plan.Type

/**
 * The plan without rules: nothing is broken.
 *
 * @category constructors
 * @since 0.1.0
 */
export const healthy: Plan = { rules: [] }

/**
 * A plan of one rule: this fault, on this leg, for everything or for what the options say.
 *
 * **Example** (Failing the first two requests)
 *
 * ```ts
 * import * as Fault from "@appservice-ping/testbed/fault/Fault"
 * import * as Plan from "@appservice-ping/testbed/plan/Plan"
 *
 * const plan = Plan.of("to_appservice", Fault.status(503), { when: { first: 2 } })
 *
 * plan.rules.length // => 1
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (leg: Leg, fault: Fault, options?: Pick<Rule, "id" | "match" | "when" | "budget">): Plan => ({
  rules: [{ leg, fault, ...options }]
})

/**
 * One plan after the other: the rules of both.
 *
 * @category combinators
 * @since 0.1.0
 */
export const concat = (first: Plan, second: Plan): Plan => ({
  ...second,
  ...first,
  rules: [...first.rules, ...second.rules]
})

/**
 * The stage at which a rule is asked; `undefined` for one that only passes.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stageOfRule = (rule: Rule): ReturnType<typeof stageOf> =>
  faultsIn(rule).map(stageOf).find((stage) => stage !== undefined)
