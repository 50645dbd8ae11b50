/** Decides for an interpreter when a fault is switched off; apart from the switch, which `Fault` itself imports. */
import { stageOf } from "../../testbed/src/fault/Fault.ts"
import * as Decision from "../../testbed/src/plan/Decision.ts"
import { Action } from "../../testbed/src/step/Action.ts"
import type { Step } from "../../testbed/src/step/Step.ts"
import { faultSwitch, isMeant } from "./faultSwitch.ts"

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
