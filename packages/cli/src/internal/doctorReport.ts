/** The doctor's report on a terminal: marks and colours. */
import type { Check, Status } from "@appservice-ping/doctor/Check"
import type { Conclusion } from "@appservice-ping/doctor/Conclusion"
import * as Report from "@appservice-ping/doctor/Report"
import { type Colour, type Look, paint } from "./terminal.ts"

const marks: { readonly [S in Status]: readonly [unicode: string, ascii: string, colour: Colour] } = {
  ok: ["✔", "ok  ", "green"],
  failed: ["✖", "FAIL", "red"],
  warning: ["!", "warn", "yellow"],
  skipped: ["–", "skip", "grey"]
}

/** One check in a line. */
export const checkLine = (check: Pick<Check, "detail" | "status" | "title">, look: Look): string => {
  const [unicode, ascii, colour] = marks[check.status]
  return Report.checkLine(check, paint(look.unicode ? unicode : ascii, colour, look))
}

/** A check that is under way. */
export const runningLine = (title: string, look: Look): string => `${look.unicode ? "…" : "... "} ${title}`

/** The end of the report. */
export const conclusionLines = (conclusion: Conclusion, look: Look): ReadonlyArray<string> => {
  const [headline, ...rest] = Report.conclusionLines(conclusion)
  return [paint(headline, conclusion.ok ? "green" : "red", look), ...rest]
}
