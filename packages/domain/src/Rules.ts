/**
 * The rules of the ping, as data.
 *
 * @since 0.1.0
 */
import { appserviceRules } from "./internal/rules/appserviceRules.ts"
import { decisions } from "./internal/rules/decisions.ts"
import { homeserverRules } from "./internal/rules/homeserverRules.ts"
import type { Rule } from "./Rule.ts"

/**
 * Every rule, in the order of the ids.
 *
 * @category constants
 * @since 0.1.0
 */
export const all = [...homeserverRules, ...appserviceRules, ...decisions] satisfies ReadonlyArray<Rule>

/**
 * The id of a rule.
 *
 * @category models
 * @since 0.1.0
 */
export type RuleId = (typeof all)[number]["id"]

const byId: ReadonlyMap<string, Rule<RuleId>> = new Map(all.map((rule) => [rule.id, rule]))

/**
 * Checks whether a text is the id of a rule.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRuleId = (text: string): text is RuleId => byId.has(text)

/**
 * Finds a rule by its id.
 *
 * **Example** (Reading a rule)
 *
 * ```ts
 * import { Rule, Rules } from "@appservice-ping/domain"
 *
 * const rule = Rules.get("C8")
 * rule.answer // => "400 `M_URL_NOT_SET`"
 * Rule.levelOf(rule.wording) // => "must"
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const get = (id: RuleId): Rule<RuleId> => {
  const rule = byId.get(id)
  if (rule === undefined) throw new Error(`There is no rule ${id}`)
  return rule
}
