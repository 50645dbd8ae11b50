import * as Registration from "@appservice-ping/domain/Registration"
import * as RegistrationFile from "@appservice-ping/domain/RegistrationFile"
import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { leaks } from "./support/canary.ts"

const directory = join(import.meta.dirname, "registrations")
const textOf = (file: string): string => readFileSync(join(directory, file), "utf8")

const read = (text: string, source = "registration.yaml"): Registration.Registration =>
  Result.getOrThrowWith(RegistrationFile.fromText(text, source), (error) => new Error(error.message)).registration

/** Everything in a registration, with the tokens laid open. */
const reveal = (registration: Registration.Registration): { readonly [key: string]: unknown } => ({
  ...registration,
  as_token: Redacted.value(registration.as_token),
  hs_token: Redacted.value(registration.hs_token)
})

const user = (regex: string, exclusive = true) => ({ regex, exclusive })

const expected: { readonly [file: string]: { readonly [key: string]: unknown } } = {
  "mautrix-whatsapp.yaml": {
    id: "whatsapp",
    url: "http://localhost:29318",
    as_token: "wAsExampleAsTokenOfNoRealBridge0000000000000000000000000000000001",
    hs_token: "wAsExampleHsTokenOfNoRealBridge0000000000000000000000000000000002",
    sender_localpart: "xQ3exampleSenderLocalpart7Zk",
    namespaces: { users: [user("^@whatsappbot:example\\.org$"), user("^@whatsapp_.*:example\\.org$")] },
    rate_limited: false,
    "de.sorunome.msc2409.push_ephemeral": true,
    receive_ephemeral: true,
    "io.element.msc4190": true
  },
  "mautrix-telegram.yaml": {
    id: "telegram",
    url: "http://mautrix-telegram:29317",
    as_token: "tElegramExampleAsToken-0000000000000000000000000000000000000-1",
    hs_token: "tElegramExampleHsToken-0000000000000000000000000000000000000-2",
    sender_localpart: "tgExampleSender0123456789abcdef",
    namespaces: {
      aliases: [user("\\#telegram_.*:example\\.org")],
      users: [user("@telegram_.*:example\\.org"), user("@telegrambot:example\\.org")]
    },
    rate_limited: false,
    "de.sorunome.msc2409.push_ephemeral": true,
    push_ephemeral: true
  },
  "hookshot.yaml": {
    id: "matrix-hookshot",
    url: "http://localhost:9993",
    as_token: "hookshotExampleAsToken",
    hs_token: "hookshotExampleHsToken",
    sender_localpart: "hookshot",
    namespaces: {
      rooms: [],
      users: [
        user("@_github_.*:example.org"),
        user("@_gitlab_.*:example.org"),
        user("@_webhooks_.*:example.org")
      ],
      aliases: [user("#github_.+:example.org")]
    },
    rate_limited: false,
    "de.sorunome.msc2409.push_ephemeral": true,
    push_ephemeral: true,
    "org.matrix.msc3202": true
  },
  "appservice-irc.yaml": {
    id: "IRC Bridge",
    url: "http://localhost:9999",
    as_token: "ircExampleAsToken0000000000000000000000000000000000000000000001",
    hs_token: "ircExampleHsToken0000000000000000000000000000000000000000000002",
    sender_localpart: "appservice-irc",
    namespaces: {
      users: [{ exclusive: true, regex: "@irc_.*:example.org", group_id: "+irc:example.org" }],
      aliases: [user("#irc_.*:example.org"), user("#freenode_.*:example.org", false)],
      rooms: []
    },
    rate_limited: false,
    protocols: ["irc"]
  },
  "mx-puppet-discord.yaml": {
    id: "discord-puppet",
    url: "http://localhost:8434",
    as_token: "00000000-aaaa-4bbb-8ccc-example00001",
    hs_token: "00000000-aaaa-4bbb-8ccc-example00002",
    sender_localpart: "_discordpuppet_bot",
    namespaces: { users: [user("@_discordpuppet_.*")], rooms: [], aliases: [user("#_discordpuppet_.*")] },
    rate_limited: false,
    protocols: [],
    "de.sorunome.msc2409.push_ephemeral": true
  },
  "heisenbridge.yaml": {
    id: "heisenbridge",
    url: "http://127.0.0.1:9898",
    as_token: "heisenExampleAsToken0000000000000000000000000000001",
    hs_token: "heisenExampleHsToken0000000000000000000000000000002",
    sender_localpart: "heisenbridge",
    namespaces: { users: [user("@irc_.*"), user("@heisenbridge")], aliases: [], rooms: [] },
    rate_limited: false
  },
  "beeper-sh-example.yaml": {
    id: "sh-example",
    url: null,
    as_token: "hua_exampleAsToken_0000000000000000000000000000000001_abcdef",
    hs_token: "huh_exampleHsToken_0000000000000000000000000000000002_abcdef",
    sender_localpart: "sh-examplebot",
    namespaces: {
      users: [user("@sh-example_.+:beeper\\.local"), user("@sh-examplebot:beeper\\.local")],
      rooms: null,
      aliases: null
    },
    rate_limited: null,
    receive_ephemeral: true,
    "de.sorunome.msc2409.push_ephemeral": true,
    push_ephemeral: true,
    "org.matrix.msc3202": true,
    "io.element.msc4190": true,
    "com.beeper.hungryserv.example": true,
    "fi.mau.example.nested": { list: [1, "two", { three: 3.5 }], text: "two\nlines\n" }
  },
  "double-puppet.yaml": {
    id: "doublepuppet",
    url: null,
    as_token: "doublePuppetExampleAsToken000000000000000000000001",
    hs_token: "doublePuppetExampleHsToken000000000000000000000002",
    sender_localpart: "doublePuppetExampleSender",
    namespaces: { users: [user("@.*:example\\.org", false)] },
    rate_limited: false
  },
  "minimal-empty-url.yaml": {
    id: "minimal",
    url: "",
    as_token: "minimalExampleAsToken",
    hs_token: "minimalExampleHsToken",
    sender_localpart: "minimal",
    namespaces: {}
  },
  "anchors.yaml": {
    id: "anchored",
    url: "http://anchored:8080/bridge/",
    as_token: "anchoredExampleAsToken",
    hs_token: "anchoredExampleHsToken",
    sender_localpart: "anchored",
    namespaces: { users: [user("@anchored_.*"), user("@other_.*")], aliases: [] },
    "x-server": "example\\.org",
    "x-exclusive": { exclusive: true },
    "x-bot": "anchored"
  },
  "synapse.json": {
    id: "json-example",
    url: "http://[::1]:29330/bridge",
    as_token: "jsonExampleAsToken",
    hs_token: "jsonExampleHsToken",
    sender_localpart: "json-example",
    namespaces: { users: [user("@json_.*:example\\.org")], rooms: [], aliases: null },
    rate_limited: true,
    protocols: ["example"],
    "org.example.unknown": { kept: [1, null, "x"] }
  }
}

