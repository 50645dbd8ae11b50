/**
 * Tuwunel: Rust, with reqwest as its HTTP client.
 *
 * There is no measurement of it; this is what its code says.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as Json from "@appservice-ping/domain/Json"
import { Duration } from "effect"
import type { HomeserverPeer, Subject } from "../HomeserverPeer.ts"
import * as Answers from "../internal/answers.ts"
import * as Body from "../internal/body.ts"
import { bearerOrQuery, endpointOf, transactionIdOf } from "../internal/clientRequest.ts"
import { isInNamespaces } from "../internal/namespaces.ts"
import * as Reqwest from "../internal/reqwest.ts"
import { debug } from "../internal/reqwestDebug.ts"
import { inRust, originOnly, redirects } from "../internal/rustHomeserver.ts"
import type { PeerFailure } from "../PeerOutcome.ts"

const missingToken = Answers.error(401, "M_MISSING_TOKEN", "Missing access token.")
const unknownToken = Answers.error(401, "M_UNKNOWN_TOKEN", "Unknown access token.")
const badJson = Answers.error(400, "M_BAD_JSON", "the request could not be deserialized")
const failed = (error: string): Answer => Answers.error(502, "M_CONNECTION_FAILED", error)

/** It writes the whole error of its client, the URL with the `hs_token` included. */
const failure = (outcome: PeerFailure, { destination, registration, url }: Subject): Answer => {
  const { kind, source } = debug(outcome)
  const where =
    ` appservice="${registration.id}" dest=${destination} e=reqwest::Error { kind: ${kind}, url: "${url.href}", source: ${source} }`
  return Reqwest.isTimeout(outcome)
    ? Answers.error(504, "M_CONNECTION_TIMEOUT", `Connection to appservice timed out${where}`)
    : failed(`Could not send request to appservice${where}`)
}

const asUser: HomeserverPeer["asUser"] = (query, { registration, serverName }) => {
  const userId = query.get("user_id")
  if (userId !== null) {
    if (!/^@[^:]*:./.test(userId)) return Answers.error(400, "M_INVALID_USERNAME", "Username is invalid.")
    if (!isInNamespaces(registration, serverName, userId)) {
      return Answers.error(400, "M_EXCLUSIVE", "User is not in namespace.")
    }
  }
  return query.has("device_id") ? Answers.error(400, "M_INVALID_PARAM", "Unknown device for user.") : undefined
}

/**
 * Tuwunel 1.9.0, as its code says.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: HomeserverPeer = {
  ...inRust,
  provenance: { software: "Tuwunel", version: "1.9.0", how: "read in code", date: "2026-11-28" },
  server: { name: "Tuwunel", version: "1.9.0" },
  versions: {
    versions: [
      ...Answers.legacyVersions,
      ...Answers.stableVersions(1, 19)
    ],
    unstable_features: { "fi.mau.msc2659.stable": true, "org.matrix.e2e_cross_signing": true }
  },
  cors: () => originOnly,
  notFound: () => Answers.error(404, "M_UNRECOGNIZED", "Not Found"),
  wrongMethod: Answers.error(405, "M_UNRECOGNIZED", "Method Not Allowed"),
  presented: bearerOrQuery,
  missingToken,
  unknownToken: () => unknownToken,
  userToken: Answers.error(401, "M_UNAUTHORIZED", "Appservice tokens must be used on this endpoint."),
  asUser,
  whoami: { missingToken, unknownToken: () => unknownToken, notRegistered: undefined },
  otherId: Answers.error(403, "M_FORBIDDEN", "Appservices can only ping themselves (wrong appservice ID)."),
  urlNotSet: Answers.error(400, "M_URL_NOT_SET", "Appservice does not have a URL set, there is nothing to ping."),
  isUrlSet: (url) => url !== "" && url !== "null",
  transactionId: transactionIdOf({
    empty: "accepted",
    notJson: (bytes) =>
      Json.parseBytes(bytes) === undefined
        ? Answers.error(400, "M_NOT_JSON", "Request body is not valid JSON.")
        : undefined,
    notObject: badJson,
    wrongType: badJson
  }),
  endpoint: endpointOf(failed("Failed to find appservice destination")),
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
    body: "unread",
    idle: Duration.seconds(300)
  },
  conclude: (outcome, subject) => {
    if (outcome._tag !== "Answered") return failure(outcome, subject)
    const { status } = outcome
    if (status >= 200 && status < 300) return undefined
    const body = outcome.body === undefined ? undefined : Body.textOf(outcome.body)
    return Answers.json(502, {
      errcode: "M_BAD_STATUS",
      error: `Appservice returned status ${status} ${Reqwest.reason(status)}`,
      status,
      ...body === undefined ? {} : { body }
    })
  }
}
