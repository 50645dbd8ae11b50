import { Delay, millisMax } from "@appservice-ping/testbed/step/Delay"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Result, Schema } from "effect"

const decode = Schema.decodeUnknownResult(Delay)

const millisOf = (input: unknown): number | undefined => {
  const result = decode(input)
  return Result.isSuccess(result) ? Duration.toMillis(result.success) : undefined
}

describe("Delay", () => {
  it.each<[unknown, number]>([
    [0, 0],
    [1.5, 1.5],
    ["500 millis", 500],
    ["1 milli", 1],
    ["2 seconds", 2000],
    ["1 second", 1000],
    ["0.5 seconds", 500],
    ["1 minute", 60_000],
    ["2 hours", 7_200_000],
    [millisMax, millisMax],
    [`${millisMax} millis`, millisMax]
  ])("reads %s", (input, millis) => {
    assert.strictEqual(millisOf(input), millis)
  })

  it.each([
    -1,
    millisMax + 1,
    `${millisMax + 1} millis`,
    "597 hours",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "",
    "5",
    "5ms",
    "5  seconds",
    "-5 seconds",
    "1e3 millis",
    "1 week",
    "5 seconds ",
    null
  ])("refuses %s", (input) => {
    assert.isUndefined(millisOf(input))
  })

  it.each(["1 week", -1, `${millisMax + 1} millis`])("says what it takes instead of %s", (input) => {
    const result = decode(input)
    assert.include(
      Result.isFailure(result) ? result.failure.message : "",
      "a time such as \"500 millis\", \"2 seconds\" or \"1 minute\", of at most 2147483647 ms"
    )
  })

  it("writes none that it does not take", () => {
    const result = Schema.encodeResult(Delay)(Duration.millis(millisMax + 1))
    assert.include(Result.isFailure(result) ? result.failure.message : "", "a time such as")
  })

  it.each<[Duration.Input, string]>([
    [0, "0 millis"],
    ["1 milli", "1 milli"],
    ["1500 micros", "1.5 millis"],
    ["1 nano", "0.000001 millis"],
    ["1 second", "1 second"],
    ["1500 millis", "1500 millis"],
    ["90 seconds", "90 seconds"],
    ["1 minute", "1 minute"],
    ["36 hours", "36 hours"]
  ])("writes %s as a text, in the largest unit that fits", (input, text) => {
    assert.strictEqual(Schema.encodeSync(Delay)(Duration.fromInputUnsafe(input)), text)
  })

  it.prop("reads back every time that it wrote", [Delay], ([delay]) => {
    const written = Schema.encodeSync(Delay)(delay)
    assert.strictEqual(millisOf(written), Duration.toMillis(delay))
  })
})
