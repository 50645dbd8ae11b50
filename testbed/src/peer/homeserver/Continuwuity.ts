/**
 * continuwuity: Rust, with reqwest as its HTTP client.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as Json from "@appservice-ping/domain/Json"
import { Duration } from "effect"
import type { HomeserverPeer } from "../HomeserverPeer.ts"
import * as Answers from "../internal/answers.ts"
import { bearerOrQuery, endpointOf, transactionIdOf } from "../internal/clientRequest.ts"
import * as Reqwest from "../internal/reqwest.ts"
import { inRust, originOnly, redirects } from "../internal/rustHomeserver.ts"

const unauthorized = (error: string): Answer => Answers.error(401, "M_UNAUTHORIZED", error)
const missingToken = unauthorized(
  "Failed to extract authorization: no access token found, but this endpoint requires one"
)
const badJson = Answers.error(400, "M_BAD_JSON", "the request could not be deserialized")

/** Whatever goes wrong behind it has no code of its own. */
const failed = (error: string): Answer => Answers.error(500, "M_UNKNOWN", error)

/**
 * continuwuity 26.8.0.
 *
 * **Details**
 *
 * The answers to faults are measured. Those that it gives before it asks the appservice are read in its code, as far as
 * they are texts.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: HomeserverPeer = {
  ...inRust,
  provenance: { software: "continuwuity", version: "26.8.0-alpha.1", how: "measured", date: "2026-11-27" },
  server: { name: "continuwuity", version: "26.8.0-alpha.1" },
  versions: {
    // It supports v1.7 and does not list it.
    versions: [
      ...Answers.legacyVersions,
      ...Answers.stableVersions(1, 5),
      "v1.8",
      ...Answers.stableVersions(11, 18)
    ],
    unstable_features: { "org.matrix.simplified_msc3575": true }
  },
  cors: () => originOnly,
  notFound: () => Answers.error(404, "M_UNRECOGNIZED", "not found :("),
  wrongMethod: Answers.error(405, "M_UNRECOGNIZED", "Method not allowed"),
  presented: bearerOrQuery,
  missingToken,
  unknownToken: () => unauthorized("Invalid appservice token."),
  userToken: unauthorized("Invalid appservice token."),
  asUser: () => undefined,
  whoami: {
    missingToken,
    unknownToken: () => Answers.error(401, "M_UNKNOWN_TOKEN", "Invalid token"),
    notRegistered: undefined
  },
  otherId: Answers.error(403, "M_FORBIDDEN", "Appservices can only ping themselves (wrong appservice ID)."),
  urlNotSet: Answers.error(400, "M_URL_NOT_SET", "Appservice does not have a URL set, there is nothing to ping."),
  isUrlSet: (url) => url !== "" && url !== "null",
  transactionId: transactionIdOf({
    empty: "accepted",
    notJson: (bytes) => Json.parseBytes(bytes) === undefined ? badJson : undefined,
    notObject: badJson,
    wrongType: badJson
  }),
  endpoint: endpointOf(failed("Failed to find destination")),
  client: {
    dialect: Reqwest.dialect,
    redirects: redirects(2),
    timeouts: {
      connect: Duration.seconds(5),
      connectCovers: "tls",
      request: Duration.seconds(35),
      requestCovers: "body"
    },
    isSuccess: (status) => status >= 200 && status < 300,
    body: "complete",
    idle: Duration.seconds(300)
  },
  conclude: (outcome, { destination, now, registration, url }) => {
    if (outcome._tag !== "Answered") return failed(Reqwest.display(outcome, url, now))
    const { status } = outcome
    return status >= 200 && status < 300 ? undefined : failed(
      `Appservice "${registration.id}" returned unsuccessful HTTP response ${status} ${
        Reqwest.reason(status)
      } at ${destination}`
    )
  }
}
