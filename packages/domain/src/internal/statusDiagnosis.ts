/** What an answer means that has the wrong status: the appservice's to the homeserver, or the homeserver's to us. */
import { type Duration, Predicate } from "effect"
import * as Json from "../Json.ts"
import { explain, type Finding, type Leg } from "./connectionDiagnosis.ts"
import { inWords } from "./durationWords.ts"

/** What to do about a rate limit. */
export const waiting = (retryAfter: Duration.Duration | undefined): string =>
  retryAfter === undefined ? "Wait before the next ping." : `Wait ${inWords(retryAfter)} before the next ping.`

/** What can be told from an answer without repeating it; `status` is 0 where it is not known. */
interface Answered {
  readonly status: number
  readonly errcode: string
  readonly isHtml: boolean
  readonly isHomeserver: boolean
  readonly retryAfter?: Duration.Duration | undefined
  readonly leg: Leg
}

type Rule = readonly [applies: (answer: Answered) => boolean, explain: (answer: Answered) => Finding]

const isStatus = (...statuses: ReadonlyArray<number>) => ({ status }: Answered): boolean => statuses.includes(status)

const isRedirect = ({ status }: Answered): boolean => status >= 300 && status < 400

const tokenErrcodes: ReadonlySet<string> = new Set(["AUTH_FAILED", "M_FORBIDDEN", "M_UNAUTHORIZED", "M_UNKNOWN_TOKEN"])

const refusesToken = ({ errcode, status }: Pick<Answered, "errcode" | "status">): boolean =>
  status === 401 || status === 403 || tokenErrcodes.has(errcode)

const drift = "Give the homeserver and the appservice the same registration file, and restart both."

const proxyDown = ({ leg, status }: Answered): Finding => ({
  actor: leg.owner,
  cause: `A proxy in front of ${leg.target} answered ${status}: it does not get through to the ${leg.to} behind it.`,
  advice: `Start the ${leg.to}, wait until it is ready, and check where the proxy sends its requests.`,
  temporary: true
})

/** Some proxies have statuses of their own for a server that they do not get through to. */
const isProxyStatus = ({ status }: Answered): boolean =>
  status === 502 || status === 504 || (status >= 520 && status <= 530)

/** The request did not come through as a whole: the one who sends it or the network was too slow. */
const tooSlow = ({ leg, status }: Answered): Finding => ({
  actor: leg.owner,
  cause: `What answers as ${leg.target} did not get the whole ping in time (status ${status}).`,
  advice:
    `Ask again. If that ends in the same way, check that a proxy in front of the ${leg.to} hands on whole requests.`,
  temporary: true
})

/** What an appservice's status means that is not 2xx; the first rule that applies decides. */
const badStatusRules: ReadonlyArray<Rule> = [
  [({ isHomeserver }) => isHomeserver, ({ leg }) => ({
    actor: "operator",
    cause: `The url of the registration leads to a homeserver, not to ${leg.target}.`,
    advice: `Set url to the address where the appservice itself listens, and restart the homeserver.${leg.localHint}`,
    temporary: false
  })],
  [({ errcode }) => errcode === "M_MISSING_TOKEN", ({ leg }) => ({
    actor: "operator",
    cause: `The hs_token did not arrive at ${leg.target}, or is not the one it expects.`,
    advice: `Check that no proxy in front of the appservice takes the Authorization header away. ${drift}`,
    temporary: false
  })],
  [({ isHtml, status }) => isHtml && (status === 401 || status === 403), ({ leg, status }) => ({
    actor: "operator",
    cause:
      `A web page with status ${status} refused the ping: a proxy in front of ${leg.target}, or its check of the hs_token.`,
    advice: `Let the proxy pass requests under /_matrix/app without a login of its own. ${drift}`,
    temporary: false
  })],
  [refusesToken, ({ leg }) => ({
    actor: "operator",
    cause:
      `The appservice rejects the hs_token: the homeserver and ${leg.target} have different copies of the registration.`,
    advice: `${drift}${leg.localHint}`,
    temporary: false
  })],
  [isRedirect, ({ leg }) => explain("redirect", "unknown", leg)],
  [({ errcode, status }) => errcode === "M_UNRECOGNIZED" && status < 500, ({ leg }) => ({
    actor: "operator",
    cause: `What answers as ${leg.target} does not know the ping: it is too old for it, or another Matrix service.`,
    advice: "Update the appservice, and check that the url of the registration leads to it.",
    temporary: false
  })],
  [isStatus(404, 405, 410), ({ leg, status }) => ({
    actor: "operator",
    cause:
      `What answers as ${leg.target} has no ping (status ${status}): another service, a wrong path, or an old appservice.`,
    advice:
      `Check that the url of the registration leads to the appservice, with its port and path, and update it.${leg.localHint}`,
    temporary: false
  })],
  [isStatus(400, 411, 413, 415, 422), ({ leg, status }) => ({
    actor: "operator",
    cause: `What answers as ${leg.target} did not accept the form of the ping (status ${status}).`,
    advice: "Update the appservice, and check that no proxy in front of it changes or drops request bodies.",
    temporary: false
  })],
  [isStatus(429), ({ leg }) => ({
    actor: "nobody",
    cause: `The appservice, or a proxy in front of ${leg.target}, is asked too often.`,
    advice: waiting(undefined),
    temporary: true
  })],
  [isStatus(408), tooSlow],
  [(answer) => isProxyStatus(answer) || (answer.isHtml && answer.status === 503), proxyDown],
  [isStatus(425, 503), ({ leg, status }) => ({
    actor: "operator",
    cause: `The appservice, or a proxy in front of ${leg.target}, says that it is not ready (status ${status}).`,
    advice: "Wait until it has started. If that does not help, look into its logs.",
    temporary: true
  })],
  [({ status }) => status >= 500, ({ leg, status }) => ({
    actor: "operator",
    cause: `The appservice, or a proxy in front of ${leg.target}, failed inside (status ${status}).`,
    advice: "Look into the logs of the appservice.",
    temporary: true
  })],
  [() => true, ({ leg, status }) => ({
    actor: "operator",
    cause: `What answers as ${leg.target} did not confirm the ping${status === 0 ? "" : ` (status ${status})`}.`,
    advice: `Check that the url of the registration leads to the appservice, and look into its logs.${leg.localHint}`,
    temporary: false
  })]
]

