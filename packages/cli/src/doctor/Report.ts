/**
 * How the doctor's report looks, in lines for a person and as JSON for a machine.
 *
 * @since 0.1.0
 */
import { type Colour, type Look, paint } from "../internal/terminal.ts"
import type { Status, Step } from "./Step.ts"
import type { Conclusion, Verdict } from "./Verdict.ts"

/**
 * What all steps said, and what follows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report extends Conclusion {
  readonly steps: ReadonlyArray<Step>
}

const marks: { readonly [S in Status]: readonly [unicode: string, ascii: string, colour: Colour] } = {
  ok: ["✔", "ok  ", "green"],
  bad: ["✖", "FAIL", "red"],
  warning: ["!", "warn", "yellow"],
  skipped: ["–", "skip", "grey"]
}

const titleWidth = 26

/**
 * One step in a line.
 *
 * @category rendering
 * @since 0.1.0
 */
export const stepLine = ({ detail, status, title }: Pick<Step, "detail" | "status" | "title">, look: Look): string => {
  const [unicode, ascii, colour] = marks[status]
  return `${paint(look.unicode ? unicode : ascii, colour, look)} ${title.padEnd(titleWidth)} ${detail}`
}

/**
 * A step that is still being taken.
 *
 * @category rendering
 * @since 0.1.0
 */
export const runningLine = (title: string, look: Look): string => `${look.unicode ? "…" : "... "} ${title}`

const lines = ({ actor, advice, cause, temporary }: Verdict): ReadonlyArray<string> => [
  `  What is wrong:  ${cause}`,
  `  What to do:     ${advice}`,
  `  Who must act:   ${actor}`,
  `  Trying again:   ${temporary ? "can help" : "does not help until that is done"}`
]

/**
 * The end of the report.
 *
 * @category rendering
 * @since 0.1.0
 */
export const verdictLines = ({ ok, verdict }: Conclusion, look: Look): ReadonlyArray<string> =>
  ok
    ? [paint(verdict.cause, "green", look), verdict.advice]
    : [paint("The ping does not work.", "red", look), ...lines(verdict)]

/**
 * The whole report as one JSON object.
 *
 * @category rendering
 * @since 0.1.0
 */
export const json = ({ ok, steps, verdict }: Report): string => JSON.stringify({ ok, steps, verdict })
