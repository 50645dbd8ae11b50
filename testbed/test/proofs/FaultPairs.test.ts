// The small scope, exhausted: no random choice, and no cell left out. What has to come of a cell is derived from the
// steps of its faults by `Expected`, which knows no interpreter.
import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as FaultPairs from "@appservice-ping/testbed/scenario/FaultPairs"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"

// No sum of deadlines of the one is a deadline of the other: what happens at the same moment is decided by chance.
const deadlines = { pingTimeout: Duration.seconds(30), clientTimeout: Duration.seconds(100) }
const singles = Catalogue.singles(deadlines)

const nameOf = ({ toAppservice, toHomeserver }: FaultPairs.Cell): string =>
  [toHomeserver, toAppservice].flatMap((fault) => fault === undefined ? [] : [Fault.describe(fault)]).join(" + ")

const wrong = (cells: ReadonlyArray<FaultPairs.Cell>): ReadonlyArray<string> =>
  cells.flatMap((cell) => cell.problems.map((problem) => `${nameOf(cell)}: ${problem}`))

describe("the matrix, in memory", { timeout: 120_000 }, () => {
  it.live("every fault alone has the answer it has to have, and is played", () =>
    Effect.gen(function*() {
      const cells = yield* FaultPairs.alone(singles, deadlines)
      assert.deepStrictEqual(wrong(cells), [])
      assert.lengthOf(cells, singles.length)
    }))

  it.live("every fault of one leg with every fault of the other", () =>
    Effect.gen(function*() {
      const cells = yield* FaultPairs.pairs(singles, deadlines)
      assert.deepStrictEqual(wrong(cells), [])
      const count = (leg: string) => singles.filter((single) => single.leg === leg).length
      assert.lengthOf(cells, count("to_homeserver") * count("to_appservice"))
    }))
})
