/**
 * What a real appservice framework does with a homeserver's ping: data and a pure function, one value for each framework.
 *
 * The values are in `peer/appservice/`, one file each; `AppserviceHandler` plays them.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Duration } from "effect"
import type { Provenance } from "./Provenance.ts"

/**
 * A request as it arrived.
 *
 * @category models
 * @since 0.1.0
 */
export interface AppserviceRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: Uint8Array
}

/**
 * What an appservice knows when a request arrives.
 *
 * @category models
 * @since 0.1.0
 */
export interface Knowledge {
  /** Whether a text is the `hs_token`. */
  readonly isToken: (text: string) => boolean
  /** The `transaction_id` of the ping that it has asked for and that has not come yet. */
  readonly pending: string | undefined
}

/**
 * What an appservice does with a request: it answers, and may take the ping for one that reached it.
 *
 * @category models
 * @since 0.1.0
 */
export type AppserviceReply =
  | { readonly _tag: "Answer"; readonly answer: Answer }
  | { readonly _tag: "Pong"; readonly transactionId: unknown }

/**
 * How a framework asks for pings itself when it starts.
 *
 * **Details**
 *
 * It tries again up to `retries` times, `first` later and each time `factor` times as long after that: after `every`
 * failure, or only after these statuses. Its bridges end with `exitCode` when they give up; a framework without one only
 * gives its caller the error.
 *
 * @category models
 * @since 0.1.0
 */
export interface OwnPing {
  readonly retries: number
  readonly first: Duration.Duration
  readonly factor: number
  readonly retried: "every" | ReadonlyArray<number>
  readonly exitCode: number | undefined
}

/**
 * How one framework answers and asks.
 *
 * @category models
 * @since 0.1.0
 */
export interface AppservicePeer {
  readonly provenance: Provenance
  /** The `Content-Type` of its JSON. */
  readonly jsonType: "application/json" | "application/json; charset=utf-8"
  readonly reply: (request: AppserviceRequest, knowledge: Knowledge) => AppserviceReply
  /** `undefined` for a framework that never asks for a ping. */
  readonly ownPing: OwnPing | undefined
}
