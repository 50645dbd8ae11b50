/**
 * Fuzzes both servers over every mount, and the clients over every transport: bytes of a corpus, changed here and there.
 *
 * Usage: node scripts/fuzz/run.ts [--inputs N | --seconds N] [--seed N] [--case N] [--only NAME] [--kind KIND]. A run is
 * repeated by its seed, and one case of it by its number. A failing input is made small and written to `.temp/fuzz/`, as
 * an entry that is ready for `scripts/fuzz/corpus/`. Exits with 1 if there is a finding.
 */
import { Effect } from "effect"
import { mkdir, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { parseArgs } from "node:util"
import { whyKnown } from "./Awaiting.ts"
import * as Case from "./Case.ts"
import * as Corpus from "./Corpus.ts"
import type { Finding } from "./Finding.ts"
import { minimise } from "./Minimise.ts"
import * as Process from "./Process.ts"
import * as Target from "./Target.ts"

const folder = join(import.meta.dirname, "corpus")
const root = join(import.meta.dirname, "../..")
const failures = join(root, ".temp/fuzz")

/** How many cases run at once, and how many between two looks at the health of the servers. */
const concurrency = 64
const batchSize = 480

/** Of one kind of finding at one place only so many are shown and made small. */
const maxShown = 3

const number = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`not a whole number: ${text}`)
  return value
}

const options = () => {
  const { values } = parseArgs({
    options: {
      inputs: { type: "string" },
      seconds: { type: "string" },
      seed: { type: "string" },
      case: { type: "string" },
      only: { type: "string" },
      kind: { type: "string" }
    }
  })
  return {
    inputs: number(values.inputs),
    seconds: number(values.seconds) ?? (values.inputs === undefined ? 30 : undefined),
    // Where nobody looks, a run that fails by chance helps nobody.
    seed: number(values.seed) ?? (process.env["CI"] === undefined ? Math.floor(Math.random() * 2 ** 32) : 1),
    only: values.only ?? "",
    kind: values.kind,
    case: number(values.case)
  }
}

interface Failed {
  readonly one: Case.Case
  readonly finding: Finding
}

const inPool = async <A>(items: ReadonlyArray<A>, work: (item: A) => Promise<void>): Promise<void> => {
  const queue = items.values()
  await Promise.all(Array.from({ length: concurrency }, async () => {
    for (const item of queue) await work(item)
  }))
}

const isSame = (a: Finding, b: Finding): boolean => a.kind === b.kind && a.where === b.where

/** Runs one input alone, with what its process says of it. */
const alone = async (
  target: Target.Target,
  shared: Process.Process,
  input: Corpus.Input,
  where?: string
): Promise<ReadonlyArray<Finding>> => {
  const found = await target.run(input, where)
  // What is thrown outside of everything is thrown a little later.
  await new Promise((resolve) => setTimeout(resolve, 5))
  return [...found, ...Process.take(shared)]
}

const runBatch = async (
  target: Target.Target,
  shared: Process.Process,
  cases: ReadonlyArray<Case.Case>,
  pings: ReadonlyArray<Corpus.Input>
): Promise<ReadonlyArray<Failed>> => {
  const failed: Array<Failed> = []
  const run = async (one: Case.Case): Promise<void> => {
    for (const finding of await target.run(one.input)) failed.push({ one, finding })
  }
  await inPool(cases.filter(({ input }) => input.kind === "handler"), run)
  // What a handler dies of is logged, as it should be.
  const ofHandlers = Process.take(shared).filter(({ where }) => where === "process")
  await inPool(cases.filter(({ input }) => input.kind !== "handler" && input.ending !== "endless"), run)
  // How much of what never ends is read shows only where nothing else is read.
  for (const one of cases) if (one.input.kind !== "handler" && one.input.ending === "endless") await run(one)
  const unowned = [...ofHandlers, ...Process.take(shared)]
  const [first] = cases
  if (first === undefined) return failed
  // Which case it was shows where each runs alone, which takes long, so that it is not asked for what is known.
  if (unowned.some((finding) => whyKnown(finding) === undefined)) {
    for (const one of cases) {
      for (const finding of await alone(target, shared, one.input)) {
        if (unowned.some((other) => isSame(other, finding))) failed.push({ one, finding })
      }
    }
  }
  for (const finding of unowned) {
    if (!failed.some((other) => isSame(other.finding, finding))) failed.push({ one: first, finding })
  }
  for (const finding of await target.health(pings)) failed.push({ one: first, finding })
  return failed
}

const describe = (seed: number, { finding, one }: Failed): string =>
  `case ${one.index} of seed ${seed}, from ${one.origin}: ${finding.kind} at ${finding.where}: ${finding.text}`

