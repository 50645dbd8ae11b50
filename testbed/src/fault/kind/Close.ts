/**
 * The connection is closed.
 *
 * @since 0.1.0
 */
import { durationUnsafe } from "@appservice-ping/domain/Bound"
import { Duration, Schema } from "effect"
import { Delay } from "../../step/Delay.ts"
import { before, breakFields, breakKind, breaks, breakWords } from "../internal/breakOff.ts"
import { fin, pause, play } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"
import type { BreakOptions } from "../Phase.ts"

const schema = Schema.Struct({ type: Schema.tag("close"), ...breakFields, after: Schema.optionalKey(Delay) })

const make = Kind.maker("close", schema)

/**
 * The connection is closed (FIN) in a phase; with `after`, that long after the last byte.
 *
 * @category constructors
 * @since 0.1.0
 */
export const close = (
  options: BreakOptions & { readonly after?: Duration.Input | undefined }
): typeof schema.Type =>
  make({ ...options, after: options.after === undefined ? undefined : durationUnsafe("after", options.after) })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  ...breakKind,
  summary: "FIN in a phase",
  synonyms: ["disconnect", "fin", "empty_response"],
  actionOf: (fault) => play(...before(fault), ...pause(fault.after), fin),
  describe: (fault) =>
    `closed ${breakWords(fault)}${fault.after === undefined ? "" : `, ${Duration.format(fault.after)} later`}`,
  examples: ({ leg, within }) => [
    ...breaks(leg).map(close),
    close({ phase: "before_headers", after: within }),
    close({ phase: "after_answer", after: within })
  ]
})
