import * as Latency from "@appservice-ping/testbed/fault/Latency"
import { draw } from "@appservice-ping/testbed/plan/Draw"
import { millisMax } from "@appservice-ping/testbed/step/Delay"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Result, Schema } from "effect"

const ms = Duration.millis

const at = (latency: Latency.Latency, u: number, time = 0): number =>
  Duration.toMillis(Latency.sample(latency, u, time))

/** What ten thousand requests wait, in order. */
const samples = (latency: Latency.Latency, seed: number): ReadonlyArray<number> =>
  Array.from({ length: 10_000 }, (_, index) => at(latency, draw(seed, ["rule", "fault", index])))
    .toSorted((a, b) => a - b)

const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.floor(q * sorted.length)] ?? Number.NaN

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe("Latency", () => {
  it("is always the same where it is fixed", () => {
    assert.strictEqual(at(ms(250), 0.99, 12_345), 250)
    assert.isFalse(Latency.isDrawn(ms(250)))
  })

  it("uniform lies between its ends, as the draw does between 0 and 1", () => {
    const latency: Latency.Latency = { distribution: "uniform", min: ms(100), max: ms(300) }
    assert.deepStrictEqual([0, 0.25, 0.5].map((u) => at(latency, u)), [100, 150, 200])
    assert.isBelow(at(latency, 1 - 2 ** -53), 300.001)
    assert.isTrue(Latency.isDrawn(latency))
  })

  it.each([1, 2, 3])("lognormal has the median and the 99th percentile it is told, with seed %d", (seed) => {
    const sorted = samples({ distribution: "lognormal", p50: ms(50), p99: ms(1000) }, seed)
    assert.closeTo(quantile(sorted, 0.5), 50, 50 * 0.05)
    // The tail is thin: a hundred of the samples lie beyond.
    assert.closeTo(quantile(sorted, 0.99), 1000, 1000 * 0.15)
    assert.isAbove(sorted[0] ?? 0, 0)
  })

  it("lognormal is exact at the two points that it is told", () => {
    const latency: Latency.Latency = { distribution: "lognormal", p50: ms(50), p99: ms(1000) }
    assert.closeTo(at(latency, 0.5), 50, 0.1)
    assert.closeTo(at(latency, 0.99), 1000, 2)
  })

  it("normal has its mean and deviation, and is never below 0", () => {
    const sorted = samples({ distribution: "normal", mean: ms(100), deviation: ms(10) }, 1)
    assert.closeTo(mean(sorted), 100, 0.5)
    assert.closeTo(quantile(sorted, 0.8413), 110, 0.5)
    assert.closeTo(quantile(sorted, 0.1587), 90, 0.5)
    assert.strictEqual(samples({ distribution: "normal", mean: ms(1), deviation: ms(50) }, 1)[0], 0)
  })

  it("exponential has its mean, and its median at ln 2 of it", () => {
    const sorted = samples({ distribution: "exponential", mean: ms(100) }, 1)
    assert.closeTo(mean(sorted), 100, 3)
    assert.closeTo(quantile(sorted, 0.5), 100 * Math.LN2, 3)
    assert.strictEqual(at({ distribution: "exponential", mean: ms(100) }, 0), 0)
  })

  it.each<[string, Latency.Latency]>([
    ["normal", { distribution: "normal", mean: ms(100), deviation: ms(100), max: ms(120) }],
    ["lognormal", { distribution: "lognormal", p50: ms(100), p99: ms(1000), max: ms(120) }],
    ["exponential", { distribution: "exponential", mean: ms(100), max: ms(120) }]
  ])("%s is cut off at its max, and nowhere else", (_, latency) => {
    const sorted = samples(latency, 1)
    assert.strictEqual(sorted.at(-1), 120)
    assert.isBelow(quantile(sorted, 0.3), 120)
  })

  it("is never longer than a timer waits", () => {
    const forever: Latency.Latency = { distribution: "exponential", mean: ms(millisMax) }
    assert.strictEqual(at(forever, 1 - 2 ** -53), millisMax)
  })

  it.each<["sine" | "square" | "triangle" | "sawtooth", ReadonlyArray<number>]>([
    ["sine", [100, 140, 100, 60, 100]],
    ["square", [140, 140, 60, 60, 140]],
    ["triangle", [60, 100, 140, 100, 60]],
    ["sawtooth", [60, 80, 100, 120, 60]]
  ])("wave of a %s goes through its quarters once per period", (shape, quarters) => {
    const wave: Latency.Latency = { distribution: "wave", shape, mean: ms(100), amplitude: ms(40), period: ms(1000) }
    const through = (start: number) => [0, 250, 500, 750, 1000].map((time) => at(wave, 0.3, start + time))
    assert.deepStrictEqual(through(0), quarters)
    assert.deepStrictEqual(through(7000), quarters)
    assert.isFalse(Latency.isDrawn(wave))
  })

  it("wave is never below 0, however far it swings", () => {
    const wave: Latency.Latency = {
      distribution: "wave",
      shape: "square",
      mean: ms(10),
      amplitude: ms(40),
      period: ms(1000)
    }
    assert.deepStrictEqual([at(wave, 0, 0), at(wave, 0, 500)], [50, 0])
  })

  it("refuses a distribution whose ends are the wrong way round", () => {
    const decode = Schema.decodeUnknownResult(Latency.Latency)
    const isGood = (latency: unknown) => Result.isSuccess(decode(latency))
    assert.isTrue(isGood({ distribution: "uniform", min: 5, max: 5 }))
    assert.isFalse(isGood({ distribution: "uniform", min: 6, max: 5 }))
    assert.isTrue(isGood({ distribution: "lognormal", p50: 5, p99: 5 }))
    assert.isFalse(isGood({ distribution: "lognormal", p50: 6, p99: 5 }))
    assert.isFalse(isGood({ distribution: "lognormal", p50: 0, p99: 5 }))
  })
})
