/**
 * Everything breaks at once.
 *
 * @since 0.1.0
 */
import { durationUnsafe } from "@appservice-ping/domain/Bound"
import { Duration, Schema } from "effect"
import { Action } from "../../step/Action.ts"
import { Delay } from "../../step/Delay.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("crash"), down_for: Delay })

const make = Kind.maker("crash", schema)

/**
 * Every connection is reset, as by a process that dies, and the port is refused for `down_for`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const crash = (options: { readonly down_for: Duration.Input }): typeof schema.Type =>
  make({ down_for: durationUnsafe("down_for", options.down_for) })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "every connection is reset, and new ones are refused for a while",
  synonyms: ["kill", "restart"],
  stageOf: () => "request",
  actionOf: ({ down_for }) => Action.Crash({ down_for }),
  describe: ({ down_for }) => `crash, down for ${Duration.format(down_for)}`,
  examples: ({ within }) => [crash({ down_for: within })]
})
