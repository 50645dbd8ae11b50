import type { Fault } from "../../testbed/src/fault/Fault.ts"
import type { Leg } from "../../testbed/src/step/Leg.ts"

const partsOf = (fault: Fault): ReadonlyArray<string | number | undefined> => {
  switch (fault.type) {
    case "dns":
      return [fault.failure]
    case "latency": {
      const { latency, phase = "request" } = fault
      if (!("distribution" in latency)) return [phase]
      return [phase, latency.distribution, latency.distribution === "wave" ? latency.shape : undefined]
    }
    case "tls":
    case "framing":
    case "head":
    case "body":
      return [fault.defect]
    case "reset_peer":
    case "close":
    case "stall":
      return [fault.phase, fault.phase === "in_body" ? fault.framing ?? "content_length" : undefined]
    case "limit_data":
      return [fault.how ?? "fin"]
    case "rate_limited":
      return [fault.form ?? "seconds"]
    case "redirect":
      return [fault.status]
    case "informational":
      return [fault.ending ?? "answer"]
    case "lost_answer":
      return [fault.how ?? "rst"]
    case "peer_answer":
      return [fault.answer]
    case "script":
      return [fault.stage ?? "request"]
    default:
      return []
  }
}

/** The name of a kind of fault: its type and its literals, such as `tls:expired` or `close:in_body:chunked`. */
export const keyOf = (fault: Fault): string =>
  [fault.type, ...partsOf(fault).filter((part) => part !== undefined)].join(":")

/** The name of a kind of fault on a leg, such as `tls:expired@to_appservice`. */
export const legKeyOf = (leg: Leg, fault: Fault): string => `${keyOf(fault)}@${leg}`
