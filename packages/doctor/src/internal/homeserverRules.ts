/** Rules about the registration file as such, and the way to the homeserver. */
import { Duration } from "effect"
import { explained, operator, type Rule, seen, wantsHttps } from "./Rule.ts"

/** The file cannot be used at all. */
export const invalid: Rule = ({ evidence: { registration } }) =>
  registration._tag === "Invalid"
    ? operator(
      `The registration file cannot be used: ${registration.problems[0] ?? "it is empty"}.`,
      "Correct what the first check names, or let the bridge generate the file again."
    )
    : undefined

/** The homeserver is not reached. */
export const unreachable: Rule = (of) => {
  const { homeserver } = of.evidence
  if (homeserver === undefined || homeserver._tag === "Reached") return undefined
  if (homeserver._tag === "Silent") {
    return seen({
      actor: "homeserver admin",
      cause: `The homeserver (${of.homeserver}) takes connections, but gave no answer within ${
        Duration.format(homeserver.after)
      }.`,
      advice: "Look whether the homeserver hangs or is overloaded, and what a proxy in front of it waits for.",
      temporary: true
    })
  }
  return homeserver.speaksTls ? wantsHttps(of.homeserver) : explained(homeserver.error, of)
}

/** The homeserver is reached, but gives no path for the ping. */
export const withoutPing: Rule = (of) => {
  const { versions } = of.evidence
  if (versions?._tag !== "Failed") return undefined
  const { error } = versions
  if (error._tag === "NotHomeserver" && error.location !== undefined) {
    return operator(
      `What answers at ${of.homeserver} redirects to ${error.location}, and a ping does not follow redirects.`,
      "Use the address that it redirects to as the homeserver's, with the right scheme (http or https)."
    )
  }
  if (error._tag === "NotHomeserver" && /plain HTTP request was sent to HTTPS port/i.test(error.body)) {
    return wantsHttps(of.homeserver)
  }
  if (error._tag === "M_UNRECOGNIZED" || (error._tag === "NotHomeserver" && error.status === 404)) {
    return operator(
      `What answers at ${of.homeserver} has nothing at /_matrix/client/versions: it is another service, or a proxy that does not forward /_matrix to the homeserver.`,
      "Check the address of the homeserver; if it is right, let the proxy in front of it forward everything under /_matrix."
    )
  }
  return explained(error, of)
}

/** There is nowhere to ping. */
export const urlNotSet: Rule = ({ evidence: { registration } }) =>
  registration._tag === "Read" && registration.url === undefined
    ? operator(
      "The registration has no url, so the homeserver has nowhere to send anything.",
      "Set url to where the appservice listens, give the file to the homeserver, and restart it."
    )
    : undefined

/** The homeserver itself was there a moment ago, so it is the proxy's doing. */
export const proxyWithoutPing: Rule = ({ evidence: { ping }, homeserver }) =>
  ping?._tag === "Failed" && ping.error._tag === "NotHomeserver" && (ping.error.status === 404 ||
      ping.error.status === 405)
    ? seen({
      actor: "homeserver admin",
      cause:
        `The homeserver at ${homeserver} knows the ping, but something in front of it answers in its place (status ${ping.error.status}): a proxy that forwards only some paths.`,
      advice: "Let the proxy forward everything under /_matrix to the homeserver.",
      temporary: false
    })
    : undefined
