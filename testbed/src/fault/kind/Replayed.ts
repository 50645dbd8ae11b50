/**
 * The request is delivered more than once.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { whole } from "../../step/Count.ts"
import { forward, play, relay } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({ type: Schema.tag("replayed"), times: Schema.optionalKey(whole(2, 100)) })

const make = Kind.maker("replayed", schema)

/**
 * The application gets the request `times` times, from 2 (the default) to 100; its last answer is passed on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const replayed = (options?: { readonly times?: number | undefined }): typeof schema.Type => make(options ?? {})

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the application gets the request more than once",
  synonyms: ["replay"],
  stageOf: () => "request",
  actionOf: ({ times = 2 }) => play(...Array.from({ length: times }, () => forward), relay),
  describe: ({ times = 2 }) => `request delivered ${times} times`,
  examples: () => [replayed(), replayed({ times: 3 })]
})
