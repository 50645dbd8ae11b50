/** What a failed connection means, on either leg: from the homeserver to the appservice, or the other way. */
import * as AppserviceUrl from "../AppserviceUrl.ts"
import type { Reading, Sign, TlsDefect, UrlPart } from "./sign/read.ts"

/** A diagnosis before it gets its class. */
export interface Finding {
  readonly actor: "operator" | "homeserver admin" | "network" | "nobody"
  readonly cause: string
  readonly advice: string
  readonly temporary: boolean
  /** Default: certain. */
  readonly certainty?: "certain" | "possible"
  /** Default: that of the error. */
  readonly weight?: "seen" | "code" | "status" | "text"
  readonly healthy?: boolean
}

/** One leg of a ping: who calls whom, and where. */
export interface Leg {
  readonly from: "appservice" | "homeserver"
  readonly to: "appservice" | "homeserver"
  /** The person who runs the side that is called. */
  readonly owner: Finding["actor"]
  /** The person who can read the logs of the side that calls. */
  readonly witness: Finding["actor"]
  /** The side that is called, with its URL where that is known. */
  readonly target: string
  /** What to think of where the URL only means the machine it is used on, or may do so. */
  readonly hint: string
  /** The same, but nothing if the URL says no more than that it may. */
  readonly localHint: string
  /** The scheme of the URL, with its colon, and its host, where they are known. */
  readonly scheme: string | undefined
  readonly host: string
  /** How a homeserver loads a changed registration. */
  readonly reload: string
}

const parse = (url: string | undefined): URL | undefined =>
  url === undefined || !AppserviceUrl.isAppserviceUrl(url) ? undefined : new URL(url)

/** A homeserver with a public name may still run on the same machine, so this is advice and never the cause. */
const localHint = (from: string, to: string, url: URL | undefined, caller: URL | undefined): string => {
  if (url === undefined || !AppserviceUrl.isLocal(url)) return ""
  const elsewhere = caller === undefined || AppserviceUrl.isLocal(caller) ? "" : `, here ${caller.hostname}`
  return ` "${url.hostname}" means the machine or container of the ${from} itself${elsewhere}: if the ${to} runs in another one, use a name or an address that leads there.`
}

const leg = (
  from: Leg["from"],
  to: Leg["to"],
  text: string | undefined,
  caller?: string
): Omit<Leg, "owner" | "reload" | "witness"> => {
  const url = parse(text)
  const target = url === undefined ? `the ${to}` : `the ${to} (${AppserviceUrl.redact(url)})`
  const local = localHint(from, to, url, parse(caller))
  const hint = url === undefined ? " If either runs in a container, localhost means that container alone." : local
  return { from, to, target, hint, localHint: local, scheme: url?.protocol, host: url?.hostname ?? "" }
}

/** The leg that a homeserver's errors are about; `url` is the registration's. */
export const toAppservice = (url: string | undefined, homeserver: string | undefined, reload: string): Leg => ({
  ...leg("homeserver", "appservice", url, homeserver),
  owner: "operator",
  witness: "homeserver admin",
  reload
})

/** The leg that a client's own errors are about. */
export const toHomeserver = (url: string): Leg => ({
  ...leg("appservice", "homeserver", url),
  owner: "homeserver admin",
  witness: "operator",
  reload: ""
})

const tlsAdvice: { readonly [K in TlsDefect]: readonly [cause: string, advice: string] } = {
  plain: ["that port does not speak TLS", "Write http:// in the URL, or use the port that does speak TLS."],
  expired: ["its certificate has expired", "Renew the certificate, and let the server load it."],
  early: ["its certificate is not valid yet", "Check the clocks of both machines, and when the certificate starts."],
  otherHost: [
    "its certificate is for another host name",
    "Use the certificate's host name in the URL, or get a certificate for the URL's."
  ],
  revoked: ["its certificate is revoked", "Get a new certificate."],
  untrusted: [
    "its certificate is not trusted",
    "Serve the whole chain of a certificate from a known authority, or make the calling side trust this one."
  ],
  rejected: [
    "its certificate is not accepted, so it is not trusted, has expired, or is not valid yet",
    "Serve the whole chain of a certificate from a known authority, and look at its dates and its names."
  ],
  clientCertificate: [
    "it requires a certificate of the caller, and the caller sends none or another",
    "Let it take requests under /_matrix without a client certificate."
  ],
  version: [
    "the two sides have no version or cipher of TLS in common, or it has nothing for that host name",
    "Let it offer TLS 1.2 or 1.3 with current ciphers, for the host name of the URL."
  ],
  unknown: ["no secure connection was possible", "Check the certificate, and that https:// and the port fit together."]
}

