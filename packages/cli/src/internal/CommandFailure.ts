/** The end of a command that did not do what it was asked to. */
import { Data } from "effect"

/**
 * The message for stderr, and the exit code: 1 when the answer is no, 2 for a wrong call.
 */
export class CommandFailure extends Data.TaggedError("CommandFailure")<{
  readonly lines: ReadonlyArray<string>
  readonly exitCode: 1 | 2
}> {}

/** A wrong call, or a file that cannot be used. */
export const wrongUsage = (...lines: ReadonlyArray<string>): CommandFailure =>
  new CommandFailure({ lines, exitCode: 2 })

/** A right call whose answer is no. */
export const negative = (...lines: ReadonlyArray<string>): CommandFailure => new CommandFailure({ lines, exitCode: 1 })
