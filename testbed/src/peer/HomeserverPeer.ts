/**
 * How the homeservers in use answer a ping: one value for each, and nothing but data.
 *
 * Read in their code or measured, in snapshots of 2026-07 and 2026-08.
 *
 * @since 0.1.0
 */
import type { Versions } from "@appservice-ping/domain/Versions"
import { Duration } from "effect"

/**
 * The homeservers there are profiles of.
 *
 * @category constants
 * @since 0.1.0
 */
export const names = ["synapse", "tuwunel", "continuwuity", "conduit"] as const

/**
 * The name of a profile.
 *
 * @category models
 * @since 0.1.0
 */
export type Name = typeof names[number]

/**
 * An answer that refuses a request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refusal {
  readonly status: number
  readonly errcode: string
  readonly error: string
}

/**
 * What a homeserver's HTTP client does with redirects.
 *
 * **Details**
 *
 * `asGet` are the statuses it follows as a GET without a body, `asPost` those it repeats the request for, and `refused`
 * those it takes for a failed connection. Any other 3xx, and with `withoutLocation: "answer"` one without a
 * `Location`, is an answer like any other. The `Authorization` header goes along within one origin only. With `referer`
 * the URL that redirected is told to the next server, its query string and the `hs_token` in it included.
 *
 * @category models
 * @since 0.1.0
 */
export interface Redirects {
  readonly asGet: ReadonlyArray<number>
  readonly asPost: ReadonlyArray<number>
  readonly refused: ReadonlyArray<number>
  readonly maxHops: number
  readonly referer: boolean
  readonly withoutLocation: "failure" | "answer"
}

/**
 * How long a homeserver waits: for the connection, and from the start to the end of the head or of the body, redirects
 * included. Where `covers` is `head`, it waits for a body for ever.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timeouts {
  readonly connect: Duration.Duration
  readonly request: Duration.Duration
  readonly covers: "head" | "body"
}

/**
 * What becomes of the body of an answer with a good status.
 *
 * **Details**
 *
 * - `json`: read to its end, and it must be JSON.
 * - `complete`: read to its end, which must come; what it says is ignored.
 * - `best effort`: read as far as it comes; what it says, and that it broke off, is ignored.
 * - `unread`: the status decides, and nothing is waited for.
 *
 * @category models
 * @since 0.1.0
 */
export type GoodBody = "json" | "complete" | "best effort" | "unread"

/**
 * How one homeserver answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface HomeserverPeer {
  readonly server: { readonly name: string; readonly version: string }
  readonly versions: Versions
  readonly missingToken: Refusal
  readonly unknownToken: Refusal
  /** The token of an ordinary user (C4). */
  readonly userToken: Refusal
  /** The id in the path is not the token's (C5). */
  readonly otherId: Refusal
  readonly urlNotSet: Refusal
  /** What is checked after the token, in this order (D5). */
  readonly checks: ReadonlyArray<"body" | "id" | "url">
  readonly requestBody: {
    readonly empty: Refusal | "accepted"
    readonly notJson: Refusal
    readonly notObject: Refusal
    /** A `transaction_id` that is not a string. */
    readonly wrongType: Refusal | "forwarded"
  }
  readonly notFound: Refusal
  readonly wrongMethod: Refusal
  /** What `GET /_matrix/client/v3/account/whoami` says to a stranger; not every homeserver is consistent. */
  readonly whoami: { readonly missingToken: Refusal; readonly unknownToken: Refusal }
  /** Where the three CORS headers stand; `preflight`: elsewhere it is only the origin's (C17). */
  readonly cors: "everywhere" | "preflight"
  readonly absentTransactionId: "null" | "omitted"
  readonly outboundToken: "bearer" | "bearer and query"
  readonly redirects: Redirects
  readonly timeouts: Timeouts
  readonly goodBody: GoodBody
  /** The statuses of the appservice that count as success. */
  readonly success: "2xx" | "below 400"
  /** What a connection counts as that ends before the first byte of the answer, in the TLS handshake too. */
  readonly unanswered: "timeout" | "failure"
  readonly failed: { readonly status: number; readonly errcode: string }
  readonly timedOut: { readonly status: number; readonly errcode: string }
  /** `details` tells whether `status` and `body` stand beside the errcode (C10). */
  readonly badStatus: { readonly status: number; readonly errcode: string; readonly details: boolean }
}

const refusal = (status: number, errcode: string, error: string): Refusal => ({ status, errcode, error })

const missingToken = refusal(401, "M_MISSING_TOKEN", "Missing access token")
const unknownToken = refusal(401, "M_UNKNOWN_TOKEN", "Unknown access token")
const notAppservice = refusal(401, "M_UNAUTHORIZED", "This endpoint takes the tokens of appservices only")
const otherId = refusal(403, "M_FORBIDDEN", "The appservice id in the path is not the one of the token")
const urlNotSet = refusal(400, "M_URL_NOT_SET", "The appservice has no url")
const badJson = refusal(400, "M_BAD_JSON", "The request could not be deserialized")
const wrongMethod = refusal(405, "M_UNRECOGNIZED", "Method not allowed")

const failed = { status: 502, errcode: "M_CONNECTION_FAILED" } as const
const timedOut = { status: 504, errcode: "M_CONNECTION_TIMEOUT" } as const
const unnamed = { status: 500, errcode: "M_UNKNOWN" } as const

const stableVersions = (from: number, to: number): ReadonlyArray<string> =>
  Array.from({ length: to - from + 1 }, (_, index) => `v1.${from + index}`)

const oldVersions = ["r0.0.1", "r0.1.0", "r0.2.0", "r0.3.0", "r0.4.0", "r0.5.0", "r0.6.0", "r0.6.1"]