/** What an answer means that no homeserver gives; the first rule that applies decides. */
const notHomeserverRules: ReadonlyArray<Rule> = [
  [(answer) => isProxyStatus(answer) || answer.status === 425 || answer.status === 503, proxyDown],
  [isStatus(408), tooSlow],
  // A browser hides the status of a redirect that it does not follow.
  [(answer) => isRedirect(answer) || answer.status === 0, ({ leg }) => explain("redirect", "unknown", leg)],
  [isStatus(429), ({ leg, retryAfter }) => ({
    actor: "nobody",
    cause: `A proxy in front of ${leg.target} is asked too often.`,
    advice: waiting(retryAfter),
    temporary: true
  })],
  [isStatus(401, 403, 407), ({ leg, status }) => ({
    actor: "homeserver admin",
    cause: `A proxy in front of ${leg.target} refused the ping (status ${status}); the homeserver did not see it.`,
    advice: "Let the proxy pass requests under /_matrix with their Authorization header, without a login of its own.",
    temporary: false
  })],
  [isStatus(413), ({ leg }) => ({
    actor: "operator",
    cause: `A proxy in front of ${leg.target} found the ping too large.`,
    advice: "Use a shorter transaction id.",
    temporary: false
  })],
  [({ status }) => status >= 500, ({ leg, status }) => ({
    actor: "homeserver admin",
    cause: `What answers as ${leg.target} failed inside (status ${status}).`,
    advice: "Look into the logs of the homeserver and of any proxy in front of it.",
    temporary: true
  })],
  [() => true, ({ leg, status }) => ({
    actor: "operator",
    cause: `What answers as ${leg.target} is not a homeserver: another service, or a web page (status ${status}).`,
    advice:
      "Use the address of the homeserver's client API. It often is not the server's name: \"base_url\" in https://SERVER/.well-known/matrix/client has it.",
    temporary: false
  })]
]

const isHtml = (body: string): boolean => /^\s*<(?:!doctype|html|head|body|\?xml)/i.test(body)

const errcodeOf = (body: string): string => {
  const json = Json.parse(body)
  return Predicate.isObject(json) && typeof json["errcode"] === "string" ? json["errcode"] : ""
}

/** Only homeservers say so: their names, and the text of Synapse and its relatives for an unknown path. */
const homeserverBody = /"Unrecognized request"|\b(?:synapse|dendrite|conduit|conduwuit|continuwuity|tuwunel)\b/i

const decide = (rules: ReadonlyArray<Rule>, answered: Answered): Finding => {
  for (const [applies, finding] of rules) {
    if (applies(answered)) return finding(answered)
  }
  return explain("unknown", "unknown", answered.leg)
}

/** Explains the status that the appservice answered the homeserver with. */
export const badStatus = (
  answer: { readonly status?: number; readonly body?: string },
  leg: Leg,
  leadsToHomeserver: boolean
): Finding => {
  const { body = "", status = 0 } = answer
  const errcode = errcodeOf(body)
  return decide(badStatusRules, {
    status,
    errcode,
    isHtml: isHtml(body),
    // What looks at the token of a ping is an appservice, whatever its text names or whose proxy it stands behind.
    isHomeserver: !refusesToken({ errcode, status }) && (leadsToHomeserver || homeserverBody.test(body)),
    leg
  })
}

/** Explains an answer to the client that no homeserver gives. */
export const notHomeserver = (
  answer: { readonly status: number; readonly body: string; readonly retryAfter?: Duration.Duration },
  leg: Leg
): Finding =>
  decide(notHomeserverRules, {
    status: answer.status,
    errcode: "",
    isHtml: isHtml(answer.body),
    isHomeserver: false,
    retryAfter: answer.retryAfter,
    leg
  })
