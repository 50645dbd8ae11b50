import type { Certificates } from "../certificates.ts"
import { behind, pair, pass, type Setup, setup, type Tools } from "../Setup.ts"
import type { Site, Started } from "../Site.ts"

/** A proxy that ends TLS with one of the certificates, in front of an origin. */
const tlsProxy = async (site: Site, certificate: Certificates["good"], origin: string): Promise<Started> =>
  site.server((request, response) => {
    const headers = { "content-type": "application/json", authorization: request.headers.authorization ?? "" }
    const { method = "GET" } = request
    void fetch(`${origin}${request.url}`, { method, headers, ...(method === "GET" ? {} : { body: "{}" }) })
      .then(async (answer) => {
        response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text())
      })
      .catch(() => response.destroy())
  }, certificate)

const nginxTls = async (site: Site, { certificates: { good }, nginx }: Tools, origin: string): Promise<Started> => {
  const certificate = await site.file("nginx.pem", good.cert)
  const key = await site.file("nginx.key", good.key)
  return site.nginx(
    nginx,
    (port) =>
      `listen 127.0.0.1:${port} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key}; ${pass(origin)}`
  )
}

const homeserverTls = (
  title: string,
  kind: "selfSigned" | "expired" | "otherHost",
  cause: RegExp,
  advice: RegExp
): Setup =>
  setup(`the homeserver's certificate is ${title}`, {
    actor: "homeserver admin",
    cause,
    advice,
    temporary: false,
    checks: { homeserver: "failed", versions: "skipped" }
  }, async (site, { certificates }) => {
    const call = await behind(site, (homeserver) => tlsProxy(site, certificates[kind], homeserver))
    return { ...call, env: { NODE_EXTRA_CA_CERTS: certificates.authority } }
  })

const appserviceTls = (
  title: string,
  kind: "selfSigned" | "expired" | "otherHost",
  cause: RegExp,
  advice: RegExp
): Setup =>
  setup(`the appservice's certificate is ${title}`, {
    actor: "operator",
    cause,
    advice,
    temporary: false,
    checks: { direct: "failed", ping: "failed" }
  }, async (site, { certificates }) => {
    const env = { NODE_EXTRA_CA_CERTS: certificates.authority }
    const front = ({ origin }: Started) => tlsProxy(site, certificates[kind], origin)
    return { ...await pair(site, { front, homeserverEnv: env }), env }
  })

/** Set-ups with TLS. */
export const tls: ReadonlyArray<Setup> = [
  setup("both speak TLS with good certificates", {
    ok: true,
    actor: "nobody",
    cause: /Nothing is wrong/,
    advice: /Nothing has to be done/,
    checks: { homeserver: "ok", direct: "ok", ping: "ok" }
  }, async (site, { certificates }) => {
    const env = { NODE_EXTRA_CA_CERTS: certificates.authority }
    const front = ({ origin }: Started) => tlsProxy(site, certificates.good, origin)
    const { homeserver, registration } = await pair(site, { front, homeserverEnv: env })
    return { registration, homeserver: (await tlsProxy(site, certificates.good, homeserver)).origin, env }
  }),
  homeserverTls("self-signed", "selfSigned", /homeserver .*certificate is not trusted/, /known authority/),
  homeserverTls("expired", "expired", /homeserver .*certificate has expired/, /Renew/),
  homeserverTls("for another host", "otherHost", /homeserver .*another host name/, /host name/),
  appserviceTls("self-signed", "selfSigned", /appservice .*certificate is not trusted/, /known authority/),
  appserviceTls("expired", "expired", /appservice .*certificate has expired/, /Renew/),
  appserviceTls("for another host", "otherHost", /appservice .*another host name/, /host name/),
  setup("https where the homeserver speaks plain http", {
    actor: "operator",
    cause: /homeserver .*does not speak TLS/,
    advice: /http:\/\//,
    checks: { homeserver: "failed" }
  }, async (site) => {
    const { homeserver, registration } = await pair(site)
    return { registration, homeserver: homeserver.replace("http:", "https:") }
  }),
  setup("http where the homeserver speaks TLS", {
    actor: "operator",
    cause: /speaks TLS, but the URL says http/,
    advice: /Write https/,
    checks: { homeserver: "failed" }
  }, async (site, { certificates }) => {
    const { homeserver, registration } = await behind(
      site,
      (homeserver) => tlsProxy(site, certificates.selfSigned, homeserver)
    )
    return { registration, homeserver: homeserver.replace("https:", "http:") }
  }),
  setup("http where nginx in front of the homeserver speaks TLS", {
    actor: "operator",
    cause: /speaks TLS, but the URL says http/,
    advice: /Write https/,
    checks: { versions: "failed" }
  }, (site, tools) => behind(site, (homeserver) => nginxTls(site, tools, homeserver))),
  setup("http where the appservice speaks TLS", {
    actor: "operator",
    cause: /speaks TLS, but the URL says http/,
    advice: /Write https/,
    checks: { direct: "failed" }
  }, (site, { certificates }) =>
    pair(site, {
      front: async ({ origin }) => {
        const front = await tlsProxy(site, certificates.good, origin)
        return { origin: front.origin.replace("https:", "http:") }
      }
    })),
  setup("http where nginx in front of the appservice speaks TLS", {
    actor: "operator",
    cause: /speaks TLS, but the URL says http/,
    advice: /Write https/,
    checks: { direct: "failed" }
  }, (site, tools) => pair(site, { front: ({ origin }) => nginxTls(site, tools, origin) })),
  setup("https where the appservice speaks plain http", {
    actor: "operator",
    cause: /appservice .*does not speak TLS/,
    advice: /http:\/\//
  }, (site) => pair(site, { front: ({ origin }) => Promise.resolve({ origin: origin.replace("http:", "https:") }) }))
]