/** Places that say what happened in the process, whichever mount it was. */
const sharedPlaces = new Set(["process", "log", "span", "handler"])

const failsLike =
  (target: Target.Target, shared: Process.Process, { finding }: Failed) => async (input: Corpus.Input) =>
    (await alone(target, shared, input, sharedPlaces.has(finding.where) ? undefined : finding.where))
      .some((other) => isSame(other, finding))

/**
 * Tells whether a case was only too slow in the crowd of the others, which share its process: what is about time has to
 * fail alone too, in one of three times.
 */
const isCrowded = async (target: Target.Target, shared: Process.Process, failed: Failed): Promise<boolean> => {
  const { kind, text } = failed.finding
  if (kind !== "hang" && kind !== "unanswered" && !text.startsWith("408")) return false
  const fails = failsLike(target, shared, failed)
  for (let i = 0; i < 3; i++) if (await fails(failed.one.input)) return false
  return true
}

/** Shows a finding, and writes its input as small as it can be. */
const report = async (
  target: Target.Target,
  shared: Process.Process,
  seed: number,
  failed: Failed
): Promise<void> => {
  const { finding, one } = failed
  console.log(describe(seed, failed))
  if (finding.kind === "unhealthy") return
  const fails = failsLike(target, shared, failed)
  const small = await minimise(one.input, fails)
  const name = `${finding.kind}-${one.index}`.replaceAll(" ", "-")
  const file = join(failures, one.input.kind, `${name}.http`)
  await mkdir(join(failures, one.input.kind), { recursive: true })
  await writeFile(
    file,
    Corpus.render(`${finding.kind} at ${finding.where}, once: ${finding.text.split("\n")[0] ?? ""}`, small)
  )
  console.log(`  ${small.bytes.length} bytes in ${relative(root, file)}`)
}

const main = async (): Promise<number> => {
  const { case: only, inputs = Infinity, kind, only: name, seconds = Infinity, seed } = options()
  const corpus = (await Corpus.load(folder)).filter((entry) => kind === undefined || entry.kind === kind)
  const pings = corpus.filter((entry) => entry.name === "ping")
  const shared = Process.watch()
  const counts = new Map<string, number>()
  const awaited = new Map<string, number>()
  const start = performance.now()
  const elapsed = (): number => (performance.now() - start) / 1000
  let done = 0
  let crowded = 0
  console.log(`seed ${seed}, ${corpus.length} entries in the corpus`)

  const take = async (target: Target.Target, failed: ReadonlyArray<Failed>): Promise<void> => {
    for (const one of failed) {
      const why = whyKnown(one.finding)
      if (why !== undefined) {
        awaited.set(why, (awaited.get(why) ?? 0) + 1)
        continue
      }
      if (await isCrowded(target, shared, one)) {
        crowded++
        continue
      }
      const key = `${one.finding.kind} at ${one.finding.where}`
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      if (count <= maxShown) await report(target, shared, seed, one)
    }
  }

  const fuzz = async (target: Target.Target): Promise<void> => {
    if (only !== undefined) {
      const one = Case.make(corpus, seed, only)
      done = 1
      process.stdout.write(Corpus.render(`case ${only} of seed ${seed}, from ${one.origin}`, one.input))
      return take(target, (await alone(target, shared, one.input)).map((finding) => ({ one, finding })))
    }
    let nextNote = 10
    while (done < inputs && elapsed() < seconds) {
      const size = Math.min(batchSize, inputs - done)
      const cases = Array.from({ length: size }, (_, index) => Case.make(corpus, seed, done + index))
      await take(target, await runBatch(target, shared, cases, pings))
      done += size
      if (elapsed() < nextNote) continue
      console.log(`${done} inputs in ${elapsed().toFixed(0)} s`)
      nextNote = elapsed() + 30
    }
  }

  await Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(Target.make((one) => one.includes(name)), (target) => Effect.promise(() => fuzz(target)))
    )
      .pipe(
        Effect.provide(Process.layer(shared))
      )
  )
  for (const [why, count] of awaited) console.log(`awaited, ${count} times: ${why}`)
  if (crowded > 0) console.log(`too slow in the crowd, ${crowded} times: alone they are in time`)
  for (const [key, count] of counts) console.log(`${count} findings: ${key}`)
  console.log(
    `${done} inputs, ${[...counts.values()].reduce((sum, count) => sum + count, 0)} findings, ${
      elapsed().toFixed(1)
    } s, seed ${seed}`
  )
  return counts.size === 0 ? 0 : 1
}

process.exitCode = await main()
// A socket that a client keeps open is not to keep the process open.
process.exit()
