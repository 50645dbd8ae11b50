/**
 * The answer is cut off.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Size } from "../../step/Count.ts"
import { How, howWords } from "../internal/fields.ts"
import { endings, forward, play } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("limit_data"), bytes: Size, how: Schema.optionalKey(How) })

const make = Kind.maker("limit_data", schema)

/**
 * So many bytes of the application's answer come, and then the connection is closed, is reset or hangs (`fin` by default).
 *
 * @category constructors
 * @since 0.1.0
 */
export const limitData = (options: { readonly bytes: number; readonly how?: How | undefined }): typeof schema.Type =>
  make(options)

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "so many bytes of the application's answer, and then the end",
  synonyms: ["limit", "truncate"],
  stageOf: () => "request",
  actionOf: ({ bytes, how = "fin" }) => play(forward, { step: "relay", to: bytes }, endings[how]),
  describe: ({ bytes, how = "fin" }) => `${howWords[how]} after ${bytes} B of the answer`,
  variantOf: ({ how = "fin" }) => [how],
  examples: () =>
    How.literals.flatMap((how) => [
      limitData({ bytes: 12, how }),
      // More than any answer of ours has.
      limitData({ bytes: 1024 * 1024, how })
    ])
})
