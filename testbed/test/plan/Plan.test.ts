import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"

const isPlan = (input: unknown): boolean => Result.isSuccess(Schema.decodeUnknownResult(Plan.Plan)(input))

const withRule = (fields: object) => ({ rules: [{ leg: "to_appservice", fault: { type: "lost_answer" }, ...fields }] })

describe("a plan", () => {
  it("after another has the rules of both in their order, and the first one's seed", () => {
    const first = { ...Plan.of("to_appservice", Fault.lostAnswer(), { id: "a" }), seed: 1 }
    const second = { ...Plan.of("to_homeserver", Fault.refused, { id: "b" }), seed: 2 }
    assert.deepStrictEqual(Plan.concat(first, second), { seed: 1, rules: [...first.rules, ...second.rules] })
    assert.deepStrictEqual(Plan.concat(Plan.healthy, second), second)
  })

  it.each(["a", "a.b-c_D9", "x".repeat(64)])("takes the id %s", (id) => {
    assert.isTrue(isPlan(withRule({ id })))
  })

  it.each(["", "a b", " a", "a ", "a\n", "x".repeat(65)])("refuses the id %j", (id) => {
    assert.isFalse(isPlan(withRule({ id })))
  })

  it("takes a quota of 31 bits and no larger one", () => {
    const quota = (limit: number) => withRule({ when: { beyond: { limit, window: "1 second" } } })
    assert.isTrue(isPlan(quota(2_147_483_647)))
    assert.isFalse(isPlan(quota(2_147_483_648)))
    assert.isFalse(isPlan(quota(-1)))
  })

  it("asks a rule at the stage of the first of its faults that has one", () => {
    const stage = (...faults: ReadonlyArray<Fault.Fault>) =>
      Plan.stageOfRule({ leg: "to_appservice", sequence: faults.map((fault) => ({ fault })) })
    assert.strictEqual(stage(Fault.pass, Fault.refused), "connection")
    assert.strictEqual(stage(Fault.pass, Fault.lostAnswer()), "request")
    assert.isUndefined(stage(Fault.pass))
  })
})
