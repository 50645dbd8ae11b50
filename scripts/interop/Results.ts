/** The results that the repository keeps, and what differs from them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Cell } from "./cells.ts"
import type { Row } from "./Lanes.ts"
import type { StartUp } from "./startUp.ts"

/** Where the results are. */
export const folder = join(import.meta.dirname, "../../docs/interop")

const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && "fault" in value && "applied" in value && "seconds" in value

const linesOf = (file: string): ReadonlyArray<unknown> => {
  const path = join(folder, file)
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").filter((line) => line !== "") : []
  return lines.map((line): unknown => JSON.parse(line))
}

/** The recorded rows by the names of their faults. */
export const read = (file: string): ReadonlyMap<string, Row> => {
  return new Map(linesOf(file).filter(isRow).map((row) => [row.fault, row]))
}

const isStartUp = (value: unknown): value is StartUp =>
  typeof value === "object" && value !== null && "peer" in value && "homeserver" in value && "requests" in value

/** The recorded start-ups. */
export const readStartUps = (file: string): ReadonlyArray<StartUp> => linesOf(file).filter(isStartUp)

export const write = (file: string, rows: Iterable<object>): void => {
  writeFileSync(join(folder, file), [...rows].map((row) => `${JSON.stringify(row)}\n`).join(""))
}

const shown = ({ appservice_status, errcode, error, status }: Row): string =>
  [status ?? "no answer", errcode, appservice_status, error].filter((part) => part !== undefined && part !== null)
    .join(" ")

/** What a homeserver says now and did not say when it was recorded; `undefined` where nothing differs. */
export const difference = (now: Row, then: Row, { varies }: Pick<Cell, "varies">): string | undefined => {
  const isPlayed = now.applied > 0 || then.applied === 0
  if (isPlayed && shown(now) === shown(then)) return undefined
  const failed = new Set([502, 504])
  if (isPlayed && varies !== undefined && failed.has(now.status ?? 0) && failed.has(then.status ?? 0)) {
    return undefined
  }
  const played = isPlayed ? "" : ` (played ${now.applied} times, then ${then.applied})`
  return `${shown(now)}, and was ${shown(then)}${played}`
}
