/** Reads registration files. */
import * as Registration from "@appservice-ping/domain/Registration"
import { Effect, Result } from "effect"
import { type CommandFailure, wrongUsage } from "./CommandFailure.ts"
import { plain } from "./text.ts"
import { type ReadOptions, readText } from "./textFile.ts"

/** A registration and the name of its file, as the user gave it. */
export interface RegistrationFile {
  readonly file: string
  readonly registration: Registration.Registration
}

/** Reads one registration file. */
export const read: (file: string, options?: ReadOptions) => Effect.Effect<RegistrationFile, CommandFailure> = Effect
  .fnUntraced(function*(file, options) {
    const { text } = yield* readText(file, "a registration", options)
    const parsed = Registration.fromText(text, plain(file))
    if (Result.isFailure(parsed)) {
      return yield* wrongUsage(...parsed.failure.message.split("\n").map((line) => plain(line)))
    }
    return { file, registration: parsed.success }
  })
