import * as Versions from "@appservice-ping/domain/Versions"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

const support = (versions: ReadonlyArray<string>, features?: { readonly [name: string]: boolean }) =>
  Versions.pingSupport({ versions, ...(features === undefined ? {} : { unstable_features: features }) })

describe("Versions.pingSupport", () => {
  it.each(["v1.7", "v1.8", "v1.10", "v1.17", "v2.0", "v2.6", "v10.0"])("C21 %s means the stable path", (version) => {
    assert.strictEqual(support([version]), "stable")
    assert.strictEqual(support(["r0.6.1", version, "v1.1"]), "stable")
  })

  it.each([
    "v1.6",
    "v1.0",
    "v1.1",
    "v0.9",
    "r0.6.1",
    "r1.7.0",
    "1.7",
    "v1.7.0",
    "v1.7-rc1",
    " v1.7",
    "v1.7 ",
    "V1.7",
    "v1",
    "v.7",
    "",
    "v99999.0"
  ])("C21 %j alone means no ping", (version) => {
    assert.strictEqual(support([version]), "none")
  })

  it("C21 no version at all means no ping", () => {
    assert.strictEqual(support([]), "none")
    assert.strictEqual(support([], {}), "none")
  })

  it("C21 fi.mau.msc2659.stable means the stable path, whatever else there is", () => {
    assert.strictEqual(support(["v1.6"], { "fi.mau.msc2659.stable": true }), "stable")
    assert.strictEqual(support([], { "fi.mau.msc2659.stable": true, "fi.mau.msc2659": true }), "stable")
    assert.strictEqual(support([], { "fi.mau.msc2659.stable": true, "fi.mau.msc2659": false }), "stable")
  })

  it("C21 fi.mau.msc2659 alone means the unstable path", () => {
    assert.strictEqual(support(["v1.6"], { "fi.mau.msc2659": true }), "unstable")
    assert.strictEqual(support(["v1.6"], { "fi.mau.msc2659": true, "fi.mau.msc2659.stable": false }), "unstable")
  })

  it("C21 the version decides over the unstable feature", () => {
    assert.strictEqual(support(["v1.7"], { "fi.mau.msc2659": true }), "stable")
    assert.strictEqual(support(["v1.7"], { "fi.mau.msc2659": false, "fi.mau.msc2659.stable": false }), "stable")
  })

  it("C21 a feature that is false, or has another name, is not supported", () => {
    assert.strictEqual(support(["v1.6"], { "fi.mau.msc2659": false, "fi.mau.msc2659.stable": false }), "none")
    assert.strictEqual(support(["v1.6"], { "fi.mau.msc26590": true, "FI.MAU.MSC2659": true }), "none")
  })

  it.prop("C21 is total", [Versions.Versions], ([versions]) => {
    assert.include(["stable", "unstable", "none"], Versions.pingSupport(versions))
  })
})

describe("Versions.Versions", () => {
  it("C21 reads a homeserver's answer, extra keys included", () => {
    const decode = Schema.decodeUnknownSync(Versions.Versions)
    const answer = { versions: ["v1.7"], unstable_features: { "org.example": true }, server: { name: "x" } }
    assert.deepStrictEqual(decode(answer), { versions: ["v1.7"], unstable_features: { "org.example": true } })
    assert.deepStrictEqual(decode({ versions: [] }), { versions: [] })
    assert.throws(() => decode({ unstable_features: {} }))
  })
})

describe("a version of the spec", () => {
  it("C21 is compared by its numbers, not by its text", () => {
    for (
      const [listed, major, minor, isSupported] of [
        ["v1.10", 1, 7, true],
        ["v1.7", 1, 10, false],
        ["v1.17", 1, 17, true],
        ["v1.16", 1, 17, false],
        ["v2.0", 1, 17, true],
        ["r0.6.1", 1, 0, false],
        ["v1", 1, 0, false],
        ["v1.17-beta", 1, 7, false],
        ["", 0, 0, false]
      ] as const
    ) {
      assert.strictEqual(Versions.isAtLeast({ versions: [listed] }, major, minor), isSupported, listed)
      assert.strictEqual(Versions.isAtLeast({ versions: ["v0.1", listed] }, major, minor), isSupported || major === 0)
    }
    assert.isFalse(Versions.isAtLeast({ versions: [] }, 0, 0))
  })
})
