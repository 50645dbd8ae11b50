import { serverVersion } from "@appservice-ping/domain/FederationApi"
import { describeServer, PingUnsupported } from "@appservice-ping/domain/PingUnsupported"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

describe("serverVersion", () => {
  it.each<readonly [string, string, ReturnType<typeof serverVersion>]>([
    ["name and version", "{\"server\":{\"name\":\"Synapse\",\"version\":\"1.157\"}}", {
      name: "Synapse",
      version: "1.157"
    }],
    ["a name alone", "{\"server\":{\"name\":\"Conduit\"}}", { name: "Conduit" }],
    ["more than that", "{\"server\":{\"name\":\"a\",\"version\":\"b\",\"x\":1},\"y\":2}", { name: "a", version: "b" }],
    ["a version that is a number", "{\"server\":{\"name\":\"a\",\"version\":1}}", { name: "a" }],
    ["a version alone", "{\"server\":{\"version\":\"1\"}}", undefined],
    ["a name that is a list", "{\"server\":{\"name\":[\"a\"]}}", undefined],
    ["an empty name", "{\"server\":{\"name\":\" \\n\"}}", undefined],
    ["a server that is a text", "{\"server\":\"Synapse\"}", undefined],
    ["a list", "[{\"server\":{\"name\":\"a\"}}]", undefined],
    ["no JSON", "<html>", undefined],
    ["nothing", "", undefined]
  ])("C21 reads %s", (_, body, expected) => {
    assert.deepStrictEqual(serverVersion(body), expected)
  })

  it.prop("C21 is one line of at most 64 visible characters each, whatever came", [Schema.String, Schema.String], (
    [name, version]
  ) => {
    const found = serverVersion(JSON.stringify({ server: { name, version } }))
    for (const text of [found?.name, found?.version]) {
      if (text === undefined) continue
      assert.match(text, /^[\p{L}\p{N}\p{P}\p{S}](?:[ \p{L}\p{N}\p{P}\p{S}]*[\p{L}\p{N}\p{P}\p{S}])?$/u)
      assert.isAtMost([...text].length, 64)
    }
  })

  it("C21 cuts a long name between characters", () => {
    const name = "\u{1f600}".repeat(100)
    assert.strictEqual(serverVersion(JSON.stringify({ server: { name } }))?.name, "\u{1f600}".repeat(64))
  })
})

describe("PingUnsupported", () => {
  const url = "https://matrix.example/"

  it("says what the homeserver is, and what it lists", () => {
    const error = new PingUnsupported({
      url,
      versions: ["v1.5", "v1.6"],
      server: { name: "Synapse", version: "1.79.0" }
    })
    assert.strictEqual(
      error.message,
      "Synapse 1.79.0 at https://matrix.example/ does not support the ping, which needs Matrix v1.7: it lists v1.5, v1.6"
    )
  })

  it("says so too where the homeserver says nothing of itself", () => {
    const error = new PingUnsupported({ url, versions: [] })
    assert.match(error.message, /^The homeserver at .*: it lists no version$/)
    assert.strictEqual(describeServer({ name: "Conduit" }), "Conduit")
  })
})
