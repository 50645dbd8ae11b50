/**
 * The host name cannot be looked up.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Action } from "../../step/Action.ts"
import * as Kind from "../Kind.ts"

const Failure = Schema.Literals(["not_found", "try_again", "hang"])

const schema = Schema.Struct({ type: Schema.tag("dns"), failure: Failure })

/**
 * The host name cannot be looked up: it does not exist, its server fails, or nothing answers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dns = (failure: typeof Failure.Type): typeof schema.Type => ({ type: "dns", failure })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the host name cannot be looked up",
  synonyms: ["resolve", "nxdomain", "enotfound"],
  stageOf: () => "connection",
  actionOf: ({ failure }) => Action.Resolve({ failure }),
  describe: ({ failure }) => `DNS: ${failure}`,
  variantOf: ({ failure }) => [failure],
  examples: () => Failure.literals.map(dns)
})
