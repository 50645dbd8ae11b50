/** Reads text files and pipes that a shell hands over as files, and writes files whole or not at all. */
import { plain } from "@appservice-ping/domain/PlainText"
import { Clock, Duration, Effect, Predicate } from "effect"
import { constants } from "node:fs"
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { type CommandFailure, wrongUsage } from "./CommandFailure.ts"

/** The text of a file, and whether every user of this machine may read it. */
export interface FileText {
  readonly text: string
  readonly worldReadable: boolean
}

/** The bounds of reading a file. */
export interface ReadOptions {
  /** How large the file may be. Default: 1 MiB. */
  readonly maxFileBytes?: number | undefined
  /** How long a pipe may take to say everything. Default: 10 seconds. */
  readonly pipeTimeout?: Duration.Input | undefined
}

const pipeTimeoutDefault = "10 seconds"

/** How long a pipe may be without a writer: one that was started with this command may open it a little later. */
const maxWriterWait = Duration.seconds(1)

/** Far more than any registration or plan needs: a larger file is the wrong file. */
const maxFileBytesDefault = 1024 * 1024

const chunkBytes = 64 * 1024

/** How often a pipe that has nothing to say yet is asked again. */
const pipePause = Duration.millis(20)

const utf8 = new TextDecoder("utf-8", { fatal: true })

const reasons = new Map([
  ["ENOENT", "there is no such file"],
  ["ENOTDIR", "there is no such file"],
  ["EACCES", "not permitted to read the file"],
  ["EPERM", "not permitted to read the file"],
  ["EISDIR", "expected a file, but it is a directory"]
])

const codeOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : undefined

const unreadable = "the file cannot be read"

const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, string> =>
  Effect.tryPromise({ try: run, catch: (error) => reasons.get(codeOf(error) ?? "") ?? unreadable })

/** Reads on from where the file is; `undefined` where a pipe has nothing for now. */
const readChunk = (handle: FileHandle): Effect.Effect<Uint8Array | undefined, string> =>
  attempt(async () => {
    const buffer = Buffer.alloc(chunkBytes)
    try {
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, null)
      return buffer.subarray(0, bytesRead)
    } catch (error) {
      if (codeOf(error) === "EAGAIN") return undefined
      throw error
    }
  })

/**
 * Reads to the end, in order and not by position: a shell hands over a pipe as a file too.
 *
 * A pipe that nobody writes to ends at once when it is read without waiting, so it is asked again until something came
 * or time is up.
 */
const readAll = Effect.fnUntraced(function*(
  handle: FileHandle,
  maxFileBytes: number,
  pipeTimeout: Duration.Duration | undefined
) {
  const started = yield* Clock.monotonicTimeNanos
  const chunks: Array<Uint8Array> = []
  let length = 0
  while (length <= maxFileBytes) {
    const chunk = yield* readChunk(handle)
    if (chunk !== undefined && chunk.length > 0) {
      chunks.push(chunk)
      length += chunk.length
      continue
    }
    if (chunk !== undefined && (length > 0 || pipeTimeout === undefined)) break
    if (pipeTimeout === undefined) return yield* Effect.fail(unreadable)
    // No bytes is the end of a pipe that has no writer; one that has a writer asks to be read again.
    const limit = chunk === undefined ? pipeTimeout : Duration.min(pipeTimeout, maxWriterWait)
    const waited = Duration.nanos((yield* Clock.monotonicTimeNanos) - started)
    if (Duration.isGreaterThanOrEqualTo(waited, limit)) {
      return yield* Effect.fail(`the pipe has not ended after ${Duration.format(limit)}; does anything write to it?`)
    }
    yield* Effect.sleep(pipePause)
  }
  return Buffer.concat(chunks)
})

const readBytes = Effect.fnUntraced(function*(file: string, maxFileBytes: number, pipeTimeout: Duration.Duration) {
  const stats = yield* attempt(() => stat(file))
  if (stats.isDirectory()) return yield* Effect.fail("expected a file, but it is a directory")
  // Anything else, such as /dev/null, has ended where it has no more bytes.
  const isPipe = stats.isFIFO()
  // A blocked open could not even be killed with SIGTERM: the process waits for it before it ends.
  const flags = constants.O_RDONLY | (stats.isFile() ? 0 : constants.O_NONBLOCK)
  const bytes = yield* Effect.acquireUseRelease(
    attempt(() => open(file, flags)),
    (handle) => readAll(handle, maxFileBytes, isPipe ? pipeTimeout : undefined),
    (handle) => Effect.promise(() => handle.close())
  )
  return {
    bytes,
    worldReadable: stats.isFile() && process.platform !== "win32" && (stats.mode & constants.S_IROTH) !== 0
  }
})

/** Reads the text of a file, of which `what` says what it should be. */
export const readText: (
  file: string,
  what: string,
  options?: ReadOptions
) => Effect.Effect<FileText, CommandFailure> = Effect.fnUntraced(function*(file, what, options) {
  if (file === "") return yield* wrongUsage(`expected the name of a file with ${what}, but it is empty`)
  const unusable = (reason: string) => wrongUsage(`${plain(file)}: ${reason}`)
  const maxFileBytes = options?.maxFileBytes ?? maxFileBytesDefault
  const pipeTimeout = Duration.fromInputUnsafe(options?.pipeTimeout ?? pipeTimeoutDefault)
  const { bytes, worldReadable } = yield* Effect.mapError(readBytes(file, maxFileBytes, pipeTimeout), unusable)
  if (bytes.length > maxFileBytes) {
    return yield* unusable(`expected ${what}, but the file is larger than ${maxFileBytes / 1024 / 1024} MiB`)
  }
  const text = yield* Effect.try({ try: () => utf8.decode(bytes), catch: () => unusable("expected text in UTF-8") })
  return { text, worldReadable }
})

/**
 * Writes a file, and its directory if there is none.
 *
 * The text is written beside the file and takes its name when it is complete, so a full disk leaves the old file or
 * none, and no half of one.
 */
export const writeWhole = (file: string, text: string): Effect.Effect<void, string> => {
  const beside = `${file}.${process.pid}.tmp`
  return attempt(async () => {
    await mkdir(dirname(file), { recursive: true })
    const handle = await open(beside, "w")
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, file)
  }).pipe(
    Effect.uninterruptible,
    Effect.onError(() => Effect.promise(() => rm(beside, { force: true }).catch(() => {})))
  )
}
