/** Takes secrets out of a text that someone else wrote: the tokens that are known, and what is marked as one (D8). */
import { decode, type DecodedText, revealed, startOf } from "./decodedText.ts"
import * as Packed from "./packedText.ts"

/**
 * The shortest token that is looked for: a shorter one is no secret, and would be found in any text.
 */
const minTokenLength = 8

const replacement = "<redacted>"

const lowerCaseHex = (text: string): string => text.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())

/** The forms of a token that are looked for as they are: plain, percent-encoded, and in JSON, also with PHP's `\/`. */
const formsOf = (token: string): ReadonlyArray<string> => {
  const percentEncoded = encodeURIComponent(token.toWellFormed())
  const jsonEscaped = JSON.stringify(token).slice(1, -1)
  return [token, percentEncoded, lowerCaseHex(percentEncoded), jsonEscaped, jsonEscaped.replaceAll("/", "\\/")]
}

const withoutForms = (text: string, forms: ReadonlyArray<string>): string => {
  let scrubbed = text
  for (const form of forms) {
    scrubbed = scrubbed.replaceAll(form, replacement)
    for (let length = form.length - 1; length >= minTokenLength; length--) {
      if (scrubbed.endsWith(form.slice(0, length))) {
        scrubbed = scrubbed.slice(0, -length) + replacement
        break
      }
    }
  }
  return scrubbed
}

/** A part of a text, as the places of its first character and of the one behind its last. */
type Range = readonly [from: number, to: number]

/** In a form, a space is also a plus sign; only ASCII changes its case, because other letters may change their length. */
const folded = (text: string): string =>
  revealed(text).replaceAll("+", " ").replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** What remains of an escape that the end of the text cuts off. */
