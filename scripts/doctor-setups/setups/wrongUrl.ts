import { pair, type Setup, setup } from "../Setup.ts"

/** Set-ups whose url leads elsewhere. */
export const wrongUrl: ReadonlyArray<Setup> = [
  setup("another service listens at the url: 404", {
    actor: "operator",
    cause: /has no ping: it may be another service/,
    advice: /Check that url leads to the appservice/
  }, async (site) => {
    const { origin } = await site.server((_, response) => {
      response.writeHead(404, { "content-type": "text/plain" }).end("not here")
    })
    const registration = await site.registration({ url: origin })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  }),
  setup("another service listens at the url: 200 to everything", {
    actor: "operator",
    cause: /accepts any token.*another service/,
    advice: /Set url to the address where the appservice itself listens/,
    checks: { direct: "failed", ping: "ok" }
  }, async (site) => {
    const { origin } = await site.server((_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>It works</title>")
    })
    const registration = await site.registration({ url: origin })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  }),
  setup("the url is the homeserver itself", {
    actor: "operator",
    cause: /leads to a homeserver/,
    advice: /where the appservice itself listens/,
    checks: { registration: "failed" }
  }, async (site) => {
    const port = await site.freePort()
    const registration = await site.registration({ url: `http://127.0.0.1:${port}` })
    return { registration, homeserver: (await site.homeserver(registration, { port })).origin }
  }),
  setup("the url is the homeserver itself, by another name", {
    actor: "operator",
    cause: /leads to a homeserver/,
    advice: /where the appservice itself listens/
  }, async (site) => {
    const port = await site.freePort()
    const registration = await site.registration({ url: `http://localhost:${port}` })
    return { registration, homeserver: (await site.homeserver(registration, { port })).origin }
  }),
  setup("the url is null", {
    actor: "operator",
    cause: /has no url/,
    advice: /Set url/,
    checks: { registration: "failed", listener: "skipped", direct: "skipped" }
  }, async (site) => {
    const registration = await site.registration({ url: null })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  }),
  setup("the host name of the url is unknown", {
    actor: "operator",
    cause: /host name of the appservice .*bridge\.invalid.* could not be found/,
    advice: /spelling/
  }, async (site) => {
    const registration = await site.registration({ url: "http://bridge.invalid:29317" })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  }),
  setup("the homeserver has another url in its copy", {
    actor: "operator",
    cause: /differ in url/,
    advice: /same registration file/
  }, async (site) => {
    const { copy, homeserver, registration } = await pair(site, { homeserver: { url: await site.deadOrigin() } })
    return { registration, homeserver, args: ["--homeserver-registration", copy] }
  }),
  setup("a path in the url that the appservice does not know", {
    actor: "operator",
    cause: /has no ping:.*url may have a wrong path/,
    advice: /its port and path/
  }, async (site) => {
    const { appservice } = await pair(site)
    const registration = await site.registration({ url: `${appservice}/no/such/path` })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  })
]
