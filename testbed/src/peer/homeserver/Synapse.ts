/**
 * Synapse: Python, with Twisted as its HTTP client.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import { Duration, Result } from "effect"
import type { HomeserverPeer, Masquerade, Presented } from "../HomeserverPeer.ts"
import * as Answers from "../internal/answers.ts"
import * as Body from "../internal/body.ts"
import { transactionIdOf } from "../internal/clientRequest.ts"
import { isInNamespaces } from "../internal/namespaces.ts"
import { jsonProblem, unencodable } from "../internal/python.ts"
import * as Twisted from "../internal/twisted.ts"
import { urlProblem } from "../internal/twistedUrl.ts"
import type { PeerOutcome } from "../PeerOutcome.ts"

const missing = (error: string): Answer => Answers.error(401, "M_MISSING_TOKEN", error)
const unknownToken = Answers.error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
const forbidden = (error: string): Answer => Answers.error(403, "M_FORBIDDEN", error)
const notJson = Answers.error(400, "M_NOT_JSON", "Content not JSON.")
const failed = (error: string): Answer => Answers.error(502, "M_CONNECTION_FAILED", error)

/** It takes one header with the scheme `Bearer`, or the query, and never both. */
const presented = (authorization: string | undefined, query: URLSearchParams): Presented | Answer | undefined => {
  const inQuery = query.get("access_token")
  if (authorization === undefined) return inQuery === null ? undefined : { token: inQuery, from: "query" }
  if (inQuery !== null) return missing("Mixing Authorization headers and access_token query parameters.")
  const [scheme, token, ...rest] = authorization.split(" ")
  return scheme === "Bearer" && token !== undefined && rest.length === 0
    ? { token, from: "header" }
    : missing("Invalid Authorization header.")
}

const asUser = (query: URLSearchParams, { isRegistered, registration, serverName }: Masquerade): Answer | undefined => {
  const userId = query.get("user_id")
  if (userId !== null) {
    if (!isInNamespaces(registration, serverName, userId)) {
      return forbidden(`Application service cannot masquerade as this user (${userId}).`)
    }
    if (!isRegistered(userId)) return forbidden(`Application service has not registered this user (${userId})`)
  }
  return query.has("device_id") ? Answers.error(500, "M_UNKNOWN", "Internal server error") : undefined
}

/** Its client takes the encoding off a body, and finds nothing in one that is not encoded as it says. */
const decoded = (outcome: Extract<PeerOutcome, { _tag: "Answered" }>): Uint8Array =>
  outcome.headers["content-encoding"]?.toLowerCase() === "gzip" ? new Uint8Array() : outcome.body ?? new Uint8Array()

const conclude: HomeserverPeer["conclude"] = (outcome, { url }) => {
  if (outcome._tag !== "Answered") {
    const { isTimeout, text } = Twisted.words(outcome, AppserviceUrl.hostOf(url))
    return isTimeout ? Answers.error(504, "M_CONNECTION_TIMEOUT", text) : failed(text)
  }
  const body = decoded(outcome)
  if (outcome.status < 200 || outcome.status >= 300) {
    const { reason, status } = outcome
    return Answers.json(502, {
      errcode: "M_BAD_STATUS",
      error: `HTTP ${status} ${reason}`,
      status,
      body: Body.lossyTextOf(body)
    })
  }
  const problem = jsonProblem(body)
  return problem === undefined ? undefined : failed(problem)
}

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization, Date",
  "access-control-expose-headers": "Synapse-Trace-Id, Server"
} as const

const unrecognized = Answers.error(404, "M_UNRECOGNIZED", "Unrecognized request")

const page = Answers.text(
  404,
  "text/html",
  "<html>\n  <head><title>404 - No Such Resource</title></head>\n  <body>\n    <h1>No Such Resource</h1>\n  </body>\n</html>\n"
)

const isMatrix = (path: string): boolean => path.startsWith("/_matrix/")

/**
 * Synapse 1.163.2.
 *
 * **Details**
 *
 * Version 1.157.2 answers the same in 193 of 195 faults. A certificate that has expired is a failure or a timeout from
 * run to run, and so is a connection that is reset at once.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: HomeserverPeer = {
  provenance: { software: "Synapse", version: "1.163.2", how: "measured", date: "2026-11-27" },
  server: { name: "Synapse", version: "1.163.2" },
  versions: {
    versions: [
      ...Answers.legacyVersions,
      ...Answers.stableVersions(1, 12)
    ],
    unstable_features: { "fi.mau.msc2659.stable": true, "org.matrix.e2e_cross_signing": true }
  },
  preflight: { status: 204, headers: cors, body: "" },
  cors: (_, path) => isMatrix(path) ? cors : {},
  notFound: (path) => isMatrix(path) ? unrecognized : page,
  wrongMethod: { ...unrecognized, status: 405 },
  hasUnstablePath: false,
  presented,
  missingToken: missing("Missing access token"),
  unknownToken: () => unknownToken,
  userToken: forbidden("Only application services can use the /appservice/ping endpoint"),
  asUser,
  whoami: { missingToken: missing("Missing access token"), unknownToken: () => unknownToken, notRegistered: undefined },
  checks: ["id", "url", "body"],
  otherId: forbidden("Mismatching application service ID in path"),
  urlNotSet: Answers.error(400, "M_URL_NOT_SET", "The application service does not have a URL set"),
  isUrlSet: (url) => url !== "",
  transactionId: transactionIdOf({
    empty: notJson,
    notJson: (bytes) => jsonProblem(bytes) === undefined ? undefined : notJson,
    notObject: Answers.error(400, "M_BAD_JSON", "Content must be a JSON object."),
    wrongType: "accepted"
  }),
  endpoint: (destination) => {
    const problem = urlProblem(destination)
    const url = problem === undefined ? AppserviceUrl.join(destination, "/_matrix/app/v1/ping") : undefined
    return url === undefined
      ? Result.fail(failed(problem ?? "URLParseError: the url cannot be parsed"))
      : Result.succeed(url)
  },
  outgoingBody: (transactionId) => {
    const body = JSON.stringify({ transaction_id: transactionId ?? null })
    const problem = unencodable(transactionId, body)
    return problem === undefined ? Result.succeed(body) : Result.fail(failed(problem))
  },
  outgoingToken: "header",
  client: {
    dialect: Twisted.dialect,
    redirects: {
      asGet: [303],
      asPost: [],
      refused: [301, 302, 307, 308],
      maxHops: 20,
      referer: false,
      withoutLocation: "failure"
    },
    timeouts: {
      connect: Duration.seconds(15),
      connectCovers: "tcp",
      request: Duration.seconds(60),
      requestCovers: "head"
    },
    isSuccess: (status) => status >= 200 && status < 300,
    body: "complete",
    idle: Duration.minutes(2)
  },
  conclude
}
