/**
 * The answer comes in small pieces.
 *
 * @since 0.1.0
 */
import { durationUnsafe } from "@appservice-ping/domain/Bound"
import { Duration, Schema } from "effect"
import { Size } from "../../step/Count.ts"
import { Delay } from "../../step/Delay.ts"
import { forward, play } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("slicer"), size: Size, gap: Schema.optionalKey(Delay) })

const make = Kind.maker("slicer", schema)

/**
 * The application's answer comes in pieces of `size` bytes, `gap` apart or one directly after the other.
 *
 * @category constructors
 * @since 0.1.0
 */
export const slicer = (
  options: { readonly size: number; readonly gap?: Duration.Input | undefined }
): typeof schema.Type =>
  make({ size: options.size, gap: options.gap === undefined ? undefined : durationUnsafe("gap", options.gap) })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the application's answer in pieces of `size` bytes",
  synonyms: ["slice"],
  stageOf: () => "request",
  actionOf: ({ gap, size }) => play(forward, { step: "relay", size, ...gap === undefined ? {} : { gap } }),
  describe: ({ gap, size }) => `slices of ${size} B${gap === undefined ? "" : `, ${Duration.format(gap)} apart`}`,
  examples: ({ longGap, shortGap }) => [
    slicer({ size: 1 }),
    slicer({ size: 7, gap: shortGap }),
    slicer({ size: 2, gap: Duration.times(longGap, 2) })
  ]
})
