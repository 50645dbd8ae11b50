import * as Registration from "@appservice-ping/domain/Registration"
import * as RegistrationFile from "@appservice-ping/domain/RegistrationFile"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { cpuMillis } from "./support/cpu.ts"

const read = (text: string): Result.Result<Registration.Registration, Registration.RegistrationError> =>
  Result.map(RegistrationFile.fromText(text, "registration.yaml"), ({ registration }) => registration)

const messageOf = (text: string): string => {
  const result = read(text)
  return Result.isFailure(result) ? result.failure.message : ""
}

const registration = "id: x\nurl: null\nas_token: a\nhs_token: b\nsender_localpart: s\nnamespaces: {}\n"

/** The longest text that is read; beyond it nothing is parsed. */
const textLength = 131_072

const lineLength = 4096

/** Long lines of `line`, as many as a text may have. */
const filled = (line: (index: number, fill: (unit: string) => string) => string): string => {
  let text = ""
  for (let index = 0; text.length < textLength; index++) {
    text += `${line(index, (unit) => unit.repeat((lineLength - 40) / unit.length))}\n`
  }
  return text.slice(0, textLength)
}

const nested = (open: string): string => open.repeat(textLength / open.length)

const indented = (): string => {
  let text = ""
  for (let depth = 0; text.length + depth + 4 < textLength; depth++) text += `${" ".repeat(depth)}a:\n`
  return text
}

/** Each line holds ten of the line before: expanded, it would be 10 to the power of the number of lines. */
const laughs = (): string => {
  const lines = ["a0: &a0 [x]"]
  for (let i = 1; i < 1000; i++) {
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(",")}]`)
  }
  return `${lines.join("\n")}\n${registration.replace("{}", "{ users: *a999 }")}`
}

const merges = (count: number): string => {
  const keys = Array.from({ length: 5000 }, (_, i) => `  k${i}:`).join("\n")
  return `a: &a\n${keys}\nb: [${Array.from({ length: count }, () => "{ <<: *a }").join(",\n  ")}]\n${registration}`
}

describe("the cost of RegistrationFile.fromText", () => {
  it("refuses a file of 5 MB without reading it", () => {
    for (
      const text of [`${registration}${"# comment\n".repeat(500_000)}`, JSON.stringify({ x: "y".repeat(5_000_000) })]
    ) {
      const time = cpuMillis(() =>
        assert.strictEqual(messageOf(text), "registration.yaml: expected a file of at most 131072 characters")
      )
      assert.isBelow(time, 500)
    }
  })

  it("reads a file of exactly the size that is allowed, and no larger one", () => {
    const comment = `# ${"x".repeat(100)}\n`
    const lines = comment.repeat(Math.floor((textLength - registration.length - 200) / comment.length))
    const text = registration + lines
    const rest = "#".repeat(textLength - text.length)
    assert.isTrue(Result.isSuccess(read(text + rest)))
    assert.match(messageOf(`${text}${rest}#`), /at most 131072 characters/)
  })

  it("reads a line as long as a file may be", () => {
    const line = `x: ${"y".repeat(textLength - registration.length - 4)}`
    assert.isTrue(Result.isSuccess(read(`${registration}${line}\n`)))
  })

  it("reads JSON on one long line, also after a BOM", () => {
    const namespaces = { users: Array.from({ length: 1000 }, (_, i) => ({ regex: `@u${i}_.*`, exclusive: true })) }
    const text = JSON.stringify({ id: "x", url: null, as_token: "a", hs_token: "b", sender_localpart: "s", namespaces })
    assert.isAbove(text.length, lineLength)
    assert.isTrue(Result.isSuccess(read(text)))
    assert.isTrue(Result.isSuccess(read(`\uFEFF${text}`)))
  })

  it("reads a billion laughs without expanding them", () => {
    const problems = Array.from(
      { length: 10 },
      (_, i) => `registration.yaml: namespaces.users.${i}: expected a mapping with regex and exclusive`
    )
    const time = cpuMillis(() => assert.strictEqual(messageOf(laughs()), problems.join("\n")))
    assert.isBelow(time, 900)
  })

  it("refuses more merge keys than anybody writes, because each copies all it merges", () => {
    assert.isTrue(Result.isSuccess(read(merges(16))))
    const time = cpuMillis(() =>
      assert.strictEqual(
        messageOf(merges(17)),
        "registration.yaml: not valid YAML at line 5018: there are more than 16 merge keys (<<)"
      )
    )
    assert.isBelow(time, 500)
  })

  it.each<readonly [string, string]>([
    ["digits, which could be a number", filled((i, fill) => `k${i}: ${fill("1")}x`)],
    ["underscores between digits", filled((i, fill) => `k${i}: ${fill("1_")}x`)],
    ["spaces in a list", filled((i, fill) => `k${i}: [a${fill(" ")}b]`)],
    ["spaces in a list of many lines", `k: [${filled((_, fill) => `  a${fill(" ")}b`).slice(0, -10)}\n]`],
    ["spaces in quotes", `k: "${filled((_, fill) => `  a${fill(" ")}b`).slice(0, -10)}"`],
    ["backslashes", `k: "${filled((_, fill) => `  a${fill("\\\\")}b`).slice(0, -10)}"`],
    ["escapes", filled((i, fill) => `k${i}: "${fill("\\u0041")}"`)],
    ["open quotes", filled((_, fill) => fill("- '"))],
    ["blank lines in a list", `k: [${"\n".repeat(textLength - 10)}`],
    ["nearly blank lines in a list", `k: [${" \n".repeat(textLength / 2 - 10)}`],
    ["lines of one text", `k: a\n${"  a\n".repeat(textLength / 4 - 10)}`],
    ["keys", filled((i) => `k${i}:`)],
    ["deep indentation", indented()],
    ["deep lists", nested("[\n")],
    ["deep mappings", nested("{a:\n")],
    ["deep lists in JSON", "[".repeat(textLength / 2) + "]".repeat(textLength / 2)],
    ["wrong namespaces", `namespaces:\n  users:\n${"  - {}\n".repeat(textLength / 7 - 10)}`],
    ["wrong protocols", `${registration}protocols: [\n${"1,\n".repeat(textLength / 3 - 50)}]`]
  ])("is well under two seconds for as much as fits of: %s", (_, text) => {
    assert.isAtMost(text.length, textLength)
    assert.isAbove(text.length, textLength * 0.9)
    let length = 0
    const time = cpuMillis(() => {
      length = messageOf(text).length
    })
    assert.isBelow(time, 2000)
    assert.isBelow(length, 4000)
  })
})

