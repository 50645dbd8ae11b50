/**
 * What is switched off in this process, and what was asked for. For a run by hand `FAULT_OFF` names the fault, and
 * `FAULT_HARMLESS=1` has it decided and counted, and played as if all were well.
 */
import { type Fault, stageOf, varietyOf } from "../../testbed/src/fault/Fault.ts"
import * as Decision from "../../testbed/src/plan/Decision.ts"
import { Action } from "../../testbed/src/step/Action.ts"
import type { Leg } from "../../testbed/src/step/Leg.ts"
import type { Step } from "../../testbed/src/step/Step.ts"
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

const isMeant = (fault: Fault, leg: Leg): boolean => {
  const key = legKeyOf(leg, fault)
  faultSwitch.asked.add(key)
  return faultSwitch.off === key || faultSwitch.off === varietyOf(fault)
}

/** Tells whether a fault is to mean nothing: its action is to pass, whoever asks. */
export const isOff = (fault: Fault, { leg }: { readonly leg: Leg }): boolean =>
  !faultSwitch.isHarmless && isMeant(fault, leg)

const healthy: ReadonlyArray<Step> = [{ step: "forward" }, { step: "relay" }]

const healthyConnection: ReadonlyArray<Step> = [{ step: "secure", certificate: "good" }, { step: "read" }, ...healthy]

/** Decides as ever; a fault that is to be harmless is decided, and gets the steps of a turn in which all is well. */
export const decide: typeof Decision.decide = (plan, seed, state, event) => {
  const decided = Decision.decide(plan, seed, state, event)
  const { fault, action } = decided.decision
  if (!faultSwitch.isHarmless || fault === undefined || !isMeant(fault, event.leg)) return decided
  const steps = stageOf(fault) === "connection" ? healthyConnection : healthy
  return {
    decision: { ...decided.decision, action: Action.Play({ steps }) },
    // A crash that does no harm leaves nothing down.
    state: action._tag === "Crash" ? { ...decided.state, down: state.down } : decided.state
  }
}
