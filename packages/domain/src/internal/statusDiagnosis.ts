/** What an answer means that has the wrong status: the appservice's to the homeserver, or the homeserver's to us. */
import { type Duration, Predicate } from "effect"
import * as Json from "../Json.ts"
import { explain, type Finding, type Leg } from "./connectionDiagnosis.ts"
import { inWords } from "./durationWords.ts"
import { type Known, withoutEchoes } from "./sign/echo.ts"
import { isHttpToTls } from "./sign/read.ts"

/** What to do about a rate limit. */
export const waiting = (retryAfter: Duration.Duration | undefined): string =>
  retryAfter === undefined ? "Wait before the next ping." : `Wait ${inWords(retryAfter)} before the next ping.`

/** The facts about an answer that do not repeat it; `status` is 0 where it is not known. */
interface Answered {
  readonly status: number
  readonly errcode: string
  readonly body: string
  readonly isHtml: boolean
  /** Whether the URL leads back to the homeserver, or the words of the body are those of one. */
  readonly isHomeserver: "certain" | "possible" | undefined
  readonly retryAfter?: Duration.Duration | undefined
  readonly leg: Leg
}

type Rule = readonly [applies: (answer: Answered) => boolean, explain: (answer: Answered) => Finding]

const isStatus = (...statuses: ReadonlyArray<number>) => ({ status }: Answered): boolean => statuses.includes(status)

const isRedirect = ({ status }: Answered): boolean => status >= 300 && status < 400

const tokenErrcodes: ReadonlySet<string> = new Set(["AUTH_FAILED", "M_FORBIDDEN", "M_UNAUTHORIZED", "M_UNKNOWN_TOKEN"])

const refusesToken = ({ errcode, status }: Pick<Answered, "errcode" | "status">): boolean =>
  status === 401 || status === 403 || tokenErrcodes.has(errcode)

const drift = ({ reload }: Leg): string =>
  `Give the homeserver and the appservice the same registration file, and restart the appservice. ${reload}`

/** Refuses a ping that it has not sent, once it has accepted the token. */
const isOwnPingsOnly = ({ body, errcode, status }: Answered): boolean =>
  status === 400 && errcode === "BAD_REQUEST" &&
  /No ping request expected|transaction_?id did not match/i.test(body)

/** The page of a forward proxy, or the status that only such a one has. */
const isForwardProxy = ({ body, status }: Answered): boolean =>
  status === 407 || /requested URL could not be retrieved|\bX-Squid-Error\b|\bprivoxy\b|\btinyproxy\b/i.test(body)

