/**
 * Answers that real Matrix peers, and the proxies in front of them, give when something is wrong.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import type { Leg } from "../../step/Leg.ts"
import { answer } from "../internal/http.ts"
import { fin, play, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

/**
 * An answer, and the leg on which a peer gives it.
 *
 * @category models
 * @since 0.1.0
 */
export interface CannedAnswer {
  readonly leg: Leg
  readonly status: number
  readonly contentType: string
  readonly body: string
}

const json = (leg: Leg, status: number, body: unknown): CannedAnswer => ({
  leg,
  status,
  contentType: "application/json",
  body: typeof body === "string" ? body : JSON.stringify(body)
})

const text = (leg: Leg, status: number, contentType: string, body: string): CannedAnswer => ({
  leg,
  status,
  contentType,
  body
})

const page = (title: string): string => `<!doctype html><html><head><title>${title}</title></head><body></body></html>`

const appservice = "to_appservice"
const homeserver = "to_homeserver"

/**
 * Every answer by its name.
 *
 * @category constants
 * @since 0.1.0
 */
export const answers = {
  // The `hs_token` of the two copies of the registration differs, in the dialect of each appservice framework.
  token_drift_mautrix_go: json(appservice, 401, { errcode: "M_UNKNOWN_TOKEN", error: "Invalid access token" }),
  token_drift_mautrix_python: json(appservice, 401, { errcode: "M_UNKNOWN_TOKEN", error: "Invalid auth token" }),
  token_drift_matrix_bot_sdk: json(appservice, 401, { errcode: "AUTH_FAILED", error: "Authentication failed" }),
  token_drift_trixnity: json(appservice, 403, { errcode: "M_FORBIDDEN", error: "invalid token" }),
  token_missing_mautrix_go: json(appservice, 401, { errcode: "M_MISSING_TOKEN", error: "Missing access token" }),
  token_missing_trixnity: json(appservice, 401, { errcode: "M_UNAUTHORIZED", error: "missing token" }),
  // The url of the registration leads to something else.
  homeserver_itself: json(appservice, 404, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" }),
  appservice_too_old: json(appservice, 404, { errcode: "M_UNRECOGNIZED", error: "Unknown endpoint" }),
  not_found_text: text(appservice, 404, "text/plain", "404 page not found\n"),
  wrong_service_html: text(appservice, 200, "text/html", page("Welcome")),
  wrong_service_json: json(appservice, 200, { ok: true }),
  proxy_bad_gateway: text(appservice, 502, "text/html", page("502 Bad Gateway")),
  proxy_unavailable: text(appservice, 503, "text/html", page("503 Service Temporarily Unavailable")),
  proxy_login: text(appservice, 401, "text/html", page("401 Authorization Required")),
  // What a homeserver says.
  missing_token: json(homeserver, 401, { errcode: "M_MISSING_TOKEN", error: "Missing access token" }),
  unknown_token: json(homeserver, 401, { errcode: "M_UNKNOWN_TOKEN", error: "Unknown access token" }),
  unauthorized: json(homeserver, 401, { errcode: "M_UNAUTHORIZED", error: "Unauthorized" }),
  forbidden: json(homeserver, 403, { errcode: "M_FORBIDDEN", error: "Appservice id does not match the token" }),
  url_not_set: json(homeserver, 400, { errcode: "M_URL_NOT_SET", error: "The appservice has no url" }),
  url_not_set_unstable: json(homeserver, 400, { errcode: "FI.MAU.MSC2659_URL_NOT_SET", error: "No url" }),
  unknown: json(homeserver, 500, { errcode: "M_UNKNOWN", error: "Internal server error" }),
  connection_failed: json(homeserver, 502, { errcode: "M_CONNECTION_FAILED", error: "Connection refused" }),
  connection_timeout: json(homeserver, 504, { errcode: "M_CONNECTION_TIMEOUT", error: "Timed out" }),
  bad_status: json(homeserver, 502, { errcode: "M_BAD_STATUS", error: "Bad status", status: 418, body: "teapot" }),
  bad_status_without_status: json(homeserver, 502, { errcode: "M_BAD_STATUS", error: "Bad status" }),
  unrecognized: json(homeserver, 404, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" }),
  method_unrecognized: json(homeserver, 405, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" }),
  not_found_html: text(homeserver, 404, "text/html", page("404 Not Found")),
  without_error: json(homeserver, 401, { errcode: "M_UNKNOWN_TOKEN" }),
  custom_errcode: json(homeserver, 400, { errcode: "COM.EXAMPLE_X", error: "Something of our own" }),
  user_locked: json(homeserver, 401, { errcode: "M_USER_LOCKED", error: "Locked", soft_logout: true }),
  resource_limit: json(homeserver, 403, {
    errcode: "M_RESOURCE_LIMIT_EXCEEDED",
    error: "Monthly limit reached",
    admin_contact: "mailto:admin@homeserver.test"
  }),
  duration_zero: json(homeserver, 200, { duration_ms: 0 }),
  duration_negative: json(homeserver, 200, { duration_ms: -1 }),
  duration_float: json(homeserver, 200, { duration_ms: 12.5 }),
  duration_string: json(homeserver, 200, { duration_ms: "12" }),
  duration_null: json(homeserver, 200, { duration_ms: null }),
  duration_absent: json(homeserver, 200, {}),
  duration_huge: json(homeserver, 200, "{\"duration_ms\":1e400}"),
  success_html: text(homeserver, 200, "text/html", page("Welcome"))
} satisfies { readonly [name: string]: CannedAnswer }

/**
 * The name of an answer that real peers give.
 *
 * @category models
 * @since 0.1.0
 */
export type PeerAnswer = keyof typeof answers

const isName = (name: string): name is PeerAnswer => Object.hasOwn(answers, name)

/**
 * The names of all answers, in the order of the table.
 *
 * @category constants
 * @since 0.1.0
 */
export const names: ReadonlyArray<PeerAnswer> = Object.keys(answers).filter(isName)

const schema = Schema.Struct({ type: Schema.tag("peer_answer"), answer: Schema.Literals(names) })

/**
 * The answer of a real peer when something is wrong comes in place of the application's.
 *
 * @category constructors
 * @since 0.1.0
 */
export const peerAnswer = (answer: PeerAnswer): typeof schema.Type => ({ type: "peer_answer", answer })

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "what a real peer answers when something is wrong",
  synonyms: ["matrix"],
  fieldSynonyms: { answer: ["case", "name"] },
  stageOf: () => "request",
  actionOf: ({ answer: name }) => {
    const { body, contentType, status } = answers[name]
    return play(write(answer(status, { "Content-Type": contentType }, body)), fin)
  },
  describe: ({ answer: name }) => `${name} (${answers[name].status})`,
  variantOf: ({ answer: name }) => [name],
  examples: ({ leg }) => names.filter((name) => answers[name].leg === leg).map(peerAnswer)
})
