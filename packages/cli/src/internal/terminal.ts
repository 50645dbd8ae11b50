/** The abilities of the terminal, and how to write to it. */
import { Effect } from "effect"
import { stripVTControlCharacters } from "node:util"

/** The abilities of the output. */
export interface Look {
  /** Whether lines can be written again in place. */
  readonly live: boolean
  readonly colour: boolean
  readonly unicode: boolean
}

/** The environment that decides it. */
export interface Surroundings {
  readonly isTTY: boolean
  readonly env: { readonly [name: string]: string | undefined }
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ""

/** A file or a pipe gets plain lines; a dumb terminal too. `NO_COLOR` takes the colours alone (https://no-color.org). */
export const lookOf = ({ env, isTTY }: Surroundings): Look => {
  const live = isTTY && env["TERM"] !== "dumb"
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(isSet) ?? ""
  return { live, colour: live && !isSet(env["NO_COLOR"]), unicode: live && /utf-?8/i.test(locale) }
}

/** The look of this process's stdout. */
export const lookOfStdout = (): Look => lookOf({ isTTY: process.stdout.isTTY, env: process.env })

const colours = { red: 31, green: 32, yellow: 33, grey: 90, bold: 1 } as const

/** The name of a colour. */
export type Colour = keyof typeof colours

/** Colours a text where that can be shown. */
export const paint = (text: string, colour: Colour, look: Look): string =>
  look.colour ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text

/** How many columns a text takes; wide letters count double. */
export const widthOf = (text: string): number => {
  let width = 0
  for (const character of stripVTControlCharacters(text)) {
    width += /[\p{Mn}\p{Me}\p{Cf}]/u.test(character) ? 0 : wide.test(character) ? 2 : 1
  }
  return width
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

/** Cuts a text without colours to a number of columns. */
export const fit = (text: string, columns: number, look: Look): string => {
  if (widthOf(text) <= columns) return text
  const mark = look.unicode ? "…" : "~"
  let cut = ""
  let width = widthOf(mark)
  for (const character of text) {
    width += widthOf(character)
    if (width > columns) break
    cut += character
  }
  return columns < 1 ? "" : `${cut}${mark}`
}

/** Writes to stdout as it is. */
export const write = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(text))
