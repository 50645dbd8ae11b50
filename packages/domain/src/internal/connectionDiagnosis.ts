/** What a failed connection means, on either leg: from the homeserver to the appservice, or the other way. */
import * as AppserviceUrl from "../AppserviceUrl.ts"
import type { Sign, TlsSign } from "./connectionSign.ts"

/** A diagnosis before it gets its class. */
export interface Finding {
  readonly actor: "operator" | "homeserver admin" | "network" | "nobody"
  readonly cause: string
  readonly advice: string
  readonly temporary: boolean
  /** Default: certain. */
  readonly certainty?: "certain" | "possible"
  readonly healthy?: boolean
}

/** One leg of a ping: who calls whom, and where. */
export interface Leg {
  readonly from: "appservice" | "homeserver"
  readonly to: "appservice" | "homeserver"
  /** Who runs the side that is called. */
  readonly owner: Finding["actor"]
  /** Who can read the logs of the side that calls. */
  readonly witness: Finding["actor"]
  /** The side that is called, with its URL where that is known. */
  readonly target: string
  /** What to think of where the URL only means the machine it is used on, or may do so. */
  readonly hint: string
  /** The same, but nothing where the URL tells no more than that it may. */
  readonly localHint: string
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
): Omit<Leg, "owner" | "witness"> => {
  const url = parse(text)
  const target = url === undefined ? `the ${to}` : `the ${to} (${AppserviceUrl.redact(url)})`
  const local = localHint(from, to, url, parse(caller))
  const hint = url === undefined ? " If either runs in a container, localhost means that container alone." : local
  return { from, to, target, hint, localHint: local }
}

/** The leg that a homeserver's errors tell about; `url` is the registration's. */
export const toAppservice = (url: string | undefined, homeserver: string | undefined): Leg => ({
  ...leg("homeserver", "appservice", url, homeserver),
  owner: "operator",
  witness: "homeserver admin"
})

/** The leg that a client's own errors tell about. */
export const toHomeserver = (url: string): Leg => ({
  ...leg("appservice", "homeserver", url),
  owner: "homeserver admin",
  witness: "operator"
})

const tlsAdvice: { readonly [K in TlsSign]: readonly [cause: string, advice: string] } = {
  plain: ["that port does not speak TLS", "Write http:// in the URL, or use the port that does speak TLS."],
  expired: ["its certificate has expired", "Renew the certificate."],
  early: ["its certificate is not valid yet", "Check the clocks of both machines, and when the certificate starts."],
  otherHost: [
    "its certificate is for another host name",
    "Use the certificate's host name in the URL, or get a certificate for the URL's."
  ],
  untrusted: [
    "its certificate is not trusted",
    "Serve the whole chain of a certificate from a known authority, or make the calling side trust this one."
  ],
  unknown: ["no secure connection was possible", "Check the certificate, and that https:// and the port fit together."]
}

type Explain = (leg: Leg, tls: TlsSign) => Finding

const table: { readonly [K in Sign]: Explain } = {
  dns: ({ from, target }) => ({
    actor: "operator",
    cause: `The host name of ${target} could not be found.`,
    advice: `Check its spelling, and that the name is known on the machine or in the container of the ${from}.`,
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
  tls: ({ owner, target }, tls) => ({
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
    temporary: false
  }),
  unknown: ({ from, hint, target, witness }) => ({
    actor: witness,
    cause: `The connection to ${target} failed, and nothing tells why.`,
    advice: `Look into the logs of the ${from} for the cause.${hint}`,
    temporary: true
  })
}

/** Explains a failed connection. */
export const explain = (sign: Sign, tls: TlsSign, leg: Leg): Finding => table[sign](leg, tls)

/** Explains a connection that broke once the ping could have been sent, so that nobody knows what became of it. */
export const undecided = (sign: Sign, tls: TlsSign, leg: Leg): Finding => {
  const { actor, advice, cause } = explain(sign, tls, leg)
  return {
    actor,
    cause: `${cause} The ping is undecided: it may or may not have arrived at the appservice.`,
    advice: `Ask again. If that ends in the same way: ${advice}`,
    temporary: true
  }
}
