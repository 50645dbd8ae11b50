import { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { assert, describe, it } from "@effect/vitest"
import { checkLine, conclusionLines } from "../src/internal/doctorReport.ts"
import { fit, lookOf, paint, widthOf } from "../src/internal/terminal.ts"

const rich = { live: true, colour: true, unicode: true }
const poor = { live: false, colour: false, unicode: false }

describe("what a terminal can show", () => {
  const rows = [
    ["a terminal with UTF-8", true, { TERM: "xterm", LANG: "de_DE.UTF-8" }, rich],
    ["LC_ALL before LANG", true, { TERM: "xterm", LANG: "C.UTF-8", LC_ALL: "C" }, { ...rich, unicode: false }],
    ["LANG where LC_ALL is empty", true, { TERM: "xterm", LC_ALL: "", LANG: "C.utf8" }, rich],
    ["a terminal without UTF-8", true, { TERM: "linux" }, { ...rich, unicode: false }],
    ["NO_COLOR", true, { TERM: "xterm", LANG: "C.UTF-8", NO_COLOR: "1" }, { ...rich, colour: false }],
    ["no NO_COLOR where it is empty", true, { TERM: "xterm", LANG: "C.UTF-8", NO_COLOR: "" }, rich],
    ["a dumb terminal", true, { TERM: "dumb", LANG: "C.UTF-8" }, poor],
    ["a pipe", false, { TERM: "xterm", LANG: "C.UTF-8" }, poor]
  ] as const

  for (const [title, isTTY, env, expected] of rows) {
    it(`is decided by ${title}`, () => {
      assert.deepStrictEqual(lookOf({ isTTY, env }), expected)
    })
  }
})

describe("the width of a text", () => {
  it("counts wide letters double, and neither marks nor colours", () => {
    assert.strictEqual(widthOf("abc"), 3)
    assert.strictEqual(widthOf("漢字"), 4)
    assert.strictEqual(widthOf("🙂"), 2)
    assert.strictEqual(widthOf("e\u0301"), 1)
    assert.strictEqual(widthOf(paint("abc", "red", rich)), 3)
  })

  it("fits a text into columns, never wider", () => {
    assert.strictEqual(fit("abcdef", 6, rich), "abcdef")
    assert.strictEqual(fit("abcdef", 5, rich), "abcd…")
    assert.strictEqual(fit("abcdef", 5, poor), "abcd~")
    assert.strictEqual(fit("漢字漢字", 4, rich), "漢…")
    assert.strictEqual(fit("abc", 0, rich), "")
  })
})

describe("the lines of the doctor", () => {
  const check = { title: "Direct call to url", status: "failed", detail: "no" } as const

  it("has ticks and colours where they can be shown, and words where not", () => {
    assert.strictEqual(checkLine(check, rich), "\u001b[31m✖\u001b[0m Direct call to url         no")
    assert.strictEqual(checkLine(check, { ...rich, colour: false }), "✖ Direct call to url         no")
    assert.strictEqual(checkLine(check, poor), "FAIL Direct call to url         no")
    assert.strictEqual(checkLine({ ...check, status: "ok" }, poor), "ok   Direct call to url         no")
    assert.strictEqual(checkLine({ ...check, status: "skipped" }, { ...rich, colour: false }).charAt(0), "–")
    assert.strictEqual(checkLine({ ...check, status: "warning" }, poor).slice(0, 4), "warn")
  })

  it("ends with what is wrong, what to do and who must act", () => {
    const diagnosis = new Diagnosis({
      cause: "It is broken.",
      advice: "Repair it.",
      actor: "operator",
      temporary: false
    })
    const conclusion = {
      ok: false,
      diagnosis,
      rule: "some-rule",
      restsOn: [{ check: "direct", weight: "seen" }, { check: "ping", weight: "text" }]
    } as const
    assert.deepStrictEqual(conclusionLines(conclusion, poor), [
      "The ping does not work.",
      "  What is wrong:  It is broken.",
      "  What to do:     Repair it.",
      "  Who must act:   operator",
      "  Trying again:   does not help until that is done",
      "  Rests on:       Direct call to url (seen from here); Ping by the homeserver (guessed from the homeserver's text)"
    ])
    assert.deepStrictEqual(conclusionLines({ ...conclusion, ok: true }, poor), [
      "It is broken.",
      "Repair it.",
      "Rests on: Direct call to url (seen from here); Ping by the homeserver (guessed from the homeserver's text)."
    ])
  })
})
