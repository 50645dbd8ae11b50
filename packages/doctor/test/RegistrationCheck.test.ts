import { differences, explain, oddities } from "@appservice-ping/doctor/RegistrationCheck"
import { assert, describe, it } from "@effect/vitest"
import { assertNoToken, canaries, registration } from "./support/registrations.ts"

const parse = (fields: { readonly [key: string]: unknown }) =>
  registration({ url: "http://bridge.example:29317", ...fields })

const remote = new URL("https://matrix.example")

const tags = (fields: { readonly [key: string]: unknown }, homeserver = remote, worldReadable = false) =>
  oddities(parse(fields), { homeserver, worldReadable }).map(({ _tag }) => _tag)

describe("oddities", () => {
  it("a good registration has none", () => {
    assert.deepStrictEqual(tags({}), [])
  })

  for (
    const token of [
      "CHANGEME",
      "change_me_please",
      "<token>",
      "{{as_token}}",
      "your-as-token",
      "REPLACE-THIS",
      "xxxxxxxx",
      "secret",
      "hs_token",
      "generated",
      "this-is-an-example",
      "TODO"
    ]
  ) {
    it(`${token} is the placeholder of an example`, () => {
      assert.deepStrictEqual(tags({ hs_token: token }), ["PlaceholderToken"])
    })
  }

  for (
    const token of [
      "syt_dGVsZWdyYW0_todoXyZaBcDeFgHiJkLm_0a1b2c",
      "0f6e2f8b7d1c4a5e9b3d",
      "Qm9vdFRva2VuU2VjcmV0QnV0UmFuZG9t",
      "as_4f6b1d0c9e7a2b35"
    ]
  ) {
    it(`${token} is a token`, () => {
      assert.deepStrictEqual(tags({ hs_token: token }), [])
    })
  }

  const urls: ReadonlyArray<readonly [url: string | null, expected: ReadonlyArray<string>, homeserver?: URL]> = [
    [null, ["UrlNotSet"]],
    ["", ["UrlNotSet"]],
    ["http://user:pass@bridge.example", ["Warning"]],
    ["http://bridge.example/?access_token=x", ["Warning"]],
    ["http://0.0.0.0:29317", ["UrlIsWildcard"]],
    ["http://[::]:29317", ["UrlIsWildcard", "Warning"]],
    ["https://matrix.example", ["UrlIsHomeserver"]],
    ["https://matrix.example/", ["UrlIsHomeserver"]],
    ["https://matrix.example:443/bridge", []],
    ["http://bridge.example/_matrix/app/v1", ["UrlHasMatrixPath"]],
    ["http://bridge.example/_matrixes", []],
    ["http://localhost:29317", []],
    ["http://127.0.0.2:29317", []],
    ["http://[::1]:29317", ["Warning"]],
    ["http://localhost:29317", [], new URL("http://127.0.0.1:8008")]
  ]

  for (const [url, expected, homeserver] of urls) {
    it(`the url ${url} with the homeserver ${homeserver ?? remote}: ${expected.join() || "nothing"}`, () => {
      assert.deepStrictEqual(tags({ url }, homeserver), expected)
    })
  }

  it("tokens that are the same, and a file that everybody reads", () => {
    assert.deepStrictEqual(tags({ hs_token: canaries.as_token }, remote, true), ["SameTokens", "WorldReadable"])
  })

  it("D8 no sentence holds a token", () => {
    const fields = { hs_token: canaries.as_token, url: `http://x:${canaries.user}@0.0.0.0/_matrix/?a=${canaries.user}` }
    const found = oddities(parse(fields), { homeserver: remote, worldReadable: true })
    assert.lengthOf(found, 6)
    assertNoToken(found.map(explain).join("\n"))
  })
})

describe("differences", () => {
  it("names each field that differs", () => {
    assert.deepStrictEqual(
      differences(parse({}), parse({ id: "b", url: "http://c.example", as_token: "other_as", hs_token: "other_hs" })),
      ["id", "url", "as_token", "hs_token"]
    )
    for (const field of ["id", "as_token", "hs_token"] as const) {
      assert.deepStrictEqual(differences(parse({}), parse({ [field]: "something-else" })), [field])
    }
  })

  it("A8 a trailing slash, and D6 an empty url, make no difference", () => {
    assert.deepStrictEqual(differences(parse({}), parse({ url: "http://bridge.example:29317/" })), [])
    assert.deepStrictEqual(differences(parse({ url: null }), parse({ url: "" })), [])
    assert.deepStrictEqual(differences(parse({ url: null }), parse({})), ["url"])
  })

  it("fields that no ping needs do not count", () => {
    assert.deepStrictEqual(differences(parse({}), parse({ rate_limited: true, sender_localpart: "x" })), [])
  })
})
