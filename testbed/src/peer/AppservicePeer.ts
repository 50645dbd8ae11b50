/**
 * How the appservice frameworks in use answer a homeserver's ping, and how they ask for one: one value for each, and
 * nothing but data.
 *
 * Read in their code or measured, in snapshots of 2026-07 and 2026-08.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import { Duration } from "effect"
import * as Answers from "./internal/answers.ts"

/**
 * The frameworks there are profiles of.
 *
 * @category constants
 * @since 0.1.0
 */
export const names = ["mautrix-go", "mautrix-python", "matrix-bot-sdk", "trixnity"] as const

/**
 * The name of a profile.
 *
 * @category models
 * @since 0.1.0
 */
export type Name = typeof names[number]

/**
 * How a framework asks for pings itself when it starts.
 *
 * **Details**
 *
 * It tries again up to `retries` times, `first` later and each time `factor` times as long after that: after `every`
 * failure, or only after these statuses. `exitCode` is what its bridges end with when it gives up; a framework without
 * one only tells its caller.
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
  readonly wrongToken: Answer
  readonly missingToken: Answer
  /** Where it looks for the token; with `both`, two that differ are wrong. */
  readonly tokenFrom: "header first" | "query first" | "both"
  /** Whether it parses the body of a stranger. */
  readonly bodyBeforeToken: boolean
  readonly emptyBody: Answer
  readonly notJson: Answer
  /** A `transaction_id` that is neither a string nor `null`. */
  readonly wrongType: Answer | "accepted"
  /** A ping other than the one that it has asked for itself. */
  readonly foreignPing: Answer | "accepted"
  readonly notFound: Answer
  readonly wrongMethod: Answer
  readonly ownPing: OwnPing
}

const refusal = (status: number, errcode: string, error: string): Answer => Answers.refusal({ status, errcode, error })

const plain = (status: number, body: string): Answer => Answers.text(status, "text/plain; charset=utf-8", body)

const once: OwnPing = { retries: 0, first: Duration.zero, factor: 1, retried: "every", exitCode: undefined }

const mautrixGo: AppservicePeer = {
  wrongToken: refusal(401, "M_UNKNOWN_TOKEN", "Incorrect access token"),
  missingToken: refusal(401, "M_MISSING_TOKEN", "Missing access token"),
  tokenFrom: "header first",
  bodyBeforeToken: false,
  emptyBody: refusal(400, "M_NOT_JSON", "Missing request body"),
  notJson: refusal(400, "M_NOT_JSON", "Missing request body"),
  wrongType: "accepted",
  foreignPing: "accepted",
  notFound: plain(404, "404 page not found\n"),
  wrongMethod: plain(405, "Method Not Allowed\n"),
  ownPing: { retries: 6, first: Duration.seconds(5), factor: 1, retried: "every", exitCode: 13 }
}

const mautrixPython: AppservicePeer = {
  wrongToken: refusal(401, "M_UNKNOWN_TOKEN", "Invalid auth token"),
  missingToken: refusal(401, "M_UNKNOWN_TOKEN", "Invalid auth token"),
  tokenFrom: "query first",
  bodyBeforeToken: false,
  emptyBody: refusal(400, "M_NOT_JSON", "Body is not JSON"),
  notJson: refusal(400, "M_NOT_JSON", "Body is not JSON"),
  wrongType: "accepted",
  foreignPing: "accepted",
  notFound: plain(404, "404: Not Found"),
  wrongMethod: plain(405, "405: Method Not Allowed"),
  ownPing: { retries: 4, first: Duration.seconds(4), factor: 2, retried: [502, 503, 504], exitCode: 16 }
}

const errorPage = Answers.text(
  400,
  "text/html; charset=utf-8",
  "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Error</title></head>\n<body><pre>Bad Request</pre></body>\n</html>\n"
)

const matrixBotSdk: AppservicePeer = {
  wrongToken: refusal(401, "AUTH_FAILED", "Authentication failed"),
  missingToken: refusal(401, "AUTH_FAILED", "Authentication failed"),
  tokenFrom: "header first",
  bodyBeforeToken: true,
  emptyBody: errorPage,
  notJson: errorPage,
  wrongType: "accepted",
  foreignPing: refusal(400, "BAD_REQUEST", "No such ping was asked for"),
  notFound: refusal(404, "M_UNRECOGNIZED", "Endpoint not implemented"),
  wrongMethod: refusal(404, "M_UNRECOGNIZED", "Endpoint not implemented"),
  ownPing: once
}

const trixnity: AppservicePeer = {
  wrongToken: refusal(403, "M_FORBIDDEN", "invalid token"),
  missingToken: refusal(401, "M_UNAUTHORIZED", "missing token"),
  tokenFrom: "both",
  bodyBeforeToken: false,
  emptyBody: refusal(400, "M_BAD_JSON", "The body could not be read"),
  notJson: refusal(400, "M_BAD_JSON", "The body could not be read"),
  wrongType: refusal(400, "M_BAD_JSON", "The body could not be read"),
  foreignPing: "accepted",
  notFound: refusal(404, "M_UNRECOGNIZED", "unsupported endpoint"),
  wrongMethod: refusal(405, "M_UNRECOGNIZED", "unsupported method"),
  ownPing: once
}

/**
 * The profiles by name.
 *
 * @category constants
 * @since 0.1.0
 */
export const peers: { readonly [K in Name]: AppservicePeer } = {
  "mautrix-go": mautrixGo,
  "mautrix-python": mautrixPython,
  "matrix-bot-sdk": matrixBotSdk,
  trixnity
}
