/**
 * The tour in text: a line for each stop as it is made, and a table at the end.
 *
 * @since 0.1.0
 */
import { Duration, Result } from "effect"
import type { ExpectedAnswer } from "../oracle/Expectation.ts"
import { isGood, type Observation, type Stop } from "./Tour.ts"

/**
 * How text is shown.
 *
 * @category options
 * @since 0.1.0
 */
export interface RenderOptions {
  /** Whether a verdict has a colour. */
  readonly isColoured: boolean
}

const colours = { green: 32, red: 31, dim: 2 } as const

const paint = (text: string, colour: keyof typeof colours, options: RenderOptions): string =>
  options.isColoured ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text

const expectedText = (expected: ExpectedAnswer): string => {
  switch (expected._tag) {
    case "Success":
      return "success"
    case "M_BAD_STATUS":
      return `M_BAD_STATUS ${expected.appservice?.status ?? ""}`.trimEnd()
    default:
      return expected._tag
  }
}

const answerText = ({ got }: Observation): string => {
  if (Result.isSuccess(got)) return "success"
  const { failure } = got
  if (failure._tag === "M_BAD_STATUS") return `M_BAD_STATUS ${failure.status}`
  return failure._tag === "OtherErrcode" ? failure.errcode : failure._tag
}

const millisText = (duration: Duration.Duration): string => `${Math.round(Duration.toMillis(duration))} ms`

const verdictText = (stop: Stop, options: RenderOptions): string =>
  stop.problems.length === 0 ? paint("ok", "green", options) : paint(stop.problems.join(", "), "red", options)

/**
 * Renders one stop as a line of progress.
 *
 * @category rendering
 * @since 0.1.0
 */
export const line = (stop: Stop, number: number, count: number, options: RenderOptions): string => {
  const width = String(count).length
  const position = paint(`[${String(number).padStart(width)}/${count}]`, "dim", options)
  return `${position} ${stop.name}: ${answerText(stop.observation)} after ${millisText(stop.observation.duration)}, ${
    verdictText(stop, options)
  }`
}

const titles = ["fault", "expected answer", "answer", "duration"] as const

/**
 * Renders all stops as a table, and the outcome in one line.
 *
 * @category rendering
 * @since 0.1.0
 */
export const table = (stops: ReadonlyArray<Stop>, options: RenderOptions): string => {
  const rows = stops.map((stop) => [
    stop.name,
    expectedText(stop.observation.expected),
    answerText(stop.observation),
    millisText(stop.observation.duration)
  ])
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const format = (cells: ReadonlyArray<string>, verdict: string): string =>
    [
      ...cells.map((cell, column) =>
        column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
      ),
      verdict
    ]
      .join("  ")
  const wrong = stops.filter((stop) => stop.problems.length > 0).length
  const outcome = isGood(stops)
    ? paint(`All ${stops.length} answers are as they have to be.`, "green", options)
    : paint(
      stops.length === 0 ? "There was nothing to judge." : `${wrong} of ${stops.length} are wrong.`,
      "red",
      options
    )
  return [
    paint(format(titles, "verdict"), "dim", options),
    ...stops.map((stop, index) => format(rows[index] ?? [], verdictText(stop, options))),
    "",
    outcome
  ].join("\n")
}
