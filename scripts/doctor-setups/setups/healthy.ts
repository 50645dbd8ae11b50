import { pair, type Setup, setup } from "../Setup.ts"

/** Set-ups that work. */
export const healthy: ReadonlyArray<Setup> = [
  setup("all is well", {
    ok: true,
    actor: "nobody",
    cause: /Nothing is wrong/,
    advice: /Nothing has to be done/,
    checks: { registration: "ok", homeserver: "ok", versions: "ok", listener: "ok", direct: "ok", ping: "ok" }
  }, (site) => pair(site)),
  setup("the doctor stands in, as it was asked to", {
    ok: true,
    actor: "nobody",
    cause: /Nothing is wrong/,
    advice: /Nothing has to be done/,
    checks: { listener: "ok", ping: "ok" }
  }, async (site) => {
    const registration = await site.registration({ url: await site.deadOrigin() })
    return { registration, homeserver: (await site.homeserver(registration)).origin, args: ["--listen"] }
  })
]
