import { withWhoami } from "../answers.ts"
import { pair, type Setup, setup } from "../Setup.ts"
import { tokens } from "../Site.ts"

/** Set-ups whose copies of the registration differ. */
export const drift: ReadonlyArray<Setup> = [
  setup("the appservice has another hs_token", {
    actor: "operator",
    cause: /rejects the hs_token of this file.*another registration/,
    advice: /same registration file/
  }, (site) => pair(site, { appservice: { hs_token: tokens.other_hs_token } })),
  setup("the homeserver has another hs_token", {
    actor: "operator",
    cause: /accepts the hs_token of this file, but not the one that the homeserver sends/,
    advice: /same registration file/
  }, (site) => pair(site, { homeserver: { hs_token: tokens.other_hs_token } })),
  setup("the homeserver has another hs_token, and its copy is given", {
    actor: "operator",
    cause: /differ in hs_token/,
    advice: /same registration file/,
    checks: { registration: "failed" }
  }, async (site) => {
    const { copy, homeserver, registration } = await pair(site, { homeserver: { hs_token: tokens.other_hs_token } })
    return { registration, homeserver, args: ["--homeserver-registration", copy] }
  }),
  setup("the homeserver has another as_token", {
    actor: "homeserver admin",
    cause: /does not know the as_token/,
    advice: /restart it/
  }, (site) => pair(site, { homeserver: { as_token: tokens.other_as_token } })),
  setup("the homeserver has another as_token, and its copy is given", {
    actor: "operator",
    cause: /differ in as_token/,
    advice: /same registration file/
  }, async (site) => {
    const { copy, homeserver, registration } = await pair(site, { homeserver: { as_token: tokens.other_as_token } })
    return { registration, homeserver, args: ["--homeserver-registration", copy] }
  }),
  setup("the as_token is a placeholder", {
    actor: "operator",
    cause: /as_token looks like the placeholder/,
    advice: /generate the file again/,
    checks: { registration: "warning" }
  }, (site) => pair(site, { doctor: { as_token: "CHANGE_ME_as_token" } })),
  setup("the homeserver has another id", {
    actor: "operator",
    cause: /not with the id telegram/,
    advice: /Compare id in both copies/
  }, (site) => pair(site, { homeserver: { id: "signal" } })),
  setup("the homeserver has another id, and tells whose the token is", {
    actor: "operator",
    cause: /not with the id telegram/,
    advice: /Compare id in both copies/,
    checks: { token: "ok" }
  }, async (site) => {
    const { homeserver, registration } = await pair(site, { homeserver: { id: "signal" } })
    const { origin } = await site.server(withWhoami(homeserver, "@telegrambot:example.org"))
    return { registration, homeserver: origin }
  }),
  setup("the as_token is another appservice's, as the homeserver tells", {
    actor: "operator",
    cause: /as_token is that of @signalbot:example\.org/,
    advice: /Use the as_token of the registration/,
    checks: { token: "warning" }
  }, async (site) => {
    const { homeserver, registration } = await pair(site, { homeserver: { id: "signal" } })
    const { origin } = await site.server(withWhoami(homeserver, "@signalbot:example.org"))
    return { registration, homeserver: origin }
  }),
  setup("a registration that no homeserver would take", {
    code: 2,
    actor: "operator",
    cause: /cannot be used:.*id: expected text/,
    advice: /Correct/,
    checks: { registration: "failed", homeserver: "skipped", ping: "skipped" }
  }, async (site) => {
    const good = await site.registration({}, "homeserver.yaml")
    const registration = await site.registration({ id: 5 })
    return { registration, homeserver: (await site.homeserver(good)).origin }
  })
]
