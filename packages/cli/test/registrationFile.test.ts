import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { constants } from "node:fs"
import { type FileHandle, open, writeFile } from "node:fs/promises"
import { read } from "../src/internal/registrationFile.ts"
import { start } from "./support/Cli.ts"
import { registration, write } from "./support/files.ts"

const pipe = Effect.gen(function*() {
  const path = `${yield* write("")}.pipe`
  yield* Effect.sync(() => execFileSync("mkfifo", [path]))
  return path
})

/** Opens the pipe for writing, which is refused until somebody reads it. */
const writer = (path: string) =>
  Effect.acquireRelease(
    Effect.promise(async (): Promise<FileHandle> => {
      while (true) {
        try {
          return await open(path, constants.O_WRONLY | constants.O_NONBLOCK)
        } catch {
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
    }),
    (handle) => Effect.promise(() => handle.close())
  )

describe("a named pipe as a registration", () => {
  it.live("is given up when nobody writes to it", () =>
    Effect.gen(function*() {
      const path = yield* pipe
      const { exitCode, lines } = yield* Effect.flip(read(path, { pipeTimeout: "60 millis" }))
      assert.deepStrictEqual(lines, [`${path}: the pipe has not ended after 60ms; does anything write to it?`])
      assert.strictEqual(exitCode, 2)
    }).pipe(Effect.scoped))

  it.live("is given up when its writer stops in the middle", () =>
    Effect.gen(function*() {
      const path = yield* pipe
      const [{ lines }] = yield* Effect.all([
        Effect.flip(read(path, { pipeTimeout: "60 millis" })),
        Effect.flatMap(writer(path), (handle) => Effect.promise(() => handle.write("id: telegram\n")))
      ], { concurrency: "unbounded" })
      assert.match(lines[0] ?? "", /has not ended after 60ms/)
    }).pipe(Effect.scoped))

  it.live("is read in pieces, from a writer that comes late", () =>
    Effect.gen(function*() {
      const path = yield* pipe
      const text = registration({ id: `telegram ${"x".repeat(200)}` })
      const [{ registration: found }] = yield* Effect.all([
        read(path),
        Effect.gen(function*() {
          const handle = yield* writer(path)
          for (const half of [text.slice(0, 100), text.slice(100)]) yield* Effect.promise(() => handle.write(half))
        }).pipe(Effect.scoped)
      ], { concurrency: "unbounded" })
      assert.strictEqual(found.id, `telegram ${"x".repeat(200)}`)
    }).pipe(Effect.scoped))

  it.effect("does not keep the process from ending: SIGTERM ends it within 2 seconds", () =>
    Effect.gen(function*() {
      const path = yield* pipe
      const running = yield* start(["ping", "--homeserver", "http://127.0.0.1:1", "--registration", path])
      yield* writer(path)
      const from = performance.now()
      yield* running.kill("SIGTERM")
      const ended = yield* running.ended
      assert.isBelow(performance.now() - from, 2000)
      assert.deepStrictEqual(ended, { code: 143, signal: null, stdout: "", stderr: "" })
    }))

  it.live("a file of the usual kind is not waited for", () =>
    Effect.gen(function*() {
      const path = yield* write("")
      const { lines } = yield* Effect.flip(read(path, { pipeTimeout: "1 hour" }))
      assert.match(lines[0] ?? "", /expected a mapping/)
      yield* Effect.promise(() => writeFile(path, registration()))
      assert.strictEqual((yield* read(path)).registration.id, "telegram")
    }).pipe(Effect.scoped))
})
