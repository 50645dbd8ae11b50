/** The process: arguments in, lines and an exit code out. */
import { plain } from "@appservice-ping/domain/PlainText"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, type Runtime } from "effect"
import { constants } from "node:os"
import { run } from "./Cli.ts"
import { CommandFailure } from "./internal/CommandFailure.ts"

/** A stop takes no longer than this, whatever hangs. */
const stopMillisMax = 1900

let signalCode = 128 + constants.signals.SIGINT

const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return typeof process.exitCode === "number" ? process.exitCode : signalCode
  const error = Cause.squash(exit.cause)
  return error instanceof CommandFailure ? error.exitCode : 1
}

const linesOf = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => {
  if (Cause.hasInterruptsOnly(cause)) return []
  const error = Cause.squash(cause)
  if (error instanceof CommandFailure) return error.lines
  return [`appservice-ping: an error nobody foresaw: ${plain(error instanceof Error ? error.message : String(error))}`]
}

// The reader of the output may go away: that ends no server, and is no error of a ping.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

const teardown: Runtime.Teardown = (exit, onExit) => onExit(exitCodeOf(exit))

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    signalCode = 128 + constants.signals[signal]
    setTimeout(() => process.exit(typeof process.exitCode === "number" ? process.exitCode : signalCode), stopMillisMax)
      .unref()
  })
}

NodeRuntime.runMain(
  run(process.argv.slice(2)).pipe(
    Effect.tapCause((cause) =>
      Effect.sync(() => {
        for (const line of linesOf(cause)) process.stderr.write(`${line}\n`)
      })
    ),
    Effect.provide(NodeServices.layer)
  ),
  { disableErrorReporting: true, teardown }
)
