/**
 * The answer comes at so many bytes a second.
 *
 * @since 0.1.0
 */
import { Duration, Schema } from "effect"
import { Size } from "../../step/Count.ts"
import { forward, play } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("bandwidth"), bytes_per_second: Size })

const make = Kind.maker("bandwidth", schema)

/**
 * The application's answer comes at so many bytes a second.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bandwidth = (options: { readonly bytes_per_second: number }): typeof schema.Type => make(options)

/** Beyond one deadline at 1 byte a second are only as many bytes as it has seconds, so the longest answer is short. */
const slow = (time: Duration.Duration): number => Math.max(1, Math.floor(60 / Duration.toSeconds(time)))

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the application's answer at so many bytes a second",
  synonyms: ["throttle", "rate"],
  fieldSynonyms: { bytes_per_second: ["rate"] },
  stageOf: () => "request",
  actionOf: ({ bytes_per_second }) => {
    // Pieces of about a tenth of a second, and never less than a byte.
    const size = Math.max(1, Math.round(bytes_per_second / 10))
    return play(forward, { step: "relay", size, gap: Duration.millis((size * 1000) / bytes_per_second) })
  },
  describe: ({ bytes_per_second }) => `bandwidth of ${bytes_per_second} B/s`,
  examples: ({ beyond }) => [
    bandwidth({ bytes_per_second: 1024 * 1024 }),
    bandwidth({ bytes_per_second: slow(beyond) })
  ]
})
