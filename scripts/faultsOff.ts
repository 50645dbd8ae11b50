/**
 * Proves that every fault matters: each one, on each leg, is switched off, and at least one test has to turn red.
 *
 * There are two ways to switch one off. `pass`: its verdict is to pass, whoever asks for it. `harmless`: it is decided and
 * counted as ever, and then played as if all were well, so that only what is done on a connection can turn a test red,
 * and neither a count nor a verdict.
 *
 * Each stage begins with a healthy run. It has to be green, and it tells which tests ask for which fault; only those are
 * run again, the fastest first, until one of them turns red. Tests in memory come before those on the wire, and a stage
 * that has nothing left to kill is not run. Prints what killed each fault, and exits with 1 if one survives or if a
 * healthy run is red.
 *
 * Usage: node scripts/faultsOff.ts [--only pass|harmless] [--verbose] [PATH...], where the paths replace the test files
 * of the stages.
 */
import { join, relative } from "node:path"
import { parseArgs } from "node:util"
import { createVitest, type TestCase, type TestModule, type TestRunResult, type Vitest } from "vitest/node"
import * as Catalogue from "../testbed/src/fault/Catalogue.ts"
import { legKeyOf } from "./faultsOff/faultKey.ts"

const root = join(import.meta.dirname, "..")

const ways = ["pass", "harmless"] as const
type Way = (typeof ways)[number]

const stages: ReadonlyArray<ReadonlyArray<string>> = [
  ["testbed/test/carrier/memory/"],
  ["testbed/test/carrier/wire/"],
  ["testbed/test/oracle/", "testbed/test/scenario/", "testbed/test/proofs/"]
]

/** A slower test is not asked: it would be run once for every fault that is left. */
const slowestMillis = 5000

interface Candidate {
  readonly moduleId: string
  readonly testId: string
  readonly name: string
  readonly millis: number
}

interface Death {
  readonly name: string
  readonly text: string
}

/** What is known of the faults so far. */
interface State {
  readonly way: Way
  readonly left: Set<string>
  readonly deaths: Map<string, Death>
}

const nameOf = (test: TestCase): string => `${relative(root, test.module.moduleId)} > ${test.fullName}`

const testsOf = (modules: ReadonlyArray<TestModule>): ReadonlyArray<TestCase> =>
  modules.flatMap((module) => [...module.children.allTests()])

/** What is red in a run, by name; nothing if all is green. */
const redIn = ({ testModules, unhandledErrors }: TestRunResult): ReadonlyArray<string> => [
  ...testModules.filter((module) => module.errors().length > 0).map(({ moduleId }) => relative(root, moduleId)),
  ...testsOf(testModules).filter((test) => test.result().state === "failed").map(nameOf),
  ...unhandledErrors.map(String)
]

const candidatesIn = (tests: ReadonlyArray<TestCase>): ReadonlyMap<string, ReadonlyArray<Candidate>> => {
  const byKey = new Map<string, Array<Candidate>>()
  for (const test of tests) {
    const millis = test.diagnostic()?.duration ?? 0
    if (millis > slowestMillis) continue
    const candidate = { moduleId: test.module.moduleId, testId: test.id, name: nameOf(test), millis }
    for (const key of test.meta().faultsAsked ?? []) byKey.set(key, [...byKey.get(key) ?? [], candidate])
  }
  return new Map([...byKey].map(([key, all]) => [key, all.toSorted((a, b) => a.millis - b.millis)]))
}