const urlAdvice: { readonly [K in UrlPart]: readonly [problem: string, advice: string] } = {
  host: [
    "its host name has a form that the HTTP client does not accept",
    "Use a name of letters, digits, dots and hyphens, or an IPv4 address: some take neither an underscore nor an IPv6 address."
  ],
  port: ["its port is missing behind the colon, or is no port", "Use a port from 1 to 65535, or none."],
  refusedPort: [
    "its port belongs to another protocol, and the HTTP client refuses to call it",
    "Let it listen on another port: clients refuse 6000, 6665 to 6669 and some more, whatever listens there."
  ],
  scheme: ["its scheme is not one that the HTTP client can call", "Start it with http:// or https://."],
  userinfo: ["it has a user name or a password in front of the host", "Remove everything between // and @."],
  whole: ["it is not a complete and correct URL", "Write scheme, host and port, such as http://bridge:29318."]
}

/** A known host says more than the words about it. */
const hostProblem = ({ host }: Leg): string | undefined =>
  host.startsWith("[")
    ? "its host is an IPv6 address, which the HTTP client does not accept"
    : host.includes("_")
    ? "its host name has an underscore, which the HTTP client does not accept"
    : undefined

/** The name of the URL that the caller was configured with. */
const ownUrl = ({ to }: Leg): string =>
  to === "appservice" ? "the url of the registration" : "the URL of the homeserver"

const isAddress = (host: string): boolean => host.startsWith("[") || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host)

const lookedUpElsewhere = (from: Leg["from"], target: string): Finding => ({
  actor: "operator",
  cause:
    `The ${from} could not find a host name, but ${target} has an address and no name: probably it followed a redirect to another host, calls through a proxy, or has another URL.`,
  advice:
    "Look what answers at the URL, and compare the URL with the copy of the registration that the homeserver has.",
  temporary: true,
  certainty: "possible"
})

type Explain = (leg: Leg, reading: Pick<Reading, "part" | "tls">) => Finding

