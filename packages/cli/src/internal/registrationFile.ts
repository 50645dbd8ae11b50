/** Reads registration files. */
import * as Registration from "@appservice-ping/domain/Registration"
import { Effect, Predicate, Result } from "effect"
import { createReadStream } from "node:fs"
import { type CommandFailure, wrongUsage } from "./CommandFailure.ts"
import { plain } from "./text.ts"

/** A registration and the name of its file, as the user gave it. */
export interface RegistrationFile {
  readonly file: string
  readonly registration: Registration.Registration
}

/** Far more than any registration: what is larger is another file. */
const bytesMax = 1024 * 1024

const utf8 = new TextDecoder("utf-8", { fatal: true })

const reasons = new Map([
  ["ENOENT", "there is no such file"],
  ["ENOTDIR", "there is no such file"],
  ["EACCES", "not permitted to read the file"],
  ["EPERM", "not permitted to read the file"],
  ["EISDIR", "expected a file, but it is a directory"]
])

const reasonOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? reasons.get(error.code) : undefined

/** Reads in order, not by position: a shell hands over a pipe as a file too. */
const readStart = async (file: string, signal: AbortSignal): Promise<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of createReadStream(file, { end: bytesMax, signal })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const readText = Effect.fnUntraced(function*(file: string) {
  if (file === "") return yield* wrongUsage("--registration: expected the name of a file")
  const unusable = (reason: string) => wrongUsage(`${plain(file)}: ${reason}`)
  const bytes = yield* Effect.tryPromise({
    try: (signal) => readStart(file, signal),
    catch: (error) => unusable(reasonOf(error) ?? "the file cannot be read")
  })
  if (bytes.length > bytesMax) return yield* unusable("expected a registration, but the file is larger than 1 MiB")
  return yield* Effect.try({ try: () => utf8.decode(bytes), catch: () => unusable("expected text in UTF-8") })
})

/** Reads one registration file. */
export const read: (file: string) => Effect.Effect<RegistrationFile, CommandFailure> = Effect.fnUntraced(
  function*(file) {
    const parsed = Registration.fromText(yield* readText(file), plain(file))
    if (Result.isFailure(parsed)) {
      return yield* wrongUsage(...parsed.failure.message.split("\n").map((line) => plain(line)))
    }
    return { file, registration: parsed.success }
  }
)