/** Some frameworks answer every path that they do not know so, and do not know the ping. */
const isExpress = ({ body }: Answered): boolean => /Cannot POST (?:\/|&#x2F;|&#47;)/i.test(body)

const speaksTls = ({ body, status }: Answered): boolean =>
  status === 497 || (((status >= 400 && status < 500) || status === 0) && isHttpToTls(body))

const withoutPing = ({ leg, status }: Answered): Finding => ({
  actor: "operator",
  cause:
    `What answers as ${leg.target} has no ping (status ${status}): it may be an appservice that is too old for the ping or whose framework has none, or another service, or the url may have a wrong path.`,
  advice:
    `Check that the url of the registration leads to the appservice, with its port and path. If it does, see whether a newer version of its framework has the ping; events can arrive without it.${leg.localHint}`,
  temporary: false,
  certainty: "possible"
})

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
  [isOwnPingsOnly, ({ leg }) => ({
    actor: "nobody",
    cause:
      `The homeserver reaches ${leg.target}, which accepted the hs_token: its framework answers only its own pings, and refused this one for that.`,
    advice: "Nothing has to be done. A ping that the appservice sends itself succeeds.",
    temporary: false,
    healthy: true
  })],
  [speaksTls, ({ leg }) => explain("httpToTls", leg)],
  // The homeserver's own proxy and one that the url leads to answer alike: only a second way there can say which it is.
  [isForwardProxy, ({ leg, status }) => ({
    ...explain("proxy", leg),
    cause:
      `A forward proxy answered in place of ${leg.target} (status ${status}): probably the homeserver's own proxy, through which it calls, or one that the url of the registration leads to.`,
    certainty: "possible"
  })],
  [({ isHomeserver }) => isHomeserver !== undefined, ({ isHomeserver = "possible", leg }) => ({
    actor: "operator",
    cause: isHomeserver === "certain"
      ? `The url of the registration leads to a homeserver, not to ${leg.target}.`
      : `The url of the registration probably leads to a homeserver, not to ${leg.target}.`,
    advice: `Set url to the address where the appservice itself listens. ${leg.reload}${leg.localHint}`,
    temporary: false,
    certainty: isHomeserver
  })],
  [({ errcode }) => errcode === "M_MISSING_TOKEN", ({ leg }) => ({
    actor: "operator",
    cause: `The hs_token did not arrive at ${leg.target}, or is not the one it expects.`,
    advice: `Check that no proxy in front of the appservice takes the Authorization header away. ${drift(leg)}`,
    temporary: false,
    certainty: "possible"
  })],
  [({ isHtml, status }) => isHtml && (status === 401 || status === 403), ({ leg, status }) => ({
    actor: "operator",
    cause:
      `A web page with status ${status} refused the ping: a proxy in front of ${leg.target}, or its check of the hs_token.`,
    advice: `Let the proxy pass requests under /_matrix/app without a login of its own. ${drift(leg)}`,
    temporary: false,
    certainty: "possible"
  })],
  [({ errcode }) => tokenErrcodes.has(errcode), ({ leg }) => ({
    actor: "operator",
    cause:
      `The appservice rejects the hs_token: the homeserver and ${leg.target} have different copies of the registration.`,
    advice: `${drift(leg)}${leg.localHint}`,
    temporary: false
  })],
  [refusesToken, ({ leg, status }) => ({
    actor: "operator",
    cause:
      `What answers as ${leg.target} refused the ping (status ${status}): it probably rejects the hs_token, because the homeserver has another copy of the registration.`,
    advice: `${
      drift(leg)
    } If both have it, see whether a proxy in front of the appservice asks for a login.${leg.localHint}`,
    temporary: false,
    certainty: "possible"
  })],
  [isStatus(304), ({ leg }) => ({
    actor: "operator",
    cause:
      `What answers as ${leg.target} says that nothing has changed (status 304), which is no answer to a ping: it is a cache, or another service.`,
    advice:
      `Let no cache in front of the appservice answer requests under /_matrix/app, and check that the url leads to the appservice.${leg.localHint}`,
    temporary: false
  })],
  [isRedirect, ({ leg }) => explain("redirect", leg)],
  [(answer) => answer.errcode === "M_UNRECOGNIZED" && answer.status < 500, withoutPing],
  [(answer) => isExpress(answer) && answer.status === 404, withoutPing],
  [isStatus(404, 405, 410), withoutPing],
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

/** Where the client API is. */
export const clientBase =
  "Use the address of the homeserver's client API. It often is not the server's name: \"base_url\" in https://SERVER/.well-known/matrix/client has it. It must not end in /_matrix, which a client adds by itself."

/** Checks whether an address, or the URL of an endpoint below it, has a `/_matrix` that should not be in the address. */
export const endsInMatrix = (address: string): boolean =>
  /\/_matrix(?:\/[\w./-]*)?\/_matrix\//.test(address) ||
  /\/_matrix(?:\/(?:client|federation)(?:\/[\w.]+)?)?\/*$/.test(address)

/** Explains an address that a client completes with what it already has. */
export const addressEndsInMatrix = ({ target }: Leg): Finding => ({
  actor: "operator",
  cause:
    `The address of ${target} ends in /_matrix or in a path below it, so that the client API is asked for at a path that does not exist.`,
  advice: clientBase,
  temporary: false
})

/** What an answer means that no homeserver gives; the first rule that applies decides. */
const notHomeserverRules: ReadonlyArray<Rule> = [
  [speaksTls, ({ leg }) => explain("httpToTls", leg)],
  [({ leg }) => endsInMatrix(leg.target), ({ leg }) => addressEndsInMatrix(leg)],
  [(answer) => isProxyStatus(answer) || answer.status === 425 || answer.status === 503, proxyDown],
  [isStatus(408), tooSlow],
  // A browser hides the status of a redirect that it does not follow.
  [(answer) => (isRedirect(answer) && answer.status !== 304) || answer.status === 0, ({ leg }) => ({
    ...explain("redirect", leg),
    advice: `${explain("redirect", leg).advice} ${clientBase}`
  })],
  [isStatus(429), ({ leg, retryAfter }) => ({
    actor: "nobody",
    cause: `A proxy in front of ${leg.target} is asked too often.`,
    advice: waiting(retryAfter),
    temporary: true
  })],
  [isStatus(407), ({ leg }) => explain("proxy", leg)],
  [isStatus(401, 403), ({ leg, status }) => ({
    actor: "homeserver admin",
    cause:
      `Something that is no homeserver refused the ping (status ${status}) in place of ${leg.target}: probably a proxy in front of it.`,
    advice:
      `Let the proxy pass requests under /_matrix with their Authorization header, without a login of its own. If there is none: ${clientBase}`,
    temporary: false,
    certainty: "possible"
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
    cause:
      `What answers as ${leg.target} is not a homeserver's client API (status ${status}): it is another service, a web page, or a path that does not belong in the address.`,
    advice: clientBase,
    temporary: false
  })]
]

const isHtml = (body: string): boolean => /^\s*<(?:!doctype|html|head|body|\?xml)/i.test(body)

/** The body may be cut, so that it is no JSON any more. */
const errcodeOf = (body: string): string => {
  const json = Json.parse(body)
  const errcode = Predicate.isObject(json)
    ? json["errcode"]
    : /^\s*\{[^{}]{0,512}?"errcode"\s*:\s*"([\w.]{1,255})"/.exec(body)?.[1]
  return typeof errcode === "string" ? errcode : ""
}

/** The text of Synapse and its relatives for an unknown path. */
const homeserverText = /"Unrecognized request"|\bIt works! Synapse is running\b/i

/** Names of homeservers; any service could have one in a text. */
const homeserverName = /\b(?:synapse|dendrite|conduit|conduwuit|continuwuity|tuwunel)\b/i

const decide = (rules: ReadonlyArray<Rule>, answered: Answered): Finding => {
  for (const [applies, finding] of rules) {
    if (applies(answered)) return finding(answered)
  }
  return explain("unknown", answered.leg)
}

/** Explains the status that the appservice answered the homeserver with. */
export const badStatus = (
  answer: { readonly status?: number | undefined; readonly body?: string | undefined },
  leg: Leg,
  { known, leadsToHomeserver }: { readonly known: Known; readonly leadsToHomeserver: boolean }
): Finding => {
  const { body = "", status = 0 } = answer
  const errcode = errcodeOf(body)
  const isHomeserver = leadsToHomeserver || homeserverText.test(body)
    ? "certain"
    : homeserverName.test(withoutEchoes(body, known))
    ? "possible"
    : undefined
  return decide(badStatusRules, {
    status,
    errcode,
    body,
    isHtml: isHtml(body),
    // What looks at the token of a ping is an appservice, whatever its text names or whose proxy it is behind.
    isHomeserver: refusesToken({ errcode, status }) ? undefined : isHomeserver,
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
    body: answer.body,
    isHtml: isHtml(answer.body),
    isHomeserver: undefined,
    retryAfter: answer.retryAfter,
    leg
  })
