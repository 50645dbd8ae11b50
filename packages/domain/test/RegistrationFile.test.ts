import * as RegistrationFile from "@appservice-ping/domain/RegistrationFile"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import measured from "./measured/pyyaml-words.json" with { type: "json" }

const caseText = (file: string): string => readFileSync(join(import.meta.dirname, "cases/registrations", file), "utf8")

const lines = [
  "id: bridge",
  "url: http://127.0.0.1:29318",
  "as_token: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "hs_token: hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh",
  "sender_localpart: bridgebot",
  "rate_limited: false",
  "namespaces:",
  "  users:",
  "    - exclusive: true",
  "      regex: '@bridge_.*'"
] as const

/** A file in which some lines are others; the first line is 1. */
const file = (changes: { readonly [line: number]: string }): string =>
  lines.map((line, index) => changes[index + 1] ?? line).join("\n")

const messages = (text: string): ReadonlyArray<string> => {
  const read = RegistrationFile.fromText(text, "registration.yaml")
  return Result.isFailure(read)
    ? read.failure.message.split("\n").map((line) => line.replace("registration.yaml: ", ""))
    : []
}

const readOrThrow = (text: string): RegistrationFile.RegistrationFile =>
  Result.getOrThrowWith(RegistrationFile.fromText(text, "registration.yaml"), (error) => new Error(error.message))

const wrongToken = "expected a token: one or more visible ASCII characters, without spaces, but it has"

describe("white space that is not YAML's stays in the value, and the field's check names it", () => {
  it.each<readonly [string, string]>([
    ["b1-nbsp-after-id.yaml", "id: expected text without U+00A0 no-break space at its end (line 1)"],
    ["b2-nbsp-before-as_token.yaml", `as_token: ${wrongToken} U+00A0 no-break space (line 3)`],
    ["b3-nbsp-after-hs_token.yaml", `hs_token: ${wrongToken} U+00A0 no-break space (line 4)`],
    [
      "b4-nbsp-instead-of-space.yaml",
      "not valid YAML at line 1: U+00A0 no-break space is no space to YAML; write a space"
    ]
  ])("%s", (name, message) => {
    assert.deepStrictEqual(messages(caseText(name)), [message])
  })

  it.each<readonly [string, string, string]>([
    ["\u2003", "U+2003 em space", "at its start"],
    ["\u3000", "U+3000 ideographic space", "at its start"],
    ["\uFEFF", "U+FEFF zero width no-break space", "at its start"],
    ["\u200B", "U+200B zero width space", "at its start"],
    ["\u202F", "U+202F narrow no-break space", "at its start"]
  ])("%j before a value", (space, name, where) => {
    assert.deepStrictEqual(messages(file({ 1: `id: ${space}bridge` })), [
      `id: expected text without ${name} ${where} (line 1)`
    ])
    assert.deepStrictEqual(messages(file({ 3: `as_token: ${space}aaaa` })), [
      `as_token: ${wrongToken} ${name} (line 3)`
    ])
    assert.deepStrictEqual(messages(file({ 5: `sender_localpart: ${space}bot` })), [
      `sender_localpart: expected text without ${name} ${where} (line 5)`
    ])
    assert.deepStrictEqual(messages(file({ 2: `url: ${space}http://127.0.0.1` })), [
      `url: expected an http or https URL without ${name} ${where} (line 2)`
    ])
  })

  it.each<readonly [string, string, number]>([
    ["\u2028", "U+2028 line separator ends a line for some homeservers", 1],
    ["\u0085", "U+0085 next line ends a line for some homeservers", 1],
    ["\u0007", "U+0007 control character cannot be in YAML", 1],
    ["\u007F", "U+007F control character cannot be in YAML", 1]
  ])("%j, which the readers of YAML do not agree on or refuse", (character, reason, line) => {
    assert.deepStrictEqual(messages(file({ 1: `id: bri${character}dge` })), [
      `not valid YAML at line ${line}: ${reason}`
    ])
  })

  it("keeps the spaces of a language in an id (C20)", () => {
    assert.strictEqual(readOrThrow(file({ 1: "id: IRC Bridge" })).registration.id, "IRC Bridge")
    assert.strictEqual(readOrThrow(file({ 1: "id: 橋\u3000一" })).registration.id, "橋\u3000一")
  })
})

