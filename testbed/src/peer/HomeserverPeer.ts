/**
 * Imitates what a real homeserver does with a ping: data and small pure functions, one value for each homeserver.
 *
 * The values are in `peer/homeserver/`, one file each; `HomeserverHandler` plays them.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Registration } from "@appservice-ping/domain/Registration"
import type { Versions } from "@appservice-ping/domain/Versions"
import type { Duration, Result } from "effect"
import type { Dialect } from "./internal/http1.ts"
import type { PeerOutcome } from "./PeerOutcome.ts"
import type { Provenance } from "./Provenance.ts"

/**
 * A token that a client presented, and where.
 *
 * @category models
 * @since 0.1.0
 */
export interface Presented {
  readonly token: string
  readonly from: "header" | "query"
}

/**
 * What a homeserver's HTTP client does with redirects.
 *
 * **Details**
 *
 * It follows `asGet` statuses as a GET without a body, repeats the request for `asPost` ones, and takes `refused` ones for
 * a failure. Any other 3xx, and with `withoutLocation: "answer"` one without a `Location`, is an answer like any other.
 * The `Authorization` header goes along within one origin only. With `referer` the next server is given the URL that
 * redirected, its query string and the `hs_token` in it included.
 *
 * @category models
 * @since 0.1.0
 */
export interface Redirects {
  readonly asGet: ReadonlyArray<number>
  readonly asPost: ReadonlyArray<number>
  readonly refused: ReadonlyArray<number>
  /** How many redirects are followed. */
  readonly maxHops: number
  readonly referer: boolean
  readonly withoutLocation: "failure" | "answer"
}

/**
 * How long a homeserver waits: `connect` for TCP, and for TLS too where it `covers` that; `request` from the start to the
 * end of the head or of the body, redirects included.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timeouts {
  readonly connect: Duration.Duration
  readonly connectCovers: "tcp" | "tls"
  readonly request: Duration.Duration
  readonly requestCovers: "head" | "body"
}

/**
 * A homeserver's HTTP client.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerClient {
  /** How it reads an answer. */
  readonly dialect: Dialect
  readonly redirects: Redirects
  readonly timeouts: Timeouts
  readonly isSuccess: (status: number) => boolean
  /**
   * How it reads the body of a success: to its `complete` end, which must come; with `best_effort` as far as it comes; or
   * it leaves the body `unread`. The body of any other answer is read by best effort where that of a success is unread.
   */
  readonly body: "complete" | "best_effort" | "unread"
  /** How long it keeps an idle connection for the next request. */
  readonly idle: Duration.Duration
}

/**
 * A ping that a homeserver sends.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  readonly registration: Registration
  /** The `url` of the registration. */
  readonly destination: string
  /** The URL that is asked, with its query string. */
  readonly url: URL
  /** The time, in seconds since 1970. */
  readonly now: number
}

/**
 * How one homeserver answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface HomeserverPeer {
  readonly provenance: Provenance
  /** What `GET /_matrix/federation/v1/version` says. */
  readonly server: { readonly name: string; readonly version: string }
  readonly versions: Versions
  readonly preflight: Answer
  /** The CORS headers of an answer that is no preflight (C17). */
  readonly cors: (status: number, path: string) => Answer["headers"]
  readonly notFound: (path: string) => Answer
  readonly wrongMethod: Answer
  /** Whether it still answers at the path of MSC2659 (C22). */
  readonly hasUnstablePath: boolean
  /** The token of a request: one, none, or the answer to a request that presents it wrongly (C1). */
  readonly presented: (authorization: string | undefined, query: URLSearchParams) => Presented | Answer | undefined
  readonly missingToken: Answer
  readonly unknownToken: (from: Presented["from"]) => Answer
  /** The answer to a ping with an ordinary user's token (C4). */
  readonly userToken: Answer
  /** The answer to a query that names a user or device, if the ping is refused for it (C14). */
  readonly asUser: (query: URLSearchParams, caller: Masquerade) => Answer | undefined
  /** What `GET /_matrix/client/v3/account/whoami` says to a stranger, and for a bot that is not registered. */
  readonly whoami: {
    readonly missingToken: Answer
    readonly unknownToken: (from: Presented["from"]) => Answer
    readonly notRegistered: Answer | undefined
  }
  /** What is checked after the token, in this order (D5). */
  readonly checks: ReadonlyArray<"body" | "id" | "url">
  /** The answer to a ping for another id than the token's (C5). */
  readonly otherId: Answer
  readonly urlNotSet: Answer
  /** Whether a registration's `url` counts as set (D6). */
  readonly isUrlSet: (url: string) => boolean
  /** The `transaction_id` of a request body, or the answer to a body that it refuses (C6). */
  readonly transactionId: (body: Uint8Array) => Result.Result<unknown, Answer>
  /** The endpoint of an appservice, or the answer where its `url` cannot be used. */
  readonly endpoint: (destination: string) => Result.Result<URL, Answer>
  /** The body of the request to the appservice, or the answer where it cannot be written. */
  readonly outgoingBody: (transactionId: unknown) => Result.Result<string, Answer>
  readonly outgoingToken: "header" | "header and query"
  readonly client: PeerClient
  /** What it answers for what its client saw; `undefined` means that the ping succeeded. */
  readonly conclude: (outcome: PeerOutcome, subject: Subject) => Answer | undefined
}

/**
 * The appservice that asks for a ping, where it may name another user.
 *
 * @category models
 * @since 0.1.0
 */
export interface Masquerade {
  readonly registration: Registration
  readonly serverName: string
  /** Whether there is such a user on the homeserver. */
  readonly isRegistered: (userId: string) => boolean
}
