/**
 * Every fault of the taxonomy, on each leg where it makes sense: what a suite has to go through.
 *
 * @since 0.1.0
 */
import { Duration } from "effect"
import type { Leg } from "../step/Leg.ts"
import * as Fault from "./Fault.ts"
import { answers, PeerAnswer } from "./PeerAnswer.ts"

/**
 * A fault, and the leg on which it strikes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Single {
  readonly leg: Leg
  readonly fault: Fault.Fault
}

/**
 * The deadlines to choose times for: each time is clearly within the one of its leg, or clearly beyond it.
 *
 * @category options
 * @since 0.1.0
 */
export interface CatalogueOptions {
  /** The deadline of the homeserver's request (D3). */
  readonly pingTimeout: Duration.Input
  /** The deadline of the client's request; that of the homeserver where nothing is said. */
  readonly clientTimeout?: Duration.Input | undefined
}

interface Times {
  readonly leg: Leg
  readonly within: Duration.Duration
  readonly beyond: Duration.Duration
  /** Between two of the hundred or more pieces of an answer, so that all of them are within or beyond. */
  readonly shortGap: Duration.Duration
  readonly longGap: Duration.Duration
}

const json = { "Content-Type": "application/json" }

const cases = Fault.Fault.cases

const breaksIn = (phase: Fault.Phase): ReadonlyArray<Fault.BreakOptions> =>
  phase === "in_body" ? Fault.Framing.literals.map((framing) => ({ phase, framing })) : [{ phase }]

/** A homeserver says `Connection: close`, so that no other request can come on its connection (D11). */
const breaks = (leg: Leg): ReadonlyArray<Fault.BreakOptions> =>
  Fault.Phase.literals.flatMap((phase) => leg === "to_appservice" && phase === "next_request" ? [] : breaksIn(phase))

const statuses = [201, 204, 299, 300, 304, 400, 403, 404, 405, 408, 418, 421, 429, 500, 502, 504, 599]

/** Beyond one deadline at 1 byte a second are only as many bytes as it has seconds, so the longest answer is short. */
const bytesPerSecond = (time: Duration.Duration): number => Math.max(1, Math.floor(60 / Duration.toSeconds(time)))

