import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import { Leg } from "@appservice-ping/testbed/step/Leg"
import { Arbitrary, Schema } from "effect"

const isPlan = Schema.is(Plan.Plan)

const parts = Arbitrary.all({
  leg: Arbitrary.schema(Leg),
  faults: Arbitrary.array(Arbitrary.schema(Fault.Fault), { minLength: 1, maxLength: 3 }),
  isSequence: Arbitrary.schema(Schema.Boolean),
  end: Arbitrary.schema(Schema.UndefinedOr(Schema.Literals(["pass", "repeat", "cycle"]))),
  match: Arbitrary.schema(Schema.UndefinedOr(Plan.Match)),
  when: Arbitrary.schema(Schema.UndefinedOr(Plan.When)),
  budget: Arbitrary.schema(Schema.UndefinedOr(Schema.Literals([1, 2, 5])))
})

type Parts = typeof parts extends Arbitrary.Arbitrary<infer A> ? A : never

/** JSON knows no zero below zero. */
const whenOf = (when: Plan.When): Plan.When =>
  when.probability === undefined ? when : { ...when, probability: Math.abs(when.probability) }

/** Turns of one stage only, and of a connection's fault only what is known of a connection. */
const ruleOf = ({ budget, end, faults, isSequence, leg, match, when }: Parts): Plan.Rule => {
  const [first = Fault.pass, ...others] = faults
  const stage = Fault.stageOf(first)
  const ofStage = [first, ...others.filter((other) => (Fault.stageOf(other) ?? stage) === stage)]
  const connectionMatch = match?.connection === undefined ? {} : { connection: match.connection }
  return {
    leg,
    ...isSequence
      ? { sequence: ofStage.map((fault, index) => ({ fault, times: index + 1 })), ...end === undefined ? {} : { end } }
      : { fault: first },
    ...match === undefined ? {} : { match: stage === "connection" ? connectionMatch : match },
    ...when === undefined ? {} : { when: whenOf(when) },
    ...budget === undefined ? {} : { budget }
  }
}

/**
 * Plans with rules in them. Those that the schema's own arbitrary makes are nearly all empty, because most rules that it
 * makes break a rule of rules and are thrown away.
 */
export const plans: Arbitrary.Arbitrary<Plan.Plan> = Arbitrary.all({
  seed: Arbitrary.schema(Schema.UndefinedOr(Schema.Literals([0, 7, Number.MAX_SAFE_INTEGER]))),
  rules: Arbitrary.array(Arbitrary.map(parts, ruleOf), { minLength: 1, maxLength: 4 })
}).pipe(
  Arbitrary.map(({ rules, seed }): Plan.Plan => ({ ...seed === undefined ? {} : { seed }, rules })),
  Arbitrary.filter(isPlan)
)
