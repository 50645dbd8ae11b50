import * as RegistrationFile from "@appservice-ping/domain/RegistrationFile"
import * as RegistrationWarning from "@appservice-ping/domain/RegistrationWarning"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const caseText = (file: string): string => readFileSync(join(import.meta.dirname, "cases/registrations", file), "utf8")

const found = (text: string): ReadonlyArray<string> => {
  const file = Result.getOrThrowWith(RegistrationFile.fromText(text, "r.yaml"), (error) => new Error(error.message))
  return RegistrationWarning.of(file.registration, file).map(({ field, line, problem }) =>
    `${field} ${problem} (${line})`
  )
}

const file = (changes: { readonly [field: string]: string }): string => {
  const fields = {
    id: "bridge",
    url: "http://127.0.0.1:29318",
    as_token: "f3f9bb6a0e29d6ae35ba20b4ab8f5e2f8a4e6c1a",
    hs_token: "0c9f8a7b6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a",
    sender_localpart: "bridgebot",
    namespaces: "{ users: [{ exclusive: true, regex: '@bridge_.*' }] }",
    ...changes
  }
  return Object.entries(fields).map(([key, value]) => `${key}: ${value}`).join("\n")
}

const regex = (text: string): string =>
  file({ namespaces: `{ users: [{ exclusive: true, regex: '${text.replaceAll("'", "''")}' }] }` })

describe("what stops a homeserver", () => {
  it("is nothing in a registration that is right", () => {
    assert.deepStrictEqual(found(file({})), [])
  })

  it.each<readonly [string, string]>([
    [
      "e1-regex-star.yaml",
      "namespaces.users.0.regex is no regular expression: a sign of repetition has nothing before it (10)"
    ],
    ["e2-regex-open.yaml", "namespaces.users.0.regex is no regular expression: a ( is not closed (10)"],
    ["e3-no-exclusive.yaml", "namespaces.users.0.exclusive is missing, Synapse does not start with it (9)"],
    ["e4-users-null.yaml", "namespaces.users is empty; write [] (8)"],
    ["e5-sender-mxid.yaml", "sender_localpart is a whole user id (5)"],
    ["h1-spec-token.yaml", "as_token looks like the placeholder of an example (3)"],
    ["h2-docs-token.yaml", "as_token looks like the placeholder of an example (3)"],
    ["h3-envsubst.yaml", "as_token looks like the placeholder of an example (3)"],
    ["h4-change-this.yaml", "as_token looks like the placeholder of an example (3)"],
    ["i3-userinfo.yaml", "url has userinfo, and Synapse refuses a url with it (invalid hostname) (2)"],
    ["f2-unix.yaml", "url is no HTTP address: its scheme is unix (2)"]
  ])("is found in %s", (name, warning) => {
    assert.deepStrictEqual(found(caseText(name)), [warning])
  })

  it.each<readonly [string, string]>([
    ["@a[b", "is no regular expression: a [ is not closed"],
    ["+a", "is no regular expression: a sign of repetition has nothing before it"],
    ["a{2,1}", "is no regular expression: a repetition has a smaller number after a larger one"],
    ["[z-a]", "is no regular expression: a range in [ ] goes backwards or has no end"],
    ["@a)", "is no regular expression: there is a ) without a ("],
    ["@a\\", "is no regular expression: it ends with a backslash"],
    ["@a**", "is no regular expression for Synapse (Python): a repetition is repeated"],
    ["(?<n>a)", "is no regular expression for Synapse (Python): a named group needs (?P<"],
    [
      "@(?!a).*",
      "is no regular expression for homeservers in Rust (Conduit, Tuwunel, continuwuity): it looks ahead or behind"
    ],
    [
      "(a)\\1",
      "is no regular expression for homeservers in Rust (Conduit, Tuwunel, continuwuity): it refers back to a group"
    ]
  ])("is the regex %s", (text, problem) => {
    assert.deepStrictEqual(found(regex(text)), [`namespaces.users.0.regex ${problem} (6)`])
  })

  it.each([
    "@bridge_.*:example\\.org",
    "\\#irc_.*",
    "@_?(foo|bar)[a-z0-9._=-]+",
    "(?i)@x",
    "[^]a]",
    "a{1,3}?",
    "(?P<n>a)",
    "@a\\-b"
  ])(
    "is not the regex %s",
    (text) => {
      assert.deepStrictEqual(found(regex(text)), [])
    }
  )

  it.each<readonly [string, string]>([
    ["'bridge bot'", "has U+0020 space, and Synapse does not start with it"],
    ["bridge:bot", "has a character that no user id may have, and Synapse does not start with it"],
    ["''", "is empty, so the appservice has no user"]
  ])("is the sender_localpart %s", (text, problem) => {
    assert.deepStrictEqual(found(file({ sender_localpart: text })), [`sender_localpart ${problem} (5)`])
  })

  it.each<readonly [string, string]>([
    ["http://[::1]:29318", "has an IPv6 address, and Synapse refuses it (InvalidCodepoint)"],
    ["http://mautrix_telegram:29317", "has an underscore in its host, and Synapse refuses it (InvalidCodepoint)"],
    ["http://h?x=1", "has a query string, which not every homeserver sends on"],
    ["'http://h#x'", "has a fragment, which no homeserver sends on"],
    ["http://127.1:29318", "has an address that only some homeservers read as one"]
  ])("is the url %s", (text, problem) => {
    assert.deepStrictEqual(found(file({ url: text })), [`url ${problem} (2)`])
  })
})

describe("a placeholder", () => {
  it.each([
    "'%AS_TOKEN%'",
    "__AS_TOKEN__",
    "<as_token>",
    "'{{ as_token }}'",
    "CHANGEME",
    "xxxxxxxx",
    "generate",
    "This_value_is_generated",
    "$AS_TOKEN",
    "your-token",
    "30c05ae90a248a4188e620216fa72e349803310ec83e2a77b34fe90be6081f46",
    "312df522183efd404ec1cd22d2ffa4bbc76a8c1ccf541dd692eef281356bb74e"
  ])("is recognised in %s", (token) => {
    const warning = "looks like the placeholder of an example"
    // A template with spaces is no token either.
    const read = RegistrationFile.fromText(file({ as_token: token }), "r.yaml")
    if (Result.isSuccess(read)) assert.deepStrictEqual(found(file({ as_token: token })), [`as_token ${warning} (3)`])
    else assert.match(read.failure.message, /as_token: expected a token/)
  })

  it("is no token that could have been generated", () => {
    for (const token of ["f3f9bb6a0e29d6ae35ba20b4ab8f5e2f8a4e6c1a", "hua_k3YgE0bnXWqe_1xRkQm", "Zm9vYmFyYmF6cXV4"]) {
      assert.deepStrictEqual(found(file({ as_token: token })), [])
    }
  })

  it("is not the only token that everybody knows: two that are equal are one", () => {
    const same = "f3f9bb6a0e29d6ae35ba20b4ab8f5e2f8a4e6c1a"
    assert.deepStrictEqual(found(file({ as_token: same, hs_token: same })), ["hs_token is the same as as_token (4)"])
  })
})
