/**
 * Checks whether a plan can work where it is put in force: a proxy is on one leg, with TLS or without, and sees no
 * connection before it is open.
 *
 * @since 0.1.0
 */
import { type Fault, needsTls } from "../fault/Fault.ts"
import type { Problem } from "../file/Problem.ts"
import type { Plan, Rule } from "../plan/Plan.ts"
import type { Leg } from "../step/Leg.ts"

/**
 * The place of a proxy.
 *
 * @category models
 * @since 0.1.0
 */
export interface Surroundings {
  readonly leg: Leg
  /** Whether its clients speak TLS. */
  readonly tls: boolean
}

/**
 * Checks whether a fault strikes where nobody can count it: the system refuses or ignores the connection, and its
 * client is never seen.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isUncounted = ({ type }: Fault): boolean => type === "refused" || type === "never_accepted"

const counters = ["nth", "first", "every", "beyond", "probability"] as const

const counterOf = (rule: Rule): string | undefined => {
  if (rule.sequence !== undefined) return "sequence"
  if (rule.budget !== undefined) return "budget"
  if (rule.match?.connection !== undefined) return "match.connection"
  const when = counters.find((name) => rule.when?.[name] !== undefined)
  return when === undefined ? undefined : `when.${when}`
}

const faultProblem = (rule: Rule, fault: Fault, { tls }: Surroundings): string | undefined => {
  if (fault.type === "dns") {
    return "no dns: clients look up the name of the proxy before they reach it; give them a url whose name does not exist"
  }
  if (needsTls(fault) && !tls) return "no fault of TLS: this proxy speaks plain HTTP; start it with TLS"
  const counter = isUncounted(fault) ? counterOf(rule) : undefined
  return counter === undefined
    ? undefined
    : `no ${counter} with ${fault.type}: nobody who is turned away reaches the proxy, so there is nothing to count; use when.after and when.until`
}

const problemOf = (field: string, expected: string): Problem => ({
  field,
  problem: `expected ${expected}`,
  expected,
  suggestions: []
})

const ruleProblems = (rule: Rule, index: number, surroundings: Surroundings): ReadonlyArray<Problem> => {
  const path = `rules[${index}]`
  if (rule.leg !== surroundings.leg) {
    return [problemOf(`${path}.leg`, `${surroundings.leg}: the other leg does not pass this proxy`)]
  }
  const faults = rule.fault === undefined
    ? (rule.sequence ?? []).map(({ fault }, turn) => ({ fault, path: `${path}.sequence[${turn}].fault` }))
    : [{ fault: rule.fault, path: `${path}.fault` }]
  return faults.flatMap(({ fault, path }) => {
    const problem = faultProblem(rule, fault, surroundings)
    return problem === undefined ? [] : [problemOf(path, problem)]
  })
}

/**
 * What of a plan cannot mean there what it says, and why; empty for a plan that can.
 *
 * **Details**
 *
 * A rule for the other leg would never match, a fault of TLS never strike without it, and a name is looked up before
 * anybody reaches the proxy. A connection that is refused or never accepted reaches nobody either: such a rule works
 * for a time or without end, and not for certain connections.
 *
 * **Example** (Asking for a fault of TLS where there is none)
 *
 * ```ts
 * import * as Surroundings from "@appservice-ping/testbed/control/Surroundings"
 * import * as Plan from "@appservice-ping/testbed/plan/Plan"
 *
 * const plan = Plan.of("to_appservice", { type: "tls", defect: "expired" })
 * Surroundings.problems(plan, { leg: "to_appservice", tls: false }).length // => 1
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const problems = (plan: Plan, surroundings: Surroundings): ReadonlyArray<Problem> =>
  plan.rules.flatMap((rule, index) => ruleProblems(rule, index, surroundings))
