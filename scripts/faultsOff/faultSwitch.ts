/**
 * What is switched off in this process, and what was asked for. For a run by hand `FAULT_OFF` names the fault, and
 * `FAULT_HARMLESS=1` has it decided and counted, and played as if all were well.
 */
import { type Fault, varietyOf } from "../../testbed/src/fault/Fault.ts"
import type { Leg } from "../../testbed/src/step/Leg.ts"
import { legKeyOf } from "./faultKey.ts"

export interface FaultSwitch {
  /** A key, of one leg or of both. */
  off: string | undefined
  isHarmless: boolean
  /** The keys of one leg for which an action was asked. */
  readonly asked: Set<string>
}

declare global {
  // The runner and the tests may load this module each for itself.
  var appservicePingFaultSwitch: FaultSwitch | undefined
}

export const faultSwitch: FaultSwitch = globalThis.appservicePingFaultSwitch ??= {
  off: process.env["FAULT_OFF"],
  isHarmless: process.env["FAULT_HARMLESS"] === "1",
  asked: new Set()
}

/** Tells whether this is the fault that is switched off, and notes that it was asked for. */
export const isMeant = (fault: Fault, leg: Leg): boolean => {
  const key = legKeyOf(leg, fault)
  faultSwitch.asked.add(key)
  return faultSwitch.off === key || faultSwitch.off === varietyOf(fault)
}

/** Tells whether a fault is to mean nothing: its action is to pass, whoever asks. */
export const isOff = (fault: Fault, { leg }: { readonly leg: Leg }): boolean =>
  !faultSwitch.isHarmless && isMeant(fault, leg)
