/** What a verified ping means whose arrival and whose answer do not fit together. */
import type * as PingError from "../PingError.ts"
import type * as TransportError from "../TransportError.ts"
import type { Finding, Leg } from "./connectionDiagnosis.ts"

export const answeredElsewhere = (leg: Leg): Finding => ({
  actor: "operator",
  cause:
    `Something else answers as ${leg.target}: the homeserver says that the ping succeeded, but it did not arrive here.`,
  advice:
    `Compare the url in the registration file that the homeserver reads with the address this appservice listens on: the homeserver may have an older copy. Stop other instances of the appservice, and look for another service or a proxy at that url.${leg.localHint}`,
  temporary: false
})

/** What the homeserver said, without repeating its text (D8). */
const verdict = (error: PingError.PingError | TransportError.TransportError): string => {
  switch (error._tag) {
    case "HomeserverUnreachable":
    case "NotHomeserver":
    case "Undecided":
      return "its own answer did not arrive"
    case "OtherErrcode":
      return "the homeserver says that it failed"
    case "M_BAD_STATUS":
      return `the homeserver says that it was answered${
        error.status === undefined ? " with a bad status" : ` with status ${error.status}`
      }`
    default:
      return `the homeserver says ${error._tag}`
  }
}

const isTransport = (error: PingError.PingError | TransportError.TransportError): boolean =>
  error._tag === "HomeserverUnreachable" || error._tag === "NotHomeserver" || error._tag === "Undecided"

/** Only the way back can be broken: from here to the homeserver, or from the homeserver back to its client. */
export const seenButFailed = (
  error: PingError.PingError | TransportError.TransportError,
  { temporary }: Finding,
  leg: Leg
): Finding =>
  isTransport(error)
    ? {
      actor: "network",
      cause: `The ping arrived here, so the homeserver reaches ${leg.target}, but ${verdict(error)} here.`,
      advice:
        "Ask again. If that ends in the same way, look for a proxy in front of the homeserver that cuts off or replaces its answers, and give the ping more time.",
      temporary
    }
    : {
      actor: "network",
      cause: `The ping arrived here, but ${verdict(error)}: our answer is lost or changed on its way back.`,
      advice:
        `Look at what lies between the homeserver and ${leg.target}: a proxy must pass answers on unchanged and in time.`,
      temporary
    }

export const tooManyPending = (maxPending: number): Finding => ({
  actor: "operator",
  cause: `The ping was not sent: ${maxPending} pings are under way, and no more may be at once.`,
  advice: "Wait until some of them have ended, ask less often, or raise maxPending.",
  temporary: true
})
