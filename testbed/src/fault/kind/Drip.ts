/**
 * The answer comes byte by byte.
 *
 * @since 0.1.0
 */
import { durationUnsafe } from "@appservice-ping/domain/Bound"
import { Duration, Schema } from "effect"
import { Delay } from "../../step/Delay.ts"
import { StatusCode, Text } from "../internal/fields.ts"
import { answer, goodBody } from "../internal/http.ts"
import { fin, forward, play, wait, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({
  type: Schema.tag("drip"),
  gap: Delay,
  status: Schema.optionalKey(StatusCode),
  body: Schema.optionalKey(Text)
})

const make = Kind.maker("drip", schema)

/**
 * The answer comes byte by byte, `gap` apart: an answer of the testbed with `status` and `body`, or else the application's.
 *
 * @category constructors
 * @since 0.1.0
 */
export const drip = (options: {
  readonly gap: Duration.Input
  readonly status?: number | undefined
  readonly body?: string | undefined
}): typeof schema.Type => make({ ...options, gap: durationUnsafe("gap", options.gap) })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "an answer byte by byte, `gap` apart",
  synonyms: ["dribble", "chunked_dribble", "trickle"],
  stageOf: () => "request",
  actionOf: ({ body, gap, status }, { leg }) => {
    if (status === undefined && body === undefined) return play(forward, { step: "relay", size: 1, gap })
    const bytes = answer(status ?? 200, { "Content-Type": "application/json" }, body ?? goodBody(leg))
    const steps = Array.from(bytes, (_, index) => [wait(gap), write(bytes.subarray(index, index + 1))])
    return play(...steps.flat(), fin)
  },
  describe: ({ gap, status }) =>
    `${status === undefined ? "answer" : `status ${status}`} dripping, ${Duration.format(gap)} a byte`,
  examples: ({ longGap, shortGap }) => [
    drip({ gap: shortGap }),
    drip({ gap: longGap }),
    drip({ gap: shortGap, status: 500, body: "broken" }),
    drip({ gap: longGap, status: 500, body: "broken" })
  ]
})
