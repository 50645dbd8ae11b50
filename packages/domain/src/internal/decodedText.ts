/**
 * A foreign text as it reads once its escapes are undone, with the place of every character in the original: what
 * hides in percent-encoding, JSON or HTML is found in the one, and taken out of the other.
 */

/** A text without its escapes. */
export interface DecodedText {
  readonly text: string
  /** Where each character of `text` begins in the original, and its end; `undefined` where nothing was escaped. */
  readonly starts: ReadonlyArray<number> | undefined
}

/** Where a character of the decoded text begins in the original. */
export const startOf = ({ starts }: DecodedText, index: number): number =>
  starts === undefined ? index : starts[index] ?? 0

const named: { readonly [name: string]: string } = {
  amp: "&",
  apos: "'",
  colon: ":",
  equals: "=",
  gt: ">",
  lowbar: "_",
  lt: "<",
  nbsp: " ",
  percnt: "%",
  plus: "+",
  quest: "?",
  quot: "\"",
  sol: "/"
}

/**
 * A character that ends a value where it is written plainly, but not where it is percent-encoded or an HTML entity:
 * then it is part of the value. It moves into the private use area, and {@link revealed} moves it back.
 */
const hidden = (code: number): string =>
  code < 0x80 && /[\s"'<>`]/.test(String.fromCharCode(code))
    ? String.fromCharCode(0xe000 + code)
    : String.fromCodePoint(code)

/** The text with the characters that were hidden while it was searched. */
export const revealed = (text: string): string =>
  text.replaceAll(/[\uE000-\uE07F]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xe000))

const escape =
  /(?:%(?:25){0,8}[0-9a-f]{2})+|\\{1,16}(?:u[0-9a-f]{4}|x[0-9a-f]{2}|["'/=&<>\uE022\uE027\uE03C\uE03E])|\\{2,16}|&(?:amp;){0,8}(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,6});/gi

const percent = /%(?:25){0,8}([0-9a-f]{2})/gi

const utf8 = new TextDecoder()

interface Piece {
  readonly text: string
  readonly length: number
}

/** How many bytes the character has that begins with this one. */
const lengthOf = (first: number): number => first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4

const fromPercent = (run: string): ReadonlyArray<Piece> => {
  const octets = [...run.matchAll(percent)].map(([whole, hex = "0"]) => ({
    byte: Number.parseInt(hex, 16),
    length: whole.length
  }))
  const pieces: Array<Piece> = []
  for (let i = 0; i < octets.length;) {
    const taken = octets.slice(i, i + lengthOf(octets[i]?.byte ?? 0))
    const [char = ""] = utf8.decode(Uint8Array.from(taken, ({ byte }) => byte))
    const length = taken.reduce((sum, octet) => sum + octet.length, 0)
    pieces.push({ text: hidden(char.codePointAt(0) ?? 0), length })
    i += taken.length
  }
  return pieces
}

const fromBackslash = (found: string): string => {
  const [, hex] = /^\\+[ux]([0-9a-f]+)$/i.exec(found) ?? []
  return hex === undefined ? found.slice(-1) : hidden(Number.parseInt(hex, 16))
}

const fromEntity = (found: string): string | undefined => {
  const [, decimal, hex, name] = /(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));$/i.exec(found) ?? []
  const code = decimal !== undefined
    ? Number(decimal)
    : hex !== undefined
    ? Number.parseInt(hex, 16)
    : named[name?.toLowerCase() ?? ""]?.charCodeAt(0)
  return code === undefined || code > 0x10ffff ? undefined : hidden(code)
}

const decodeEscape = (found: string): ReadonlyArray<Piece> => {
  if (found.startsWith("%")) return fromPercent(found)
  const text = found.startsWith("\\") ? fromBackslash(found) : fromEntity(found)
  return text === undefined
    ? [...found].map((char) => ({ text: char, length: char.length }))
    : [{ text, length: found.length }]
}

const once = (decoded: DecodedText): DecodedText => {
  const { text } = decoded
  const texts: Array<string> = []
  const places: Array<number> = []
  let end = 0
  const keep = (to: number): void => {
    texts.push(text.slice(end, to))
    for (let i = end; i < to; i++) places.push(startOf(decoded, i))
    end = to
  }
  for (const { 0: found, index } of text.matchAll(escape)) {
    keep(index)
    for (const piece of decodeEscape(found)) {
      texts.push(piece.text)
      for (let i = 0; i < piece.text.length; i++) places.push(startOf(decoded, end))
      end += piece.length
    }
  }
  keep(text.length)
  places.push(startOf(decoded, text.length))
  return { text: texts.join(""), starts: places }
}

/** A text that is encoded more often is nobody's error message. */
const maxRounds = 4

/** Undoes percent-encoding, the escapes of JSON and of HTML, and what was encoded twice or in two of these ways. */
export const decode = (text: string): DecodedText => {
  let decoded: DecodedText = { text, starts: undefined }
  for (let round = 0; round < maxRounds && decoded.text.search(escape) !== -1; round++) decoded = once(decoded)
  return decoded
}