describe("RegistrationFile.fromText of real bridges' files", () => {
  it("has an expectation for every file", () => {
    assert.sameMembers(readdirSync(directory), Object.keys(expected))
  })

  describe.each(Object.entries(expected))("%s", (file, fields) => {
    it("reads every field, and keeps the keys it does not know", () => {
      assert.deepStrictEqual(reveal(read(textOf(file))), fields)
    })

    it.each<readonly [string, (text: string) => string]>([
      ["with CRLF", (text) => text.replaceAll("\n", "\r\n")],
      ["with a BOM", (text) => `\uFEFF${text}`],
      ["with both", (text) => `\uFEFF${text.replaceAll("\n", "\r\n")}`],
      ["without a newline at the end", (text) => text.trimEnd()],
      ["after blank lines", (text) => `\n \n${text}`]
    ])("reads it %s", (_, change) => {
      assert.deepStrictEqual(reveal(read(change(textOf(file)))), fields)
    })

    it("reads it as JSON", () => {
      assert.deepStrictEqual(reveal(read(JSON.stringify(fields))), fields)
      assert.deepStrictEqual(reveal(read(JSON.stringify(fields, null, "\t"))), fields)
    })

    it("D8 hides the tokens from every way of printing", () => {
      assert.deepStrictEqual(leaks(read(textOf(file)), [String(fields["as_token"]), String(fields["hs_token"])]), [])
    })
  })

  it("reads a file with a leading ---, and with a trailing ...", () => {
    const text = textOf("heisenbridge.yaml")
    assert.deepStrictEqual(reveal(read(`---\n${text}`)), expected["heisenbridge.yaml"])
    assert.deepStrictEqual(reveal(read(`--- \n${text}...\n`)), expected["heisenbridge.yaml"])
    assert.deepStrictEqual(reveal(read(`# before\n---\n${text}`)), expected["heisenbridge.yaml"])
  })
})

