import { behind, listen, pair, pass, type Setup, setup } from "../Setup.ts"

/** Set-ups with nginx in between. */
export const proxies: ReadonlyArray<Setup> = [
  setup("nginx in front of the appservice has nothing behind it: 502", {
    actor: "operator",
    cause: /proxy in front of the appservice .* answered 502/,
    advice: /Start the appservice.*where the proxy sends/,
    temporary: true
  }, async (site, { nginx }) => {
    const dead = await site.deadOrigin()
    const { origin } = await site.nginx(nginx, (port) => `${listen(port)} ${pass(dead)}`)
    const registration = await site.registration({ url: origin })
    return { registration, homeserver: (await site.homeserver(registration)).origin }
  }),
  setup("nginx in front of the appservice redirects to https", {
    actor: "operator",
    cause: /redirects to https:\/\/127\.0\.0\.1/,
    advice: /scheme/
  }, (site, { nginx }) =>
    pair(site, {
      front: () => site.nginx(nginx, (port) => `${listen(port)} return 301 https://127.0.0.1$request_uri;`)
    })),
  setup("nginx in front of the appservice does not forward /_matrix", {
    actor: "operator",
    cause: /has no ping/,
    advice: /forwards everything under \/_matrix\/app/
  }, (site, { nginx }) =>
    pair(site, {
      front: ({ origin }) =>
        site.nginx(nginx, (port) => `${listen(port)} location /transactions { proxy_pass ${origin}; }`)
    })),
  setup("nginx in front of the appservice takes the Authorization header away", {
    actor: "operator",
    cause: /hs_token did not arrive/,
    advice: /Authorization header/
  }, (site, { nginx }) =>
    pair(site, {
      front: ({ origin }) =>
        site.nginx(nginx, (port) => `${listen(port)} ${pass(origin, "proxy_set_header Authorization \"\";")}`)
    })),
  setup("nginx in front of the homeserver has nothing behind it: 502", {
    actor: "homeserver admin",
    cause: /proxy in front of the homeserver .* answered 502/,
    advice: /Start the homeserver/,
    temporary: true
  }, (site, { nginx }) =>
    behind(site, async () => {
      const dead = await site.deadOrigin()
      return site.nginx(nginx, (port) => `${listen(port)} ${pass(dead)}`)
    })),
  setup(
    "nginx in front of the homeserver takes the Authorization header away",
    {
      actor: "homeserver admin",
      cause: /saw no token.*proxy/,
      advice: /Authorization header/
    },
    (site, { nginx }) =>
      behind(
        site,
        (homeserver) =>
          site.nginx(nginx, (port) => `${listen(port)} ${pass(homeserver, "proxy_set_header Authorization \"\";")}`)
      )
  ),
  setup(
    "nginx in front of the homeserver does not forward /_matrix",
    {
      actor: "operator",
      cause: /has nothing at \/_matrix\/client\/versions.*proxy/,
      advice: /forward everything under \/_matrix/,
      checks: { versions: "failed", ping: "skipped" }
    },
    (site, { nginx }) =>
      behind(
        site,
        (homeserver) => site.nginx(nginx, (port) => `${listen(port)} location /client { proxy_pass ${homeserver}; }`)
      )
  ),
  setup("nginx in front of the homeserver forwards /versions, but not the ping", {
    actor: "homeserver admin",
    cause: /knows the ping, but something in front of it answers.*status 404/,
    advice: /forward everything under \/_matrix/
  }, (site, { nginx }) =>
    behind(site, (homeserver) =>
      site.nginx(
        nginx,
        (port) => `${listen(port)} location = /_matrix/client/versions { proxy_pass ${homeserver}; }`
      ))),
  setup(
    "nginx in front of the homeserver redirects to https",
    {
      actor: "operator",
      cause: /redirects to https:\/\/127\.0\.0\.1/,
      advice: /scheme/,
      checks: { versions: "failed" }
    },
    (site, { nginx }) =>
      behind(site, () => site.nginx(nginx, (port) => `${listen(port)} return 301 https://127.0.0.1$request_uri;`))
  ),
  setup("nginx in front of the homeserver wants a login of its own", {
    actor: "homeserver admin",
    cause: /refused the ping \(status 401\).*proxy in front/,
    advice: /without a login of its own/
  }, (site, { nginx }) =>
    behind(site, async (homeserver) => {
      const users = await site.file("users", "")
      return site.nginx(
        nginx,
        (port) => `${listen(port)} ${pass(homeserver, `auth_basic private; auth_basic_user_file ${users};`)}`
      )
    })),
  setup("nginx in front of the homeserver drops the body", {
    actor: "homeserver admin",
    cause: /body of the ping did not arrive/,
    advice: /pass request bodies unchanged/
  }, (site, { nginx }) =>
    behind(site, (homeserver) =>
      site.nginx(
        nginx,
        (port) =>
          `${listen(port)} ${pass(homeserver, "proxy_pass_request_body off; proxy_set_header Content-Length \"\";")}`
      )))
]
