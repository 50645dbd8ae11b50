/**
 * Any steps at all.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Step } from "../../step/Step.ts"
import { play } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const Stage = Schema.Literals(["connection", "request"])

const schema = Schema.Struct({
  type: Schema.tag("script"),
  stage: Schema.optionalKey(Stage),
  steps: Schema.Array(Step).pipe(Schema.check(Schema.isMaxLength(10_000)))
})

const make = Kind.maker("script", schema)

/**
 * Any steps at all, at most 10,000 of them: from the request on (the default), or from the start of the connection.
 *
 * @category constructors
 * @since 0.1.0
 */
export const script = (
  steps: ReadonlyArray<Step>,
  options?: { readonly stage?: typeof Stage.Type | undefined }
): typeof schema.Type => make({ steps, ...options })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "any steps at all",
  fieldSynonyms: { stage: ["at", "phase"] },
  stageOf: ({ stage = "request" }) => stage,
  actionOf: ({ steps }) => play(...steps),
  describe: ({ steps }) => `script of ${steps.length} steps`,
  variantOf: ({ stage = "request" }) => [stage],
  examples: ({ within }) => [
    script([{ step: "wait", duration: within }, { step: "forward" }, { step: "relay" }]),
    script([
      { step: "secure", certificate: "good" },
      { step: "read" },
      { step: "forward" },
      { step: "relay", to: -1 },
      { step: "close", how: "rst" }
    ], { stage: "connection" }),
    script([
      { step: "forward" },
      { step: "relay", to: 20 },
      { step: "wait", duration: within },
      { step: "relay", from: 20 }
    ])
  ]
})
