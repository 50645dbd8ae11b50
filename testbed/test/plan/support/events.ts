import * as Decision from "@appservice-ping/testbed/plan/Decision"
import type { Plan, Rule } from "@appservice-ping/testbed/plan/Plan"
import type { Leg } from "@appservice-ping/testbed/step/Leg"

const common = { connection: 1, tls: false, time: 0, now: 0 } as const

export const request = (fields?: Partial<Decision.RequestEvent>): Decision.RequestEvent => ({
  stage: "request",
  leg: "to_appservice",
  ...common,
  exchange: 1,
  attempt: 1,
  method: "POST",
  path: "/_matrix/app/v1/ping",
  transactionId: "ping",
  ...fields
})

export const connection = (fields?: Partial<Decision.ConnectionEvent>): Decision.ConnectionEvent => ({
  stage: "connection",
  leg: "to_appservice",
  ...common,
  ...fields
})

/** One rule for the leg of the events above. */
export const rule = (fields: Omit<Rule, "leg"> & { readonly leg?: Leg }): Plan => ({
  rules: [{ leg: "to_appservice", ...fields }]
})

/** What a plan decides about events, one after the other. */
export const decisions = (
  plan: Plan,
  events: ReadonlyArray<Decision.Event>,
  seed = 0
): ReadonlyArray<Decision.Decision> => {
  let state = Decision.initial
  return events.map((event) => {
    const next = Decision.decide(plan, seed, state, event)
    state = next.state
    return next.decision
  })
}

/** For each event the type of the fault that struck, or why none did, or `-` where nothing matched. */
export const outcomes = (
  plan: Plan,
  events: ReadonlyArray<Decision.Event>,
  seed = 0
): ReadonlyArray<string> =>
  decisions(plan, events, seed).map(({ fault, suppressed }) => fault?.type ?? suppressed.at(-1)?.reason ?? "-")