const byType: { readonly [T in Fault.Fault["type"]]: (times: Times) => ReadonlyArray<Fault.Fault> } = {
  pass: () => [Fault.pass],
  dns: () => cases.dns.fields.failure.literals.map((failure): Fault.Fault => ({ type: "dns", failure })),
  refused: () => [Fault.refused],
  never_accepted: () => [{ type: "never_accepted" }],
  latency: ({ beyond, within }) => [
    ...(["connect", "request", "response"] as const).flatMap((phase) => [
      Fault.latency(within, { phase }),
      Fault.latency(beyond, { phase })
    ]),
    Fault.latency({ distribution: "uniform", min: Duration.times(within, 0.5), max: within }),
    Fault.latency({ distribution: "normal", mean: within, deviation: Duration.times(within, 0.1), max: beyond }),
    Fault.latency({ distribution: "lognormal", p50: Duration.times(within, 0.1), p99: within, max: within }),
    Fault.latency({ distribution: "exponential", mean: Duration.times(within, 0.1), max: within }),
    ...(["sine", "square", "triangle", "sawtooth"] as const).map((shape) =>
      Fault.latency({
        distribution: "wave",
        shape,
        mean: within,
        amplitude: Duration.times(within, 0.5),
        period: beyond
      })
    )
  ],
  tls: () => cases.tls.fields.defect.literals.map((defect): Fault.Fault => ({ type: "tls", defect })),
  reset_peer: ({ leg }) => breaks(leg).map(Fault.resetPeer),
  close: ({ leg, within }) => [
    ...breaks(leg).map(Fault.close),
    Fault.close({ phase: "before_headers", after: within }),
    Fault.close({ phase: "after_answer", after: within })
  ],
  stall: ({ leg }) => breaks(leg).map(Fault.stall),
  drip: ({ longGap, shortGap }) => [
    Fault.drip({ gap: shortGap }),
    Fault.drip({ gap: longGap }),
    Fault.drip({ gap: shortGap, status: 500, body: "broken" }),
    Fault.drip({ gap: longGap, status: 500, body: "broken" })
  ],
  bandwidth: ({ beyond }) => [
    { type: "bandwidth", bytes_per_second: 1024 * 1024 },
    { type: "bandwidth", bytes_per_second: bytesPerSecond(beyond) }
  ],
  slicer: ({ longGap, shortGap }) => [
    { type: "slicer", size: 1 },
    { type: "slicer", size: 7, gap: shortGap },
    { type: "slicer", size: 2, gap: Duration.times(longGap, 2) }
  ],
  limit_data: () =>
    cases.limit_data.fields.how.schema.literals.flatMap((how): ReadonlyArray<Fault.Fault> => [
      { type: "limit_data", bytes: 12, how },
      // More than any answer of ours has.
      { type: "limit_data", bytes: 1024 * 1024, how }
    ]),
  slow_close: ({ beyond, within }) => [{ type: "slow_close", delay: within }, { type: "slow_close", delay: beyond }],
  status: () => [
    ...statuses.map((status) => Fault.status(status)),
    Fault.status(200, { headers: { "Content-Type": "text/html" }, body: "<!doctype html><title>Not here</title>" }),
    Fault.status(401, { headers: json, body: "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"No\"}" }),
    Fault.status(503, { headers: { ...json, "Retry-After": "5" }, body: "später" })
  ],
  rate_limited: ({ within }) =>
    cases.rate_limited.fields.form.schema.literals.map((form): Fault.Fault => ({
      type: "rate_limited",
      retry_after: within,
      form
    })),
  redirect: () =>
    cases.redirect.fields.status.literals.flatMap((status): ReadonlyArray<Fault.Fault> => [
      { type: "redirect", status, location: "self" },
      { type: "redirect", status, location: "http://elsewhere.test/login" }
    ]),
  informational: ({ beyond, shortGap }) => [
    ...[100, 102, 103].map((status): Fault.Fault => ({ type: "informational", status })),
    { type: "informational", status: 101 },
    { type: "informational", status: 102, count: 16 },
    { type: "informational", status: 102, count: 17 },
    { type: "informational", status: 103, count: 3, gap: shortGap },
    { type: "informational", status: 102, count: 2, gap: beyond },
    ...cases.informational.fields.ending.schema.literals.filter((ending) => ending !== "answer").map((
      ending
    ): Fault.Fault => ({ type: "informational", status: 100, ending }))
  ],
  framing: () => cases.framing.fields.defect.literals.map((defect): Fault.Fault => ({ type: "framing", defect })),
  head: () => cases.head.fields.defect.literals.map((defect): Fault.Fault => ({ type: "head", defect })),
  body: () =>
    cases.body.fields.defect.literals.flatMap((defect): ReadonlyArray<Fault.Fault> => [
      { type: "body", defect },
      { type: "body", defect, status: 500 }
    ]),
  lost_answer: () => cases.lost_answer.fields.how.schema.literals.map((how) => Fault.lostAnswer(how)),
  replayed: () => [{ type: "replayed" }, { type: "replayed", times: 3 }],
  duplicate: () => [{ type: "duplicate" }],
  crash: ({ within }) => [Fault.crash({ down_for: within })],
  peer_answer: ({ leg }) => PeerAnswer.literals.filter((name) => answers[name].leg === leg).map(Fault.peerAnswer),
  script: ({ within }) => [
    { type: "script", steps: [{ step: "wait", duration: within }, { step: "forward" }, { step: "relay" }] },
    {
      type: "script",
      stage: "connection",
      steps: [
        { step: "secure", certificate: "good" },
        { step: "read" },
        { step: "forward" },
        { step: "relay", to: -1 },
        { step: "close", how: "rst" }
      ]
    },
    {
      type: "script",
      steps: [
        { step: "forward" },
        { step: "relay", to: 20 },
        { step: "wait", duration: within },
        { step: "relay", from: 20 }
      ]
    }
  ]
}

const types = Object.values(byType)

/**
 * Lists every type of fault with every one of its defects, places, framings and endings, each with reasonable numbers.
 *
 * **Details**
 *
 * `Fault.needsTls` tells which of them say nothing without TLS. `Fault.describe` names each of a leg differently.
 *
 * **Example** (All faults of the homeserver's request)
 *
 * ```ts
 * import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
 *
 * const faults = Catalogue.singles({ pingTimeout: "1 second" })
 *   .filter(({ leg }) => leg === "to_appservice")
 *   .map(({ fault }) => fault)
 * ```
 *
 * @category constants
 * @since 0.1.0
 */
export const singles = (options: CatalogueOptions): ReadonlyArray<Single> => {
  const of = (leg: Leg, deadline: Duration.Duration): ReadonlyArray<Single> => {
    const times: Times = {
      leg,
      within: Duration.times(deadline, 0.1),
      beyond: Duration.times(deadline, 2),
      shortGap: Duration.times(deadline, 0.001),
      longGap: Duration.times(deadline, 0.05)
    }
    return types.flatMap((faults) => faults(times).map((fault) => ({ leg, fault })))
  }
  const pingTimeout = Duration.fromInputUnsafe(options.pingTimeout)
  const clientTimeout = options.clientTimeout === undefined
    ? pingTimeout
    : Duration.fromInputUnsafe(options.clientTimeout)
  return [...of("to_homeserver", clientTimeout), ...of("to_appservice", pingTimeout)]
}