/** The HTTP client of the homeservers in Rust. */
const reqwest = (maxHops: number): Redirects => ({
  asGet: [301, 302, 303],
  asPost: [307, 308],
  refused: [],
  maxHops,
  referer: true,
  withoutLocation: "answer"
})

/** What the homeservers in Rust have in common, which are of one family. */
const inRust = {
  otherId,
  urlNotSet,
  checks: ["body", "id", "url"],
  cors: "preflight",
  absentTransactionId: "omitted",
  outboundToken: "bearer and query",
  unanswered: "failure"
} as const satisfies Partial<HomeserverPeer>

const synapse: HomeserverPeer = {
  server: { name: "Synapse", version: "1.157.0" },
  versions: {
    versions: [...oldVersions, ...stableVersions(1, 12)],
    unstable_features: { "fi.mau.msc2659.stable": true, "org.matrix.e2e_cross_signing": true }
  },
  missingToken,
  unknownToken: refusal(401, "M_UNKNOWN_TOKEN", "Invalid access token passed."),
  userToken: refusal(403, "M_FORBIDDEN", "Only application services can ping"),
  otherId,
  urlNotSet,
  checks: ["id", "url", "body"],
  requestBody: {
    empty: refusal(400, "M_NOT_JSON", "Content not JSON."),
    notJson: refusal(400, "M_NOT_JSON", "Content not JSON."),
    notObject: refusal(400, "M_BAD_JSON", "Content must be a JSON object."),
    wrongType: "forwarded"
  },
  notFound: refusal(404, "M_UNRECOGNIZED", "Unrecognized request"),
  wrongMethod: refusal(405, "M_UNRECOGNIZED", "Unrecognized request"),
  whoami: { missingToken, unknownToken: refusal(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.") },
  cors: "everywhere",
  absentTransactionId: "null",
  outboundToken: "bearer",
  redirects: {
    asGet: [303],
    asPost: [],
    refused: [301, 302, 307, 308],
    maxHops: 20,
    referer: false,
    withoutLocation: "failure"
  },
  timeouts: { connect: Duration.seconds(15), request: Duration.seconds(60), covers: "head" },
  goodBody: "json",
  success: "2xx",
  unanswered: "timeout",
  failed,
  timedOut,
  badStatus: { status: 502, errcode: "M_BAD_STATUS", details: true }
}

const tuwunel: HomeserverPeer = {
  ...inRust,
  server: { name: "Tuwunel", version: "1.9.0" },
  versions: {
    versions: [...oldVersions, ...stableVersions(1, 19)],
    unstable_features: { "fi.mau.msc2659.stable": true, "org.matrix.e2e_cross_signing": true }
  },
  missingToken,
  unknownToken,
  userToken: notAppservice,
  requestBody: {
    empty: "accepted",
    notJson: refusal(400, "M_NOT_JSON", "The request body is not valid JSON"),
    notObject: badJson,
    wrongType: badJson
  },
  notFound: refusal(404, "M_UNRECOGNIZED", "Not Found"),
  wrongMethod,
  whoami: { missingToken, unknownToken },
  redirects: reqwest(2),
  timeouts: { connect: Duration.seconds(5), request: Duration.seconds(35), covers: "body" },
  goodBody: "unread",
  success: "2xx",
  failed,
  timedOut,
  badStatus: { status: 502, errcode: "M_BAD_STATUS", details: true }
}

const continuwuity: HomeserverPeer = {
  ...inRust,
  server: { name: "continuwuity", version: "26.8.0" },
  versions: {
    // It supports v1.7 and does not list it.
    versions: [...oldVersions, ...stableVersions(1, 5), "v1.8", ...stableVersions(11, 18)],
    unstable_features: { "org.matrix.simplified_msc3575": true }
  },
  missingToken: refusal(401, "M_UNAUTHORIZED", "Missing access token"),
  unknownToken: refusal(401, "M_UNAUTHORIZED", "Invalid appservice token"),
  userToken: refusal(401, "M_UNAUTHORIZED", "Invalid appservice token"),
  requestBody: { empty: "accepted", notJson: badJson, notObject: badJson, wrongType: badJson },
  notFound: refusal(404, "M_UNRECOGNIZED", "not found"),
  wrongMethod,
  whoami: { missingToken: refusal(401, "M_UNAUTHORIZED", "Missing access token"), unknownToken },
  redirects: reqwest(2),
  timeouts: { connect: Duration.seconds(5), request: Duration.seconds(35), covers: "body" },
  goodBody: "complete",
  success: "2xx",
  failed: unnamed,
  timedOut: unnamed,
  badStatus: { ...unnamed, details: false }
}

const conduit: HomeserverPeer = {
  ...inRust,
  server: { name: "Conduit", version: "0.10.9" },
  versions: {
    versions: ["r0.5.0", "r0.6.0", ...stableVersions(1, 12)],
    unstable_features: { "org.matrix.e2e_cross_signing": true }
  },
  missingToken,
  unknownToken,
  userToken: notAppservice,
  requestBody: { empty: "accepted", notJson: badJson, notObject: badJson, wrongType: badJson },
  notFound: refusal(404, "M_UNRECOGNIZED", "Unrecognized request"),
  wrongMethod: refusal(405, "M_UNRECOGNIZED", "Unrecognized request"),
  whoami: { missingToken, unknownToken },
  redirects: reqwest(10),
  timeouts: { connect: Duration.seconds(30), request: Duration.seconds(30), covers: "body" },
  goodBody: "best effort",
  success: "below 400",
  failed,
  timedOut,
  badStatus: { ...failed, details: false }
}

/**
 * The profiles by name.
 *
 * @category constants
 * @since 0.1.0
 */
export const peers: { readonly [K in Name]: HomeserverPeer } = { synapse, tuwunel, continuwuity, conduit }
