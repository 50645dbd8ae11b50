import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect } from "effect"
import { vi } from "vitest"
import { layer } from "../src/internal/logger.ts"

/** What the program writes to stderr. */
const logged = (program: Effect.Effect<void>) =>
  Effect.gen(function*() {
    let text = ""
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
          text += String(chunk)
          return true
        })
      ),
      (spy) => Effect.sync(() => spy.mockRestore())
    )
    yield* Effect.provide(program, layer)
    return text
  })

describe("the log of the commands", () => {
  it.effect("has a line on stderr for a warning and for an error, with its cause and without a stack", () =>
    Effect.gen(function*() {
      const text = yield* logged(
        Effect.gen(function*() {
          yield* Effect.logWarning("one", "two\nthree\u001b[2J")
          yield* Effect.logError("it failed", Cause.die(new Error("the reason")))
        })
      )
      const [warning, error, ...rest] = text.split("\n")
      assert.match(warning ?? "", /^\d{4}-\d\d-\d\dT\S+Z WARN one two three\\u\{1b\}\[2J$/)
      assert.match(error ?? "", /^\S+Z ERROR it failed: the reason$/)
      assert.deepStrictEqual(rest, [""])
    }))

  it.effect("has nothing below a warning", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* logged(Effect.andThen(Effect.logInfo("quiet"), Effect.logDebug("quiet"))), "")
    }))
})
