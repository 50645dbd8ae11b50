/** Rules about the way from here to the homeserver, and whether it knows the ping. */
import { Duration } from "effect"
import { certain, explained, operator, possible, rule, wantsHttps } from "../Rule.ts"

const wellKnown =
  "The address of a homeserver often is not the server's name: \"base_url\" in https://SERVER/.well-known/matrix/client has it, and it must not end in /_matrix."

/** The homeserver is not reached. */
export const unreachable = rule(
  "homeserver-unreachable",
  ["homeserver"],
  ({ homeserver }, of) =>
    homeserver._tag !== "Unreachable"
      ? undefined
      : homeserver.speaksTls
      ? wantsHttps(of.homeserver)
      : explained(homeserver.error, of)
)

/** The homeserver takes connections, and does not answer. */
export const silent = rule("homeserver-silent", ["homeserver"], ({ homeserver }, of) =>
  homeserver._tag === "Silent"
    ? certain({
      actor: "homeserver admin",
      cause: `The homeserver (${of.homeserver}) takes connections, but gave no answer within ${
        Duration.format(homeserver.after)
      }.`,
      advice: "Look whether the homeserver hangs or is overloaded, and what a proxy in front of it waits for.",
      temporary: true
    })
    : undefined)

const saysHttps = /plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server/i

/** The homeserver is reached, but gives no path for the ping. */
export const withoutPing = rule("homeserver-without-ping", ["versions"], ({ versions }, of) => {
  if (versions._tag !== "Failed") return undefined
  const { error } = versions
  if (error._tag === "NotHomeserver" && error.location !== undefined) {
    return operator(
      `What answers at ${of.homeserver} redirects to ${error.location}, and a ping does not follow redirects.`,
      `Use the address that it redirects to as the homeserver's, with the right scheme (http or https). ${wellKnown}`
    )
  }
  if (error._tag === "NotHomeserver" && saysHttps.test(error.body)) return wantsHttps(of.homeserver)
  if (error._tag === "M_UNRECOGNIZED" || (error._tag === "NotHomeserver" && error.status === 404)) {
    return operator(
      `What answers at ${of.homeserver} has nothing at /_matrix/client/versions: it is another service or not the base of the client API, or a proxy does not forward /_matrix to the homeserver.`,
      `Check the address of the homeserver. ${wellKnown} If the address is right, let the proxy in front of it forward everything under /_matrix.`
    )
  }
  return explained(error, of)
})

/** The homeserver answered a moment ago, so that a proxy answers in its place now. */
export const proxyWithoutPing = rule(
  "proxy-without-ping",
  ["versions", "ping"],
  ({ ping }, { homeserver }) =>
    ping._tag === "Failed" && ping.error._tag === "NotHomeserver" &&
      (ping.error.status === 404 || ping.error.status === 405)
      ? possible({
        actor: "homeserver admin",
        cause:
          `The homeserver at ${homeserver} knows the ping, but something in front of it answers in its place (status ${ping.error.status}): probably a proxy that forwards only some paths.`,
        advice: "Let the proxy forward everything under /_matrix to the homeserver.",
        temporary: false
      })
      : undefined
)
