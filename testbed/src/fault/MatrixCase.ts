/**
 * Answers that real Matrix peers give when something is wrong, by name: what a plan plays in place of the application.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import type { Leg } from "../step/Leg.ts"

/**
 * One answer, and the leg on which a peer gives it.
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

const appservice = "to-appservice"
const homeserver = "to-homeserver"

/**
 * Every case by its name.
 *
 * @category constructors
 * @since 0.1.0
 */
export const answers = {
  // The `hs_token` of the two copies of the registration differs, in the dialect of each appservice framework.
  "token-drift-mautrix-go": json(appservice, 401, { errcode: "M_UNKNOWN_TOKEN", error: "Incorrect access token" }),
  "token-drift-mautrix-python": json(appservice, 401, { errcode: "M_UNKNOWN_TOKEN", error: "Unknown access token" }),
  "token-drift-matrix-bot-sdk": json(appservice, 401, { errcode: "AUTH_FAILED", error: "Authentication failed" }),
  "token-drift-trixnity": json(appservice, 403, { errcode: "M_FORBIDDEN", error: "Wrong token" }),
  "token-missing-mautrix-go": json(appservice, 401, { errcode: "M_MISSING_TOKEN", error: "Missing access token" }),
  "token-missing-trixnity": json(appservice, 401, { errcode: "M_UNAUTHORIZED", error: "No token" }),
  // The url of the registration leads to something else.
  "homeserver-itself": json(appservice, 404, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" }),
  "appservice-too-old": json(appservice, 404, { errcode: "M_UNRECOGNIZED", error: "Unknown endpoint" }),
  "not-found-text": text(appservice, 404, "text/plain", "404 page not found\n"),
  "wrong-service-html": text(appservice, 200, "text/html", page("Welcome")),
  "wrong-service-json": json(appservice, 200, { ok: true }),
  "proxy-bad-gateway": text(appservice, 502, "text/html", page("502 Bad Gateway")),
  "proxy-unavailable": text(appservice, 503, "text/html", page("503 Service Temporarily Unavailable")),
  "proxy-login": text(appservice, 401, "text/html", page("401 Authorization Required")),
  // What a homeserver says.
  "missing-token": json(homeserver, 401, { errcode: "M_MISSING_TOKEN", error: "Missing access token" }),
  "unknown-token": json(homeserver, 401, { errcode: "M_UNKNOWN_TOKEN", error: "Unknown access token" }),
  "unauthorized": json(homeserver, 401, { errcode: "M_UNAUTHORIZED", error: "Unauthorized" }),
  "forbidden": json(homeserver, 403, { errcode: "M_FORBIDDEN", error: "Appservice id does not match the token" }),
  "url-not-set": json(homeserver, 400, { errcode: "M_URL_NOT_SET", error: "The appservice has no url" }),
  "url-not-set-unstable": json(homeserver, 400, { errcode: "FI.MAU.MSC2659_URL_NOT_SET", error: "No url" }),
  "unknown": json(homeserver, 500, { errcode: "M_UNKNOWN", error: "Internal server error" }),
  "connection-failed": json(homeserver, 502, { errcode: "M_CONNECTION_FAILED", error: "Connection refused" }),
  "connection-timeout": json(homeserver, 504, { errcode: "M_CONNECTION_TIMEOUT", error: "Timed out" }),
  "bad-status": json(homeserver, 502, { errcode: "M_BAD_STATUS", error: "Bad status", status: 418, body: "teapot" }),
  "bad-status-without-status": json(homeserver, 502, { errcode: "M_BAD_STATUS", error: "Bad status" }),
  "unrecognized": json(homeserver, 404, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" }),
  "method-unrecognized": json(homeserver, 405, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" }),
  "not-found-html": text(homeserver, 404, "text/html", page("404 Not Found")),
  "without-error": json(homeserver, 401, { errcode: "M_UNKNOWN_TOKEN" }),
  "custom-errcode": json(homeserver, 400, { errcode: "COM.EXAMPLE_X", error: "Something of our own" }),
  "user-locked": json(homeserver, 401, { errcode: "M_USER_LOCKED", error: "Locked", soft_logout: true }),
  "resource-limit": json(homeserver, 403, {
    errcode: "M_RESOURCE_LIMIT_EXCEEDED",
    error: "Monthly limit reached",
    admin_contact: "mailto:admin@homeserver.test"
  }),
  "duration-zero": json(homeserver, 200, { duration_ms: 0 }),
  "duration-negative": json(homeserver, 200, { duration_ms: -1 }),
  "duration-float": json(homeserver, 200, { duration_ms: 12.5 }),
  "duration-string": json(homeserver, 200, { duration_ms: "12" }),
  "duration-null": json(homeserver, 200, { duration_ms: null }),
  "duration-absent": json(homeserver, 200, {}),
  "duration-huge": json(homeserver, 200, "{\"duration_ms\":1e400}"),
  "success-html": text(homeserver, 200, "text/html", page("Welcome"))
} as const satisfies { readonly [name: string]: CannedAnswer }

const names = [
  "token-drift-mautrix-go",
  "token-drift-mautrix-python",
  "token-drift-matrix-bot-sdk",
  "token-drift-trixnity",
  "token-missing-mautrix-go",
  "token-missing-trixnity",
  "homeserver-itself",
  "appservice-too-old",
  "not-found-text",
  "wrong-service-html",
  "wrong-service-json",
  "proxy-bad-gateway",
  "proxy-unavailable",
  "proxy-login",
  "missing-token",
  "unknown-token",
  "unauthorized",
  "forbidden",
  "url-not-set",
  "url-not-set-unstable",
  "unknown",
  "connection-failed",
  "connection-timeout",
  "bad-status",
  "bad-status-without-status",
  "unrecognized",
  "method-unrecognized",
  "not-found-html",
  "without-error",
  "custom-errcode",
  "user-locked",
  "resource-limit",
  "duration-zero",
  "duration-negative",
  "duration-float",
  "duration-string",
  "duration-null",
  "duration-absent",
  "duration-huge",
  "success-html"
] as const satisfies ReadonlyArray<keyof typeof answers>

/**
 * The name of a case.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MatrixCase = Schema.Literals(names)

/**
 * The name of an answer that real peers give.
 *
 * @category models
 * @since 0.1.0
 */
export type MatrixCase = typeof MatrixCase.Type
