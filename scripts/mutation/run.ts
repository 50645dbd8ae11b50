/**
 * Mutation testing: changes the code in one place after the other, and fails if no test notices and nothing explains it.
 *
 * Usage: node scripts/mutation/run.ts SLICE [--record] [FILE...], where the files replace those of the slice. With
 * `--record` the scores go to `scripts/mutation/scores.json` and `docs/MUTATION.md`.
 */
import { Stryker } from "@stryker-mutator/core"
import { readFile, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { parseArgs } from "node:util"
import { isSurvivor, render, type Scores, scoresOf } from "./score.ts"
import { isSliceName, type SliceName, slices } from "./slices.ts"
import { type Change, changeOf, compare, type Equivalent, type Mutant } from "./survivors.ts"

const root = join(import.meta.dirname, "../..")
const equivalentsFile = join(import.meta.dirname, "equivalents.json")
const scoresFile = join(import.meta.dirname, "scores.json")
const page = join(root, "docs/MUTATION.md")

const optionsOf = (slice: SliceName, files: ReadonlyArray<string>): ConstructorParameters<typeof Stryker>[0] => ({
  mutate: [...files.length === 0 ? slices[slice].mutate : files],
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  // Forks, because a thread cannot change its time zone, as a test does.
  vitest: { configFile: "vitest.mutation.ts", related: true, pool: "forks" },
  coverageAnalysis: "perTest",
  concurrency: 1,
  // Stryker rewrites a tsconfig with the compiler's JavaScript API, which TypeScript 7 has not; nothing here needs it.
  tsconfigFile: "none",
  ignorePatterns: ["**/dist", "capsules"],
  incremental: true,
  incrementalFile: `.stryker-tmp/${slice}.json`,
  tempDirName: ".stryker-tmp/sandboxes",
  reporters: ["progress-append-only"],
  allowEmpty: false,
  timeoutMS: 5000
})

const readJson = async <A>(file: string): Promise<A> => JSON.parse(await readFile(file, "utf8"))

const show = ({ code, file, mutated, mutator }: Change): string =>
  JSON.stringify({ file, mutator, code, mutated, reason: "" }, undefined, 2)

const record = async (mutants: ReadonlyArray<Mutant>, equivalents: ReadonlyArray<Equivalent>): Promise<void> => {
  const date = new Date().toISOString().slice(0, 10)
  const scores: Scores = { ...await readJson<Scores>(scoresFile), ...scoresOf(mutants, date) }
  const sorted = Object.fromEntries(Object.entries(scores).toSorted(([a], [b]) => a < b ? -1 : 1))
  await writeFile(scoresFile, `${JSON.stringify(sorted, undefined, 2)}\n`)
  await writeFile(page, render(sorted, equivalents))
}

const main = async (): Promise<number> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { record: { type: "boolean", default: false } }
  })
  const [slice = "", ...files] = positionals
  if (!isSliceName(slice)) {
    console.error(`Usage: npm run mutate -- SLICE [--record] [FILE...]; a SLICE is ${Object.keys(slices).join(", ")}`)
    return 2
  }
  process.env["MUTATION_SLICE"] = slice
  process.chdir(root)
  const results = await new Stryker(optionsOf(slice, files)).runMutationTest()
  const mutants = results.map((mutant): Mutant => ({ ...mutant, fileName: relative(root, mutant.fileName) }))
  const equivalents = await readJson<ReadonlyArray<Equivalent>>(equivalentsFile)
  const mutated = new Set(mutants.map(({ fileName }) => fileName))
  const sources = new Map<string, string>()
  for (const file of mutated) sources.set(file, await readFile(join(root, file), "utf8"))
  const survivors = mutants.filter(isSurvivor).map((mutant) =>
    changeOf(mutant.fileName, sources.get(mutant.fileName) ?? "", mutant)
  )
  const { stale, unknown } = compare(survivors, equivalents, mutated)
  for (const change of unknown) console.log(`survived: ${show(change)}`)
  for (const equivalent of stale) console.log(`is listed, and did not survive: ${show(equivalent)}`)
  for (const [file, { killed, mutants: all }] of Object.entries(scoresOf(mutants, ""))) {
    console.log(`${file}: ${killed} of ${all} noticed`)
  }
  console.log(
    `${mutants.length} mutations, ${survivors.length} survived, ${unknown.length} unexplained, ${stale.length} stale`
  )
  if (values.record) await record(mutants, equivalents)
  return unknown.length + stale.length === 0 ? 0 : 1
}

process.exitCode = await main()
