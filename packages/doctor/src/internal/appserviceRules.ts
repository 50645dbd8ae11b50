/** Rules about the way from the homeserver to the appservice, which the doctor has looked at from here. */
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import type { Diagnosable } from "@appservice-ping/domain/Diagnosis"
import type { DirectEvidence } from "../Evidence.ts"
import { explained, isTokenStatus, operator, refusesToken, type Rule, sameFile, seen, wantsHttps } from "./Rule.ts"

const hasNoPing = (error: Diagnosable): boolean =>
  error._tag === "M_BAD_STATUS" && (error.status === 404 || error.status === 405)

/** What is at the url was seen from here, and it is no appservice. */
export const somethingElse: Rule = ({ evidence: { direct, ping }, url }) => {
  if (ping?._tag !== "Failed" || direct?._tag !== "Failed") return undefined
  if (direct.isHomeserver) {
    return operator(
      `The url of the registration (${url}) leads to a homeserver, not to the appservice.`,
      "Set url to the address where the appservice itself listens, and restart the homeserver."
    )
  }
  if (direct.speaksTls) return wantsHttps(url)
  if (direct.location !== undefined) {
    return operator(
      `What answers at the url of the registration (${url}) redirects to ${direct.location}, and a ping does not follow redirects.`,
      "Set url to the address that the appservice itself has, with the right scheme (http or https) and path, and restart the homeserver."
    )
  }
  return hasNoPing(ping.error) && hasNoPing(direct.error)
    ? operator(
      `What answers at the url of the registration (${url}) has no ping: it is another service, an appservice that is too old for it, or url has a wrong path.`,
      "Check that url leads to the appservice, with its port and path, and that a proxy in front of it forwards everything under /_matrix/app."
    )
    : undefined
}

/** The homeserver got an answer, and not the one that the doctor got. */
export const badStatus: Rule = (of) => {
  const { direct, ping } = of.evidence
  if (ping?._tag !== "Failed" || ping.error._tag !== "M_BAD_STATUS") return undefined
  const { status } = ping.error
  if (direct?._tag === "Confirmed") {
    return isTokenStatus(status)
      ? operator(
        "The appservice accepts the hs_token of this file, but not the one that the homeserver sends: the homeserver has another copy of the registration.",
        sameFile
      )
      : operator(
        `The appservice answers well at ${of.url} when called from here, but the homeserver got status ${
          status ?? "unknown"
        }: its copy of the registration has another url, or its way leads over a proxy.`,
        "Compare url with the homeserver's copy of the registration, and look what answers that url on the homeserver's machine."
      )
  }
  if (isTokenStatus(status) && refusesToken(direct) && !/"M_MISSING_TOKEN"/.test(ping.error.body ?? "")) {
    return operator(
      "The appservice rejects the hs_token of this file, and the one that the homeserver sends: it runs with another registration.",
      sameFile
    )
  }
  return undefined
}

/** Words of a cause that has nothing to do with where the appservice is seen from. */
const speaksForItself =
  /resolv|dns|lookup|no such host|not known|getaddrinfo|certificate|\btls\b|\bssl|x509|handshake|redirect|json|\bhttp\b|reset|closed|abort|hang up|\beof\b|lost|parse/i

/** What may lie at the network between the two: a refusal, a timeout, or a peer that does not say why. */
const isNoConnection = (error: Diagnosable): boolean =>
  error._tag === "M_CONNECTION_TIMEOUT" ||
  (error._tag === "M_CONNECTION_FAILED" &&
    !speaksForItself.test((error.error ?? "").replaceAll(/https?:\/\/\S+/gi, ""))) ||
  (error._tag === "OtherErrcode" && error.errcode === "M_UNKNOWN")

const isRefused = (direct: DirectEvidence | undefined): boolean =>
  direct?._tag === "Failed" && direct.error._tag === "M_CONNECTION_FAILED" && /refused/.test(direct.error.error ?? "")

/** The homeserver does not get there: does the doctor? */
export const noConnection: Rule = ({ evidence: { direct, listener, ping }, subject, url }) => {
  if (ping?._tag !== "Failed" || !isNoConnection(ping.error)) return undefined
  if (direct?._tag === "Confirmed") {
    const parsed = subject.url === undefined ? null : URL.parse(subject.url)
    return parsed !== null && AppserviceUrl.isLocal(parsed)
      ? operator(
        `The appservice answers at ${url} when called from here, but the homeserver does not get there: for the homeserver, ${parsed.hostname} is its own machine or container.`,
        "Set url to a name or an address that leads from the homeserver to the appservice, let the appservice listen on an address that is reached there, and restart the homeserver."
      )
      : seen({
        actor: "network",
        cause: `The appservice answers at ${url} when called from here, but the homeserver does not get there.`,
        advice:
          "Check the firewalls and container networks between the homeserver and the appservice, and that the homeserver's copy of the registration has this url.",
        temporary: true
      })
  }
  return isRefused(direct) || listener?._tag === "Nothing"
    ? operator(
      `The appservice is not running: nothing listens at ${url}, neither for the homeserver nor from here.`,
      "Start the appservice, and check that it listens on the host and port of url.",
      true
    )
    : undefined
}

/** Nobody can say less than the homeserver itself did. */
export const failedPing: Rule = (of) => {
  const { ping } = of.evidence
  return ping?._tag === "Failed" ? explained(ping.error, of) : undefined
}

/** A success that cannot be the appservice's (D2). */
export const impostor: Rule = ({ evidence: { direct, ping }, url }) =>
  ping?._tag === "Succeeded" && !ping.verified && direct?._tag === "Confirmed" && direct.wrongToken === "accepted" &&
    !direct.isAppservice
    ? operator(
      `The homeserver takes the ping for answered, but what answers at ${url} accepts any token and does not answer as an appservice does: it is another service.`,
      "Set url to the address where the appservice itself listens, and restart the homeserver."
    )
    : undefined

/** The way is good, and the appservice is not there. */
export const notRunning: Rule = ({ evidence: { listener, ping }, url }) =>
  ping?._tag === "Succeeded" && listener?._tag === "StandIn" && !listener.asked
    ? operator(
      `The appservice is not running: nothing listened at ${url}. The way there is good: the homeserver reached the doctor in the appservice's place.`,
      "Start the appservice. To test the way without it, pass --listen.",
      true
    )
    : undefined
