/**
 * Nothing happens.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Action } from "../../step/Action.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("pass") })

/**
 * Nothing happens: the healthy turn of a sequence.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pass: typeof schema.Type = { type: "pass" }

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "nothing: the healthy turn of a sequence",
  synonyms: ["none", "ok"],
  stageOf: () => undefined,
  actionOf: () => Action.Pass(),
  describe: () => "healthy",
  examples: () => [pass]
})
