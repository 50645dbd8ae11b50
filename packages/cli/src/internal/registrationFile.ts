/** Reads registration files. */
import { plain } from "@appservice-ping/domain/PlainText"
import type { Registration, RegistrationError } from "@appservice-ping/domain/Registration"
import * as DomainFile from "@appservice-ping/domain/RegistrationFile"
import { Effect, Result } from "effect"
import { type CommandFailure, wrongUsage } from "./CommandFailure.ts"
import { type ReadOptions, readText } from "./textFile.ts"

/** A registration and the name of its file, as the user gave it. */
export interface RegistrationFile {
  readonly file: string
  readonly registration: Registration
}

/** A registration file, or why its text is no registration. */
export interface SourceFile {
  readonly source: Registration | RegistrationError
  /** The lines of its fields, and what only some homeservers read. */
  readonly text: Pick<DomainFile.RegistrationFile, "lines" | "remarks">
  readonly isWorldReadable: boolean
}

const parse = Effect.fnUntraced(function*(file: string, options: ReadOptions | undefined) {
  const { text, worldReadable } = yield* readText(file, "a registration", options)
  return { parsed: DomainFile.fromText(text, plain(file)), isWorldReadable: worldReadable }
})

/** Reads one registration file, and keeps what is wrong with its text as data. */
export const readSource = (file: string, options?: ReadOptions): Effect.Effect<SourceFile, CommandFailure> =>
  Effect.map(parse(file, options), ({ isWorldReadable, parsed }) =>
    Result.match(parsed, {
      onSuccess: ({ lines, registration, remarks }): SourceFile => ({
        source: registration,
        text: { lines, remarks },
        isWorldReadable
      }),
      onFailure: (error): SourceFile => ({ source: error, text: { lines: new Map(), remarks: [] }, isWorldReadable })
    }))

/** Reads one registration file. */
export const read: (file: string, options?: ReadOptions) => Effect.Effect<RegistrationFile, CommandFailure> = Effect
  .fnUntraced(function*(file, options) {
    const { parsed } = yield* parse(file, options)
    if (Result.isFailure(parsed)) {
      return yield* wrongUsage(...parsed.failure.message.split("\n").map((line) => plain(line)))
    }
    return { file, registration: parsed.success.registration }
  })
