/** Rules for a homeserver that met something else at the url than the doctor did. */
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import type { DirectEvidence, Evidence } from "../../Evidence.ts"
import { errcodeOf, isHtml } from "../body.ts"
import { adding, type Case, certain, explained, operator, possible, rule, sameFile, setUrl } from "../Rule.ts"
import { foundNoWay, type Said, saidOf } from "../said.ts"
import * as Sight from "../sight.ts"

const isTokenRefusal = ({ body, status }: Said): boolean =>
  (status === 401 || status === 403) && !isHtml(body) && errcodeOf(body) !== "M_MISSING_TOKEN"

/** What the homeserver said, where the appservice answers the doctor well. */
const fineFromHere = (
  { direct, ping }: { readonly direct: DirectEvidence; readonly ping: NonNullable<Evidence["ping"]> },
  { context }: Case
): Said | undefined =>
  Sight.isAppservice(Sight.sightOf(direct)) && ping._tag === "Failed" ? saidOf(ping.error, context) : undefined

/** The homeserver sends another hs_token. */
export const otherToken = rule("homeserver-sends-other-token", ["direct", "ping"], ({ direct, ping }, of) => {
  const said = fineFromHere({ direct, ping }, of)
  const accepts = Sight.sightOf(direct) !== "withoutPing"
  return said !== undefined && accepts && isTokenRefusal(said)
    ? operator(
      "The appservice accepts the hs_token of this file, but not the one that the homeserver sends: the homeserver has another copy of the registration.",
      sameFile(of)
    )
    : undefined
})

/** The homeserver got a status that the doctor did not get. */
export const otherStatus = rule("homeserver-got-other-status", ["direct", "ping"], ({ direct, ping }, of) => {
  const { url } = of
  const said = fineFromHere({ direct, ping }, of)
  return said?.status === undefined
    ? undefined
    : possible({
      actor: "operator",
      cause:
        `The appservice answers well at ${url} when called from here, but the homeserver got status ${said.status}: its copy of the registration may have another url, or its way may lead over a proxy.`,
      advice:
        "Compare url with the homeserver's copy of the registration, and look what answers that url on the homeserver's machine.",
      temporary: said.status >= 500
    })
})

const loopback = /^(?:127\.|\[::1\]|\[::ffff:127\.)/

/** The host that leads every machine to itself, by its name or by the address that it was resolved to. */
const ownHost = ({ evidence: { listener }, subject }: Case): string | undefined => {
  const url = subject.url === undefined ? null : URL.parse(subject.url)
  if (url === null) return undefined
  const resolved = listener?._tag === "Found" && loopback.test(listener.peer.address)
  return resolved || AppserviceUrl.isLocal(url) ? url.hostname : undefined
}

const isElsewhere = ({ homeserver }: Evidence): boolean =>
  homeserver?._tag === "Reached" && !homeserver.peer.isThisMachine

/** The url means another machine to the homeserver than to us. */
export const ownMachine = rule("url-is-own-machine", ["direct", "ping"], ({ direct, ping }, of) => {
  const said = fineFromHere({ direct, ping }, of)
  const host = ownHost(of)
  if (said === undefined || host === undefined || !foundNoWay(said)) return undefined
  const cause = `The appservice answers at ${of.url} when called from here, but the homeserver does not get there:`
  const advice = setUrl(
    "a name or an address that leads from the homeserver to the appservice, which has to listen on an address that is reached there",
    of
  )
  return isElsewhere(of.evidence) && said.sign !== "timeout"
    ? certain({
      actor: "operator",
      cause: `${cause} for the homeserver, ${host} is its own machine or container.`,
      advice,
      temporary: false
    })
    : possible({
      actor: "operator",
      cause:
        `${cause} probably ${host} is its own machine or container for the homeserver, or its copy of the registration has another url.`,
      advice,
      temporary: false
    })
})

/** A firewall, a container network or another url keeps the homeserver away. */
export const noWay = rule("homeserver-finds-no-way", ["direct", "ping"], ({ direct, ping }, of) => {
  const { url } = of
  const said = fineFromHere({ direct, ping }, of)
  return said === undefined || !foundNoWay(said)
    ? undefined
    : possible({
      actor: "network",
      cause: `The appservice answers at ${url} when called from here, but the homeserver does not get there.`,
      advice:
        "Check the firewalls and container networks between the homeserver and the appservice, and that the homeserver's copy of the registration has this url.",
      temporary: true
    })
})

const seenHere = (direct: DirectEvidence, { url }: Case): string =>
  Sight.isAppservice(Sight.sightOf(direct))
    ? `Called from here, the appservice answers well at ${url}, so compare what differs: the machine, its trusted certificates and name servers, a proxy on the way, and the url in the homeserver's copy of the registration.`
    : direct._tag === "Answered"
    ? `Called from here, ${url} answers with status ${direct.status}: the homeserver's way there may be another one.`
    : `Called from here, ${url} is not reached (${direct.failure.text}): the homeserver's way there may be another one.`

/** The homeserver's words say more than what was seen from here. */
export const otherwise = rule(
  "homeserver-met-something-else",
  ["ping", "direct"],
  ({ direct, ping }, of) =>
    ping._tag === "Failed" && saidOf(ping.error, of.context) !== undefined
      ? adding(explained(ping.error, of), { advice: seenHere(direct, of) })
      : undefined
)

/** Nobody can say less than the homeserver itself did. */
export const failedPing = rule(
  "ping-failed",
  ["ping"],
  ({ ping }, of) => ping._tag === "Failed" ? explained(ping.error, of) : undefined
)
