import { PingRequest } from "@appservice-ping/domain/PingRequest"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"

const decode = Schema.decodeUnknownResult(PingRequest)
const encode = Schema.encodeUnknownSync(PingRequest)

describe("PingRequest", () => {
  it.each(["", "a", "mautrix-go_1_2", "мост 😀", "\0\n\"", "x".repeat(100_000)])(
    "C7 passes a transaction_id through as it is: %j",
    (transaction_id) => {
      assert.deepStrictEqual(decode({ transaction_id }), Result.succeed({ transaction_id }))
      assert.deepStrictEqual(encode({ transaction_id }), { transaction_id })
    }
  )

  it.prop("C7 any text survives JSON", [Schema.String], ([transaction_id]) => {
    const wire: unknown = JSON.parse(JSON.stringify(encode({ transaction_id })))
    assert.deepStrictEqual(decode(wire), Result.succeed({ transaction_id }))
  })

  it("C6 takes an empty object, and extra keys", () => {
    assert.deepStrictEqual(decode({}), Result.succeed({}))
    assert.deepStrictEqual(decode({ other: 1, transaction_id: "a" }), Result.succeed({ transaction_id: "a" }))
  })

  it("D9 omits transaction_id where there is none", () => {
    assert.strictEqual(JSON.stringify(encode({})), "{}")
  })

  it.each([null, undefined, 1, "text", true, []])("C6 refuses what is not an object: %j", (body) => {
    assert.isTrue(Result.isFailure(decode(body)))
  })

  it.each([1, true, {}, [], ["a"], null])("C6 refuses a transaction_id that is not a string: %j", (transaction_id) => {
    assert.isTrue(Result.isFailure(decode({ transaction_id })))
  })
})