describe("a value that needs quotes", () => {
  it.each<readonly [string, string]>([
    ["c1-percent.yaml", "not valid YAML at line 3: a value cannot start with %; put the value in quotes"],
    ["c2-at.yaml", "not valid YAML at line 10: a value cannot start with @; put the value in quotes"],
    ["c3-pipe.yaml", "not valid YAML at line 3: | starts a block of lines; put the value in quotes"],
    ["c4-bracket.yaml", "not valid YAML at line 3: there is a ] without a [ before it; put the value in quotes"],
    [
      "c5-tag.yaml",
      "not valid for a homeserver at line 3: ! starts a tag, and this is an unknown tag; put the value in quotes"
    ]
  ])("%s", (name, message) => {
    assert.deepStrictEqual(messages(caseText(name)), [message])
  })

  it.each<readonly [string, string]>([
    ["`8fK", "not valid YAML at line 3: a value cannot start with a backtick; put the value in quotes"],
    [">8fK", "not valid YAML at line 3: > starts a block of lines; put the value in quotes"],
    ["}8fK", "not valid YAML at line 3: there is a } without a { before it; put the value in quotes"],
    [",8fK", "not valid YAML at line 3: a value cannot start with a comma; put the value in quotes"],
    [
      "8fK: x",
      "not valid YAML at line 3: there is a second colon in a value, or the indentation is wrong; put the value in quotes"
    ],
    ["#8fK", "as_token: expected text, in quotes: # starts a comment (line 3)"],
    ["&8fK", "as_token: expected text, but there is nothing (line 3)"],
    [
      "!!binary aGk=",
      "not valid for a homeserver at line 3: ! starts a tag, and this is an unknown tag; put the value in quotes"
    ],
    ["!!int x", "not valid YAML at line 3: a tag (!) does not fit its value"]
  ])("as_token: %s", (value, message) => {
    assert.deepStrictEqual(messages(file({ 3: `as_token: ${value}` })), [message])
  })

  it("is text with the tag of text, as every reader takes it", () => {
    assert.strictEqual(readOrThrow(file({ 1: "id: !!str 0123" })).registration.id, "0123")
  })
})

describe("a word that PyYAML takes for no text", () => {
  it.each<readonly [string, string]>([
    ["d1-no.yaml", "a boolean"],
    ["d2-octal.yaml", "a number"],
    ["d3-sexagesimal.yaml", "a number"],
    ["d4-date.yaml", "a date"]
  ])("%s", (name, type) => {
    assert.deepStrictEqual(messages(caseText(name)), [
      `id: expected text, in quotes: Synapse reads it as ${type}, and does not start (line 1)`
    ])
  })

  it(`is found as ${measured.reader} itself takes it: ${measured.words.length} words`, () => {
    const wrong = measured.words.flatMap(([word = "", expected = ""]) => {
      const read = messages(file({ 5: `sender_localpart: ${word}` })).join("\n")
      const found = read === ""
        ? "text"
        : / reads it as (a boolean|a number|a date),/.exec(read)?.[1] ??
          (/nothing|comment/.test(read) ? "nothing" : "refused")
      // What PyYAML refuses need not be refused with its words.
      const isSame = found === expected || (expected === "refused" && read !== "")
      return isSame ? [] : [`${word}: ${expected}, but here ${found}`]
    })
    assert.deepStrictEqual(wrong, [])
  })

  it.each(["id", "as_token", "hs_token", "sender_localpart"])("is refused in %s, and taken in quotes", (field) => {
    const line = lines.findIndex((text) => text.startsWith(`${field}:`)) + 1
    assert.deepStrictEqual(messages(file({ [line]: `${field}: 0x1f` })), [
      `${field}: expected text, in quotes: Synapse reads it as a number, and does not start (line ${line})`
    ])
    assert.deepStrictEqual(messages(file({ [line]: `${field}: '0x1f'` })), [])
  })

  it("is refused in a regex and a protocol", () => {
    assert.deepStrictEqual(messages(`${file({ 10: "      regex: 12:34" })}\nprotocols: [irc, on]`), [
      "namespaces.users.0.regex: expected text, in quotes: Synapse reads it as a number, and does not start (line 10)",
      "protocols.1: expected text, in quotes: Synapse reads it as a boolean, and does not start (line 11)"
    ])
  })

  it("leaves text that only looks like a number to YAML 1.2, because every homeserver takes it for text", () => {
    const token = readOrThrow(file({ 1: "id: 12e03" })).registration
    assert.strictEqual(token.id, "12e03")
    assert.strictEqual(readOrThrow(file({ 1: "id: 0o17" })).registration.id, "0o17")
  })

  it("does not stop a url that is not set (C8)", () => {
    assert.isNull(readOrThrow(file({ 2: "url: ~" })).registration.url)
    assert.isNull(readOrThrow(file({ 2: "url:" })).registration.url)
  })
})

describe("a url that is no HTTP address", () => {
  it.each([
    ["f1-websocket.yaml", "websocket"],
    ["f2-unix.yaml", "unix:///run/bridge/as.sock"],
    ["f3-wss.yaml", "wss://bridge.example/ws"]
  ])("is read from %s, because a ping needs none", (name, url) => {
    const { registration } = readOrThrow(caseText(name))
    assert.strictEqual(registration.url, url)
    assert.strictEqual(registration.id, "bridge")
  })
})

