/**
 * The answer is lost.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { How, howWords } from "../internal/fields.ts"
import { endings, forward, play } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("lost_answer"), how: Schema.optionalKey(How) })

/**
 * The application gets the request and runs; its answer never arrives.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lostAnswer = (how: How = "rst"): typeof schema.Type => ({ type: "lost_answer", how })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the application got the request, and its answer is lost",
  synonyms: ["drop"],
  stageOf: () => "request",
  actionOf: ({ how = "rst" }) => play(forward, endings[how]),
  describe: ({ how = "rst" }) => `answer lost, ${howWords[how]}`,
  variantOf: ({ how = "rst" }) => [how],
  examples: () => How.literals.map(lostAnswer)
})
