/** Reads registration files. */
import * as Registration from "@appservice-ping/domain/Registration"
import { Effect, FileSystem, Result, Stream } from "effect"
import type { PlatformError } from "effect/PlatformError"
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

const reasonOf = (error: PlatformError): string => {
  switch (error.reason._tag) {
    case "NotFound":
      return "there is no such file"
    case "PermissionDenied":
      return "not permitted to read the file"
    default:
      return "the file cannot be read"
  }
}

const readText = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  if (file === "") return yield* wrongUsage("--registration: expected the name of a file")
  const unusable = (reason: string) => wrongUsage(`${plain(file)}: ${reason}`)
  const chunks = yield* Effect.gen(function*() {
    const { type } = yield* fs.stat(file)
    if (type === "Directory") return yield* unusable("expected a file, but it is a directory")
    return yield* Stream.runCollect(fs.stream(file, { bytesToRead: bytesMax + 1 }))
  }).pipe(Effect.catchTag("PlatformError", (error) => unusable(reasonOf(error))))
  const bytes = Buffer.concat(chunks)
  if (bytes.length > bytesMax) return yield* unusable("expected a registration, but the file is larger than 1 MiB")
  return yield* Effect.try({ try: () => utf8.decode(bytes), catch: () => unusable("expected text in UTF-8") })
})

/** Reads one registration file. */
export const read: (
  file: string
) => Effect.Effect<RegistrationFile, CommandFailure, FileSystem.FileSystem> = Effect.fnUntraced(function*(file) {
  const parsed = Registration.fromText(yield* readText(file), plain(file))
  if (Result.isFailure(parsed)) {
    return yield* wrongUsage(...parsed.failure.message.split("\n").map((line) => plain(line)))
  }
  return { file, registration: parsed.success }
})
