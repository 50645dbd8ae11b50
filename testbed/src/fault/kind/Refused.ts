/**
 * The connection is refused.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Action } from "../../step/Action.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("refused") })

/**
 * The connection is refused: nothing listens on the port.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refused: typeof schema.Type = { type: "refused" }

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the connection is refused",
  synonyms: ["down", "connection_refused", "econnrefused"],
  stageOf: () => "connection",
  actionOf: () => Action.Refuse(),
  describe: () => "connection refused",
  examples: () => [refused]
})
