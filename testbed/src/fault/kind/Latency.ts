/**
 * Time passes.
 *
 * @since 0.1.0
 */
import { durationUnsafe } from "@appservice-ping/domain/Bound"
import { Duration, Schema } from "effect"
import { forward, play, read, relay, secure, wait } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"
import * as Latency from "../Latency.ts"

const Phase = Schema.Literals(["connect", "request", "response"])

const schema = Schema.Struct({
  type: Schema.tag("latency"),
  latency: Latency.Latency,
  phase: Schema.optionalKey(Phase)
})

const make = Kind.maker("latency", schema)

/**
 * Time passes: before the connection is accepted (`connect`), before the request goes on (`request`, the default), or
 * before the answer comes back (`response`). Throws for a time below 0 or longer than a timer can wait.
 *
 * @category constructors
 * @since 0.1.0
 */
export const latency = (
  latency: Duration.Input | Exclude<Latency.Latency, Duration.Duration>,
  options?: { readonly phase?: typeof Phase.Type | undefined }
): typeof schema.Type => {
  const isDistribution = typeof latency === "object" && "distribution" in latency
  return make({ latency: isDistribution ? latency : durationUnsafe("latency", latency), phase: options?.phase })
}

const shapes = ["sine", "square", "triangle", "sawtooth"] as const

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary:
    "`latency` passes before the connection is accepted, before the request goes on, or before its answer comes back",
  synonyms: ["delay", "fixed_delay", "slow", "jitter"],
  fieldSynonyms: { phase: ["at", "place"] },
  stageOf: ({ phase }) => phase === "connect" ? "connection" : "request",
  actionOf: (fault, { draw, time }) => {
    const delay = wait(Latency.sample(fault.latency, draw, time))
    switch (fault.phase) {
      case "connect":
        return play(delay, secure(), read, forward, relay)
      case "response":
        return play(forward, delay, relay)
      default:
        return play(delay, forward, relay)
    }
  },
  describe: ({ latency, phase }) =>
    `latency of ${Latency.toText(latency)}${phase === undefined || phase === "request" ? "" : ` (${phase})`}`,
  variantOf: ({ latency, phase = "request" }) =>
    "distribution" in latency
      ? [phase, latency.distribution, latency.distribution === "wave" ? latency.shape : undefined]
      : [phase],
  isDrawn: ({ latency }) => Latency.isDrawn(latency),
  examples: ({ beyond, within }) => [
    ...Phase.literals.flatMap((phase) => [latency(within, { phase }), latency(beyond, { phase })]),
    latency({ distribution: "uniform", min: Duration.times(within, 0.5), max: within }),
    latency({ distribution: "normal", mean: within, deviation: Duration.times(within, 0.1), max: beyond }),
    latency({ distribution: "lognormal", p50: Duration.times(within, 0.1), p99: within, max: within }),
    latency({ distribution: "exponential", mean: Duration.times(within, 0.1), max: within }),
    ...shapes.map((shape) =>
      latency({ distribution: "wave", shape, mean: within, amplitude: Duration.times(within, 0.5), period: beyond })
    )
  ]
})
