/**
 * Texts of others as a person may see them: one line, of bounded length, and nothing that steers a terminal.
 *
 * @since 0.1.0
 */

const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu

const escape = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

const cut = (text: string, maxLength: number): string =>
  text.length <= maxLength ? text : `${text.slice(0, maxLength)}… (${text.length} characters)`

/**
 * A text as part of a sentence; `maxLength` counts characters.
 *
 * @category rendering
 * @since 0.1.0
 */
export const plain = (text: string, maxLength: number = 500): string =>
  cut(text.replaceAll(/\s+/g, " ").trim(), maxLength).replaceAll(invisible, escape)

/**
 * An id in quotes, so that an empty one and spaces at its ends are seen; `maxLength` counts characters.
 *
 * @category rendering
 * @since 0.1.0
 */
export const quoted = (id: string, maxLength: number = 128): string => {
  const shown = id.slice(0, maxLength).replaceAll(/["\\]/g, "\\$&").replaceAll(invisible, escape)
  return `"${shown}"${id.length > maxLength ? `… (${id.length} characters)` : ""}`
}
