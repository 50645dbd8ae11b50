/** Reads registration files. */
import { plain } from "@appservice-ping/domain/PlainText"
import * as Registration from "@appservice-ping/domain/Registration"
import { Effect, Result } from "effect"
import { type CommandFailure, wrongUsage } from "./CommandFailure.ts"
import { type ReadOptions, readText } from "./textFile.ts"

/** A registration and the name of its file, as the user gave it. */
export interface RegistrationFile {
  readonly file: string
  readonly registration: Registration.Registration
}

/** A registration file, or why its text is no registration. */
export interface SourceFile {
  readonly source: Registration.Registration | Registration.RegistrationError
  readonly isWorldReadable: boolean
}

/** Reads one registration file, and keeps what is wrong with its text as data. */
export const readSource: (file: string, options?: ReadOptions) => Effect.Effect<SourceFile, CommandFailure> = Effect
  .fnUntraced(function*(file, options) {
    const { text, worldReadable } = yield* readText(file, "a registration", options)
    return { source: Result.merge(Registration.fromText(text, plain(file))), isWorldReadable: worldReadable }
  })

/** Reads one registration file. */
export const read: (file: string, options?: ReadOptions) => Effect.Effect<RegistrationFile, CommandFailure> = Effect
  .fnUntraced(function*(file, options) {
    const { source } = yield* readSource(file, options)
    if (source instanceof Registration.RegistrationError) {
      return yield* wrongUsage(...source.message.split("\n").map((line) => plain(line)))
    }
    return { file, registration: source }
  })
