/**
 * The doctor's report, in lines for a person and as JSON for a machine.
 *
 * @since 0.1.0
 */
import type { Weight } from "@appservice-ping/domain/Diagnosis"
import { type Check, titles } from "./Check.ts"
import type { Conclusion, Ground } from "./Conclusion.ts"

/**
 * The reports of all checks, and the conclusion.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report extends Conclusion {
  readonly checks: ReadonlyArray<Check>
}

const titleWidth = 26

const words = { ok: "ok  ", failed: "FAIL", warning: "warn", skipped: "skip" } as const

/**
 * One check in a line, behind a mark of its status.
 *
 * @category rendering
 * @since 0.1.0
 */
export const checkLine = (
  { detail, status, title }: Pick<Check, "detail" | "status" | "title">,
  mark: string = words[status]
): string => `${mark} ${title.padEnd(titleWidth)} ${detail}`

const weights: { readonly [W in Weight]: string } = {
  seen: "seen from here",
  code: "said by the homeserver with a code",
  status: "said by the homeserver with a status",
  text: "guessed from the homeserver's text"
}

const groundsLine = (restsOn: ReadonlyArray<Ground>): string =>
  restsOn.map(({ check, weight }) => `${titles[check]} (${weights[weight]})`).join("; ")

/**
 * The conclusion: a headline, and what follows it.
 *
 * @category rendering
 * @since 0.1.0
 */
export const conclusionLines = (
  { diagnosis: { actor, advice, cause, temporary }, ok, restsOn }: Conclusion
): readonly [headline: string, ...rest: ReadonlyArray<string>] =>
  ok ? [cause, advice, `Rests on: ${groundsLine(restsOn)}.`] : [
    "The ping does not work.",
    `  What is wrong:  ${cause}`,
    `  What to do:     ${advice}`,
    `  Who must act:   ${actor}`,
    `  Trying again:   ${temporary ? "can help" : "does not help until that is done"}`,
    `  Rests on:       ${groundsLine(restsOn)}`
  ]

/**
 * The whole report in lines of plain text.
 *
 * @category rendering
 * @since 0.1.0
 */
export const lines = (report: Report): ReadonlyArray<string> => [
  ...report.checks.map((check) => checkLine(check)),
  "",
  ...conclusionLines(report)
]

/**
 * The whole report as one JSON object.
 *
 * @category rendering
 * @since 0.1.0
 */
export const json = ({ checks, diagnosis, ok, restsOn, rule }: Report): string => {
  const { actor, advice, cause, certainty, temporary } = diagnosis
  return JSON.stringify({
    ok,
    checks,
    conclusion: { cause, advice, actor, temporary, certainty, rule, rests_on: restsOn }
  })
}
