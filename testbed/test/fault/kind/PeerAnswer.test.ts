import { answers, kind } from "@appservice-ping/testbed/fault/kind/PeerAnswer"
import { assert, describe, it } from "@effect/vitest"

describe("PeerAnswer", () => {
  it("names every answer, and no other", () => {
    assert.deepStrictEqual(new Set<string>(kind.schema.fields.answer.literals), new Set(Object.keys(answers)))
  })

  it("has answers on both legs, each with a status and a body that its type promises", () => {
    const all = Object.entries(answers)
    assert.deepStrictEqual(new Set(all.map(([, { leg }]) => leg)), new Set(["to_appservice", "to_homeserver"]))
    for (const [name, { body, contentType, status }] of all) {
      assert.isTrue(status >= 200 && status <= 599, name)
      if (contentType === "application/json") assert.doesNotThrow(() => JSON.parse(body), name)
      else assert.throws(() => JSON.parse(body), undefined, undefined, name)
    }
  })
})
