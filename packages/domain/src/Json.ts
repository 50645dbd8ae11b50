/**
 * Reading JSON that someone else wrote: total, and without a word of it in an error.
 *
 * @since 0.1.0
 */

/**
 * Parses JSON text; `undefined` is no JSON value, so it means that the text is not JSON.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * Parses JSON in UTF-8; `undefined` means that the bytes are not UTF-8, or the text not JSON.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseBytes = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    return undefined
  }
}
