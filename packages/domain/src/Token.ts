/**
 * Access tokens: reading them from a request and comparing them.
 *
 * @since 0.1.0
 */
import { Redacted } from "effect"
import * as Scrub from "./internal/scrub.ts"

const encoder = new TextEncoder()

/**
 * Compares two tokens in a time that depends on their lengths only.
 *
 * **Example** (Comparing tokens)
 *
 * ```ts
 * import { Token } from "@appservice-ping/domain"
 * import { Redacted } from "effect"
 *
 * Token.equals(Redacted.make("secret"), Redacted.make("secret")) // => true
 * ```
 *
 * @category comparisons
 * @since 0.1.0
 */
export const equals = (self: Redacted.Redacted, that: Redacted.Redacted): boolean => {
  const a = encoder.encode(Redacted.value(self))
  const b = encoder.encode(Redacted.value(that))
  const length = Math.max(a.length, b.length)
  let difference = a.length ^ b.length
  for (let i = 0; i < length; i++) {
    difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  }
  return difference === 0
}

const bearerPattern = /^bearer +(\S.*)$/is

/**
 * Reads the token of an `Authorization: Bearer` header; the scheme is matched without regard to case (C1).
 *
 * **Details**
 *
 * Returns `undefined` for a missing header, another scheme and an empty token.
 *
 * @category parsing
 * @since 0.1.0
 */
export const fromAuthorization = (header: string | undefined): Redacted.Redacted | undefined => {
  const token = header === undefined ? undefined : bearerPattern.exec(header.trim())?.[1]
  return token === undefined ? undefined : Redacted.make(token, { label: "access token" })
}

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Tells whether an HTTP header can carry a token; HTTP clients disagree on the rest, and some of them throw.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSendable = (token: Redacted.Redacted): boolean => headerValue.test(Redacted.value(token))

/**
 * Reads the tokens of the deprecated `access_token` query parameter (C1, A1); empty ones do not count.
 *
 * @category parsing
 * @since 0.1.0
 */
export const fromQuery = (query: URLSearchParams): ReadonlyArray<Redacted.Redacted> =>
  query.getAll("access_token").filter((token) => token !== "").map((token) =>
    Redacted.make(token, { label: "access token" })
  )

/**
 * Takes secrets out of a text that someone else wrote (D8): `tokens`, and whatever the text itself marks as a secret.
 *
 * **Details**
 *
 * These places are marked: the value of `access_token`, of an `Authorization` header and of `Bearer`, and the query
 * string and the userinfo of any URL. They may hold a foreign token: a homeserver whose copy of the registration
 * differs from ours writes a token that we do not know. All of it is found as it is, percent-encoded, in form encoding,
 * escaped in JSON, in HTML or in a programming language, in base64 and in hexadecimal, and where two of these were
 * applied one after the other. A run of base64 or hexadecimal that holds a secret is removed as a whole. A token cut off
 * by the end of the text is removed too. Tokens of fewer than 8 characters are looked for only where they are marked.
 * The time grows linearly with the text.
 *
 * **Example** (Scrubbing a homeserver's text)
 *
 * ```ts
 * import { Token } from "@appservice-ping/domain"
 *
 * Token.scrub("no answer from http://bridge/ping?access_token=sesame", [])
 * // => "no answer from http://bridge/ping?access_token=<redacted>"
 * ```
 *
 * @category rendering
 * @since 0.1.0
 */
export const scrub = (text: string, tokens: ReadonlyArray<Redacted.Redacted>): string =>
  Scrub.scrub(text, tokens.map((token) => Redacted.value(token)))
