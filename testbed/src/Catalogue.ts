/**
 * Every kind of fault, at every place: what a homeserver has to get right.
 *
 * @since 0.1.0
 */
import { Duration } from "effect"
import * as Fault from "./Fault.ts"

const html = "<!doctype html><title>Not here</title>"

const breaks: ReadonlyArray<Fault.BreakOptions> = [
  { at: "before-headers" },
  { at: "in-headers" },
  { at: "in-body", framing: "content-length" },
  { at: "in-body", framing: "chunked" }
]

/**
 * Lists faults of every kind, their times chosen for a homeserver with this deadline: clearly within it or beyond it.
 *
 * @category constants
 * @since 0.1.0
 */
export const all = (pingTimeout: Duration.Input): ReadonlyArray<Fault.Fault> => {
  const timeout = Duration.fromInputUnsafe(pingTimeout)
  return [
    Fault.latency(Duration.times(timeout, 0.1)),
    Fault.latency(Duration.times(timeout, 2)),
    Fault.status(200, { headers: { "Content-Type": "text/html" }, body: html }),
    Fault.status(204),
    Fault.status(303, { headers: { Location: "http://elsewhere.test/login" } }),
    Fault.status(307, { headers: { Location: "http://elsewhere.test/" } }),
    Fault.status(401, { headers: { "Content-Type": "application/json" }, body: "{\"errcode\":\"M_UNKNOWN_TOKEN\"}" }),
    Fault.status(403, { headers: { "Content-Type": "application/json" }, body: "{\"errcode\":\"M_FORBIDDEN\"}" }),
    Fault.status(404, { headers: { "Content-Type": "text/html" }, body: html }),
    Fault.status(429, { headers: { "Retry-After": "30" } }),
    Fault.status(500),
    Fault.status(503, { headers: { "Content-Type": "text/html", "Retry-After": "5" }, body: html }),
    Fault.refused,
    ...breaks.map(Fault.resetPeer),
    ...breaks.map(Fault.close),
    ...breaks.map(Fault.stall),
    Fault.drip({ gap: "1 millis" }),
    Fault.drip({ gap: "1 millis", status: 500, body: "broken" }),
    // Each byte comes well within the deadline, and all of them together well after it.
    Fault.drip({ gap: Duration.times(timeout, 0.05) }),
    Fault.malformed
  ]
}
