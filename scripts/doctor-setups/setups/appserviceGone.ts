import { startElsewhere } from "../elsewhere.ts"
import { type Setup, setup } from "../Setup.ts"

/** Set-ups whose appservice does not answer. */
export const appserviceGone: ReadonlyArray<Setup> = [
  setup("nothing listens at the url", {
    actor: "operator",
    cause: /not running: nothing listens at http:\/\/127\.0\.0\.2:\d+/,
    advice: /Start the appservice/,
    temporary: true,
    checks: { listener: "failed", direct: "failed", ping: "failed" }
  }, async (site) => {
    const registration = await site.registration({ url: await site.deadOrigin() })
    return { registration, homeserver: (await site.homeserver(registration)).origin, args: ["--no-listen"] }
  }),
  setup("nothing listens at the url, and the doctor stands in", {
    actor: "operator",
    cause: /not running.*The way there is good/,
    advice: /Start the appservice/,
    temporary: true,
    checks: { listener: "warning", direct: "ok", ping: "ok" }
  }, async (site) => {
    const registration = await site.registration({ url: await site.deadOrigin() })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  }),
  setup("the appservice takes connections and never answers", {
    actor: "operator",
    cause: /no answer from the appservice .* in time/,
    advice: /runs and is not overloaded/,
    temporary: true
  }, async (site) => {
    const { origin } = await site.socket(() => {})
    const registration = await site.registration({ url: origin })
    const homeserver = await site.homeserver(registration, { args: ["--ping-timeout", "500 millis"] })
    return { registration, homeserver: homeserver.origin, args: ["--timeout", "1 second"] }
  }),
  setup("the appservice resets every connection", {
    actor: "network",
    cause: /broken off/,
    advice: /crash of the appservice/,
    temporary: true
  }, async (site) => {
    const { origin } = await site.socket((socket) => socket.once("data", () => socket.resetAndDestroy()))
    const registration = await site.registration({ url: origin })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  }),
  setup("localhost in the url, and the homeserver is in another network", {
    actor: "operator",
    cause: /answers at http:\/\/127\.0\.0\.1:\d+\/ when called from here.*own machine or container/,
    advice: /Set url to a name or an address/
  }, async (site) => {
    const appservice = await site.appservice(await site.registration({}, "appservice.yaml"))
    const registration = await site.registration({ url: appservice.origin })
    return { registration, homeserver: await startElsewhere(site, registration) }
  })
]
