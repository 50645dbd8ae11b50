import { withAnswers } from "../answers.ts"
import { pair, type Setup, setup } from "../Setup.ts"

/** Set-ups whose homeserver is not as it should be. */
export const homeservers: ReadonlyArray<Setup> = [
  setup("the homeserver does not run", {
    actor: "homeserver admin",
    cause: /Nothing listens where the homeserver/,
    advice: /Start the homeserver/,
    temporary: true,
    checks: { homeserver: "failed", versions: "skipped", ping: "skipped" }
  }, async (site) => ({ registration: (await pair(site)).registration, homeserver: await site.deadOrigin() })),
  setup("the host name of the homeserver is unknown", {
    actor: "operator",
    cause: /host name of the homeserver .*matrix\.invalid.* could not be found/,
    advice: /spelling/,
    checks: { homeserver: "failed" }
  }, async (site) => ({ registration: (await pair(site)).registration, homeserver: "http://matrix.invalid:8008" })),
  setup("the homeserver takes connections and never answers", {
    actor: "homeserver admin",
    cause: /takes connections, but gave no answer within/,
    advice: /hangs or is overloaded/,
    temporary: true,
    checks: { homeserver: "failed" }
  }, async (site) => {
    const { registration } = await pair(site)
    return { registration, homeserver: (await site.socket(() => {})).origin, args: ["--timeout", "1 second"] }
  }),
  setup("what listens as the homeserver does not speak HTTP", {
    actor: "operator",
    cause: /does not speak HTTP/,
    advice: /host and the port/,
    checks: { homeserver: "failed" }
  }, async (site) => {
    const { registration } = await pair(site)
    const { origin } = await site.socket((socket) => socket.once("data", () => socket.end("SSH-2.0-OpenSSH_9.2\r\n")))
    return { registration, homeserver: origin }
  }),
  setup("the homeserver is too old", {
    actor: "homeserver admin",
    cause: /too old|does not support|older/,
    advice: /[Uu]pdate/,
    temporary: false,
    checks: { homeserver: "ok", versions: "failed", ping: "skipped" }
  }, async (site) => {
    const { registration } = await pair(site)
    const { origin } = await site.server((request, response) => {
      const known = request.url === "/_matrix/client/versions"
      response.writeHead(known ? 200 : 404, { "content-type": "application/json" })
      response.end(
        known
          ? JSON.stringify({ versions: ["r0.6.1", "v1.1", "v1.6"], unstable_features: {} })
          : JSON.stringify({ errcode: "M_UNRECOGNIZED", error: "Unrecognized request" })
      )
    })
    return { registration, homeserver: origin }
  }),
  setup("the homeserver limits the rate", {
    actor: "nobody",
    cause: /asked too often/,
    advice: /Wait/,
    temporary: true
  }, async (site) => {
    const { homeserver, registration } = await pair(site)
    const { origin } = await site.server(withAnswers(homeserver, {
      ping: [429, { errcode: "M_LIMIT_EXCEEDED", error: "Too Many Requests", retry_after_ms: 2500 }]
    }))
    return { registration, homeserver: origin }
  }),
  setup("something else answers the homeserver, and the doctor sees no ping", {
    actor: "operator",
    cause: /Something else answers.*did not arrive here/,
    advice: /url/,
    checks: { listener: "ok", ping: "failed" }
  }, async (site) => {
    const { homeserver } = await pair(site)
    const registration = await site.registration({ url: await site.deadOrigin() })
    return { registration, homeserver, args: ["--listen"] }
  }),
  setup("the way back is broken: the ping arrives, and the homeserver says that it failed", {
    actor: "network",
    cause: /arrived here, but the homeserver says M_CONNECTION_TIMEOUT/,
    advice: /\S/,
    checks: { listener: "ok", ping: "failed" }
  }, async (site) => {
    const registration = await site.registration({ url: await site.deadOrigin() })
    const { origin: homeserver } = await site.homeserver(registration)
    const { origin } = await site.server(withAnswers(homeserver, {
      ping: [504, { errcode: "M_CONNECTION_TIMEOUT", error: "Connection timed out" }],
      afterAll: true
    }))
    return { registration, homeserver: origin, args: ["--listen"] }
  })
]
