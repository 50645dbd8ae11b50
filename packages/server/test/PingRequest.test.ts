import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as PingRequest from "../src/internal/pingRequest.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The request, or the errcode. */
const outcome = (
  read: typeof PingRequest.strict,
  body: Uint8Array
): { readonly transaction_id?: string } | "M_NOT_JSON" | "M_BAD_JSON" =>
  Result.match(read(body), { onSuccess: (request) => request, onFailure: (error) => error._tag })

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value)

describe("the body of a request to the homeserver", () => {
  it("C6 is an object, {} at least", () => {
    assert.deepStrictEqual(outcome(PingRequest.strict, bytes("{}")), {})
    assert.strictEqual(outcome(PingRequest.strict, bytes("")), "M_NOT_JSON")
    assert.strictEqual(outcome(PingRequest.strict, bytes("{\"transaction_id\":null}")), "M_BAD_JSON")
  })

  it("C6 tells an empty body from one that is no JSON", () => {
    const errorOf = (body: string) =>
      Result.match(PingRequest.strict(bytes(body)), {
        onSuccess: () => undefined,
        onFailure: ({ error }) => error
      })
    assert.strictEqual(errorOf(""), "The request body is empty")
    assert.strictEqual(errorOf("secret"), "The request body is not JSON")
    assert.strictEqual(errorOf("[\"secret\"]"), "The request body must be a JSON object")
    assert.strictEqual(errorOf("{\"transaction_id\":[\"secret\"]}"), "transaction_id must be a string")
  })

  it.prop("C7 keeps any transaction_id as it is", [Schema.String], ([id]) => {
    const body = bytes(JSON.stringify({ transaction_id: id }))
    assert.deepStrictEqual(outcome(PingRequest.strict, body), { transaction_id: id })
    assert.deepStrictEqual(outcome(PingRequest.lenient, body), { transaction_id: id })
  })

  it.prop("C6 takes an object and refuses any other JSON", [Schema.Json], ([value]) => {
    const found = outcome(PingRequest.strict, bytes(JSON.stringify(value)))
    const id: unknown = isObject(value)
      ? Object.entries(value ?? {}).find(([key]) => key === "transaction_id")?.[1]
      : null
    if (!isObject(value)) assert.strictEqual(found, "M_BAD_JSON")
    else if (id === undefined) assert.deepStrictEqual(found, {})
    else assert.strictEqual(found === "M_BAD_JSON", typeof id !== "string")
  })

  it.prop("C6 never throws, whatever the bytes", [Schema.Uint8Array], ([body]) => {
    for (const read of [PingRequest.strict, PingRequest.lenient]) {
      const found = outcome(read, body)
      assert.isTrue(found === "M_NOT_JSON" || found === "M_BAD_JSON" || isObject(found))
    }
  })
})

describe("the body of a request to the appservice", () => {
  it("A4 takes an empty body and a transaction_id of null for absent", () => {
    assert.deepStrictEqual(outcome(PingRequest.lenient, bytes("")), {})
    assert.deepStrictEqual(outcome(PingRequest.lenient, bytes("{\"transaction_id\":null}")), {})
  })

  it("A4 refuses the rest as the homeserver does", () => {
    for (const text of [" ", "{", "null", "[]", "[null]", "{\"transaction_id\":0}", "{\"transaction_id\":{}}"]) {
      assert.deepStrictEqual(outcome(PingRequest.lenient, bytes(text)), outcome(PingRequest.strict, bytes(text)), text)
    }
  })
})
