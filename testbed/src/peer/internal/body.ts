/** The bodies that peers read as text. */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The body as text; `undefined` where it is not UTF-8. */
export const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

const lossy = new TextDecoder("utf-8", { ignoreBOM: true })

/** The body as text, with U+FFFD for what is not UTF-8. */
export const lossyTextOf = (bytes: Uint8Array): string => lossy.decode(bytes)
