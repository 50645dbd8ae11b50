/** How peers, proxies and logs encode a text, and a reader that undoes all of it without the code under test. */

const json = (text: string): string => JSON.stringify(text).slice(1, -1)

const entities: { readonly [char: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\"": "&quot;",
  "'": "&#39;",
  "=": "&equals;",
  ":": "&colon;",
  "_": "&lowbar;"
}

const hexOf = (char: string): string => char.charCodeAt(0).toString(16)

const bytesOf = (text: string): ReadonlyArray<string> =>
  [...Buffer.from(text)].map((byte) => byte.toString(16).padStart(2, "0"))

/** Encoders, by name. */
export const encodings: { readonly [name: string]: (text: string) => string } = {
  "as it is": (text) => text,
  "percent-encoding": (text) => encodeURIComponent(text),
  "percent-encoding in lower case": (text) =>
    encodeURIComponent(text).replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()),
  "percent-encoding of every byte": (text) => bytesOf(text).map((hex) => `%${hex}`).join(""),
  "form encoding": (text) => new URLSearchParams({ t: text }).toString().slice(2),
  "HTML, named": (text) => text.replaceAll(/[&<>"'=:_]/g, (char) => entities[char] ?? char),
  "HTML, decimal": (text) => text.replaceAll(/[&<>"'=:_/?]/g, (char) => `&#${char.charCodeAt(0)};`),
  "HTML, hexadecimal": (text) => text.replaceAll(/[&<>"'=:_/?]/g, (char) => `&#x${hexOf(char).toUpperCase()};`),
  "JSON": json,
  "JSON of PHP": (text) => json(text).replaceAll("/", "\\/"),
  "JSON of Go": (text) => json(text).replaceAll(/[&<>=]/g, (char) => `\\u00${hexOf(char)}`),
  "JSON of Python": (text) => json(text).replaceAll(/[^\x20-\x7e]/g, (char) => `\\u${hexOf(char).padStart(4, "0")}`),
  "escapes of Python": (text) =>
    text.replaceAll(/[^\x20-\x7e]|[\\'&=]/g, (char) => bytesOf(char).map((hex) => `\\x${hex}`).join("")),
  "escapes of Rust": (text) => json(text).replaceAll(/[^\x20-\x7e]/g, (char) => `\\u{${hexOf(char)}}`),
  "escapes of JavaScript": (text) => text.replaceAll(/[^\w ]/g, (char) => `%u${hexOf(char).padStart(4, "0")}`),
  "base64": (text) => Buffer.from(text).toString("base64"),
  "base64 behind one byte": (text) => Buffer.from(`:${text}`).toString("base64"),
  "base64 behind two bytes": (text) => Buffer.from(`a:${text}`).toString("base64"),
  "base64 for URLs": (text) => Buffer.from(text).toString("base64url"),
  "hexadecimal": (text) => Buffer.from(text).toString("hex")
}

const named: { readonly [name: string]: string } = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: "\"",
  equals: "=",
  colon: ":",
  lowbar: "_"
}

const octets = (hex: string): string => Buffer.from(hex, "hex").toString("utf8")

const undo: ReadonlyArray<(text: string) => string> = [
  (text) => text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => octets(run.replaceAll("%", ""))),
  (text) => text.replaceAll("+", " "),
  (text) =>
    text.replaceAll(
      /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi,
      (whole, hex?: string, decimal?: string, name?: string) =>
        hex !== undefined
          ? String.fromCharCode(Number.parseInt(hex, 16))
          : decimal !== undefined
          ? String.fromCharCode(Number(decimal))
          : named[name ?? ""] ?? whole
    ),
  (text) => text.replaceAll(/(?:\\x[0-9a-f]{2})+/gi, (run) => octets(run.replaceAll("\\x", ""))),
  (text) =>
    text.replaceAll(
      /\\u([0-9a-f]{4})|\\u\{([0-9a-f]+)\}|\\([\\/"nt])/gi,
      (_, four?: string, braces?: string, char?: string) =>
        char ?? String.fromCharCode(Number.parseInt(four ?? braces ?? "0", 16))
    ),
  (text) => text.replaceAll(/%u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  (text) =>
    text.replaceAll(
      /[A-Za-z0-9+/_-]{8,}={0,2}/g,
      (run) => [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), "base64").toString("utf8")).join(" ")
    ),
  (text) => text.replaceAll(/(?:[0-9a-f]{2}){4,}/gi, octets)
]

const further = (texts: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(texts.flatMap((text) => [text, ...undo.map((decode) => decode(text))]))
]

/** All that can be read out of a text by undoing two encodings, itself included. */
export const reads = (text: string): ReadonlyArray<string> => further(further([text]))
