/** The steps that faults are made of, by short names. */
import type { Duration } from "effect"
import { Action } from "../../step/Action.ts"
import type { Certificate, Step } from "../../step/Step.ts"

const encoder = new TextEncoder()

export const write = (data: string | Uint8Array): Step => ({
  step: "write",
  bytes: typeof data === "string" ? encoder.encode(data) : data
})

export const secure = (certificate: Certificate = "good"): Step => ({ step: "secure", certificate })
export const read: Step = { step: "read" }
export const forward: Step = { step: "forward" }
export const relay: Step = { step: "relay" }
export const hang: Step = { step: "hang" }
export const fin: Step = { step: "close", how: "fin" }
export const rst: Step = { step: "close", how: "rst" }
export const wait = (duration: Duration.Duration): Step => ({ step: "wait", duration })

/** Nothing where there is no time to wait. */
export const pause = (duration: Duration.Duration | undefined): ReadonlyArray<Step> =>
  duration === undefined ? [] : [wait(duration)]

export const endings: { readonly [how in "fin" | "rst" | "hang"]: Step } = { fin, rst, hang }

export const play = (...steps: ReadonlyArray<Step>): Action => Action.Play({ steps })
