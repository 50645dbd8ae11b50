/**
 * The table of a watch, drawn to fit a terminal: a pure function of what is known and of the terminal's size.
 *
 * @since 0.1.0
 */
import * as Health from "@appservice-ping/client/Health"
import type { Load, Status } from "@appservice-ping/client/WatchStatus"
import { plain } from "@appservice-ping/domain/PlainText"
import { type Colour, fit, type Look, paint, widthOf } from "../internal/terminal.ts"
import { healths } from "./WatchLine.ts"
import * as WatchTime from "./WatchTime.ts"

/**
 * The terminal that the table is drawn for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Screen {
  readonly columns: number
  readonly rows: number
  readonly look: Look
}

/**
 * The data of the table.
 *
 * @category models
 * @since 0.1.0
 */
export interface Content {
  readonly title: string
  readonly statuses: ReadonlyArray<Status>
  readonly load: Pick<Load, "backlog" | "byHealth" | "watched">
  /** Milliseconds since 1970. */
  readonly now: number
}

const colours: { readonly [H in Health.Health["_tag"]]: Colour } = {
  Unknown: "grey",
  Healthy: "green",
  Failing: "red",
  Recovered: "yellow"
}

const titles = ["APPSERVICE", "HEALTH", "SINCE", "LAST OK", "TOOK", "WHAT IS WRONG"] as const

const nothing = "-"

/** Less than a second is no length: it would make the table flicker. */
const ago = (at: number | undefined, now: number): string =>
  at === undefined ? nothing : now - at < 1000 ? "now" : WatchTime.words(now - at)

const cells = ({ health, key }: Status, now: number): ReadonlyArray<string> => [
  plain(key, 64),
  healths[health._tag],
  health._tag === "Unknown" ? nothing : ago(health.since, now),
  ago(Health.lastSuccess(health), now),
  Health.isUp(health) ? `${health.durationMs}ms` : nothing,
  health._tag === "Failing" ? plain(`${health.diagnosis.cause} ${health.diagnosis.advice}`) : ""
]

const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)))

/** How urgent a row is where not all have room. */
const urgency: { readonly [H in Health.Health["_tag"]]: number } = { Failing: 0, Recovered: 1, Unknown: 2, Healthy: 3 }

/** Lines beside the rows: the title, the head, the rows left out, and the one with the cursor. */
const otherLines = 4

const visible = (statuses: ReadonlyArray<Status>, rows: number): ReadonlyArray<Status> => {
  const room = Math.max(1, rows - otherLines)
  return statuses.length <= room
    ? statuses
    : statuses.toSorted((a, b) => urgency[a.health._tag] - urgency[b.health._tag]).slice(0, room)
}

const summary = ({ backlog, byHealth, watched }: Content["load"]): string => {
  const late = backlog === 0 ? "" : `, ${backlog} ${backlog === 1 ? "ping" : "pings"} late`
  return `${watched} watched, ${byHealth.Failing} failing, ${byHealth.Unknown} unknown${late}`
}

/**
 * Draws the table: its lines are never wider or more than the terminal has room for.
 *
 * @category rendering
 * @since 0.1.0
 */
export const draw = (
  { load, now, statuses, title }: Content,
  { columns, look, rows }: Screen
): ReadonlyArray<string> => {
  const shown = visible(statuses, rows)
  const table = shown.map((status) => cells(status, now))
  const last = titles.length - 1
  const widths = titles.map((title, column) =>
    column === last ? 0 : Math.max(widthOf(title), ...table.map((row) => widthOf(row[column] ?? "")))
  )
  const lineOf = (row: ReadonlyArray<string>) =>
    row.map((cell, column) => column === last ? cell : pad(cell, widths[column] ?? 0)).join("  ")
  // One column stays free: a letter in the last one makes some terminals go to the next line.
  const fitted = (text: string) => fit(text.trimEnd(), Math.max(0, columns - 1), look)
  const left = statuses.length - shown.length
  return [
    paint(fitted(`${title}: ${summary(load)}`), "bold", look),
    paint(fitted(lineOf(titles)), "grey", look),
    ...table.map((row, index) => {
      const line = fitted(lineOf(row))
      const tag = shown[index]?.health._tag
      return tag === undefined ? line : paint(line, colours[tag], look)
    }),
    ...left === 0 ? [] : [fitted(`and ${left} more`)]
  ]
}
