/**
 * The inputs that all others are made of: one HTTP message a file, as a person writes it.
 *
 * A file begins with lines that start with `#`: the first says what the message is, `# end: rst` how the connection ends.
 * Then come the lines of the message, which end with CRLF on the wire, the last one without. A line that ends with `\`
 * goes on in the next one. `\xNN`, `\r`, `\n`, `\t` and `\\` are bytes, `\|` is a pause between two writes, `\{9 of abc}`
 * is a text as often as it says, and `{{as_token}}` and `{{hs_token}}` are the tokens.
 */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"

export const kinds = ["homeserver", "appservice", "answers", "handler"] as const

/**
 * What an input is: a request to one of the two servers, an answer to a client, or what a handler gives to a mount as its
 * answer (a status, headers and a body, one line each).
 */
export type Kind = (typeof kinds)[number]

export const endings = ["fin", "rst", "keep", "endless"] as const

/**
 * What the sender does after its last byte: it closes its side, resets the connection, leaves it open, or goes on with
 * its last piece for as long as somebody reads it.
 */
export type Ending = (typeof endings)[number]

/** The bytes of one connection. */
export interface Input {
  readonly kind: Kind
  readonly bytes: Uint8Array
  /** Where a write ends and the next one begins, in ascending order. */
  readonly cuts: ReadonlyArray<number>
  readonly ending: Ending
}

export interface Entry extends Input {
  readonly name: string
  readonly about: string
}

/** The secrets of a run, each recognisable wherever it might leak. */
export const tokens = {
  as_token: "as-canary-5f1d0c9e7a&<\"+/=b",
  hs_token: "hs-canary-83b2e6d4c1&<\"+/=b"
} as const

const escape = /\\(?:x([0-9a-f]{2})|\{(\d+) of ([^}]*)\}|([rnt\\|]))|\{\{(as_token|hs_token)\}\}/gi

const characters: Readonly<Record<string, string>> = { r: "\r", n: "\n", t: "\t", "\\": "\\" }

/** Reads a text with escapes, as Latin-1. */
const readText = (text: string): { readonly bytes: Uint8Array; readonly cuts: ReadonlyArray<number> } => {
  const pieces: Array<Buffer> = []
  const cuts: Array<number> = []
  let length = 0
  const add = (piece: Buffer): void => {
    pieces.push(piece)
    length += piece.length
  }
  let at = 0
  for (const match of text.matchAll(escape)) {
    add(Buffer.from(text.slice(at, match.index), "utf8"))
    at = match.index + match[0].length
    const [, hex, times, repeated, character, token] = match
    if (hex !== undefined) add(Buffer.from(hex, "hex"))
    else if (times !== undefined) {
      const one = readText(repeated ?? "").bytes
      add(Buffer.concat(Array.from({ length: Number(times) }, () => one)))
    } else if (character === "|") cuts.push(length)
    else if (character !== undefined) add(Buffer.from(characters[character] ?? "", "latin1"))
    else add(Buffer.from(token === "as_token" ? tokens.as_token : tokens.hs_token, "latin1"))
  }
  add(Buffer.from(text.slice(at), "utf8"))
  return { bytes: Buffer.concat(pieces), cuts }
}

const isEnding = (text: string): text is Ending => endings.some((ending) => ending === text)

/** Reads a file of the corpus; what it cannot be is an error, because a person wrote it. */
export const parse = (kind: Kind, name: string, text: string): Entry => {
  const lines = text.replace(/\n$/, "").split("\n")
  const first = lines.findIndex((line) => !line.startsWith("#"))
  const comments = lines.slice(0, first).map((line) => line.replace(/^# ?/, ""))
  const end = comments.find((comment) => comment.startsWith("end: "))?.slice(5) ?? "fin"
  if (first < 1 || !isEnding(end)) {
    throw new Error(`${kind}/${name}: it needs a comment, and an end of ${endings.join(", ")}`)
  }
  const about = comments.filter((comment) => !comment.startsWith("end: ")).join(" ")
  const message = lines.slice(first).join("\r\n").replaceAll(/(?<!\\)((?:\\\\)*)\\\r\n/g, "$1")
  return { kind, name, about, ending: end, ...readText(message) }
}

const shown = (byte: number): string => {
  const character = String.fromCharCode(byte)
  if (character === "\\") return "\\\\"
  return byte >= 0x20 && byte < 0x7f ? character : `\\x${byte.toString(16).padStart(2, "0")}`
}

const lineLength = 110

/** Writes an input as a file of the corpus. */
export const render = (about: string, input: Input): string => {
  const { bytes, cuts, ending } = input
  const isCut = new Set(cuts)
  let body = ""
  let column = 0
  for (let at = 0; at < bytes.length; at++) {
    const cut = isCut.has(at) ? "\\|" : ""
    const isLineEnd = bytes[at] === 0x0d && bytes[at + 1] === 0x0a && !isCut.has(at + 1)
    // A line that looks like a comment, or ends as one that goes on, is not one.
    const text = isLineEnd ? "\n" : shown(bytes[at] ?? 0)
    body += cut + (column === 0 && text === "#" && body === "" ? "\\x23" : text)
    column = isLineEnd ? 0 : column + cut.length + text.length
    if (isLineEnd) at++
    if (column < lineLength) continue
    body += "\\\n"
    column = 0
  }
  return `# ${about}\n${ending === "fin" ? "" : `# end: ${ending}\n`}${body}\n`
}

/** Reads the whole corpus, in the order of its names. */
export const load = async (folder: string): Promise<ReadonlyArray<Entry>> => {
  const entries: Array<Entry> = []
  for (const kind of kinds) {
    const names = (await readdir(join(folder, kind))).filter((name) => name.endsWith(".http")).toSorted()
    for (const name of names) {
      entries.push(parse(kind, name.slice(0, -5), await readFile(join(folder, kind, name), "utf8")))
    }
  }
  return entries
}
