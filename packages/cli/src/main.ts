/** The process: arguments in, lines and an exit code out. */
import { plain } from "@appservice-ping/domain/PlainText"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, type Runtime } from "effect"
import { constants } from "node:os"
import { run } from "./Cli.ts"
import { CommandFailure } from "./internal/CommandFailure.ts"
import { isReaderGone, outputFailed, readerGoneExitCode, watchOutput, withOutput } from "./internal/output.ts"

/** A stop takes no longer than this, whatever hangs. */
const maxStopMillis = 900

let signalCode = 128 + constants.signals.SIGINT

/** The code that the command has set for a stop, or that of what stopped it. */
const stoppedExitCode = (): number => {
  if (typeof process.exitCode === "number") return process.exitCode
  return isReaderGone() ? readerGoneExitCode : signalCode
}

const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return stoppedExitCode()
  const error = Cause.squash(exit.cause)
  return error instanceof CommandFailure ? error.exitCode : 1
}

const linesOf = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => {
  if (Cause.hasInterruptsOnly(cause)) return []
  const error = Cause.squash(cause)
  if (error instanceof CommandFailure) return error.lines
  return [`appservice-ping: an error nobody foresaw: ${plain(error instanceof Error ? error.message : String(error))}`]
}

/** Ends the process in time, whatever keeps it. */
const stopInTime = (): void => {
  setTimeout(() => process.exit(withOutput(stoppedExitCode())), maxStopMillis).unref()
}

watchOutput(stopInTime)

// The error of a write arrives a turn after the write.
const teardown: Runtime.Teardown = (exit, onExit) => {
  setImmediate(() => onExit(withOutput(exitCodeOf(exit))))
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    signalCode = 128 + constants.signals[signal]
    stopInTime()
  })
}

NodeRuntime.runMain(
  run(process.argv.slice(2)).pipe(
    Effect.raceFirst(outputFailed),
    Effect.tapCause((cause) =>
      Effect.sync(() => {
        for (const line of linesOf(cause)) process.stderr.write(`${line}\n`)
      })
    ),
    Effect.provide(NodeServices.layer)
  ),
  { disableErrorReporting: true, teardown }
)
