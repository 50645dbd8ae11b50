/** What can be wrong between an appservice and its homeserver, as the table of the peers goes through it. */
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Handler } from "@appservice-ping/server/Exchange"
import { Effect } from "effect"
import * as Fault from "../../fault/Fault.ts"
import * as Answers from "./answers.ts"

/** One thing that is wrong. */
export interface Case {
  readonly name: string
  /** Whether the answer depends on the framework of the appservice. */
  readonly byAppservice: boolean
  /** The fault of the homeserver's connection to the appservice. */
  readonly fault?: Fault.Fault
  readonly tls?: boolean
  /** The server between the homeserver and the appservice, or in place of it. */
  readonly between?: (appservice: Handler) => Handler
  /** Where the url of the registration leads. */
  readonly destination?: "homeserver"
  /** The fields in which the homeserver's copy of the registration differs from ours. */
  readonly copy?: "other as_token" | "other hs_token" | "other id" | "no url"
  /** The client has a user's token in place of the as_token. */
  readonly isUser?: boolean
  /** The client names no transaction. */
  readonly isAnonymous?: boolean
}

const plain = (name: string, fault: Fault.Fault): Case => ({ name, byAppservice: false, fault })

const redirect = (status: 301 | 302 | 303 | 307 | 308): Case =>
  plain(`redirect ${status} to a web page`, { type: "redirect", status, location: "http://elsewhere.test/login" })

const without = (name: string) => (appservice: Handler): Handler => (request) =>
  appservice({ ...request, header: (asked) => asked === name ? undefined : request.header(asked) })

const withoutQuery = (appservice: Handler): Handler => (request) =>
  appservice({ ...request, target: request.target.split("?")[0] ?? "" })

const withoutBody = (appservice: Handler): Handler => (request) =>
  appservice({ ...request, body: () => Effect.succeed(new Uint8Array()) })

const atAnotherPath = (appservice: Handler): Handler => (request) =>
  appservice({ ...request, target: `/bridge${request.target}` })

/** The page that a redirect leads to; a form answers whatever is posted to it. */
export const page: Answer = Answers.text(
  200,
  "text/html",
  "<!doctype html><html><head><title>Login</title></head></html>"
)

/** Every case, in the order of a ping's way: the client's token, the connection, the answer, its body. */
export const cases: ReadonlyArray<Case> = [
  { name: "nothing", byAppservice: true },
  { name: "nothing, and no transaction id", byAppservice: true, isAnonymous: true },
  { name: "the homeserver has another as_token", byAppservice: false, copy: "other as_token" },
  { name: "the as_token is a user's", byAppservice: false, isUser: true },
  { name: "the homeserver has another id", byAppservice: false, copy: "other id" },
  { name: "the homeserver's copy has no url", byAppservice: false, copy: "no url" },
  { name: "the homeserver has another hs_token", byAppservice: true, copy: "other hs_token" },
  {
    name: "a proxy drops the hs_token",
    byAppservice: true,
    between: (appservice) => withoutQuery(without("authorization")(appservice))
  },
  { name: "a proxy drops the body", byAppservice: true, between: withoutBody },
  { name: "the path is wrong", byAppservice: true, between: atAnotherPath },
  plain("unknown host", { type: "dns", failure: "not_found" }),
  plain("connection refused", Fault.refused),
  plain("connection never accepted", { type: "never_accepted" }),
  { ...plain("untrusted certificate", { type: "tls", defect: "untrusted" }), tls: true },
  { ...plain("plain HTTP on a TLS port", { type: "tls", defect: "plain_http" }), tls: true },
  plain("reset before the answer", Fault.resetPeer({ phase: "before_headers" })),
  plain("closed before the answer", Fault.close({ phase: "before_headers" })),
  plain("silence before the answer", Fault.stall({ phase: "before_headers" })),
  plain("not HTTP", Fault.head("not_http")),
  plain("reset in the body", Fault.resetPeer({ phase: "in_body" })),
  plain("closed in the body", Fault.close({ phase: "in_body" })),
  plain("silence in the body", Fault.stall({ phase: "in_body" })),
  redirect(301),
  redirect(302),
  redirect(303),
  redirect(307),
  redirect(308),
  plain("a redirect loop", { type: "redirect", status: 303, location: "self" }),
  { name: "the url leads to the homeserver", byAppservice: false, destination: "homeserver" },
  plain("another service: a web page", Fault.peerAnswer("wrong_service_html")),
  plain("another service: 404", Fault.peerAnswer("not_found_text")),
  plain("a proxy asks for a login", Fault.peerAnswer("proxy_login")),
  plain("a proxy does not reach the appservice", Fault.peerAnswer("proxy_bad_gateway")),
  plain("a proxy says 503", Fault.peerAnswer("proxy_unavailable")),
  plain("the appservice fails inside", Fault.status(500, { body: "{}" })),
  plain("the appservice is asked too often", Fault.status(429, { body: "{\"errcode\":\"M_LIMIT_EXCEEDED\"}" }))
]
