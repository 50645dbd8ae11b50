/**
 * What a homeserver has to answer to a ping under a fault: computed from the fault and the homeserver's bounds alone.
 *
 * @since 0.1.0
 */
import { type PingSuccess, statuses } from "@appservice-ping/domain/Answer"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { Bytes, Duration, Result } from "effect"
import type { Fault } from "./Fault.ts"
import * as NodeError from "./internal/nodeError.ts"
import { type Timed, timeline } from "./Reading.ts"
import { decide } from "./Verdict.ts"

/**
 * An expected answer; `status` is the HTTP status of the homeserver's answer.
 *
 * @category models
 * @since 0.1.0
 */
export type Expected =
  | { readonly _tag: "Success"; readonly status: 200 }
  | {
    readonly _tag: "M_BAD_STATUS"
    readonly status: typeof statuses.M_BAD_STATUS
    readonly appservice: { readonly status: number; readonly body: string }
  }
  | {
    readonly _tag: "M_CONNECTION_FAILED"
    readonly status: typeof statuses.M_CONNECTION_FAILED
    readonly kind: ConnectionFailure.Kind
  }
  | { readonly _tag: "M_CONNECTION_TIMEOUT"; readonly status: typeof statuses.M_CONNECTION_TIMEOUT }

/**
 * The bounds of the homeserver's outgoing leg that decide between answers.
 *
 * @category options
 * @since 0.1.0
 */
export interface ExpectedOptions {
  /** The one deadline of the homeserver's request (D3). */
  readonly timeout: Duration.Input
  /** How much of an answer the homeserver reads, in bytes (D4). Default: 65536. */
  readonly maxBodyBytes?: number | undefined
}

const success: Expected = { _tag: "Success", status: 200 }

const timedOut: Expected = { _tag: "M_CONNECTION_TIMEOUT", status: statuses.M_CONNECTION_TIMEOUT }

const failed = (error: Error): Expected => ({
  _tag: "M_CONNECTION_FAILED",
  status: statuses.M_CONNECTION_FAILED,
  kind: ConnectionFailure.fromUnknown(error).kind
})

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

const answered = (status: number, body: ReadonlyArray<Uint8Array>): Expected =>
  status >= 200 && status < 300
    ? success
    : {
      _tag: "M_BAD_STATUS",
      status: statuses.M_BAD_STATUS,
      appservice: { status, body: utf8.decode(Bytes.concat(body)) }
    }

const ofTimeline = (events: ReadonlyArray<Timed>, timeout: Duration.Duration, maxBodyBytes: number): Expected => {
  let elapsed = Duration.zero
  let status: number | undefined
  let length = 0
  const body: Array<Uint8Array> = []
  for (const { after, event } of events) {
    elapsed = Duration.sum(elapsed, after)
    if (Duration.isGreaterThan(elapsed, timeout)) return timedOut
    if (event._tag === "Head") status = event.status
    if (event._tag === "Body") {
      body.push(event.bytes.subarray(0, maxBodyBytes - length))
      length += event.bytes.length
    }
    if (event._tag === "Failure") return failed(NodeError.ofDefect(event.defect, status !== undefined))
    // The rest of a long answer is never read, so whatever is wrong with it is never noticed.
    if (status !== undefined && (event._tag === "End" || length >= maxBodyBytes)) return answered(status, body)
  }
  return timedOut
}

/**
 * Tells what a homeserver has to answer to a ping under a fault.
 *
 * **Gotchas**
 *
 * What takes exactly as long as the deadline is decided by chance; choose times that are clearly on one side of it.
 * A `latency` within the deadline is expected to be a success, as it is in front of a healthy appservice.
 *
 * **Example** (An answer that is cut short)
 *
 * ```ts
 * import { Expected, Fault } from "@appservice-ping/testbed"
 *
 * Expected.of(Fault.close({ at: "in-body" }), { timeout: "30 seconds" })
 * // => { _tag: "M_CONNECTION_FAILED", status: 502, kind: "closed" }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (fault: Fault, options: ExpectedOptions): Expected => {
  const timeout = Duration.fromInputUnsafe(options.timeout)
  const verdict = decide(fault)
  switch (verdict._tag) {
    case "Forward":
      return Duration.isGreaterThan(verdict.delay, timeout) ? timedOut : success
    case "Refuse":
      return failed(NodeError.refused("localhost", 0))
    case "Play":
      return ofTimeline(timeline(verdict.steps), timeout, options.maxBodyBytes ?? 64 * 1024)
  }
}

/**
 * The answer of a healthy pair.
 *
 * @category constants
 * @since 0.1.0
 */
export const healthy: Expected = success

/**
 * Tells whether what a client got is what was expected: the errcode, and what the homeserver says about the appservice.
 *
 * @category predicates
 * @since 0.1.0
 */
export const matches = (expected: Expected, got: Result.Result<PingSuccess, PingError | TransportError>): boolean => {
  if (Result.isSuccess(got)) return expected._tag === "Success"
  if (got.failure._tag !== expected._tag) return false
  return expected._tag !== "M_BAD_STATUS" || got.failure._tag !== "M_BAD_STATUS" ||
    (got.failure.status === expected.appservice.status && got.failure.body === expected.appservice.body)
}
