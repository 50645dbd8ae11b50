/** Rules about what the doctor saw at the url of the registration, where that is what the homeserver met as well. */
import type { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import type { DirectEvidence, PingEvidence } from "../../Evidence.ts"
import {
  adding,
  type Case,
  certain,
  explainedDirect,
  operator,
  possible,
  type Rule,
  rule,
  sameFile,
  setUrl,
  wantsHttps
} from "../Rule.ts"
import { type Said, saidOf } from "../said.ts"
import * as Sight from "../sight.ts"
import { explains } from "../weigh.ts"

/** The input of a rule about the url. */
interface AtUrl {
  readonly direct: DirectEvidence
  readonly of: Case
  /** The homeserver's report; `undefined` if it reported success. */
  readonly said: Said | undefined
}

const applies = (
  direct: DirectEvidence,
  ping: PingEvidence,
  { context }: Case
): { readonly said: Said | undefined } | undefined => {
  if (ping._tag === "Succeeded") return ping.verified || Sight.isOpening(direct) ? undefined : { said: undefined }
  const said = saidOf(ping.error, context)
  return said !== undefined && explains(direct, said) ? { said } : undefined
}

/** A rule for what the doctor saw at the url. */
const urlRule = (name: string, sight: Sight.Sight, conclude: (at: AtUrl) => Diagnosis | undefined): Rule =>
  rule(name, ["direct", "ping"], ({ direct, ping }, of) => {
    const applied = Sight.sightOf(direct) === sight ? applies(direct, ping, of) : undefined
    return applied === undefined ? undefined : conclude({ direct, of, said: applied.said })
  })

const itself = "the address where the appservice itself listens"

/** The appservice accepts the token, and knows no pings but its own. */
export const ownPingsOnly = urlRule("own-pings-only", "ownPingsOnly", ({ of }) =>
  certain({
    actor: "nobody",
    cause:
      `The homeserver reaches the appservice at ${of.url}, which accepts the hs_token; its framework answers only its own pings, so that it refuses this one.`,
    advice: "Nothing has to be done.",
    temporary: false,
    healthy: true
  }))

/** A homeserver answers at the url. */
export const homeserverAtUrl = urlRule("url-is-homeserver", "homeserver", ({ of }) =>
  operator(
    `The url of the registration (${of.url}) leads to a homeserver, not to the appservice.`,
    setUrl(itself, of)
  ))

/** The port speaks TLS. */
export const tlsPort = urlRule("url-wants-https", "tlsPort", ({ of }) => wantsHttps(of.url))

/** Something redirects, and some homeservers follow it. */
export const redirect = urlRule("url-redirects", "redirect", ({ direct, of, said }) => {
  const location = direct._tag === "Answered" ? direct.location ?? "another address" : "another address"
  return operator(
    `What answers at the url of the registration (${of.url}) redirects to ${location}, and a ping does not follow redirects.${
      said === undefined
        ? " The homeserver followed it all the same and took what answers there for the appservice; a POST that is redirected rarely arrives."
        : ""
    }`,
    setUrl("the address that the appservice itself has, with the right scheme (http or https) and path", of)
  )
})

/** A service that answers everything with success is no appservice (D2): certain where it answers any path too (A6). */
export const answersEverything = urlRule("url-answers-everything", "answersEverything", ({ direct, of, said }) => {
  const isCertain = direct._tag === "Answered" && direct.unknownPath === "accepted"
  const conclude = isCertain ? certain : possible
  return conclude({
    actor: "operator",
    cause: `${
      said === undefined ? "The homeserver takes the ping for answered, but what answers" : "What answers"
    } at ${of.url} accepts any token${
      isCertain ? " and any path" : ""
    } and does not answer as an appservice does: it is ${isCertain ? "" : "probably "}another service.`,
    advice: setUrl(itself, of),
    temporary: false
  })
})

/** An appservice without a ping: it refuses a wrong token elsewhere. */
export const frameworkWithoutPing = urlRule("framework-without-ping", "withoutPing", ({ of }) =>
  certain({
    actor: "operator",
    cause:
      `An appservice whose framework has no ping answers at ${of.url}: it knows no such path, and refuses a wrong token on another path of the API. The homeserver reaches it, but no ping can say whether its hs_token is the right one.`,
    advice:
      "Update the framework where it has a version with the ping. Else look into the homeserver's log for transactions that it could not send to this appservice.",
    temporary: false
  }))

const otherWay =
  "The homeserver takes the ping for answered all the same: it met something else there, or took this answer for success."

/** Something is there that has no ping. */
export const missing = urlRule("url-has-no-ping", "missing", ({ of, said }) =>
  possible({
    actor: "operator",
    cause:
      `What answers at the url of the registration (${of.url}) has no ping: it may be another service, an appservice whose framework has no ping, or url may have a wrong path.${
        said === undefined ? ` ${otherWay}` : ""
      }`,
    advice:
      "Check that url leads to the appservice, with its port and path, and that a proxy in front of it forwards everything under /_matrix/app.",
    temporary: false
  }))

/** The appservice runs with another token than this file has. */
export const refusesToken = urlRule("appservice-refuses-token", "refusesToken", ({ of, said }) =>
  said === undefined
    ? operator(
      "The appservice rejects the hs_token of this file, but takes the one that the homeserver sends: both run with another registration than this file.",
      `Find the registration that the appservice runs with, and replace this file by it. ${sameFile(of)}`
    )
    : operator(
      said.status === undefined
        ? "The appservice rejects the hs_token of this file, and the homeserver gets no success from it either: it runs with another registration."
        : "The appservice rejects the hs_token of this file, and the one that the homeserver sends: it runs with another registration.",
      sameFile(of)
    ))

/** A forward proxy answered the doctor too, which calls the url without one: so it is not the homeserver's own. */
export const forwardProxy = urlRule("url-leads-to-proxy", "forwardProxy", ({ direct, of, said }) =>
  adding(
    operator(
      `What answers at the url of the registration (${of.url}) is a proxy, or asks for a login as one does (status ${
        direct._tag === "Answered" ? direct.status : 0
      }): the ping does not come through it to the appservice.`,
      `${
        setUrl(itself, of)
      } If something has to be in front of it, let that pass requests under /_matrix/app without a login of its own.`
    ),
    said === undefined ? { cause: otherWay } : {}
  ))

/** Another status, explained as what it is. */
export const status = urlRule(
  "url-answers-status",
  "status",
  ({ direct, of, said }) => adding(explainedDirect(direct, of), said === undefined ? { cause: otherWay } : {})
)

/** Nothing listens, here and for the homeserver. */
export const notRunning = urlRule(
  "appservice-not-running",
  "noAnswer",
  ({ direct, of, said }) =>
    direct._tag === "NoAnswer" && direct.failure.kind === "refused" && said !== undefined
      ? operator(
        said.sign === "refused"
          ? `The appservice is not running: nothing listens at ${of.url}, neither for the homeserver nor from here.`
          : `The appservice is not running: nothing listens at ${of.url} when called from here, and the homeserver does not get through either.`,
        "Start the appservice, and check that it listens on the host and port of url.",
        true
      )
      : undefined
)

/** It takes connections, and gives no answer. */
export const silent = urlRule(
  "appservice-silent",
  "noAnswer",
  ({ direct, of, said }) =>
    direct._tag === "NoAnswer" && direct.failure.kind === "timeout" && of.evidence.listener?._tag === "Found"
      ? certain({
        actor: "operator",
        cause:
          `There is no answer from the appservice (${of.url}) in time: what listens there takes connections, and stays silent or stops half way.${
            said === undefined ? ` ${otherWay}` : ""
          }`,
        advice: "Check that the appservice runs and is not overloaded, and what a proxy in front of it waits for.",
        temporary: true
      })
      : undefined
)

/** The doctor's own call failed, and what it saw says more than the homeserver does. */
export const noAnswer = urlRule("url-gives-no-answer", "noAnswer", ({ direct, of, said }) =>
  adding(
    explainedDirect(direct, of),
    said === undefined
      ? {
        cause: "The homeserver takes the ping for answered all the same, so it may not notice when answers are lost."
      }
      : {}
  ))

/** All rules about the url, in the order in which they apply. */
export const urlRules: ReadonlyArray<Rule> = [
  ownPingsOnly,
  homeserverAtUrl,
  tlsPort,
  redirect,
  answersEverything,
  frameworkWithoutPing,
  missing,
  refusesToken,
  forwardProxy,
  status,
  notRunning,
  silent,
  noAnswer
]
