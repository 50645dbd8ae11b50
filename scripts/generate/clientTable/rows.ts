/** The faults that a client can tell apart; those that only cost time, or only change what an answer says, it cannot. */
import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import type * as Fault from "@appservice-ping/testbed/fault/Fault"

const isTold = (fault: Fault.Fault): boolean => {
  switch (fault.type) {
    case "pass":
    case "dns":
    case "refused":
    case "never_accepted":
    case "tls":
    case "reset_peer":
    case "stall":
    case "framing":
    case "head":
    case "crash":
    case "duplicate":
      return true
    case "close":
      return fault.after === undefined
    case "limit_data":
      return fault.bytes < 1000
    case "status":
      return [204, 304, 503].includes(fault.status)
    case "redirect":
      return fault.location === "self"
    case "informational":
      return fault.gap === undefined
    case "body":
      return fault.status === undefined && ["bad_gzip", "empty", "huge", "not_utf8"].includes(fault.defect)
    default:
      return false
  }
}

const isOfAnotherRequest = (fault: Fault.Fault): boolean => "phase" in fault && fault.phase === "next_request"

const all = Catalogue.singles({ pingTimeout: "100 millis" })
  .filter(({ leg }) => leg === "to_homeserver")
  .map(({ fault }) => fault)

/** The faults of one exchange, in the order of the catalogue. */
export const rows: ReadonlyArray<Fault.Fault> = all.filter((fault) => isTold(fault) && !isOfAnotherRequest(fault))

/** The faults of a connection that a client keeps. */
export const keptAliveRows: ReadonlyArray<Fault.Fault> = all.filter((fault) =>
  fault.type === "pass" || fault.type === "duplicate" || isOfAnotherRequest(fault) ||
  ("phase" in fault && fault.phase === "after_answer" && !("after" in fault))
)