const table: { readonly [K in Sign]: Explain } = {
  answered: ({ localHint, target, to }) => ({
    actor: "operator",
    cause: `Something answered as ${target}, but not as the ${to} answers a ping; what it answered is not said.`,
    advice:
      `Check that the URL leads to the ${to}, that both have the same registration with the same tokens, and look into the logs of the ${to}.${localHint}`,
    temporary: true
  }),
  blocked: ({ from, target, witness }) => ({
    actor: witness,
    cause: `The ${from}'s own rules forbid requests to the address of ${target}.`,
    advice: `Allow the address in the ${from}'s list of blocked IP ranges.`,
    temporary: false
  }),
  // An address needs no name server, so that the words are about another host than the url has.
  dns: ({ from, host, target }) =>
    isAddress(host) ? lookedUpElsewhere(from, target) : {
      actor: "operator",
      cause: `The host name of ${target} could not be found.`,
      advice: `Check its spelling, and that the name is known on the machine or in the container of the ${from}.`,
      temporary: true
    },
  httpToTls: ({ owner, scheme, target }) =>
    scheme === "https:"
      ? {
        actor: owner,
        cause: `A proxy in front of ${target} sends plain HTTP to a port behind it that speaks TLS.`,
        advice: "Let the proxy use https:// for what is behind it, or a port there that speaks HTTP.",
        temporary: false
      }
      : {
        actor: "operator",
        cause: `The port of ${target} speaks TLS, but was called with plain HTTP.`,
        advice: "Write https:// in the URL, with the host name that the certificate has.",
        temporary: false
      },
  noLength: ({ target, to }) => ({
    actor: "operator",
    cause: `The answer of ${target} has no length, and some homeservers take that for a connection that broke.`,
    advice: `Let the ${to}, or the proxy in front of it, send Content-Length or chunked answers.`,
    temporary: false
  }),
  proxy: ({ from, target, witness }) => ({
    actor: witness,
    cause: `The ${from}'s own proxy, through which it calls ${target}, does not make the connection.`,
    advice:
      `Start or repair the proxy that the ${from} is set to use (http_proxy, https_proxy), or list the host in no_proxy.`,
    temporary: true
  }),
  refused: ({ from, hint, owner, target, to }) => ({
    actor: owner,
    cause: `Nothing listens where ${target} should be: the connection was refused.`,
    advice:
      `Start the ${to}, and check that it listens on this port and on an address that the ${from} reaches.${hint}`,
    temporary: true
  }),
  unreachable: ({ from, hint, target, to }) => ({
    actor: "network",
    cause: `There is no way through the network to ${target}.`,
    advice: `Check the address, and the firewalls and routes between the ${from} and the ${to}.${hint}`,
    temporary: true
  }),
  reset: ({ target, to }) => ({
    actor: "network",
    cause: `The connection to ${target} was broken off before the answer was complete.`,
    advice: `Look for a crash of the ${to}, and for a proxy or firewall on the way that cuts connections.`,
    temporary: true
  }),
  closed: ({ owner, target, to }) => ({
    actor: owner,
    cause: `The connection to ${target} was closed before the answer was complete.`,
    advice: `Look into the logs of the ${to} and of any proxy in front of it: it may have crashed or been restarting.`,
    temporary: true
  }),
  tls: ({ owner, target }, { tls }) => ({
    // The port is in order; it is the URL that says https where there is none.
    actor: tls === "plain" ? "operator" : owner,
    cause: `The secure connection to ${target} failed: ${tlsAdvice[tls][0]}.`,
    advice: tlsAdvice[tls][1],
    temporary: false
  }),
  malformed: ({ target }) => ({
    actor: "operator",
    cause: `What answered in place of ${target} does not speak HTTP correctly.`,
    advice: "Check the host and the port, and that http:// and https:// are not mixed up.",
    temporary: false
  }),
  timeout: ({ from, hint, target, to }) => ({
    actor: "network",
    cause: `The connection to ${target} timed out.`,
    advice: `Check that the ${to} runs, and that no firewall between the ${from} and it swallows packets.${hint}`,
    temporary: true
  }),
  redirect: ({ target, to }) => ({
    actor: "operator",
    cause: `What answered in place of ${target} redirects to another address, which a ping does not follow.`,
    advice: `Set the URL to the address the ${to} itself has, with the right scheme (http or https) and path.`,
    temporary: false
  }),
  notJson: ({ target, to }) => ({
    actor: "operator",
    cause: `What answered in place of ${target} did so with success, but not in JSON: it is probably another service.`,
    advice: `Check that the URL leads to the ${to}, and to no other service or web page.`,
    temporary: false,
    certainty: "possible"
  }),
  token: ({ from }) => {
    const token = from === "homeserver" ? "hs_token" : "as_token"
    return {
      actor: "operator",
      cause:
        `The ${from} cannot send the ${token} as it is written: it has a character that an HTTP header cannot carry, such as a no-break space.`,
      advice: `Look at the ${token} for characters outside ASCII, or let the bridge generate a new registration.`,
      temporary: false
    }
  },
  transactionId: ({ from }) => ({
    actor: "operator",
    cause: `The ${from} cannot send the transaction id of the ping: it holds half a character.`,
    advice: "Use a transaction id of ASCII characters.",
    temporary: false
  }),
  unreadable: ({ owner, target, to }) => ({
    actor: owner,
    cause:
      `An answer of ${target} began, but its body could not be read: it was probably cut off, stopped half way, or is not encoded as it says.`,
    advice: `Look into the logs of the ${to} and of any proxy in front of it.`,
    temporary: true,
    certainty: "possible"
  }),
  url: (leg, { part }) => {
    const [problem, advice] = urlAdvice[part]
    const why = part === "host" || part === "whole" ? hostProblem(leg) ?? problem : problem
    return {
      actor: "operator",
      cause: `The ${leg.from} cannot use ${ownUrl(leg)} as it is written: ${why}.`,
      advice: leg.reload === "" ? advice : `${advice} ${leg.reload}`,
      temporary: false
    }
  },
  unknown: ({ from, target, to, witness }) => ({
    actor: witness,
    cause: `The connection to ${target} failed, and nothing says why.`,
    advice: `Look into the logs of the ${from} for the cause${
      to === "appservice" ? ", and compare the url in its copy of the registration" : ""
    }.`,
    temporary: true,
    certainty: "possible"
  })
}

/** Explains a failed connection. */
export const explain = (sign: Sign, leg: Leg, { part = "whole", tls = "unknown" }: Partial<Reading> = {}): Finding =>
  table[sign](leg, { part, tls })

/** Explains what a text says about a failed connection. */
export const explainReading = (reading: Reading, leg: Leg): Finding => {
  const finding = explain(reading.sign, leg, reading)
  return reading.possible && finding.certainty === undefined
    ? { ...finding, cause: `Probably: ${finding.cause}`, certainty: "possible" }
    : finding
}

/** Explains a connection that broke once the ping could have been sent, so that nobody knows what became of it. */
export const undecided = ({ actor, advice, cause, certainty }: Finding): Finding => ({
  actor,
  cause: `${cause} The ping is undecided: it may or may not have arrived at the appservice.`,
  advice: `Ask again. If that ends in the same way: ${advice}`,
  temporary: true,
  ...certainty === undefined ? {} : { certainty }
})
