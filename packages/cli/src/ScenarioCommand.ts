/**
 * `appservice-ping scenario`: plays scenarios of the testbed, and replays the ones that failed.
 *
 * @since 0.1.0
 */
import { plain } from "@appservice-ping/domain/PlainText"
import * as Capsule from "@appservice-ping/testbed/scenario/Capsule"
import { find, library } from "@appservice-ping/testbed/scenario/Library"
import * as Run from "@appservice-ping/testbed/scenario/Run"
import type { Scenario } from "@appservice-ping/testbed/scenario/Scenario"
import { scenarioFromText, scenarioToYaml } from "@appservice-ping/testbed/scenario/ScenarioFile"
import { Console, Effect, Option, Result, Schema } from "effect"
import { Argument, CliError, Command, Flag } from "effect/cli"
import { join } from "node:path"
import { type CommandFailure, negative, wrongUsage } from "./internal/CommandFailure.ts"
import { readText, writeWhole } from "./internal/textFile.ts"
import { version } from "./internal/version.ts"

const names = Argument.String("scenario").pipe(
  Argument.withDescription("A scenario of the library by its name, or a file in YAML or JSON"),
  Argument.variadic()
)

const isFile = (name: string): boolean => /[./\\]/.test(name)

/** The name of a scenario in the library, or a file if it contains a dot or a slash. */
const load = (name: string): Effect.Effect<Scenario, CommandFailure> => {
  const known = find(name)
  if (known !== undefined) return Effect.succeed(known)
  if (!isFile(name)) {
    return Effect.fail(
      wrongUsage(
        `there is no scenario ${
          plain(name, 64)
        }; "appservice-ping scenario list" names them all, and a file has a dot or a slash in its name`
      )
    )
  }
  return Effect.flatMap(
    readText(name, "a scenario"),
    ({ text }) =>
      Effect.fromResult(Result.mapError(scenarioFromText(text, { file: plain(name) }), (error) =>
        wrongUsage(
          ...error.message.split("\n").map((line) => plain(line))
        )))
  )
}

const loadAll = (wanted: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Scenario>, CommandFailure> =>
  wanted.length === 0 ? Effect.succeed(library) : Effect.forEach(wanted, load)

const invalidSeed = new CliError.ValidationError({ message: "--seed: expected a whole number of at most 15 digits" })

const seed = Flag.String("seed").pipe(
  Flag.withMetavar("NUMBER"),
  Flag.withDescription("The seed, in place of the plan's"),
  Flag.mapEffect((text) => /^\d{1,15}$/.test(text) ? Effect.succeed(Number(text)) : Effect.fail(invalidSeed)),
  Flag.optional
)

const interpreter = Flag.Literals("interpreter", Run.Interpreter.literals).pipe(
  Flag.withDescription("memory: virtual time, no sockets; wire: loopback sockets, real time"),
  Flag.withDefault("memory" as const)
)

const capsules = Flag.String("capsules").pipe(
  Flag.withMetavar("DIRECTORY"),
  Flag.withDescription("Where the capsule of a scenario that did not pass is written; made if it is not there"),
  Flag.withDefault("capsules")
)

const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print one JSON object a line for each scenario, with its journal"),
  Flag.withDefault(false)
)

const encodeRun = Schema.encodeSync(Schema.fromJsonString(Run.ScenarioRun))
const encodeCapsule = Schema.encodeSync(Capsule.Capsule)

const versions = { testbed: version, effect: "4.1.0", node: process.versions.node }

const writeCapsule = (directory: string, scenario: Scenario, run: Run.ScenarioRun) => {
  const file = join(directory, Capsule.fileName(run))
  const content = encodeCapsule({ capsule: 1, versions, scenario, run })
  return Effect.as(
    Effect.mapError(
      writeWhole(file, `${JSON.stringify(content, null, 2)}\n`),
      () => negative(`${plain(file)}: the capsule cannot be written; choose another --capsules directory`)
    ),
    file
  )
}

const marks = { pass: "ok", fail: "FAIL", "not applied": "NOT APPLIED", inconclusive: "INCONCLUSIVE" } as const

const lineOf = (run: Run.ScenarioRun): string => {
  const answers = [...new Set(run.pings.map(({ answer }) => answer))].join(", ")
  return `${marks[run.verdict].padEnd(12)} ${run.scenario} (${run.interpreter}, seed ${run.seed}): ${answers}`
}

