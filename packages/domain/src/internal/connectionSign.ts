/**
 * What homeservers say in `error` about a connection that failed, each in its own words: Synapse the names of Python
 * classes, others the texts of Rust's or Go's HTTP clients, and this project its own (`ConnectionFailure`).
 */
import type { Kind } from "../ConnectionFailure.ts"

/** What a text tells: a kind of failure, or one of two answers that some homeservers take for a failure. */
export type Sign = Kind | "redirect" | "notJson"

/** In order, because a text can name more than one: what failed comes before how the connection ended then. */
const signs: ReadonlyArray<readonly [RegExp, Sign]> = [
  [/PageRedirect|InfiniteRedirect|RedirectWithNoLocation|redirect/i, "redirect"],
  [/JSONDecodeError|ContentDecodeError|not (?:valid )?JSON|expecting value/i, "notJson"],
  [/\bTLS\b|\bSSL|\bx509\b|certificate|CERT_|VerificationError|handshake|InvalidContentType/i, "tls"],
  [
    /DNSLookupError|dns error|could not be resolved|lookup address|dial tcp: lookup|no such host|name resolution|no address|name or service not known|nodename nor servname|ENOTFOUND|EAI_/i,
    "dns"
  ],
  [/refused|Errno 111\b/i, "refused"],
  [/NoRoute|no route|unreach|not permitted|UnsupportedAddress|host is down/i, "unreachable"],
  [/ConnectionReset|ECONNRESET|was reset|\breset\b/i, "reset"],
  [/timed? ?out|deadline exceeded/i, "timeout"],
  [
    /ParseError|MalformedChunk|malformed|not valid HTTP|headers were too large|contradicts|was too large|encoded as|compressed body|invalid HTTP|switched (?:to another )?protocol|informational answers|HTTP parse|hyper::Error\(Parse/i,
    "malformed"
  ],
  [
    /ConnectionDone|ConnectionLost|ConnectionAborted|NeverReceived|IncompleteMessage|DataLoss|PartialDownload|closed|cut short|hang up|disconnected|aborted|broken pipe|\bEOF\b|end of file/i,
    "closed"
  ]
]

/** The URL that some texts repeat may hold any of the words in its host or path. */
const withoutUrls = (text: string): string => text.replaceAll(/https?:\/\/[^\s)"'>]+/gi, "")

/** Tells from a homeserver's `error` why its connection failed; `unknown` at worst. */
export const fromText = (text: string | undefined): Sign => {
  const words = withoutUrls(text ?? "")
  return signs.find(([pattern]) => pattern.test(words))?.[1] ?? "unknown"
}

const statusPatterns: ReadonlyArray<RegExp> = [
  /\bstatus(?: code)?(?: of)?[\s:=("]{0,3}([1-5]\d\d)\b/i,
  /\bHTTP response ([1-5]\d\d)\b/i,
  /\b([345]\d\d) (?:Unauthorized|Forbidden|Not Found|Method Not Allowed|Too Many Requests|Internal Server Error|Bad|Service|Gateway)/i
]

/** Tells the appservice's status from the `error` of a homeserver that calls a bad status a failed connection. */
export const statusFromText = (text: string | undefined): number | undefined => {
  const words = withoutUrls(text ?? "")
  const status = statusPatterns.map((pattern) => pattern.exec(words)?.[1]).find((found) => found !== undefined)
  return status === undefined ? undefined : Number(status)
}

/** What is wrong with a certificate or its port, told from any client's text. */
export type TlsSign = "plain" | "expired" | "early" | "otherHost" | "untrusted" | "unknown"

const tlsSigns: ReadonlyArray<readonly [RegExp, TlsSign]> = [
  [/not speak TLS|wrong.version|InvalidContentType|not look like a TLS|HTTP response to HTTPS/i, "plain"],
  [/expired/i, "expired"],
  [/not valid yet|not.yet.valid|NotValidYet/i, "early"],
  [/another host|altname|NotValidForName|host ?name|not valid for|mismatch/i, "otherHost"],
  [/self.?signed|issuer|untrusted|incomplete|unknown.?(?:ca|authority)|verify failed/i, "untrusted"]
]

/** Tells from a text about TLS what is wrong there; `unknown` at worst. */
export const tlsFromText = (text: string | undefined): TlsSign => {
  const words = withoutUrls(text ?? "")
  return tlsSigns.find(([pattern]) => pattern.test(words))?.[1] ?? "unknown"
}
