/**
 * Conduit: Rust, with reqwest as its HTTP client.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import * as Json from "@appservice-ping/domain/Json"
import { Duration, Result } from "effect"
import type { HomeserverPeer, Presented } from "../HomeserverPeer.ts"
import * as Answers from "../internal/answers.ts"
import { bearerOrQuery, transactionIdOf } from "../internal/clientRequest.ts"
import * as Reqwest from "../internal/reqwest.ts"
import { inRust, originOnly, redirects } from "../internal/rustHomeserver.ts"

/** The text repeats the code. */
const error = (status: number, errcode: string, text: string): Answer =>
  Answers.error(status, errcode, `${errcode}: ${text}`)

/** The answer to a request whose handler panicked. */
const panicked: Answer = { status: 500, headers: {}, body: "" }

const missingToken = error(401, "M_MISSING_TOKEN", "Missing access token.")
const badJson = error(400, "M_BAD_JSON", "Failed to deserialize request.")
const failed = (text: string): Answer => error(502, "M_CONNECTION_FAILED", text)
const unreached = failed("Failed to ping appservice")

/** It looks at the query only if there is no header, and any scheme but `Bearer` is an error inside it. */
const presented = (authorization: string | undefined, query: URLSearchParams): Presented | Answer | undefined =>
  authorization !== undefined && !/^bearer /i.test(authorization)
    ? Answers.error(500, "M_UNKNOWN", "invalid HTTP header (authorization)")
    : bearerOrQuery(authorization, query)

const unknownToken = (from: Presented["from"]): Answer =>
  from === "query" ? panicked : error(401, "M_UNKNOWN_TOKEN", "Unknown access token.")

/**
 * Conduit 0.11.0-alpha.
 *
 * **Details**
 *
 * The answers to faults are measured, and so are the statuses and codes of the others, whose texts are read in its code.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: HomeserverPeer = {
  ...inRust,
  provenance: { software: "Conduit", version: "0.11.0-alpha", how: "measured", date: "2026-11-27" },
  server: { name: "Conduit", version: "0.11.0-alpha" },
  versions: {
    versions: ["r0.5.0", "r0.6.0", ...Answers.stableVersions(1, 12)],
    unstable_features: { "org.matrix.e2e_cross_signing": true }
  },
  cors: (status) => status === 405 ? {} : originOnly,
  notFound: () => error(404, "M_UNRECOGNIZED", "Unrecognized request"),
  wrongMethod: error(405, "M_UNRECOGNIZED", "Unrecognized request"),
  presented,
  missingToken,
  unknownToken,
  userToken: error(401, "M_UNAUTHORIZED", "Only appservice access tokens should be used on this endpoint."),
  asUser: () => undefined,
  whoami: { missingToken, unknownToken, notRegistered: error(403, "M_FORBIDDEN", "User does not exist.") },
  otherId: error(403, "M_FORBIDDEN", "Appservice ID specified in path does not match the requesting access token"),
  urlNotSet: error(400, "M_URL_NOT_SET", "Appservice doesn't have a URL configured"),
  // An empty text is a url to it, which leads nowhere.
  isUrlSet: () => true,
  transactionId: transactionIdOf({
    empty: "accepted",
    notJson: (bytes) => Json.parseBytes(bytes) === undefined ? badJson : undefined,
    notObject: badJson,
    wrongType: badJson
  }),
  endpoint: (destination) => {
    if (destination === "") return Result.fail(unreached)
    const url = AppserviceUrl.join(destination, "/_matrix/app/v1/ping")
    return url === undefined ? Result.fail(panicked) : Result.succeed(url)
  },
  client: {
    dialect: Reqwest.dialect,
    redirects: redirects(9),
    timeouts: {
      connect: Duration.seconds(30),
      connectCovers: "tls",
      request: Duration.seconds(30),
      requestCovers: "body"
    },
    isSuccess: (status) => status < 400,
    body: "best_effort",
    idle: Duration.seconds(90)
  },
  conclude: (outcome) => {
    if (outcome._tag === "Answered") {
      return outcome.status < 400 ? undefined : failed("Received invalid response from appservice")
    }
    return Reqwest.isTimeout(outcome)
      ? error(504, "M_CONNECTION_TIMEOUT", "Connection to appservice timed-out")
      : unreached
  }
}
