/**
 * Answers before the answer.
 *
 * @since 0.1.0
 */
import { durationUnsafe } from "@appservice-ping/domain/Bound"
import { Duration, Schema } from "effect"
import { whole } from "../../step/Count.ts"
import { Delay } from "../../step/Delay.ts"
import { head } from "../internal/http.ts"
import { endings, forward, pause, play, relay, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const Ending = Schema.Literals(["answer", "fin", "rst", "hang"])

const schema = Schema.Struct({
  type: Schema.tag("informational"),
  status: whole(100, 199),
  count: Schema.optionalKey(whole(1, 10_000)),
  gap: Schema.optionalKey(Delay),
  ending: Schema.optionalKey(Ending)
})

const make = Kind.maker("informational", schema)

/**
 * `count` informational answers (1 by default), `gap` apart, come before the application's answer, or before the
 * connection is closed, is reset or hangs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const informational = (
  status: number,
  options?: {
    readonly count?: number | undefined
    readonly gap?: Duration.Input | undefined
    readonly ending?: typeof Ending.Type | undefined
  }
): typeof schema.Type =>
  make({ ...options, status, gap: options?.gap === undefined ? undefined : durationUnsafe("gap", options.gap) })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "1xx answers before the real one, or instead of it",
  stageOf: () => "request",
  actionOf: ({ count = 1, ending = "answer", gap, status }) => {
    const one = write(head(status, status === 103 ? { Link: "</style.css>; rel=preload" } : {}))
    const flood = Array.from({ length: count }, () => [one, ...pause(gap)]).flat()
    return ending === "answer" ? play(...flood, forward, relay) : play(...flood, endings[ending])
  },
  describe: ({ count = 1, ending = "answer", gap, status }) =>
    `${count} × ${status}, then ${ending}${gap === undefined ? "" : `, ${Duration.format(gap)} apart`}`,
  variantOf: ({ ending = "answer" }) => [ending],
  examples: ({ beyond, shortGap }) => [
    informational(100),
    informational(102),
    informational(103),
    informational(101),
    informational(102, { count: 16 }),
    informational(102, { count: 17 }),
    informational(103, { count: 3, gap: shortGap }),
    informational(102, { count: 2, gap: beyond }),
    ...(["fin", "rst", "hang"] as const).map((ending) => informational(100, { ending }))
  ]
})
