/** The score of each file, kept from run to run, and the page that is made of it. */
import type { Equivalent, Mutant } from "./survivors.ts"

/** How many mutations of a file were made, and how many were noticed. */
export interface Score {
  readonly mutants: number
  /** A test failed, or never ended. */
  readonly killed: number
  readonly survived: number
  /** The day of the run. */
  readonly date: string
}

export type Scores = { readonly [file: string]: Score }

const isKilled = ({ status }: Mutant): boolean => status === "Killed" || status === "Timeout"

/** A mutation that no test runs is one that survived. */
export const isSurvivor = ({ status }: Mutant): boolean => status === "Survived" || status === "NoCoverage"

export const scoresOf = (mutants: ReadonlyArray<Mutant>, date: string): Scores => {
  const byFile = Map.groupBy(mutants, ({ fileName }) => fileName)
  return Object.fromEntries(
    [...byFile].map(([file, all]) => {
      const killed = all.filter(isKilled).length
      const survived = all.filter(isSurvivor).length
      return [file, { mutants: killed + survived, killed, survived, date }]
    })
  )
}

const percent = (part: number, whole: number): string => whole === 0 ? "–" : `${(part / whole * 100).toFixed(1)} %`

const row = (cells: ReadonlyArray<string | number>): string => `| ${cells.join(" | ")} |`

/** The page that shows the scores and every mutation that is known to change nothing. */
export const render = (scores: Scores, equivalents: ReadonlyArray<Equivalent>): string => {
  const files = Object.keys(scores).toSorted()
  const sum = (pick: (score: Score) => number): number =>
    files.reduce((total, file) => total + (scores[file] === undefined ? 0 : pick(scores[file])), 0)
  const mutants = sum((score) => score.mutants)
  const killed = sum((score) => score.killed)
  return [
    "# Mutation testing",
    "",
    "`npm run mutate -- domain`, `server` or `plan` changes the code in one place after the other with",
    "[Stryker](https://stryker-mutator.io), and asks the tests next to it to notice: `npm run mutate -- domain",
    "packages/domain/src/RetryAfter.ts` does so for one file. It fails on a survivor that",
    "`scripts/mutation/equivalents.json` does not explain. It runs by hand, because a file takes minutes.",
    "",
    `Of ${mutants} mutations in ${files.length} files the tests noticed ${killed}, ${percent(killed, mutants)}.`,
    "",
    row(["file", "mutations", "noticed", "survived", "score", "run"]),
    row(["---", "--:", "--:", "--:", "--:", "---"]),
    ...files.flatMap((file) => {
      const score = scores[file]
      return score === undefined ? [] : [
        row([
          file,
          score.mutants,
          score.killed,
          score.survived,
          percent(score.killed, score.mutants),
          score.date
        ])
      ]
    }),
    "",
    "## Survivors that change nothing",
    "",
    ...equivalents.flatMap(({ code, file, mutated, reason }) => [
      `- ${file}: \`${code.replaceAll("`", "'")}\` as \`${mutated.replaceAll("`", "'")}\`: ${reason}`
    ]),
    ""
  ].join("\n")
}
