import { assert, describe, it } from "@effect/vitest"
import { render, scoresOf } from "./score.ts"
import { changeOf, compare, type Equivalent, type Mutant } from "./survivors.ts"

const source = "const a = 1\nconst b = a > 0 &&\n  a < 9\n"

const mutant = (replacement: string, end: { readonly line: number; readonly column: number }) => ({
  mutatorName: "LogicalOperator",
  replacement,
  location: { start: { line: 2, column: 11 }, end }
})

const change = changeOf("a.ts", source, mutant("true", { line: 2, column: 16 }))

describe("a mutation", () => {
  it("is shown as its line before and after", () => {
    assert.deepStrictEqual(change, {
      file: "a.ts",
      mutator: "LogicalOperator",
      code: "const b = a > 0 &&",
      mutated: "const b = true &&"
    })
  })

  it("is shown in all lines that it is in", () => {
    const two = changeOf("a.ts", source, mutant("false", { line: 3, column: 8 }))
    assert.deepInclude(two, { code: "const b = a > 0 && a < 9", mutated: "const b = false" })
  })
})

describe("a survivor", () => {
  const known: Equivalent = { ...change, reason: "a is never below 1" }

  it("is unexplained unless it is listed, wherever its line has moved", () => {
    assert.deepStrictEqual(compare([change], [], new Set(["a.ts"])), { unknown: [change], stale: [] })
    assert.deepStrictEqual(compare([change], [known], new Set(["a.ts"])), { unknown: [], stale: [] })
    assert.deepStrictEqual(
      compare([{ ...change, mutated: "const b = false &&" }], [known], new Set()).unknown.length,
      1
    )
  })

  it("that is listed and was noticed is stale, in the files that were mutated", () => {
    assert.deepStrictEqual(compare([], [known], new Set(["a.ts"])), { unknown: [], stale: [known] })
    assert.deepStrictEqual(compare([], [known], new Set(["b.ts"])), { unknown: [], stale: [] })
  })
})

describe("a score", () => {
  const of = (status: string): Mutant => ({ ...mutant("true", { line: 2, column: 16 }), fileName: "a.ts", status })

  it("counts what no test runs as survived, and leaves out what does not run at all", () => {
    const all = ["Killed", "Timeout", "Survived", "NoCoverage", "RuntimeError"].map(of)
    assert.deepStrictEqual(scoresOf(all, "2026-01-01"), {
      "a.ts": { mutants: 4, killed: 2, survived: 2, date: "2026-01-01" }
    })
    assert.include(render(scoresOf(all, "2026-01-01"), []), "| a.ts | 4 | 2 | 2 | 50.0 % | 2026-01-01 |")
  })
})
