/** Faults in words, for reports and the names of tests. */
import { Duration } from "effect"
import type { Fault, Framing, Phase } from "../Fault.ts"
import type * as Latency from "../Latency.ts"
import { answers } from "../PeerAnswer.ts"

const phases: { readonly [P in Phase]: string } = {
  accept: "at once",
  handshake: "in the TLS handshake",
  request: "while the request was still coming",
  before_headers: "before the headers",
  in_headers: "in the headers",
  in_body: "in the body",
  after_answer: "after the answer",
  next_request: "at the next request"
}

const phaseText = (fault: { readonly phase: Phase; readonly framing?: Framing }): string =>
  phases[fault.phase] +
  (fault.phase === "in_body" && fault.framing !== undefined && fault.framing !== "content_length"
    ? `, ${fault.framing}`
    : "")

const time = Duration.format

const latencyText = (latency: Latency.Latency): string => {
  if (Duration.isDuration(latency)) return time(latency)
  switch (latency.distribution) {
    case "uniform":
      return `${time(latency.min)} to ${time(latency.max)}`
    case "normal":
      return `${time(latency.mean)} ± ${time(latency.deviation)}`
    case "lognormal":
      return `p50 ${time(latency.p50)}, p99 ${time(latency.p99)}`
    case "exponential":
      return `${time(latency.mean)}, exponential`
    case "wave":
      return `${time(latency.mean)} ± ${time(latency.amplitude)}, ${latency.shape}`
  }
}

const endings = { fin: "closed", rst: "reset", hang: "stalled" } as const

/** Says what a fault does, in one line. */
export const faultText = (fault: Fault): string => {
  switch (fault.type) {
    case "pass":
      return "healthy"
    case "dns":
      return `DNS: ${fault.failure}`
    case "refused":
      return "connection refused"
    case "never_accepted":
      return "connection never accepted"
    case "latency":
      return `latency of ${latencyText(fault.latency)}${
        fault.phase === undefined || fault.phase === "request" ? "" : ` (${fault.phase})`
      }`
    case "tls":
      return `TLS: ${fault.defect}`
    case "reset_peer":
      return `reset ${phaseText(fault)}`
    case "close":
      return `closed ${phaseText(fault)}${fault.after === undefined ? "" : `, ${time(fault.after)} later`}`
    case "stall":
      return `stalled ${phaseText(fault)}`
    case "drip":
      return `${fault.status === undefined ? "answer" : `status ${fault.status}`} dripping, ${time(fault.gap)} a byte`
    case "bandwidth":
      return `bandwidth of ${fault.bytes_per_second} B/s`
    case "slicer":
      return `slices of ${fault.size} B${fault.gap === undefined ? "" : `, ${time(fault.gap)} apart`}`
    case "limit_data":
      return `${endings[fault.how ?? "fin"]} after ${fault.bytes} B of the answer`
    case "slow_close":
      return `closed ${time(fault.delay)} after the answer`
    case "status":
      return `status ${fault.status}`
    case "rate_limited":
      return `rate limited for ${time(fault.retry_after)}${fault.form === undefined ? "" : ` (${fault.form})`}`
    case "redirect":
      return `redirect ${fault.status}${fault.location === "self" ? " to itself" : ""}`
    case "informational":
      return `${fault.count ?? 1} × ${fault.status}, then ${fault.ending ?? "answer"}${
        fault.gap === undefined ? "" : `, ${time(fault.gap)} apart`
      }`
    case "framing":
    case "head":
      return `${fault.type}: ${fault.defect}`
    case "body":
      return `body: ${fault.defect}${fault.status === undefined ? "" : `, status ${fault.status}`}`
    case "lost_answer":
      return `answer lost, ${endings[fault.how ?? "rst"]}`
    case "replayed":
      return `request delivered ${fault.times ?? 2} times`
    case "duplicate":
      return "answer sent twice"
    case "crash":
      return `crash, down for ${time(fault.down_for)}`
    case "peer_answer":
      return `${fault.answer} (${answers[fault.answer].status})`
    case "script":
      return `script of ${fault.steps.length} steps`
  }
}
