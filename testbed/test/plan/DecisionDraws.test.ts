// Which draw a decision takes, and that a plan with a seed decides in a later version as it does in this one.
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import type { Plan, Rule } from "@appservice-ping/testbed/plan/Plan"
import type { Leg } from "@appservice-ping/testbed/step/Leg"
import { assert, describe, it } from "@effect/vitest"
import { connection, decisions, outcomes, request, rule } from "./support/events.ts"

/** A rule that draws, and whose draw is seen because it never strikes. */
const drawing = (leg: Leg = "to_appservice", id?: string): Rule => ({
  leg,
  fault: Fault.lostAnswer(),
  when: { probability: 0 },
  ...(id === undefined ? {} : { id })
})

/** The draws of a plan's rules for one request. */
const drawsOf = (...rules: ReadonlyArray<Rule>): ReadonlyArray<number | undefined> =>
  decisions({ rules }, [request()]).flatMap(({ suppressed }) => suppressed.map(({ draw }) => draw))

describe("a draw", () => {
  it("holds a rule back where it is the probability or more, and says so", () => {
    const [draw = Number.NaN] = drawsOf(drawing())
    const at = (probability: number) =>
      outcomes(rule({ fault: Fault.lostAnswer(), when: { probability } }), [request()])
    assert.deepStrictEqual(at(draw), ["probability"])
    assert.deepStrictEqual(at(draw + Number.EPSILON), ["lost_answer"])
  })

  it("of a connection is for its number", () => {
    const plan = rule({ fault: Fault.refused, when: { probability: 0 } })
    const draws = decisions(plan, [connection(), connection({ connection: 2 }), connection()])
      .map(({ suppressed }) => suppressed[0]?.draw)
    assert.strictEqual(draws[0], draws[2])
    assert.notStrictEqual(draws[0], draws[1])
  })

  it("of a rule without an id is for its place among those of its leg that have none", () => {
    const [first, second] = drawsOf(drawing(), drawing())
    assert.notStrictEqual(first, second)
    assert.deepStrictEqual(drawsOf(drawing("to_homeserver"), drawing()), [first])
    assert.strictEqual(drawsOf(drawing("to_appservice", "named"), drawing())[1], first)
    assert.strictEqual(drawsOf(drawing(), drawing("to_appservice", "named"), drawing())[2], second)
    assert.strictEqual(drawsOf(drawing(), drawing(), drawing())[0], first)
  })

  it("is the same in every version, because a capsule is replayed by a later one", () => {
    const strikes: Plan = rule({ fault: Fault.lostAnswer(), when: { probability: 1 } })
    const held: Plan = rule({ fault: Fault.lostAnswer(), when: { probability: 0 } })
    const of = (plan: Plan, transactionId: string | undefined) =>
      decisions(plan, [request({ transactionId })], 7).map(({ draw, suppressed }) => draw ?? suppressed[0]?.draw)[0]
    assert.deepStrictEqual(
      [of(strikes, "ping"), of(held, "ping"), of(strikes, undefined), of(held, undefined)],
      [0.027130831381753318, 0.07244322473253806, 0.8891562123218006, 0.9721352415354267]
    )
  })
})
