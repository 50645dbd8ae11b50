/**
 * The answer comes twice.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { forward, play, relay } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("duplicate") })

/**
 * The application's answer comes twice.
 *
 * @category constructors
 * @since 0.1.0
 */
export const duplicate: typeof schema.Type = { type: "duplicate" }

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the answer comes twice",
  stageOf: () => "request",
  actionOf: () => play(forward, relay, relay),
  describe: () => "answer sent twice",
  examples: () => [duplicate]
})