describe("a syntax error has its line and a reason", () => {
  it.each<readonly [string, string]>([
    [
      "g1-backslash-in-double-quotes.yaml",
      "not valid YAML at line 10: in double quotes a backslash needs a second one; single quotes need none"
    ],
    [
      "g2-undefined-alias.yaml",
      "not valid YAML at line 3: * starts an alias, and no anchor (&) before it has its name; put the value in quotes"
    ],
    ["g3-open-flow.yaml", "not valid YAML at line 8: a [ or { is not closed, or its end is not indented"]
  ])("%s", (name, message) => {
    assert.deepStrictEqual(messages(caseText(name)), [message])
  })

  const unclosed = "a [ or { is not closed, or its end is not indented"
  it.each<readonly [{ readonly [line: number]: string }, string]>([
    [
      { 10: "      regex: \"@bridge_\\d+\"" },
      "line 10: in double quotes a backslash needs a second one; single quotes need none"
    ],
    [{ 10: "      regex: '@bridge_.*" }, "line 10: a quote is not closed"],
    [{ 1: "id: \"bridge" }, "line 10: a quote is not closed"],
    [{ 8: "  users: [a", 9: "", 10: "" }, `line 8: ${unclosed}`],
    [{ 5: "sender_localpart bridgebot" }, "line 5: a key has to be on one line, with a colon and a space after it"],
    [{ 5: "sender_localpart:bridgebot" }, "line 5: a key has to be on one line, with a colon and a space after it"],
    [{ 10: "\t  regex: x" }, "line 10: a tab cannot indent; use spaces"],
    [
      { 10: "     regex: x" },
      "line 10: a quote, a bracket, a colon or a comma is missing, or the indentation is wrong"
    ],
    [{ 4: "id: other" }, "line 4: each key may be there once, and one is repeated"],
    [
      { 3: "as_token: 'a' b" },
      "line 3: there is something after the end of a value, or a sign is missing before it; put the value in quotes"
    ],
    [{ 3: "as_token: &a [*a]" }, "line 3: an alias (*) is inside of its own anchor (&)"],
    [{ 3: "? [a]\n: b" }, "line 3: a key has to be text"],
    [{ 1: "id: bridge\n---" }, "line 2: there is a second document after ---; a registration is one"]
  ])("%j", (changes, message) => {
    assert.strictEqual(messages(file(changes))[0], `not valid YAML at ${message}`)
  })

  it("names the repeated key of JSON too, where the parser of JSON takes the last", () => {
    assert.deepStrictEqual(messages("{\n\"id\": \"a\",\n\"id\": \"b\"\n}"), [
      "not valid JSON at line 3: each key may be there once, and one is repeated"
    ])
  })
})

describe("a url that only browsers repair", () => {
  const slashes =
    "url: expected an http or https URL with two slashes after the colon, such as http://localhost:29318 (line 2)"
  it.each<readonly [string, string]>([
    ["i1-one-slash.yaml", slashes],
    ["i2-backslashes.yaml", slashes],
    ["i4-space-before.yaml", "url: expected an http or https URL without U+0020 space at its start (line 2)"]
  ])("is refused: %s", (name, message) => {
    assert.deepStrictEqual(messages(caseText(name)), [message])
  })
})

describe("what only some homeservers read", () => {
  const remarks = (text: string) => readOrThrow(text).remarks.map(({ line, problem }) => [line, problem])

  it("a tab between the words, which PyYAML refuses, is told with its line, and one in quotes or comments is none", () => {
    const problem = "a tab separates what is on the line, and Synapse takes none: it does not start with such a file"
    assert.deepStrictEqual(remarks(file({ 2: "url:\thttp://127.0.0.1" })), [[2, problem]])
    assert.deepStrictEqual(remarks(file({ 5: "sender_localpart: bot\t# the bot" })), [[5, problem]])
    assert.deepStrictEqual(remarks(JSON.stringify(readOrThrow(file({})).registration, null, 2)), [])
    assert.deepStrictEqual(remarks(file({ 2: "url: http://h #\ta comment" })), [])
  })

  it("merge keys and repeated anchors", () => {
    assert.deepStrictEqual(remarks(file({ 9: "    - <<: { exclusive: true }" })), [
      [9, "the merge key << is not read by homeservers in Rust (Conduit, Tuwunel, continuwuity)"]
    ])
    assert.deepStrictEqual(remarks(`${file({})}\nx: &a 1\ny: &a 2`), [
      [12, "two anchors (&) have one name, and Synapse does not start with such a file"]
    ])
  })
})

describe("the lines of fields", () => {
  it("are known by their path, also in lists", () => {
    const found = readOrThrow(file({})).lines
    assert.deepStrictEqual(
      ["id", "hs_token", "namespaces.users", "namespaces.users.0.regex"].map((path) => found.get(path)),
      [1, 4, 8, 10]
    )
  })

  it("stand in the error as data, in the order of the file", () => {
    const read = RegistrationFile.fromText(file({ 1: "id: no", 2: "url: http:/h", 4: "x: y" }), "a.yaml")
    assert.deepStrictEqual(
      Result.isFailure(read) ? read.failure.problems.map(({ field, line }) => [field, line]) : [],
      [["id", 1], ["url", 2], ["hs_token", undefined]]
    )
  })
})
