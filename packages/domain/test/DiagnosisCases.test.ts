// Answers from public reports, each of which once had a false cause (cases/diagnosis.json says what is right), and every
// text that real homeservers wrote about a failed ping when all faults were played to them (cases/measured.json).
import * as Answer from "@appservice-ping/domain/Answer"
import * as ConnectionSign from "@appservice-ping/domain/ConnectionSign"
import { diagnose } from "@appservice-ping/domain/Diagnosis"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readFileSync } from "node:fs"

const Case = Schema.Struct({
  kind: Schema.String,
  id: Schema.String,
  url: Schema.String,
  answer: Schema.Struct({ status: Schema.Int, body: Schema.String }),
  right: Schema.Struct({ actor: Schema.String, temporary: Schema.Boolean, cause: Schema.String })
})

const cases = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Case)))(
  readFileSync(new URL("cases/diagnosis.json", import.meta.url), "utf8")
)

const Measured = Schema.Struct({
  peer: Schema.String,
  text: Schema.String,
  sign: Schema.String,
  tls: Schema.optionalKey(Schema.String),
  status: Schema.optionalKey(Schema.Int)
})

const measured = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Measured)))(
  readFileSync(new URL("cases/measured.json", import.meta.url), "utf8")
)

describe("texts measured on real homeservers", () => {
  it.each(measured.map((of) => [of.peer, of.text, of] as const))("%s: %s", (_, text, { sign, status, tls }) => {
    const reading = ConnectionSign.read({ error: text }, { url: "https://HOST:1" })
    assert.deepStrictEqual(
      { sign: reading.sign, tls: reading.tls, status: reading.status },
      { sign, tls: tls ?? "unknown", status }
    )
  })
})

describe("answers from public reports", () => {
  it.each(cases.map((of) => [of.kind, of.id, of] as const))("%s: %s", (_, __, { answer, right, url }) => {
    const result = Answer.decode(
      { ...answer, headers: {} },
      { url: new URL("http://homeserver.example/_matrix/client/v1/appservice/bridge/ping"), now: 0 }
    )
    if (Result.isSuccess(result)) return assert.fail("a success")
    const { actor, cause, temporary } = diagnose(result.failure, { url, homeserver: "http://homeserver.example" })
    assert.match(cause, new RegExp(right.cause))
    assert.deepStrictEqual({ actor, temporary }, { actor: right.actor, temporary: right.temporary })
  })
})
