/**
 * The connection is reset.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { before, breakFields, breakKind, breaks, breakWords } from "../internal/breakOff.ts"
import { play, rst } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"
import type { BreakOptions } from "../Phase.ts"

const schema = Schema.Struct({ type: Schema.tag("reset_peer"), ...breakFields })

const make = Kind.maker("reset_peer", schema)

/**
 * The connection is reset (RST) in a phase.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resetPeer = (options: BreakOptions): typeof schema.Type => make(options)

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  ...breakKind,
  summary: "RST in a phase",
  synonyms: ["reset", "rst", "connection_reset", "connection_reset_by_peer", "econnreset", "abort", "error"],
  actionOf: (fault) => play(...before(fault), rst),
  describe: (fault) => `reset ${breakWords(fault)}`,
  examples: ({ leg }) => breaks(leg).map(resetPeer)
})
