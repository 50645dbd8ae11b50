import { draw } from "@appservice-ping/testbed/plan/Draw"
import { assert, describe, it } from "@effect/vitest"

const count = 100_000

/** Keys as the decisions make them. */
const draws = (seed: number): ReadonlyArray<number> =>
  Array.from(
    { length: count },
    (_, index) => draw(seed, ["rule-1", "probability", "to_appservice", `ping-${index}`, 1])
  )

/** How far the counts of equal parts lie from what chance alone would give. */
const chiSquare = (counts: ReadonlyArray<number>): number => {
  const expected = counts.reduce((sum, n) => sum + n, 0) / counts.length
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
}

const countBy = (parts: number, values: ReadonlyArray<number>): ReadonlyArray<number> => {
  const counts = Array.from({ length: parts }, () => 0)
  for (const value of values) counts[Math.floor(value * parts)] = (counts[Math.floor(value * parts)] ?? 0) + 1
  return counts
}

describe("Draw", () => {
  it("gives the same number for the same seed and key, on every machine", () => {
    const key = ["rule-1", "probability", "ping-42", 1]
    assert.strictEqual(draw(7, key), draw(7, key))
    assert.strictEqual(draw(0, []), 0.44148648814827063)
    assert.strictEqual(draw(7, key), 0.4206493900207501)
  })

  it("gives numbers from 0 up to 1, which it never reaches", () => {
    for (const u of draws(1)) {
      assert.isAtLeast(u, 0)
      assert.isBelow(u, 1)
    }
  })

  // With 99 degrees of freedom chance stays between 51 and 158 in 9,999 of 10,000 cases; seeds are fixed.
  it.each([0, 1, 2, 12_345, Number.MAX_SAFE_INTEGER])("spreads evenly, with seed %d", (seed) => {
    const all = draws(seed)
    const spread = chiSquare(countBy(100, all))
    assert.isBelow(spread, 158)
    assert.isAbove(spread, 51)
    // The lower bits too: a distribution uses all of them.
    const low = chiSquare(countBy(100, all.map((u) => (u * 2 ** 26) % 1)))
    assert.isBelow(low, 158)
    assert.isAbove(low, 51)
  })

  it("spreads evenly in pairs: a draw tells nothing about the next one", () => {
    const all = draws(3)
    const pairs = all.slice(1).map((u, index) => (Math.floor((all[index] ?? 0) * 10) + u) / 10)
    assert.isBelow(chiSquare(countBy(100, pairs)), 158)
  })

  it("gives different numbers for 100,000 different keys", () => {
    assert.strictEqual(new Set(draws(1)).size, count)
  })

  it("keeps keys apart that would be the same if they were joined", () => {
    const keys = [["a", "b"], ["ab"], ["a,b"], ["a\",\"b"], ["", "ab"], [1], ["1"], [1, 2], [12], ["a", ""], ["a"]]
    assert.strictEqual(new Set(keys.map((key) => draw(1, key))).size, keys.length)
    assert.notStrictEqual(draw(1, [2]), draw(12, []))
    assert.strictEqual(new Set([0, 1, 2, 3].map((seed) => draw(seed, ["a"]))).size, 4)
  })
})
