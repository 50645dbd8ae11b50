/**
 * The command line, without the process around it.
 *
 * @since 0.1.0
 */
import { Effect, Layer } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import * as AppserviceCommand from "./AppserviceCommand.ts"
import * as DoctorCommand from "./DoctorCommand.ts"
import * as HomeserverCommand from "./HomeserverCommand.ts"
import type { CommandFailure } from "./internal/CommandFailure.ts"
import * as Logging from "./internal/logger.ts"
import { fromCliError } from "./internal/usage.ts"
import { version } from "./internal/version.ts"
import * as PingCommand from "./PingCommand.ts"
import * as ProxyCommand from "./ProxyCommand.ts"
import * as ScenarioCommand from "./ScenarioCommand.ts"
import * as WatchCommand from "./WatchCommand.ts"

/**
 * The `appservice-ping` command with its subcommands.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("appservice-ping").pipe(
  Command.withDescription("The Matrix application service ping: ask for one, or answer it as either side."),
  Command.withSubcommands([
    HomeserverCommand.command,
    AppserviceCommand.command,
    PingCommand.command,
    DoctorCommand.command,
    WatchCommand.command,
    ScenarioCommand.command,
    ProxyCommand.command
  ])
)

/** Help and version go to stdout as they are; what is wrong with a call is told in two lines by {@link run}. */
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
 * could not start, 2 for wrong usage and a registration that cannot be read.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (args: ReadonlyArray<string>): Effect.Effect<void, CommandFailure, Command.Environment> =>
  Command.runWith(command, { version, renderErrors: false })(args).pipe(
    Effect.catchIf(CliError.isCliError, (error) => Effect.fail(fromCliError(error))),
    Effect.provide(
      Layer.mergeAll(
        Logging.layer,
        CliOutput.layerPresenter(presenter),
        CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] })
      )
    )
  )