/** Runs each of these tests with the faults that are assigned to it switched off. */
const runRound = async (
  vitest: Vitest,
  assigned: ReadonlyMap<Candidate, ReadonlyArray<string>>,
  { deaths, left, way }: State
): Promise<void> => {
  const candidates = [...assigned.keys()]
  vitest.provide("faultAssignment", {
    isHarmless: way === "harmless",
    keys: Object.fromEntries([...assigned].map(([{ testId }, keys]) => [testId, keys]))
  })
  const project = vitest.getRootProject()
  const modules = new Set(candidates.map(({ moduleId }) => moduleId))
  const { testModules } = await vitest.runTestSpecifications(
    [...modules].map((moduleId) => project.createSpecification(moduleId))
  )
  for (const test of testsOf(testModules)) {
    for (const [key, text] of Object.entries(test.meta().faultOutcomes ?? {})) {
      if (text === null || !left.delete(key)) continue
      deaths.set(key, { name: nameOf(test), text })
    }
  }
}

/** Goes on until every fault is dead or has survived every test that asks for it. */
const kill = async (
  vitest: Vitest,
  candidates: ReadonlyMap<string, ReadonlyArray<Candidate>>,
  state: State
): Promise<void> => {
  // One run costs more than a few tests, so that those who survive one test get more of them at once.
  for (let from = 0, count = 1;; from += count, count *= 4) {
    const assigned = new Map<Candidate, Array<string>>()
    for (const key of state.left) {
      for (const candidate of candidates.get(key)?.slice(from, from + count) ?? []) {
        assigned.set(candidate, [...assigned.get(candidate) ?? [], key])
      }
    }
    if (assigned.size === 0) return
    await runRound(vitest, assigned, state)
  }
}

const runStage = async (paths: ReadonlyArray<string>, state: State): Promise<ReadonlyArray<string>> => {
  const vitest = await createVitest({
    config: join(root, "vitest.faultsOff.ts"),
    watch: false,
    reporters: [{}]
  })
  try {
    const specifications = await vitest.globTestSpecifications([...paths])
    vitest.provide("faultAssignment", { isHarmless: state.way === "harmless", keys: undefined })
    const healthy = await vitest.runTestSpecifications(specifications)
    const red = redIn(healthy)
    if (red.length > 0) return red
    const tests = testsOf(healthy.testModules)
    console.log(`${tests.length} healthy tests in ${healthy.testModules.length} files are green`)
    await kill(vitest, candidatesIn(tests), state)
    return []
  } finally {
    await vitest.close()
  }
}

/** Switches off every fault in one way, and tells whether all is as it should be. */
const prove = async (
  way: Way,
  keys: ReadonlySet<string>,
  paths: ReadonlyArray<string>,
  isVerbose: boolean
): Promise<boolean> => {
  console.log(`\n== ${way}`)
  const state: State = { way, left: new Set(keys), deaths: new Map() }
  const red: Array<string> = []
  for (const stage of paths.length === 0 ? stages : [paths]) {
    if (state.left.size > 0) red.push(...await runStage(stage, state))
  }
  for (const key of keys) {
    const death = state.deaths.get(key)
    console.log(death === undefined ? `${key}: SURVIVED` : `${key}: killed by ${death.name}`)
    if (isVerbose && death !== undefined) console.log(`  ${death.text}`)
  }
  console.log(`${keys.size} faults switched off (${way}), ${state.deaths.size} killed, ${state.left.size} survived`)
  for (const name of red) console.error(`red without any fault switched off: ${name}`)
  return state.left.size === 0 && red.length === 0
}

const main = async (): Promise<number> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { only: { type: "string" }, verbose: { type: "boolean", default: false } }
  })
  const { only, verbose } = values
  const chosen = ways.filter((way) => only === undefined || only === way)
  if (chosen.length === 0) {
    console.error(`Unknown way to switch a fault off: ${only}. There are ${ways.join(" and ")}.`)
    return 2
  }
  const keys = new Set(
    Catalogue.singles({ pingTimeout: "1 second" })
      .filter(({ fault }) => fault.type !== "pass")
      .map(({ fault, leg }) => legKeyOf(leg, fault))
  )
  let isProven = true
  for (const way of chosen) isProven = await prove(way, keys, positionals, verbose) && isProven
  return isProven ? 0 : 1
}

process.exitCode = await main()