const tokens = { as: "canary-as-0123456789", hs: "canary-hs-0123456789" }
const valid = {
  id: "example",
  url: "http://localhost:29318",
  as_token: tokens.as,
  hs_token: tokens.hs,
  sender_localpart: "bot",
  namespaces: {}
}

const linesOf = (text: string): ReadonlyArray<string> => {
  const result = RegistrationFile.fromText(text, "registration.yaml")
  return Result.isFailure(result) ? result.failure.message.split("\n") : []
}

const problemsOf = (change: object): ReadonlyArray<string> => linesOf(JSON.stringify({ ...valid, ...change }))

describe("a boolean of a registration", () => {
  it.each([
    ...["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"].map((word) => [word, true] as const),
    ...["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"].map((word) => [word, false] as const)
  ])("is read from every word of YAML 1.1: %s", (word, flag) => {
    const text = textOf("heisenbridge.yaml").replace("rate_limited: false", `rate_limited: ${word}`)
    assert.include(text, `rate_limited: ${word}`)
    assert.strictEqual(read(text).rate_limited, flag)
  })

  it.each(["y", "n", "1", "maybe", "''", "yEs"])("is not read from %s", (word) => {
    const text = textOf("heisenbridge.yaml").replace("rate_limited: false", `rate_limited: ${word}`)
    assert.deepStrictEqual(linesOf(text), ["registration.yaml: rate_limited: expected true or false (line 5)"])
  })
})

describe("Registration.urlOf", () => {
  it.each(["url: null", "url: ''", "url: ~", "url: \"\"", "url:", "url: Null"])(
    "C8 there is nothing to ping with %s",
    (line) => {
      const text = textOf("heisenbridge.yaml").replace(/^url: .*$/m, line)
      assert.include(text, line)
      assert.isUndefined(Registration.urlOf(read(text)))
    }
  )

  it("D6 an empty url counts as unset", () => {
    assert.isUndefined(Registration.urlOf(read(JSON.stringify({ ...valid, url: "" }))))
    assert.isUndefined(Registration.urlOf(read(JSON.stringify({ ...valid, url: null }))))
  })

  it("gives the url there is, as it is written", () => {
    assert.strictEqual(Registration.urlOf(read(textOf("anchors.yaml"))), "http://anchored:8080/bridge/")
  })
})

