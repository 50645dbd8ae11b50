/**
 * The command line, without the process around it.
 *
 * @since 0.1.0
 */
import { Effect, Layer } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import type { CommandFailure } from "./internal/CommandFailure.ts"
import * as Logging from "./internal/logger.ts"
import { fromCliError } from "./internal/usage.ts"
import { version } from "./internal/version.ts"

type Result = Effect.Effect<void, CommandFailure | CliError.CliError, Command.Environment>

/** A command that is loaded only when it is called: what the others import would cost every call its time. */
interface Entry {
  readonly name: string
  /** The command in the list of the root's help, and in the suggestions for a misspelt one. */
  readonly listed: Command.Command<string, {}>
  readonly run: (args: ReadonlyArray<string>) => Result
}

const entry = <Name extends string, Input, Context, E extends CommandFailure>(
  name: Name,
  description: string,
  load: () => Promise<{ readonly command: Command.Command<Name, Input, Context, E, Command.Environment> }>
): Entry => {
  const listed = Command.make<string>(name).pipe(Command.withShortDescription(description))
  return {
    name,
    listed,
    run: (args) =>
      Effect.flatMap(Effect.promise(load), ({ command }) => {
        const others = entries.map((entry) => entry.listed).filter((other) => other !== listed)
        return runRoot(root.pipe(Command.withSubcommands([command, ...others])), args)
      })
  }
}

const entries: ReadonlyArray<Entry> = [
  entry("homeserver", "Run the reference homeserver", () => import("./HomeserverCommand.ts")),
  entry("appservice", "Run the reference appservice", () => import("./AppserviceCommand.ts")),
  entry("ping", "Ask a homeserver to ping an appservice", () => import("./PingCommand.ts")),
  entry("doctor", "Find out why a ping fails", () => import("./DoctorCommand.ts")),
  entry("watch", "Watch the health of appservices", () => import("./WatchCommand.ts")),
  entry("scenario", "Play fault scenarios in the testbed", () => import("./ScenarioCommand.ts")),
  entry("proxy", "Play a fault plan between two real peers", () => import("./ProxyCommand.ts"))
]

const root = Command.make("appservice-ping").pipe(
  Command.withDescription("The Matrix application service ping: ask for one, or answer it as either side.")
)

const runRoot = <Input, Context, E extends CommandFailure, R extends Command.Environment>(
  command: Command.Command<"appservice-ping", Input, Context, E, R>,
  args: ReadonlyArray<string>
): Result => Command.runWith(command, { version, renderErrors: false })(args)

/** Help and version go to stdout as they are; {@link run} says what is wrong with a call in two lines. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "InvalidInvocation" || (event._tag === "Help" && event.reason === "Implicit")
      ? Effect.void
      : CliOutput.defaultPresenter.present(event)
}

/**
 * Runs the command line with these arguments.
 *
 * **Details**
 *
 * Results go to stdout. The failure carries the lines for stderr and the exit code: 1 when a ping failed or a server
 * could not start, 2 for wrong usage and a registration that cannot be read. Only the command that is called is loaded.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (args: ReadonlyArray<string>): Effect.Effect<void, CommandFailure, Command.Environment> =>
  Effect.suspend(() => {
    const called = args.map((arg) => entries.find(({ name }) => name === arg)).find((entry) => entry !== undefined)
    return called === undefined
      ? runRoot(root.pipe(Command.withSubcommands(entries.map(({ listed }) => listed))), args)
      : called.run(args)
  }).pipe(
    Effect.catchIf(CliError.isCliError, (error) => Effect.fail(fromCliError(error))),
    Effect.provide(
      Layer.mergeAll(
        Logging.layer,
        CliOutput.layerPresenter(presenter),
        CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] })
      )
    )
  )
