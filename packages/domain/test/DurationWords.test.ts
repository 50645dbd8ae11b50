import { inWords } from "@appservice-ping/domain/internal/durationWords"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"

describe("inWords", () => {
  it.each<readonly [Duration.Input, string]>([
    [0, "1 millisecond"],
    ["300 micros", "1 millisecond"],
    ["300 millis", "300 milliseconds"],
    ["999 millis", "999 milliseconds"],
    ["999001 micros", "1 second"],
    ["1 second", "1 second"],
    ["1001 millis", "2 seconds"],
    ["59 seconds", "59 seconds"],
    ["59001 millis", "1 minute"],
    ["90 seconds", "1 minute 30 seconds"],
    ["3599 seconds", "59 minutes 59 seconds"],
    ["1 hour", "1 hour"],
    ["3601 seconds", "1 hour 1 minute"],
    ["86399 seconds", "1 day"],
    ["26 hours", "1 day 2 hours"],
    ["173000 seconds", "2 days 1 hour"],
    ["30 days", "30 days"],
    ["2592001 seconds", "more than a month"],
    ["104249991 days", "more than a month"],
    ["Infinity", "more than a month"],
    [-5, "1 millisecond"]
  ])("%s is %s", (duration, words) => {
    assert.strictEqual(inWords(Duration.fromInputUnsafe(duration)), words)
  })

  const units = { day: 86_400, hour: 3600, minute: 60, second: 1 } as const

  const isUnit = (text: string): text is keyof typeof units => Object.hasOwn(units, text)

  it.prop("names at most two units, and never less than the duration nor more than a twelfth beyond it", [
    Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1000, maximum: 30 * 86_400_000 })))
  ], ([millis]) => {
    const words = inWords(Duration.millis(millis)).split(" ")
    assert.include([2, 4], words.length)
    const seconds = words.reduce((sum, word, index) => {
      const unit = (words[index + 1] ?? "").replace(/s$/, "")
      return isUnit(unit) ? sum + Number(word) * units[unit] : sum
    }, 0)
    assert.isAtLeast(seconds * 1000, millis)
    assert.isAtMost(seconds * 1000, Math.max(millis + 1000, millis * 13 / 12))
  })
})
