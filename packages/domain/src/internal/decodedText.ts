/**
 * A foreign text as it reads once its escapes are undone, with the place of every character in the original: what
 * hides in percent-encoding, JSON or HTML is found in the one, and taken out of the other.
 */

/** A text without its escapes. */
export interface DecodedText {
  readonly text: string
  /** Where each character of `text` begins in the original, and its end; `undefined` where nothing was escaped. */
  readonly starts: Uint32Array | undefined
}

/** Where a character of the decoded text begins in the original. */
export const startOf = ({ starts }: DecodedText, index: number): number =>
  starts === undefined ? index : starts[index] ?? 0

/** The entities of ASCII characters, by their lower-case names. */
const named: { readonly [name: string]: string } = {
  amp: "&",
  apos: "'",
  ast: "*",
  bsol: "\\",
  colon: ":",
  comma: ",",
  commat: "@",
  dollar: "$",
  equals: "=",
  excl: "!",
  grave: "`",
  gt: ">",
  hat: "^",
  lbrace: "{",
  lbrack: "[",
  lcub: "{",
  lowbar: "_",
  lpar: "(",
  lsqb: "[",
  lt: "<",
  midast: "*",
  nbsp: " ",
  newline: "\n",
  num: "#",
  percnt: "%",
  period: ".",
  plus: "+",
  quest: "?",
  quot: "\"",
  rbrace: "}",
  rbrack: "]",
  rcub: "}",
  rpar: ")",
  rsqb: "]",
  semi: ";",
  sol: "/",
  tab: "\t",
  verbar: "|",
  vert: "|"
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
  /(?:%(?:25){0,8}[0-9a-f]{2})+|%(?:25){0,8}u[0-9a-f]{4}|(?:\\{1,16}x[0-9a-f]{2})+|\\{1,16}(?:u[0-9a-f]{4}|u\{[0-9a-f]{1,6}\}|["'/=&<>\uE022\uE027\uE03C\uE03E])|\\{2,16}|&(?:amp;){0,8}(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,7});/gi

/** An octet in percent-encoding, or as `\x26`. */
const octet = /(?:%(?:25){0,8}|\\+x)([0-9a-f]{2})/gi

const utf8 = new TextDecoder()

/** How many bytes the character has that begins with this one. */
const lengthOf = (first: number): number => first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4

/** Takes a part of an escaped text that is one character, and how long that part was. */
type Add = (text: string, length: number) => void

const addOctets = (run: string, add: Add): void => {
  let bytes: Array<number> = []
  let length = 0
  for (const [whole, hex = "0"] of run.matchAll(octet)) {
    const byte = Number.parseInt(hex, 16)
    if (byte < 0x80 && bytes.length === 0) {
      add(hidden(byte), whole.length)
      continue
    }
    bytes.push(byte)
    length += whole.length
    if (bytes.length < lengthOf(bytes[0] ?? 0)) continue
    add(utf8.decode(Uint8Array.from(bytes)), length)
    bytes = []
    length = 0
  }
  if (length > 0) add("\uFFFD", length)
}

const character = (code: number): string | undefined => code > 0x10ffff ? undefined : hidden(code)

const fromBackslash = (found: string): string | undefined => {
  const [, hex] = /^\\+u\{?([0-9a-f]+)\}?$/i.exec(found) ?? []
  return hex === undefined ? found.slice(-1) : character(Number.parseInt(hex, 16))
}

const fromEntity = (found: string): string | undefined => {
  const [, decimal, hex, name] = /(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));$/i.exec(found) ?? []
  const code = decimal !== undefined
    ? Number(decimal)
    : hex !== undefined
    ? Number.parseInt(hex, 16)
    : named[name?.toLowerCase() ?? ""]?.charCodeAt(0)
  return code === undefined ? undefined : character(code)
}

const fromOne = (found: string): string | undefined =>
  found.startsWith("&")
    ? fromEntity(found)
    : found.startsWith("%")
    ? character(Number.parseInt(found.slice(-4), 16))
    : fromBackslash(found)

const isOctets = (found: string): boolean => /^(?:%(?!(?:25){0,8}u)|\\+x)/i.test(found)

const addEscape = (found: string, add: Add): void => {
  if (isOctets(found)) return addOctets(found, add)
  const text = fromOne(found)
  if (text !== undefined) return add(text, found.length)
  for (const char of found) add(char, char.length)
}

const once = (decoded: DecodedText): DecodedText => {
  const { text } = decoded
  const texts: Array<string> = []
  // No escape is shorter than what it means.
  const places = new Uint32Array(text.length + 1)
  let count = 0
  let end = 0
  const keep = (to: number): void => {
    texts.push(text.slice(end, to))
    for (; end < to; end++) places[count++] = startOf(decoded, end)
  }
  const add: Add = (char, length) => {
    texts.push(char)
    for (let i = 0; i < char.length; i++) places[count++] = startOf(decoded, end)
    end += length
  }
  for (const { 0: found, index } of text.matchAll(escape)) {
    keep(index)
    addEscape(found, add)
  }
  keep(text.length)
  places[count++] = startOf(decoded, text.length)
  return { text: texts.join(""), starts: places.subarray(0, count) }
}

/** A text that is encoded more often is nobody's error message. */
const maxRounds = 4

/** Undoes percent-encoding, the escapes of JSON and of HTML, and what was encoded twice or in two of these ways. */
export const decode = (text: string): DecodedText => {
  let decoded: DecodedText = { text, starts: undefined }
  for (let round = 0; round < maxRounds && decoded.text.search(escape) !== -1; round++) decoded = once(decoded)
  return decoded
}
