/**
 * The connection goes quiet.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { before, breakFields, breakKind, breaks, breakWords } from "../internal/breakOff.ts"
import { hang, play } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"
import type { BreakOptions } from "../Phase.ts"

const schema = Schema.Struct({ type: Schema.tag("stall"), ...breakFields })

const make = Kind.maker("stall", schema)

/**
 * Nothing more is sent from a phase on, and the connection stays open.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stall = (options: BreakOptions): typeof schema.Type => make(options)

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  ...breakKind,
  summary: "silence from a phase on",
  synonyms: ["timeout", "hang", "freeze", "blackhole", "drop"],
  actionOf: (fault) => play(...before(fault), hang),
  describe: (fault) => `stalled ${breakWords(fault)}`,
  examples: ({ leg }) => breaks(leg).map(stall)
})