/** A path as a shell takes it. */
const shellWord = (file: string): string => /^[\w./:\\-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`

const play = Effect.fnUntraced(function*(
  scenario: Scenario,
  options: Run.RunOptions & { readonly capsules: string; readonly json: boolean }
) {
  const run = yield* Effect.mapError(Run.run(scenario, options), (error) => negative(error.message))
  yield* Console.log(options.json ? encodeRun(run) : lineOf(run))
  if (run.verdict === "pass") return run
  const written = yield* Effect.result(writeCapsule(options.capsules, scenario, run))
  if (!options.json) { for (const problem of run.problems) yield* Console.log(`             ${plain(problem)}`) }
  if (Result.isFailure(written)) {
    // The other scenarios are still worth playing; this one did not pass, so the exit code is 1 in any case.
    for (const line of written.failure.lines) yield* Console.error(line)
  } else if (!options.json) {
    yield* Console.log(`             replay with: appservice-ping scenario replay ${plain(shellWord(written.success))}`)
  }
  return run
})

const run = Command.make(
  "run",
  { names, interpreter, seed, capsules, json },
  Effect.fnUntraced(function*(input) {
    const scenarios = yield* loadAll(input.names)
    const runs = yield* Effect.forEach(
      scenarios,
      (scenario) => play(scenario, { ...input, seed: Option.getOrUndefined(input.seed) })
    )
    const passed = runs.filter(({ verdict }) => verdict === "pass").length
    if (!input.json) yield* Console.log(`${passed} passed, ${runs.length - passed} not`)
    if (passed < runs.length || runs.length === 0) return yield* negative()
  })
).pipe(
  Command.withDescription("Plays scenarios, all of the library where none is named. Exit code 0 if every one passed."),
  Command.withShortDescription("Play scenarios")
)

const list = Command.make(
  "list",
  {},
  () =>
    Effect.forEach(library, ({ name, title }) => Console.log(`${name.padEnd(34)} ${title ?? ""}`.trimEnd()), {
      discard: true
    })
).pipe(Command.withShortDescription("Name the scenarios of the library"))

const show = Command.make(
  "show",
  { name: Argument.String("scenario").pipe(Argument.withDescription("A scenario of the library, or a file")) },
  ({ name }) => Effect.flatMap(load(name), (scenario) => Console.log(scenarioToYaml(scenario).trimEnd()))
).pipe(Command.withShortDescription("Print a scenario as YAML, as a template for your own"))

const decodeCapsule = Schema.decodeUnknownResult(Schema.fromJsonString(Capsule.Capsule))

const replay = Command.make(
  "replay",
  { file: Argument.String("capsule").pipe(Argument.withDescription("The capsule of a scenario that did not pass")) },
  Effect.fnUntraced(function*({ file }) {
    const decoded = decodeCapsule((yield* readText(file, "a capsule", { maxFileBytes: 64 * 1024 * 1024 })).text)
    if (Result.isFailure(decoded)) {
      return yield* wrongUsage(`${plain(file)}: expected a capsule that "scenario run" has written`)
    }
    const capsule = decoded.success
    const { interpreter, seed } = capsule.run
    const again = yield* Effect.mapError(
      Run.run(capsule.scenario, { interpreter, seed }),
      (error) => negative(error.message)
    )
    yield* Console.log(lineOf(again))
    for (const problem of again.problems) yield* Console.log(`             ${plain(problem)}`)
    if (!Capsule.isReplayed(capsule, again)) {
      const made = `${capsule.versions.testbed}, effect ${capsule.versions.effect}, Node ${capsule.versions.node}`
      return yield* negative(`This run is not the one in the capsule, which was made with testbed ${plain(made)}.`)
    }
    yield* Console.log("The same as in the capsule.")
  })
).pipe(
  Command.withDescription("Plays the scenario of a capsule again, and reports whether the result is the same."),
  Command.withShortDescription("Replay a scenario that did not pass")
)

/**
 * `appservice-ping scenario`.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("scenario").pipe(
  Command.withDescription("Faults on the way of a ping, played by scenario: what has to be answered, and what was."),
  Command.withShortDescription("Play fault scenarios in the testbed"),
  Command.withSubcommands([run, list, show, replay])
)
