/** The table of what the doctor concluded of each fault with a real homeserver, which the repository keeps. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { cells } from "./cells.ts"
import type { Said } from "./doctor.ts"
import { folder } from "./Results.ts"

const head = (name: string): ReadonlyArray<string> => [
  "<!-- Recorded by `npm run interop -- --all --record`; do not edit. -->",
  "",
  `# The doctor over every fault, with ${name}`,
  "",
  "What is true of each fault is in `scripts/generate/doctorTable/truth.ts`. `right` means that no cause is stated as a fact",
  "that is false, and that the person and the exit code fit.",
  "",
  "| fault | exit | cause | sure | who must act | verdict |",
  "| --- | --- | --- | --- | --- | --- |"
]

const escaped = (text: unknown): string => String(text).replaceAll("|", String.raw`\|`)

const lineOf = ({ actor, cause, certainty, code, fault, verdict }: Said): string =>
  `| ${[fault, code, cause, certainty, actor, verdict || "right"].map(escaped).join(" | ")} |`

const faultOf = (line: string): string => line.slice(2).split(/ (?<!\\)\| /)[0] ?? ""

const pathOf = (name: string): string => join(folder, `doctor-${name.toLowerCase().replaceAll(/[^a-z\d.]+/g, "-")}.md`)

/** Writes what was said into the table; what a run did not ask for stays as it is there. */
export const write = (name: string, said: ReadonlyArray<Said>): void => {
  const path = pathOf(name)
  const before = existsSync(path) ? readFileSync(path, "utf8").split("\n").filter((line) => line.startsWith("| ")) : []
  const lines = new Map([
    ...before.map((line) => [faultOf(line), line] as const),
    ...said.map((one) => [escaped(one.fault), lineOf(one)] as const)
  ])
  const rows = cells.map(({ title }) => lines.get(escaped(title)) ?? "").filter((line) => line !== "")
  const all: ReadonlyArray<string> = [...head(name), ...rows]
  writeFileSync(path, all.map((line) => `${line}\n`).join(""))
}
