/**
 * Runs every check in order, goes on after a failure so that one run shows all of them, and ends with one line
 * `N passed, N failed`: passed are tests, failed are tests and checks. With `CHECK_SUMMARY_FILE` set the line goes to
 * that file, so that a caller can print it after npm's own words about a failure.
 */
import { spawn } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, matchesGlob, relative } from "node:path"
import { projects } from "../vitest.workspace.ts"

const root = join(import.meta.dirname, "..")

// Lint follows build, because its import rules read `dist` and a stale one gives false errors.
const steps = [
  "build",
  "typecheck",
  "lint",
  "format:check",
  "diagnostics",
  "generate:check",
  "packages",
  "start",
  "test",
  "test:proofs"
] as const
type Step = (typeof steps)[number]

const testSteps: ReadonlyArray<Step> = ["test", "test:proofs"]

// One file for each Vitest run of the two; a missing one means that the run did not finish.
const reportNames = ["workspace.json", "types.json", "proofs.json"] as const

interface Outcome {
  readonly step: Step
  readonly ok: boolean
  readonly seconds: number
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly assertionResults: ReadonlyArray<{ readonly status: string }>
  }>
}

interface Tests {
  readonly passed: number
  readonly failed: number
  readonly complaints: ReadonlyArray<string>
}

const runStep = (step: Step, reportDir: string): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    console.log(`\n== ${step}`)
    const start = performance.now()
    const child = spawn("npm", ["run", "--silent", step], {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, VITEST_REPORT_DIR: reportDir }
    })
    child.on("error", reject)
    child.on("close", (code) => {
      resolve({ step, ok: code === 0, seconds: (performance.now() - start) / 1000 })
    })
  })

const readReport = async (file: string): Promise<Report | undefined> => {
  try {
    return JSON.parse(await readFile(file, "utf8"))
  } catch {
    return undefined
  }
}

// A file that fails to load has no failed test in it, and Vitest's own count of failed tests leaves it out.
const filesFailedWithoutTest = (report: Report): number =>
  report.testResults.filter((file) =>
    file.status === "failed" && !file.assertionResults.some((assertion) => assertion.status === "failed")
  ).length

const emptyProjects = (reports: ReadonlyArray<Report>): ReadonlyArray<string> => {
  const files = reports.flatMap((report) => report.testResults.map((file) => relative(root, file.name)))
  return Object.entries(projects)
    .filter(([, pattern]) => !files.some((file) => matchesGlob(file, pattern)))
    .map(([name]) => name)
}

const readTests = async (reportDir: string, stepOk: boolean): Promise<Tests> => {
  const read = await Promise.all(reportNames.map((name) => readReport(join(reportDir, name))))
  const reports = read.filter((report) => report !== undefined)
  const passed = reports.reduce((sum, report) => sum + report.numPassedTests, 0)
  const failed = reports.reduce((sum, report) => sum + report.numFailedTests + filesFailedWithoutTest(report), 0)
  const complaints = [
    ...reportNames.filter((_, index) => read[index] === undefined).map((name) => `no test report ${name}`),
    ...emptyProjects(reports).map((name) => `test project ${name} ran no file`)
  ]
  return { passed, failed: stepOk ? failed + complaints.length : Math.max(failed, 1), complaints }
}

const main = async (): Promise<number> => {
  const reportDir = await mkdtemp(join(tmpdir(), "appservice-ping-check-"))
  const outcomes: Array<Outcome> = []
  for (const step of steps) outcomes.push(await runStep(step, reportDir))
  const tests = await readTests(
    reportDir,
    testSteps.every((test) => outcomes.some(({ ok, step }) => step === test && ok))
  )
  await rm(reportDir, { recursive: true, force: true })

  console.log("\n== summary")
  for (const { ok, seconds, step } of outcomes) {
    console.log(`${step.padEnd(16)}${ok ? "ok" : "FAILED"}`.padEnd(26) + `${seconds.toFixed(1)} s`)
  }
  for (const complaint of tests.complaints) console.log(complaint)

  const failedChecks = outcomes.filter(({ ok, step }) => !testSteps.includes(step) && !ok).length
  const failed = tests.failed + failedChecks
  const line = `${tests.passed} passed, ${failed} failed`
  const summaryFile = process.env["CHECK_SUMMARY_FILE"]
  if (summaryFile === undefined) console.log(line)
  else await writeFile(summaryFile, `${line}\n`)
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
