/**
 * Access tokens: reading them from a request and comparing them.
 *
 * @since 0.1.0
 */
import { Redacted } from "effect"

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
 * The shortest token that {@link scrub} looks for: a shorter one is no secret, and would be found in any text.
 */
const scrubLengthMin = 8

const replacement = "<redacted>"

const percentLowerCase = (text: string): string => text.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())

/** The forms of a token that peers write: plain, percent-encoded, and JSON-escaped, also with PHP's `\/`. */
const formsOf = (token: string): ReadonlyArray<string> => {
  const percentEncoded = encodeURIComponent(token.toWellFormed())
  const jsonEscaped = JSON.stringify(token).slice(1, -1)
  return [token, percentEncoded, percentLowerCase(percentEncoded), jsonEscaped, jsonEscaped.replaceAll("/", "\\/")]
}

/**
 * Takes tokens out of a text that someone else wrote, plain, percent-encoded and JSON-escaped (D8).
 *
 * **Details**
 *
 * A peer that echoes a request's headers would otherwise carry the token into an error or a log. A token cut off by
 * the end of the text is taken out too. Tokens of fewer than 8 characters are left alone.
 *
 * @category rendering
 * @since 0.1.0
 */
export const scrub = (text: string, tokens: ReadonlyArray<Redacted.Redacted>): string => {
  const values = tokens.map((token) => Redacted.value(token)).filter((value) => value.length >= scrubLengthMin)
  // Longest first, or a token that starts with another one would leave its end behind.
  const forms = [...new Set(values.flatMap(formsOf))].toSorted((a, b) => b.length - a.length)
  let scrubbed = text
  for (const form of forms) {
    scrubbed = scrubbed.replaceAll(form, replacement)
    for (let length = form.length - 1; length >= scrubLengthMin; length--) {
      if (scrubbed.endsWith(form.slice(0, length))) {
        scrubbed = scrubbed.slice(0, -length) + replacement
        break
      }
    }
  }
  return scrubbed
}
