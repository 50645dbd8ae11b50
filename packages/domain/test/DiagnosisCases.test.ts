// Answers from public reports, each of which once had a false cause: test/cases/diagnosis.json says what is right.
import * as Answer from "@appservice-ping/domain/Answer"
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
