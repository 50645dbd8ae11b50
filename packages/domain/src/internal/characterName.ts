/** Characters that nobody sees, which come into files by copy and paste, and their names. */

const names: ReadonlyMap<number, string> = new Map([
  [0x09, "tab"],
  [0x0a, "line feed"],
  [0x0d, "carriage return"],
  [0x20, "space"],
  [0x85, "next line"],
  [0xa0, "no-break space"],
  [0xad, "soft hyphen"],
  [0x034f, "combining grapheme joiner"],
  [0x061c, "Arabic letter mark"],
  [0x1680, "Ogham space mark"],
  [0x180e, "Mongolian vowel separator"],
  [0x2000, "en quad"],
  [0x2001, "em quad"],
  [0x2002, "en space"],
  [0x2003, "em space"],
  [0x2004, "three-per-em space"],
  [0x2005, "four-per-em space"],
  [0x2006, "six-per-em space"],
  [0x2007, "figure space"],
  [0x2008, "punctuation space"],
  [0x2009, "thin space"],
  [0x200a, "hair space"],
  [0x200b, "zero width space"],
  [0x200c, "zero width non-joiner"],
  [0x200d, "zero width joiner"],
  [0x200e, "left-to-right mark"],
  [0x200f, "right-to-left mark"],
  [0x2028, "line separator"],
  [0x2029, "paragraph separator"],
  [0x202a, "left-to-right embedding"],
  [0x202b, "right-to-left embedding"],
  [0x202c, "pop directional formatting"],
  [0x202d, "left-to-right override"],
  [0x202e, "right-to-left override"],
  [0x202f, "narrow no-break space"],
  [0x205f, "medium mathematical space"],
  [0x2060, "word joiner"],
  [0x2066, "left-to-right isolate"],
  [0x2067, "right-to-left isolate"],
  [0x2068, "first strong isolate"],
  [0x2069, "pop directional isolate"],
  [0x3000, "ideographic space"],
  [0x3164, "Hangul filler"],
  [0xfeff, "zero width no-break space"],
  [0xfffd, "replacement character"]
])

const isControl = (code: number): boolean => code < 0x20 || (code >= 0x7f && code < 0xa0)

const nameOf = (code: number): string | undefined => {
  const name = names.get(code) ?? (isControl(code) ? "control character" : undefined)
  return name === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, "0")} ${name}`
}

/** The name of the first character of a text that nobody sees, such as `U+00A0 no-break space`. */
export const unseen = (text: string): string | undefined => {
  for (const character of text) {
    const name = nameOf(character.codePointAt(0) ?? 0)
    if (name !== undefined) return name
  }
  return undefined
}

/** The name of such a character at the start or the end of a text, where it belongs to no word. */
export const unseenAtEdge = (text: string): string | undefined => {
  const first = nameOf(text.codePointAt(0) ?? 0x41)
  if (first !== undefined) return `${first} at its start`
  const last = nameOf(text.codePointAt(text.length - 1) ?? 0x41)
  return last === undefined ? undefined : `${last} at its end`
}

/** Whether a text has such a character besides the space of the keyboard. */
export const unseenBesideSpace = (text: string): string | undefined => unseen(text.replaceAll(" ", ""))
