/** Faults as they were recorded, with an older spelling, as today's. */
import type { Fault } from "@appservice-ping/testbed/fault/Fault"
import * as PlanFile from "@appservice-ping/testbed/file/PlanFile"
import { Result } from "effect"

const fields: { readonly [recorded: string]: string } = {
  at: "phase",
  bytesPerSecond: "bytes_per_second",
  downFor: "down_for",
  retryAfter: "retry_after",
  case: "answer"
}

/** Names that are ours, and not text. */
const named: ReadonlySet<string> = new Set(["at", "defect", "failure", "framing", "case"])

/** What was recorded as a number of milliseconds. */
const durations: ReadonlySet<string> = new Set([
  "latency",
  "min",
  "max",
  "mean",
  "deviation",
  "p50",
  "p99",
  "amplitude",
  "period",
  "after",
  "gap",
  "delay",
  "retryAfter",
  "downFor",
  "duration"
])

const valueOf = (field: string, value: unknown): unknown => {
  if (typeof value === "number") return durations.has(field) ? `${value} millis` : value
  if (typeof value === "string") return named.has(field) ? value.replaceAll(/[-.]/g, "_") : value
  if (Array.isArray(value)) return value.map((item) => valueOf(field, item))
  if (typeof value !== "object" || value === null) return value
  // Headers are no names of ours.
  return field === "headers" ? value : recordOf(value)
}

const recordOf = (record: object): { readonly [field: string]: unknown } =>
  Object.fromEntries(Object.entries(record).map(([field, value]) => [fields[field] ?? field, valueOf(field, value)]))

const spelled = (plan: { readonly [field: string]: unknown }): { readonly [field: string]: unknown } => {
  const record = recordOf(plan)
  if (plan["type"] === "matrix") return { ...record, type: "peer_answer" }
  if (plan["type"] !== "script") return record
  const { phase, ...script } = record
  return phase === undefined ? script : { ...script, stage: phase }
}

/** The fault of a recorded plan. */
export const faultOf = (plan: { readonly [field: string]: unknown }): Fault => {
  const read = PlanFile.fromUnknown({ rules: [{ leg: "to_appservice", fault: spelled(plan) }] })
  const fault = Result.isSuccess(read) ? read.success.rules[0]?.fault : undefined
  if (fault === undefined) throw new Error(`${JSON.stringify(plan)} is no fault: ${JSON.stringify(read)}`)
  return fault
}
