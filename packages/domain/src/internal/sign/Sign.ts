/** What a text about a failed connection can mean, and how a row of the tables says so. */
import type { Kind } from "../../ConnectionFailure.ts"

/**
 * What a text means: a kind of failure, or something that a homeserver takes for one.
 *
 * - `url`, `token`, `transactionId`: the homeserver cannot send this as it is written
 * - `httpToTls`: plain HTTP was sent to a port that speaks TLS
 * - `proxy`: the caller's own forward proxy failed
 * - `blocked`: the caller's own rules forbid the address
 * - `answered`: something answered, and not well; `redirect`, `notJson` and `noLength` say how
 * - `unreadable`: an answer began, and its body could not be read
 */
export type Sign =
  | Kind
  | "answered"
  | "blocked"
  | "httpToTls"
  | "noLength"
  | "notJson"
  | "proxy"
  | "redirect"
  | "token"
  | "transactionId"
  | "unreadable"
  | "url"

/** What is wrong with TLS: `plain` where the port does not speak it, `rejected` where the certificate is, unsaid why. */
export type TlsDefect =
  | "clientCertificate"
  | "early"
  | "expired"
  | "otherHost"
  | "plain"
  | "rejected"
  | "revoked"
  | "unknown"
  | "untrusted"
  | "version"

/** The part of a URL that cannot be used. */
export type UrlPart = "host" | "port" | "refusedPort" | "scheme" | "userinfo" | "whole"

/** The family of programs whose words a row knows. */
export type Family =
  | "curl"
  | "Erlang"
  | "Go"
  | "Java"
  | ".NET"
  | "Node"
  | "ours"
  | "proxies"
  | "Python"
  | "Rust"
  | "any"

/** One row: words, and what they mean. */
export interface Row {
  readonly family: Family
  readonly pattern: RegExp
  readonly sign: Sign
  /** Only with the sign `tls`. */
  readonly tls?: TlsDefect
  /** Only with the sign `url`. */
  readonly part?: UrlPart
  /** Set where the words have other meanings too. */
  readonly possible?: true
  /** The library or the program that has these words. */
  readonly source: string
}