describe("RegistrationFile.fromText is total", () => {
  it.prop("no text makes it throw", [Schema.String], ([text]) => {
    for (const input of [text, `${registration}x: ${text}`, `${text}\n${registration}`, `{${text}}`, `[${text}`]) {
      assert.isTrue(Result.isResult(read(input)))
    }
  })

  const fragments = Schema.Literals([
    ..."{}[],:&*<>|-?!%@`'\"\\# \t\n\r~0_",
    "as_token",
    "id: x\n",
    "  ",
    "- ",
    "---",
    "...",
    "<<: *a",
    "&a ",
    "\\u",
    "\uFEFF",
    "\u2028",
    "\0",
    ".inf",
    "0x"
  ])

  it.prop("no text of YAML's own signs makes it throw", [Schema.Array(fragments)], ([parts]) => {
    for (const input of [parts.join(""), registration + parts.join(""), `x: ${parts.join("")}\n${registration}`]) {
      assert.isTrue(Result.isResult(read(input)))
    }
  }, { arbitrary: { runs: 1000, size: 40 } })

  it.prop("no value makes it throw, and what is read is written back", [Schema.Json], ([json]) => {
    assert.isTrue(Result.isResult(read(JSON.stringify(json))))
    const extra = {
      id: "x",
      url: null,
      as_token: "a",
      hs_token: "b",
      sender_localpart: "s",
      namespaces: {},
      extra: json
    }
    const decoded = Result.getOrThrow(read(JSON.stringify(extra)))
    const encoded: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Registration.Registration)(decoded)))
    assert.deepStrictEqual(encoded, JSON.parse(JSON.stringify(extra)))
  })
})
