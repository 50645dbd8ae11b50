import type { RequestListener } from "node:http"
import { withAnswers } from "../answers.ts"
import { type Call, pair, type Setup, setup } from "../Setup.ts"
import { type Fields, type Site, tokens } from "../Site.ts"

/** What a homeserver of another kind says of its own call. */
const says = (errcode: string, error: string, status = 502) => [status, { errcode, error }] as const

/** Conduit says no more than this of a connection that failed, and of a status that is no success. */
const failedToPing = says("M_CONNECTION_FAILED", "M_CONNECTION_FAILED: Failed to ping appservice")

const invalidResponse = says("M_CONNECTION_FAILED", "M_CONNECTION_FAILED: Received invalid response from appservice")

const success = [200, { duration_ms: 3 }] as const

type Said = Parameters<typeof withAnswers>[1]

/** A homeserver that calls itself so, and says so of the ping; the rest is our own. */
const foreign = async (site: Site, url: string, answers: Said, fields: Fields = {}): Promise<Call> => {
  const registration = await site.registration({ url, ...fields })
  const homeserver = await site.homeserver(registration)
  return { registration, homeserver: (await site.server(withAnswers(homeserver.origin, answers))).origin }
}

/** A service at the url, and what a homeserver says that called it. */
const at = (listener: RequestListener, answers: Said) => async (site: Site): Promise<Call> =>
  foreign(site, (await site.server(listener)).origin, answers)

const json = (status: number, body: unknown): RequestListener => (_, response) => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const html = (status: number, body: string): RequestListener => (_, response) => {
  response.writeHead(status, { "content-type": "text/html" }).end(body)
}

/** An appservice of a framework: what its ping answers, and how it refuses a wrong token elsewhere. */
const framework = (ping: RequestListener, refuses: boolean): RequestListener => (request, response) => {
  const isRight = request.headers.authorization === `Bearer ${tokens.hs_token}`
  if (request.url?.endsWith("/app/v1/ping") === true) {
    if (isRight || !refuses) return ping(request, response)
    return json(401, { errcode: "AUTH_FAILED", error: "Authentication failed" })(request, response)
  }
  if (request.url?.includes("/app/v1/transactions/") === true) {
    return json(isRight ? 200 : 401, isRight ? {} : { errcode: "AUTH_FAILED" })(request, response)
  }
  return json(404, { errcode: "M_UNRECOGNIZED", error: "Endpoint not implemented" })(request, response)
}

const element = framework(json(400, { errcode: "BAD_REQUEST", error: "No ping request expected" }), true)

const ownPings = {
  ok: true,
  actor: "nobody",
  cause: /answers only its own pings/,
  advice: /Nothing has to be done/
} as const

/** Frameworks that answer another way than the spec says. */
const frameworks: ReadonlyArray<Setup> = [
  setup(
    "element's SDK refuses pings that it has not sent",
    { ...ownPings, checks: { direct: "ok", ping: "ok" } },
    async (site) => {
      const registration = await site.registration({ url: (await site.server(element)).origin })
      return { registration, homeserver: (await site.homeserver(registration)).origin }
    }
  ),
  setup("element's SDK refuses pings that it has not sent, as Conduit says it", {
    ...ownPings,
    checks: { direct: "ok", ping: "warning" }
  }, at(element, { server: "Conduit", ping: invalidResponse })),
  setup("a framework without the ping, with an error in Matrix form", {
    actor: "operator",
    cause: /appservice whose framework has no ping/,
    advice: /Update the framework/,
    checks: { direct: "warning" }
  }, async (site) => {
    const service = framework(json(404, { errcode: "M_UNRECOGNIZED", error: "Endpoint not implemented" }), false)
    const registration = await site.registration({ url: (await site.server(service)).origin })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  }),
  setup(
    "a framework without the ping, with Express's page",
    {
      actor: "operator",
      cause: /appservice whose framework has no ping/,
      advice: /Update the framework/
    },
    at(framework(html(404, "<!DOCTYPE html><pre>Cannot POST /_matrix/app/v1/ping</pre>"), false), {
      server: "Conduit",
      ping: invalidResponse
    })
  )
]

