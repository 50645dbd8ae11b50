import * as Watch from "@appservice-ping/client/Watch"
import { UnknownToken } from "@appservice-ping/domain/PingError"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { vi } from "vitest"
import { liveTable } from "../../src/internal/liveTable.ts"

const look = { live: true, colour: false, unicode: true }

/** What is written to stdout, in pieces. */
const written = Effect.gen(function*() {
  const pieces: Array<string> = []
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
        pieces.push(String(chunk))
        return true
      })
    ),
    (spy) => Effect.sync(() => spy.mockRestore())
  )
  return pieces
})

/** Makes stdout as wide as a terminal, until the scope closes. */
const terminal = Effect.gen(function*() {
  const before = Object.getOwnPropertyDescriptor(process.stdout, "columns")
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      if (before === undefined) Reflect.deleteProperty(process.stdout, "columns")
      else Object.defineProperty(process.stdout, "columns", before)
    })
  )
  return (width: number) => Object.defineProperty(process.stdout, "columns", { value: width, configurable: true })
})

describe("the live table", () => {
  it.effect("hides the cursor, draws in place only what changes, and gives the cursor back", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ interval: "10 seconds", spread: 0, jitter: 0 })
      yield* watch.add({ key: "telegram", ping: Effect.succeed({ duration_ms: 7 }) })
      yield* watch.add({ key: "signal", ping: new UnknownToken({}) })
      const pieces = yield* written
      const resize = yield* terminal
      resize(120)
      const fiber = yield* Effect.forkChild(Effect.scoped(liveTable(watch, { title: "t", look })), {
        startImmediately: true
      })
      yield* TestClock.adjust("250 millis")
      assert.strictEqual(pieces[0], "\u001b[?25l")
      const drawn = pieces.length
      assert.match(pieces.at(-1) ?? "", /telegram +healthy +now +now +7ms\n/)
      assert.match(pieces.at(-1) ?? "", /signal +failing +now +- +- +The homeserver does not know the as_token/)

      yield* TestClock.adjust("500 millis")
      assert.lengthOf(pieces, drawn)
      yield* TestClock.adjust("250 millis")
      assert.lengthOf(pieces, drawn + 1)
      assert.isTrue(pieces.at(-1)?.startsWith("\u001b[4A\r\u001b[J"))
      assert.match(pieces.at(-1) ?? "", /telegram +healthy +1s +1s +7ms\n/)

      yield* Fiber.interrupt(fiber)
      assert.strictEqual(pieces.at(-1), "\u001b[?25h")
    }))

  it.effect("clears the screen when the terminal gets another width", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make()
      const pieces = yield* written
      const resize = yield* terminal
      resize(60)
      const fiber = yield* Effect.forkChild(Effect.scoped(liveTable(watch, { title: "a long title", look })), {
        startImmediately: true
      })
      resize(20)
      yield* TestClock.adjust("250 millis")
      assert.isTrue(pieces.at(-1)?.startsWith("\u001b[2J\u001b[H"))
      assert.include(pieces.at(-1), "a long title: 0 wa…")
      yield* Fiber.interrupt(fiber)
    }))
})
