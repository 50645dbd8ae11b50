/** Shows texts that someone else wrote: one line, of bounded length, and nothing that steers a terminal. */

const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu

const escape = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

const cut = (text: string, lengthMax: number): string =>
  text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}… (${text.length} characters)`

/** Shows a text in a sentence. */
export const plain = (text: string, lengthMax: number = 500): string =>
  cut(text.replaceAll(/\s+/g, " ").trim(), lengthMax).replaceAll(invisible, escape)

/** Shows an id in quotes, so that an empty one and spaces at its ends are seen. */
export const quoted = (id: string, lengthMax: number = 128): string => {
  const shown = id.slice(0, lengthMax).replaceAll(/["\\]/g, "\\$&").replaceAll(invisible, escape)
  return `"${shown}"${id.length > lengthMax ? `… (${id.length} characters)` : ""}`
}