const brokenEscape = /(?:%[0-9a-f]{0,16}|\\{1,16}(?:[ux][0-9a-f]{0,3})?|&[#a-z0-9;]{0,16})$/

const rangesOfTokens = ({ text }: DecodedText, tokens: ReadonlyArray<string>): ReadonlyArray<Range> => {
  if (tokens.length === 0) return []
  const within = folded(text)
  const whole = within.replace(brokenEscape, "")
  return tokens.flatMap((token) => {
    const ranges: Array<Range> = []
    const wanted = folded(decode(token).text)
    if (wanted.length < minTokenLength) return ranges
    for (let at = within.indexOf(wanted); at !== -1; at = within.indexOf(wanted, at + wanted.length)) {
      ranges.push([at, at + wanted.length])
    }
    for (let length = Math.min(whole.length, wanted.length); length >= minTokenLength; length--) {
      if (whole.endsWith(wanted.slice(0, length))) {
        ranges.push([whole.length - length, within.length])
        break
      }
    }
    return ranges
  })
}

/** White space, also where it was encoded, and a plus sign, which a form writes for it. */
const space = String.raw`[\s+\uE009\uE00A\uE00D\uE020]`
const quote = "[\"'`\\uE022\\uE027]"
/** A value ends with white space, a quote or an angle bracket; encoded, they are part of it. */
const value = `(?:${replacement}|[^\\s"'<>\`])+`
/** What may stand before a value in the notation of some language: `["`, `Some("`, `[b'`. */
const opening = String.raw`(?:\[|\{|\(|string|some|${quote}|b(?=["'\uE022\uE027])){0,6}`
/** Between a name in quotes and its value: `": "`, `", "`, `':[b'`. */
const entry = `${quote}${space}{0,4}[=:,]${space}{0,4}${opening}`
const assignment = `(?:${entry}|=${opening})`
/** Between a name and its value: the same, or only a colon. */
const separator = `(?:${assignment}|${space}{0,4}[=:]${space}{0,4}${opening})`

const schemes = "basic|bearer|digest|dpop|hawk|negotiate|ntlm|token|x-matrix"

const marks: ReadonlyArray<RegExp> = [
  // RFC 6750: `access_token=TOKEN` in a query or a form.
  new RegExp(`(?<![a-z0-9])(?:access|bearer|refresh)[_-]?token${separator}(${value})`, "dgi"),
  // The fields of a registration.
  new RegExp(`(?<![a-z0-9])(?:as|hs)_token${assignment}(${value})`, "dgi"),
  // RFC 9110: `Authorization: SCHEME CREDENTIALS`, also as an entry of a map; two schemes have parameters in quotes.
  new RegExp(
    `authorization${separator}(?:digest|x-matrix)${space}{1,4}(${value}(?:(?<==)${quote}[^"'\\r\\n]{0,512}${quote}|,${space}{1,2}${value}|${value}){0,32})`,
    "dgi"
  ),
  new RegExp(`authorization${separator}(?:(?:${schemes})${space}{1,4})?(${value})`, "dgi"),
  // Where only the credentials are repeated; the few words are those of a sentence about them.
  new RegExp(
    `\\bbearer(?:${space}|:|=|${quote}){1,6}((?!(?:auth|authentication|authorization|header|headers|scheme|token|tokens)\\b|realm=|error=)${value})`,
    "dgi"
  ),
  // The query string and the userinfo of a URL, whatever they hold. Each takes the whole URL, so that none is read twice.
  /https?:\/\/[^\s"'<>`?#]*(?:\?(?!access_token=)([^\s"'<>`]+))?/dgi,
  /\/_matrix\/[^\s"'<>`?#]*(?:\?(?!access_token=)([^\s"'<>`]+))?/dgi,
  /https?:\/\/(?:([^\s"'<>`/?#@]{1,512})@)?/dgi
]

/** A bracket or a sign that a sentence ends with belongs to the sentence. */
const sentenceEnd = /[)\]},.:;]+$/

const rangesOfMarks = ({ text }: DecodedText): ReadonlyArray<Range> =>
  marks.flatMap((mark) =>
    [...text.matchAll(mark)].flatMap(({ 1: found = "", indices }) => {
      const [from, to] = indices?.[1] ?? [0, 0]
      const length = sentenceEnd.exec(found)?.[0].length ?? 0
      return length === found.length ? [] : [[from, to - length] as const]
    })
  )

const without = (text: string, decoded: DecodedText, ranges: ReadonlyArray<Range>): string => {
  const pieces: Array<string> = []
  let end = 0
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    const [start, stop] = [startOf(decoded, from), startOf(decoded, to)]
    if (stop <= end) continue
    if (start >= end) pieces.push(text.slice(end, start), replacement)
    end = stop
  }
  pieces.push(text.slice(end))
  return pieces.join("")
}

/** The ranges of what must not be shown; a text may be packed, and that once more. */
const rangesOf = (text: DecodedText, secrets: ReadonlyArray<string>, depth: number = 0): ReadonlyArray<Range> => {
  const ranges = [...rangesOfTokens(text, secrets), ...rangesOfMarks(text)]
  if (depth === maxDepth) return ranges
  // What was unpacked are bytes, and so are the tokens in it, unless they were escaped.
  const within = depth === 0 ? [...new Set(secrets.flatMap((secret) => [secret, Packed.bytesOf(secret)]))] : secrets
  for (const { runs, text: unpacked } of Packed.unpack(text.text)) {
    const decoded = decode(unpacked)
    for (const [from, to] of rangesOf(decoded, within, depth + 1)) {
      ranges.push(...Packed.runsWithin(runs, startOf(decoded, from), startOf(decoded, to)))
    }
  }
  return ranges
}

/** How often a text may be packed. */
const maxDepth = 2

/** Takes out the tokens, and everything that a text marks as one. */
export const scrub = (text: string, tokens: ReadonlyArray<string>): string => {
  const secrets = tokens.filter((token) => token.length >= minTokenLength)
  // Longest first, or a token that starts with another one would leave its end behind.
  const forms = [...new Set(secrets.flatMap(formsOf))]
    .toSorted((a, b) => b.length - a.length)
  const scrubbed = withoutForms(text, forms)
  const decoded = decode(scrubbed)
  return without(scrubbed, decoded, rangesOf(decoded, secrets))
}
