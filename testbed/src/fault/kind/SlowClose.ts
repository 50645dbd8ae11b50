/**
 * The connection ends late.
 *
 * @since 0.1.0
 */
import { durationUnsafe } from "@appservice-ping/domain/Bound"
import { Duration, Schema } from "effect"
import { Delay } from "../../step/Delay.ts"
import { fin, forward, play, relay, wait } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("slow_close"), delay: Delay })

const make = Kind.maker("slow_close", schema)

/**
 * A whole answer comes, and the connection is closed `delay` later.
 *
 * @category constructors
 * @since 0.1.0
 */
export const slowClose = (options: { readonly delay: Duration.Input }): typeof schema.Type =>
  make({ delay: durationUnsafe("delay", options.delay) })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "a whole answer, and the connection ends later",
  stageOf: () => "request",
  actionOf: ({ delay }) => play(forward, relay, wait(delay), fin),
  describe: ({ delay }) => `closed ${Duration.format(delay)} after the answer`,
  examples: ({ beyond, within }) => [slowClose({ delay: within }), slowClose({ delay: beyond })]
})