describe("RegistrationError", () => {
  it.each<readonly [object, string]>([
    [{ id: undefined }, "id: missing, but required"],
    [{ url: undefined }, "url: missing, but required"],
    [{ as_token: undefined }, "as_token: missing, but required"],
    [{ hs_token: undefined }, "hs_token: missing, but required"],
    [{ sender_localpart: undefined }, "sender_localpart: missing, but required"],
    [{ namespaces: undefined }, "namespaces: missing, but required"],
    [{ id: 5 }, "id: expected text, in quotes if it looks like a number or a boolean"],
    [{ id: "" }, "id: expected text of at least one character"],
    [{ id: ".." }, "id: expected text other than \".\" and \"..\", without lone surrogates"],
    [{ url: "bridge:29318" }, "url: expected an http or https URL, or null"],
    [{ url: 29318 }, "url: expected an http or https URL, or null"],
    [{ url: false }, "url: expected an http or https URL, or null"],
    [{ as_token: 1234 }, "as_token: expected text, in quotes if it looks like a number or a boolean"],
    [{ as_token: null }, "as_token: expected text, in quotes if it looks like a number or a boolean"],
    [{ hs_token: "" }, "hs_token: expected a token: one or more visible ASCII characters, without spaces"],
    [{ hs_token: "a b" }, "hs_token: expected a token: one or more visible ASCII characters, without spaces"],
    [
      { hs_token: "a\n" },
      "hs_token: expected a token: one or more visible ASCII characters, without spaces, but it has U+000A line feed"
    ],
    [{ hs_token: "tökén" }, "hs_token: expected a token: one or more visible ASCII characters, without spaces"],
    [{ sender_localpart: 5 }, "sender_localpart: expected text, in quotes if it looks like a number or a boolean"],
    [{ namespaces: [] }, "namespaces: expected a mapping with users, rooms and aliases, or an empty one: {}"],
    [{ namespaces: null }, "namespaces: expected a mapping with users, rooms and aliases, or an empty one: {}"],
    [{ namespaces: { users: {} } }, "namespaces.users: expected a list of namespaces"],
    [{ namespaces: { rooms: "x" } }, "namespaces.rooms: expected a list of namespaces"],
    [{ namespaces: { users: ["x"] } }, "namespaces.users.0: expected a mapping with regex and exclusive"],
    [{ namespaces: { aliases: [{ exclusive: true }] } }, "namespaces.aliases.0.regex: missing, but required"],
    [
      { namespaces: { users: [{ regex: "x" }, { regex: 5 }] } },
      "namespaces.users.1.regex: expected text, in quotes if it looks like a number or a boolean"
    ],
    [{ namespaces: { users: [{ regex: "x", exclusive: 1 }] } }, "namespaces.users.0.exclusive: expected true or false"],
    [{ rate_limited: "maybe" }, "rate_limited: expected true or false"],
    [{ receive_ephemeral: 1 }, "receive_ephemeral: expected true or false"],
    [{ receive_ephemeral: null }, "receive_ephemeral: expected true or false"],
    [{ push_ephemeral: "x" }, "push_ephemeral: expected true or false"],
    [{ "de.sorunome.msc2409.push_ephemeral": "x" }, "de.sorunome.msc2409.push_ephemeral: expected true or false"],
    [{ "org.matrix.msc3202": "x" }, "org.matrix.msc3202: expected true or false"],
    [{ "io.element.msc4190": "x" }, "io.element.msc4190: expected true or false"],
    [{ protocols: "irc" }, "protocols: expected a list of text"],
    [{ protocols: ["irc", 5] }, "protocols.1: expected text, in quotes if it looks like a number or a boolean"]
  ])("names file, field and what is expected: %j", (change, problem) => {
    assert.deepStrictEqual(problemsOf(change), [`registration.yaml: ${problem}`])
  })

  it("names every field at once", () => {
    assert.deepStrictEqual(linesOf("id: example\nurl: x:1\nas_token: 5\nnamespaces: {}\nsender_localpart: bot"), [
      "registration.yaml: url: expected an http or https URL, or null (line 2)",
      "registration.yaml: as_token: expected text, in quotes: Synapse reads it as a number, and does not start (line 3)",
      "registration.yaml: hs_token: missing, but required"
    ])
  })

  it("names at most 20 problems", () => {
    assert.lengthOf(problemsOf({ protocols: Array.from({ length: 20 }, () => 5) }), 20)
    assert.lengthOf(problemsOf({ protocols: Array.from({ length: 10_000 }, () => 5) }), 20)
  })

  it.each([
    ["as_token: \"x\n", "not valid YAML at line 1: a quote is not closed"],
    ["id: a\n\tb: c\n", "not valid YAML at line 2: a tab cannot indent; use spaces"],
    ["id: a\nid: b\n", "not valid YAML at line 2: each key may be there once, and one is repeated"],
    [
      "id: a\n---\nid: b\n",
      "not valid YAML at line 2: there is a second document after ---; a registration is one"
    ],
    ["{\"id\": ", "not valid YAML at line 1: a [ or { is not closed"],
    ["", "expected a mapping with id, url, as_token, hs_token and so on"],
    ["- id: a", "expected a mapping with id, url, as_token, hs_token and so on"],
    ["text", "expected a mapping with id, url, as_token, hs_token and so on"],
    ["null", "expected a mapping with id, url, as_token, hs_token and so on"],
    ["[]", "expected a mapping with id, url, as_token, hs_token and so on"]
  ])("names what is wrong with the text as a whole: %j", (text, problem) => {
    assert.deepStrictEqual(linesOf(text), [`registration.yaml: ${problem}`])
  })

  it("has its fields as data too", () => {
    const result = RegistrationFile.fromText(JSON.stringify({ ...valid, url: "x:1" }), "a.yaml")
    assert.deepStrictEqual(Result.isFailure(result) ? [result.failure.source, result.failure.problems] : [], [
      "a.yaml",
      [{ field: "url", expected: "expected an http or https URL, or null" }]
    ])
  })

  const secret = "canary0123456789"
  it.each([
    `as_token: "${secret}`,
    `as_token: '${secret}`,
    `as_token: "${secret}" x`,
    `as_token: "\\${secret}"`,
    `as_token: "\\u${secret}"`,
    `as_token: *${secret}`,
    `as_token: &${secret}`,
    `as_token: ${secret}: x`,
    `as_token: ${secret}\n\ths_token: ${secret}`,
    `as_token: ${secret}\n  - ${secret}`,
    `as_token: [${secret}`,
    `as_token: {${secret}`,
    `as_token: {${secret}: [}`,
    `as_token: |${secret}`,
    `as_token: >9\n ${secret}`,
    `as_token: !!${secret} x`,
    `as_token: [${secret}]`,
    `as_token: {a: ${secret}}`,
    `as_token:\n  ${secret}: ${secret}`,
    `%${secret}\n---\n%${secret}`,
    secret,
    `${secret}: a\n${secret}: b`,
    `{${secret}: a, ${secret}: b}`,
    `a: {${secret}: a, ${secret}: b}`,
    `- - ${secret}`,
    `<<: ${secret}`,
    `a: b\n---\nas_token: ${secret}`,
    `{"as_token": "${secret}"`,
    `{"as_token": "${secret}",}`,
    `{"as_token": "${secret}\u0000"}`,
    `{"${secret}": "x" "y"}`,
    `["${secret}"]`,
    `"${secret}"`,
    ...Object.keys(valid).flatMap((key) =>
      [secret, [secret], { [secret]: secret }, { regex: { [secret]: [secret] } }, `${secret} x`, `${secret}\n`].flatMap(
        (value) => [{ ...valid, [key]: value, protocols: 5 }, { [key]: value }, { ...valid, [key]: value, url: 5 }]
      ).map((value) => JSON.stringify(value))
    ),
    ...["users", "rooms", "aliases"].flatMap((key) =>
      [secret, [secret], [{ regex: [secret] }], [{ regex: "x", exclusive: secret }], { [secret]: secret }].map((
        value
      ) => JSON.stringify({ ...valid, id: "", namespaces: { [key]: value } }))
    ),
    ...["rate_limited", "receive_ephemeral", "org.matrix.msc3202", "protocols"].flatMap((key) =>
      [secret, [{ [secret]: secret }], { [secret]: secret }].map((value) =>
        JSON.stringify({ ...valid, id: "", [key]: value })
      )
    )
  ])("D8 shows no value of a broken text: %j", (text) => {
    const result = RegistrationFile.fromText(text, "registration.yaml")
    assert.isTrue(Result.isFailure(result))
    if (Result.isFailure(result)) assert.deepStrictEqual(leaks(result.failure, [secret, tokens.as, tokens.hs]), [])
  })
})
