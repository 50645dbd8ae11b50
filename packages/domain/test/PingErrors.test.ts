import * as Answer from "@appservice-ping/domain/Answer"
import { diagnose } from "@appservice-ping/domain/Diagnosis"
import * as PingError from "@appservice-ping/domain/PingError"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { pingErrors } from "./support/pingErrors.ts"

const errors = Object.values(pingErrors)

const tagsOfUnion = PingError.PingError.members.map((member) => member.fields._tag.schema.literal)

const tests = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".test.ts") && file !== "PingErrors.test.ts")
  .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"))

describe("the catalogue of errcodes", () => {
  it("has a sample of each error", () => {
    assert.sameMembers(Object.keys(pingErrors), tagsOfUnion)
    for (const [tag, error] of Object.entries(pingErrors)) assert.strictEqual(error._tag, tag)
  })

  it("C15 has a status and a wire form for each error but the open one", () => {
    const closed = tagsOfUnion.filter((tag) => tag !== "OtherErrcode")
    assert.sameMembers(Object.keys(Answer.statuses), closed)
    assert.sameMembers(Object.keys(Answer.wire), closed)
  })

  it.each(errors.map((error) => [error._tag, error] as const))("has a diagnosis of its own for %s", (tag, error) => {
    const others = errors.filter((other) => other._tag !== tag).map((other) => diagnose(other).cause)
    assert.notInclude(others, diagnose(error).cause)
  })

  it.each(tagsOfUnion)("has tests that name %s", (tag) => {
    assert.isTrue(tests.some((text) => text.includes(tag)))
  })

  it.each(errors.map((error) => [error._tag, error] as const))(
    "D8 says %s in one line, with its errcode",
    (_, error) => {
      const errcode = error._tag === "OtherErrcode" ? error.errcode : error._tag
      assert.strictEqual(error.message, `${errcode}: ${error.error}`)
    }
  )

  it("says only the errcode where there is no text", () => {
    assert.strictEqual(new PingError.Forbidden({}).message, "M_FORBIDDEN")
    assert.strictEqual(new PingError.OtherErrcode({ errcode: "COM.EXAMPLE_X", status: 400 }).message, "COM.EXAMPLE_X")
  })

  it.prop("survives JSON in memory's own form too", [PingError.PingError], ([error]) => {
    const encode = Schema.encodeUnknownSync(PingError.PingError)
    const json: unknown = JSON.parse(JSON.stringify(encode(error)))
    const decoded = Schema.decodeUnknownResult(PingError.PingError)(json)
    assert.deepStrictEqual<unknown>(encode(Result.getOrThrow(decoded)), json)
  })
})