/** Homeservers that take for success what is none. */
const tookForSuccess: ReadonlyArray<Setup> = [
  setup(
    "a redirect to a login page, which the homeserver follows",
    {
      actor: "operator",
      cause: /redirects to http:\/\/127\.0\.0\.1:\d+\/login.*followed it/,
      advice: /address that the appservice itself has.*admin room of Tuwunel/,
      checks: { direct: "failed", ping: "ok" }
    },
    at((request, response) => {
      if (request.url === "/login") return html(200, "<!doctype html><title>Log in</title>")(request, response)
      response.writeHead(302, { location: `http://${request.headers.host}/login` }).end()
    }, { server: "Tuwunel", ping: success })
  ),
  setup("a 304 that the homeserver takes for success", {
    actor: "operator",
    cause: /takes the ping for answered all the same/,
    advice: /\S/,
    checks: { direct: "failed", ping: "ok" }
  }, at((_, response) => response.writeHead(304).end(), { server: "Conduit", ping: success })),
  setup("a body that is cut, which the homeserver takes for success", {
    actor: "operator",
    cause: /closed before the answer was complete.*takes the ping for answered all the same/,
    advice: /\S/,
    checks: { direct: "failed", ping: "ok" }
  }, async (site) => {
    const { origin } = await site.socket((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"))
    )
    return foreign(site, origin, { server: "Conduit", ping: success })
  }),
  setup("a service that answers every request with success and JSON", {
    actor: "operator",
    cause: /accepts any token.*another service/,
    advice: /Set url to the address where the appservice itself listens/,
    checks: { direct: "failed", ping: "ok" }
  }, async (site) => {
    const registration = await site.registration({ url: (await site.server(json(200, { ok: true }))).origin })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  }),
  setup("the local file has another hs_token than both sides", {
    actor: "operator",
    cause: /rejects the hs_token of this file, but takes the one that the homeserver sends/,
    advice: /Find the registration that the appservice runs with/,
    checks: { direct: "failed", ping: "ok" }
  }, (site) => pair(site, { doctor: { hs_token: tokens.other_hs_token } }))
]

/** Homeservers that say little: what the doctor saw itself says the rest. */
const sayingLittle: ReadonlyArray<Setup> = [
  setup("Conduit, and an appservice that runs with another hs_token", {
    actor: "operator",
    cause: /rejects the hs_token of this file/,
    advice: /admin room of Conduit/
  }, at(json(401, { errcode: "M_UNKNOWN_TOKEN", error: "no" }), { server: "Conduit", ping: invalidResponse })),
  setup("Conduit, and a name that cannot be resolved", {
    actor: "operator",
    cause: /host name of the appservice .*bridge\.invalid.* could not be found/,
    advice: /spelling/
  }, (site) => foreign(site, "http://bridge.invalid:29317", { server: "Conduit", ping: failedToPing })),
  setup("Conduit, and https where the appservice speaks plain http", {
    actor: "operator",
    cause: /does not speak TLS/,
    advice: /http:\/\//
  }, async (site) => {
    const { origin } = await site.server(json(200, {}))
    return foreign(site, origin.replace("http:", "https:"), { server: "Conduit", ping: failedToPing })
  }),
  setup("Conduit, and nothing at the path", {
    actor: "operator",
    cause: /has no ping: it may be/,
    advice: /port and path/
  }, at(html(404, "<html>Not found"), { server: "Conduit", ping: invalidResponse })),
  setup("Conduit, and a proxy that wants a login", {
    actor: "operator",
    cause: /web page with status 401 refused the ping/,
    advice: /without a login of its own/
  }, at(html(401, "<html>Log in"), { server: "Conduit", ping: invalidResponse })),
  setup(
    "continuwuity, and a proxy with nothing behind it",
    {
      actor: "operator",
      cause: /proxy in front of the appservice .* answered 502/,
      advice: /Start the appservice/,
      temporary: true
    },
    at(html(502, "<html>Bad Gateway"), {
      server: "continuwuity",
      ping: says("M_UNKNOWN", "M_UNKNOWN: Internal server error", 500)
    })
  ),
  setup("Conduit, and an appservice that resets connections", {
    actor: "network",
    cause: /broken off/,
    advice: /crash of the appservice/
  }, async (site) => {
    const { origin } = await site.socket((socket) => socket.once("data", () => socket.resetAndDestroy()))
    return foreign(site, origin, { server: "Conduit", ping: failedToPing })
  }),
  setup("Synapse, which calls a reset a timeout", {
    actor: "network",
    cause: /broken off/,
    advice: /crash of the appservice/
  }, async (site) => {
    const { origin } = await site.socket((socket) => socket.once("data", () => socket.resetAndDestroy()))
    const ping = says("M_CONNECTION_TIMEOUT", "Timeout waiting for response from remote server", 504)
    return foreign(site, origin, { server: "Synapse", ping })
  })
]

const fromHere = /Called from here, the appservice answers well/

/** Texts that are no sign that the homeserver finds no way. */
const texts: ReadonlyArray<Setup> = [
  [
    "an answer without a length",
    "ResponseFailed: [<twisted.python.failure.Failure twisted.web.client.PartialDownloadError: 200 OK>]"
  ],
  ["a url that it cannot use", "InvalidCodepoint: Codepoint U+005F at position 8 of 'mautrix_signal' not allowed"],
  ["words that nobody knows", "the flux capacitor is empty"],
  ["an id that sounds like a cause", "error in appservice tls-redirect-irc"]
].map(([title = "", error = ""]) =>
  setup(`the homeserver says ${title}, and the appservice is well`, {
    actor: /flux|tls-redirect/.test(error) ? "homeserver admin" : "operator",
    cause: /^(?!.*(?:machine or container|secure connection|redirects))/,
    advice: fromHere
  }, async (site) => {
    const id = "tls-redirect-irc"
    const appservice = await site.appservice(await site.registration({ id }, "appservice.yaml"))
    return foreign(site, appservice.origin, { ping: says("M_CONNECTION_FAILED", error) }, { id })
  })
)

/** Tokens that are another's, and each homeserver's way to a registration. */
const foreignTokens: ReadonlyArray<Setup> = [
  setup("a user's token on Conduit", {
    actor: "operator",
    cause: /as_token is that of @alice:example\.org/,
    advice: /admin room of Conduit/,
    checks: { token: "warning" }
  }, async (site) => {
    const { homeserver, registration } = await pair(site)
    const { origin } = await site.server(withAnswers(homeserver, {
      server: "Conduit",
      whoami: [200, { user_id: "@alice:example.org" }],
      ping: says("M_UNAUTHORIZED", "Only application services can use this endpoint.", 401)
    }))
    return { registration, homeserver: origin }
  }),
  ...[
    ["Synapse", /app_service_config_files/],
    ["Dendrite", /app_service_api\.config_files/],
    ["continuwuity", /admin room of continuwuity.*at once/]
  ].map(([server, advice]) =>
    setup(`a token that ${String(server)} does not know`, {
      actor: "homeserver admin",
      cause: /does not (?:know|take) the as_token/,
      advice: advice instanceof RegExp ? advice : /\S/
    }, async (site) => {
      const { homeserver, registration } = await pair(site)
      const unknown = says("M_UNKNOWN_TOKEN", "Unknown access token", 401)
      const { origin } = await site.server(
        withAnswers(homeserver, { server: String(server), whoami: unknown, ping: unknown })
      )
      return { registration, homeserver: origin }
    })
  )
]

/** Set-ups whose homeserver or framework has ways of its own. */
export const foreignHomeservers: ReadonlyArray<Setup> = [
  ...frameworks,
  ...tookForSuccess,
  ...sayingLittle,
  ...texts,
  ...foreignTokens
]
