/**
 * The connection is never established.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Action } from "../../step/Action.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("never_accepted") })

/**
 * The connection is never established, as behind a firewall that swallows every packet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const neverAccepted: typeof schema.Type = { type: "never_accepted" }

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the connection is never established",
  synonyms: ["blackhole", "connect_timeout"],
  stageOf: () => "connection",
  actionOf: () => Action.Ignore(),
  describe: () => "connection never accepted",
  examples: () => [neverAccepted]
})
