import * as Bound from "@appservice-ping/domain/Bound"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Result } from "effect"

const messageOf = (checked: Result.Result<unknown, Bound.BoundError>): string =>
  Result.isFailure(checked) ? checked.failure.message : "accepted"

describe("Bound.integer", () => {
  it.each([0, 1, 65_536, Number.MAX_SAFE_INTEGER])("accepts %s", (value) => {
    assert.deepStrictEqual(Bound.integer("maxBodyBytes", value), Result.succeed(value))
  })

  it.each([
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    [-Infinity, "-Infinity"],
    [-1, "-1"],
    [1.5, "1.5"],
    [2 ** 53, "9007199254740992"]
  ])("refuses %s with the name of the option", (value, given) => {
    assert.strictEqual(
      messageOf(Bound.integer("maxBodyBytes", value)),
      `maxBodyBytes: expected a whole number of at least 0, but it is ${given}`
    )
  })

  it("refuses what is outside of a range, and accepts both of its ends", () => {
    const range = { minimum: 1, maximum: 65_535 }
    assert.strictEqual(
      messageOf(Bound.integer("port", 0, range)),
      "port: expected a whole number from 1 to 65535, but it is 0"
    )
    assert.strictEqual(
      messageOf(Bound.integer("port", 65_536, range)),
      "port: expected a whole number from 1 to 65535, but it is 65536"
    )
    assert.deepStrictEqual(Bound.integer("port", 1, range), Result.succeed(1))
    assert.deepStrictEqual(Bound.integer("port", 65_535, range), Result.succeed(65_535))
  })
})

describe("Bound.number", () => {
  it("accepts what is not whole, and refuses what is not finite or outside of the range", () => {
    const share = { maximum: 1 }
    assert.deepStrictEqual(Bound.number("jitter", 0.5, share), Result.succeed(0.5))
    assert.strictEqual(
      messageOf(Bound.number("jitter", 1.5, share)),
      "jitter: expected a number from 0 to 1, but it is 1.5"
    )
    assert.strictEqual(
      messageOf(Bound.number("jitter", NaN, share)),
      "jitter: expected a number from 0 to 1, but it is NaN"
    )
    assert.strictEqual(
      messageOf(Bound.number("factor", Infinity, { minimum: 1 })),
      "factor: expected a number of at least 1, but it is Infinity"
    )
  })
})

describe("Bound.duration", () => {
  it("accepts what is finite and not negative", () => {
    assert.isTrue(Result.isSuccess(Bound.duration("timeout", 0)))
    assert.deepStrictEqual(
      Result.map(Bound.duration("timeout", "30 seconds"), Duration.toMillis),
      Result.succeed(30_000)
    )
  })

  const refused: ReadonlyArray<readonly [Duration.Input, string]> = [
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    ["Infinity", "Infinity"],
    [-1, "-1"],
    ["-5 seconds", "-5 seconds"],
    [Duration.negativeInfinity, "-Infinity"],
    [Duration.infinity, "Infinity"],
    [{ seconds: NaN }, "{\"seconds\":\"NaN\"}"],
    [[NaN, 0], "[\"NaN\",\"0\"]"]
  ]
  it.each(refused)("refuses %s with the name of the option", (input, given) => {
    assert.strictEqual(
      messageOf(Bound.duration("timeout", input)),
      `timeout: expected a duration of at least 0, but it is ${given}`
    )
  })

  it("refuses a text that is no duration, whatever its type says", () => {
    const text: unknown = "5 fortnights"
    assert.strictEqual(
      messageOf(Bound.duration("timeout", text as Duration.Input)),
      "timeout: expected a duration of at least 0, but it is 5 fortnights"
    )
  })

  it("accepts Infinity where the option documents it, and still no NaN", () => {
    assert.isTrue(Result.isSuccess(Bound.duration("deadline", "Infinity", { infinite: true })))
    assert.strictEqual(
      messageOf(Bound.duration("deadline", NaN, { infinite: true })),
      "deadline: expected a duration of at least 0, or Infinity, but it is NaN"
    )
  })

  it("refuses what is shorter than the shortest", () => {
    assert.strictEqual(
      messageOf(Bound.duration("interval", 0, { minimum: "1 milli" })),
      "interval: expected a duration of at least 1ms, but it is 0"
    )
  })
})

describe("the unsafe forms", () => {
  it.effect("are a defect inside an effect", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.sync(() => Bound.integerUnsafe("maxBodyBytes", NaN)))
      assert.deepStrictEqual(
        exit,
        yield* Effect.exit(
          Effect.die(
            new Bound.BoundError({
              option: "maxBodyBytes",
              expected: "a whole number of at least 0",
              given: "NaN"
            })
          )
        )
      )
    }))

  it("return what is checked", () => {
    assert.strictEqual(Bound.integerUnsafe("maxBodyBytes", 1), 1)
    assert.strictEqual(Bound.numberUnsafe("factor", 1.5), 1.5)
    assert.strictEqual(Duration.toMillis(Bound.durationUnsafe("timeout", "1 second")), 1000)
    assert.throws(() => Bound.numberUnsafe("factor", NaN), "factor: expected a number of at least 0, but it is NaN")
    assert.throws(() => Bound.durationUnsafe("timeout", NaN), /^timeout: /)
  })
})
