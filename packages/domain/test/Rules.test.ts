import * as Rule from "@appservice-ping/domain/Rule"
import * as Rules from "@appservice-ping/domain/Rules"
import { assert, describe, it } from "@effect/vitest"

const numbers = (letter: string): ReadonlyArray<number> =>
  Rules.all.filter(({ id }) => id.startsWith(letter)).map(({ id }) => Number(id.slice(1)))

describe("the rules", () => {
  it("have ids without a gap, each once, in order", () => {
    for (const [letter, count] of [["C", 35], ["A", 14], ["D", 12]] as const) {
      assert.deepStrictEqual(numbers(letter), Array.from({ length: count }, (_, index) => index + 1))
    }
    assert.lengthOf(Rules.all, 61)
  })

  it("are found by id, and nothing else is", () => {
    for (const rule of Rules.all) {
      assert.isTrue(Rules.isRuleId(rule.id))
      assert.strictEqual(Rules.get(rule.id).sentence, rule.sentence)
    }
    for (const text of ["C0", "C100", "c1", "C01", "", "constructor", "N1"]) {
      assert.isFalse(Rules.isRuleId(text), text)
    }
  })

  it.each(Rules.all)("$id is a sentence with a source, and its level follows from its wording", (rule: Rule.Rule) => {
    for (const { sentence } of [rule, ...rule.parts ?? []]) assert.match(sentence, /^[A-Z`].*\.$/s)
    const level = Rule.levelOf(rule.wording)
    const [source] = rule.sources
    if (level === "must" || level === "should") {
      assert.isDefined(rule.sources.find((found) => found._tag !== "Decision" && found._tag !== "Issue"))
    }
    if (level === "ours") {
      const reason = rule.sources.find((found) => found._tag === "Decision")
      assert.isNotEmpty(reason?._tag === "Decision" ? reason.why : "")
    }
    assert.isDefined(source)
    assert.strictEqual(rule.id.startsWith("D"), rule.sources.some((found) => found._tag === "Decision"))
  })

  it("weigh what a source demands as a must, what it wishes as a should, and what it leaves open as silent", () => {
    for (
      const [level, wordings] of [
        ["must", ["MUST", "must", "stated"]],
        ["should", ["SHOULD", "should", "recommended", "expected", "http"]],
        ["silent", ["MAY", "silent"]]
      ] as const
    ) {
      for (const wording of wordings) assert.strictEqual(Rule.levelOf(wording), level, wording)
    }
    assert.strictEqual(Rule.levelOf("decision"), "ours")
  })

  it("link to their sources, in one version of the spec", () => {
    const links = Rules.all.flatMap((rule: Rule.Rule) => rule.sources.map(Rule.linkOf)).filter((link) =>
      link !== undefined
    )
    assert.isAbove(links.length, 61)
    for (const link of links) {
      assert.match(
        link,
        /^https:\/\/(?:spec\.matrix\.org\/v1\.19\/|github\.com\/matrix-org\/matrix-spec(?:-proposals)?\/|www\.rfc-editor\.org\/rfc\/rfc9110#section-)/
      )
    }
  })
})
