/** What becomes of a command whose output cannot be written. */
import { Effect, Predicate } from "effect"
import { constants } from "node:os"
import { type CommandFailure, negative } from "./CommandFailure.ts"

/** Why a write to stdout failed. */
export type WriteFailure =
  /** The reader closed its end, as `head` does once it has read enough. */
  | { readonly _tag: "ReaderGone" }
  /** The output is lost, for example on a full disk. */
  | { readonly _tag: "Unwritable"; readonly line: string }

/** The exit code of a command that ends with its reader: that of a process that SIGPIPE ends. */
export const readerGoneExitCode = 128 + constants.signals.SIGPIPE

const reasons = new Map([
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "the file would be too large"],
  ["EIO", "the device reports an error"]
])

/** Classifies the error of a write. */
export const writeFailureOf = (error: unknown): WriteFailure => {
  const code = Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : ""
  if (code === "EPIPE" || code === "ECONNRESET") return { _tag: "ReaderGone" }
  const reason = reasons.get(code)
  return { _tag: "Unwritable", line: `cannot write the output${reason === undefined ? "" : `: ${reason}`}` }
}

let failure: WriteFailure | undefined
let isReported = false
let isOptional = false
let onFailure: (failure: WriteFailure) => void = () => {}

/** Watches stdout from now on, and calls `stop` where the command ends for it; stderr has no place to report its own. */
export const watchOutput = (stop: () => void): void => {
  process.stderr.on("error", () => {})
  process.stdout.on("error", (error) => {
    if (failure !== undefined) return
    failure = writeFailureOf(error)
    if (isOptional) return report(failure)
    stop()
    onFailure(failure)
  })
}

const report = (failure: WriteFailure): void => {
  if (failure._tag === "Unwritable" && !isReported) process.stderr.write(`${failure.line}\n`)
  isReported = true
}

/** Lets the command go on without its output: a server is there for its port, not for its lines. */
export const makeOutputOptional: Effect.Effect<void> = Effect.sync(() => {
  isOptional = true
})

/** Ends when the output fails: as an interruption if the reader is gone, with exit code 1 if the output is lost. */
export const outputFailed: Effect.Effect<never, CommandFailure> = Effect.callback((resume) => {
  // The line is written by withOutput, as the failure of the last write comes too late for an error of the command.
  onFailure = (failed) => resume(failed._tag === "ReaderGone" ? Effect.interrupt : Effect.fail(negative()))
  if (failure !== undefined && !isOptional) onFailure(failure)
})

/** Whether the reader ended the command. */
export const isReaderGone = (): boolean => failure?._tag === "ReaderGone"

/** The exit code of the process: a command that lost its output is not a success, whatever it found. */
export const withOutput = (exitCode: number): number => {
  if (failure?._tag !== "Unwritable") return exitCode
  report(failure)
  return exitCode === 0 ? 1 : exitCode
}
