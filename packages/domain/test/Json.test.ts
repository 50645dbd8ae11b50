import * as Json from "@appservice-ping/domain/Json"
import { assert, describe, it } from "@effect/vitest"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

describe("Json", () => {
  it.each([["{}", {}], ["null", null], ["[1]", [1]], ["\"a\"", "a"], [" 0 ", 0]])("reads %s", (text, value) => {
    assert.deepStrictEqual(Json.parse(text), value)
    assert.deepStrictEqual(Json.parseBytes(bytesOf(text)), value)
  })

  it.each(["", "{", "undefined", "NaN", "{'a':1}", "{} {}", "\uFEFF{}"])("takes %j for no JSON", (text) => {
    assert.isUndefined(Json.parse(text))
    assert.isUndefined(Json.parseBytes(bytesOf(text)))
  })

  it("takes bytes that are not UTF-8 for no JSON", () => {
    assert.isUndefined(Json.parseBytes(Uint8Array.of(0x22, 0xff, 0x22)))
    assert.isUndefined(Json.parseBytes(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)))
  })
})
