import * as Answer from "@appservice-ping/domain/Answer"
import * as PingError from "@appservice-ping/domain/PingError"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Redacted } from "effect"
import { failureOf, fields } from "./support/answers.ts"
import { pingErrors } from "./support/pingErrors.ts"

describe("Answer.fromError", () => {
  it.each(
    [
      ["C6", "M_NOT_JSON", 400],
      ["C6", "M_BAD_JSON", 400],
      ["C8", "M_URL_NOT_SET", 400],
      ["C2", "M_MISSING_TOKEN", 401],
      ["C3", "M_UNKNOWN_TOKEN", 401],
      ["C4", "M_FORBIDDEN", 403],
      ["C16", "M_UNRECOGNIZED", 404],
      ["C18", "M_LIMIT_EXCEEDED", 429],
      ["C10", "M_BAD_STATUS", 502],
      ["C11", "M_CONNECTION_FAILED", 502],
      ["C12", "M_CONNECTION_TIMEOUT", 504],
      ["C19", "OtherErrcode", 418]
    ] as const
  )("%s answers %s with status %i", (_, tag, status) => {
    const answer = Answer.fromError(pingErrors[tag])
    assert.strictEqual(answer.status, status)
    assert.strictEqual(answer.headers["content-type"], "application/json")
    const body: unknown = JSON.parse(answer.body)
    assert.propertyVal(body, "errcode", tag === "OtherErrcode" ? "COM.EXAMPLE_X" : tag)
    assert.propertyVal(body, "error", pingErrors[tag].error)
    assert.notProperty(body, "_tag")
  })

  it("C10 gives the appservice's status and body", () => {
    assert.deepStrictEqual(JSON.parse(Answer.fromError(pingErrors.M_BAD_STATUS).body), {
      errcode: "M_BAD_STATUS",
      error: "the appservice answered 418",
      status: 418,
      body: "short and stout"
    })
  })

  it("C18 gives the wait in both forms, the header in whole seconds", () => {
    const answer = Answer.fromError(new PingError.LimitExceeded({ error: "slow", retryAfter: Duration.millis(1500) }))
    assert.strictEqual(answer.headers["retry-after"], "2")
    assert.deepStrictEqual(JSON.parse(answer.body), {
      errcode: "M_LIMIT_EXCEEDED",
      error: "slow",
      retry_after_ms: 1500
    })
  })

  it("C18 has no Retry-After where no wait is known", () => {
    const answer = Answer.fromError(new PingError.LimitExceeded({ error: "slow" }))
    assert.notProperty(answer.headers, "retry-after")
    assert.notProperty(JSON.parse(answer.body), "retry_after_ms")
  })

  it.each([
    [Duration.infinity, Number.MAX_SAFE_INTEGER, "9999999999"],
    [Duration.millis(-5), 0, "0"],
    [Duration.millis(0.5), 1, "1"]
  ])("C18 renders a wait that no number of milliseconds holds: %s", (retryAfter, millis, header) => {
    const answer = Answer.fromError(new PingError.LimitExceeded({ retryAfter }))
    assert.propertyVal(JSON.parse(answer.body), "retry_after_ms", millis)
    assert.strictEqual(answer.headers["retry-after"], header)
  })

  it("C15 has an error text even where the error has none", () => {
    const other = new PingError.OtherErrcode({ errcode: "COM.EXAMPLE_X", status: 500 })
    for (const error of [new PingError.Forbidden({}), new PingError.BadStatus({ status: 500 }), other]) {
      const body: unknown = JSON.parse(Answer.fromError(error).body)
      const errcode = error._tag === "OtherErrcode" ? error.errcode : error._tag
      assert.propertyVal(body, "errcode", errcode)
      assert.propertyVal(body, "error", errcode)
    }
  })

  it.prop("C15 no error makes it throw, and each answer has errcode, error and an errcode's status", [
    PingError.PingError
  ], ([error]) => {
    const { body, headers, status } = Answer.fromError(error)
    const json: unknown = JSON.parse(body)
    assert.containsAllKeys(json, ["errcode", "error"])
    assert.strictEqual(status, error._tag === "OtherErrcode" ? error.status : Answer.statuses[error._tag])
    assert.strictEqual(headers["content-type"], "application/json")
  })
})

/** An errcode that the wire cannot tell from one of the ping's own. */
const isOwnErrcode = (errcode: string): boolean =>
  Object.hasOwn(Answer.statuses, errcode) || errcode === "M_UNAUTHORIZED" || errcode.startsWith("FI.MAU.MSC2659")

/** What is left of a wait: whole seconds, rounded up, as far as `Retry-After` goes. */
const carried = (retryAfter: Duration.Duration): Duration.Duration =>
  Duration.seconds(Math.min(Math.max(0, Math.ceil(Duration.toSeconds(retryAfter))), 9_999_999_999))

/** JSON has one zero only. */
const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** The error that comes back: only a text that was not there and the fraction of a second are different. */
const afterTheWire = (error: PingError.PingError): unknown => {
  const errcode = error._tag === "OtherErrcode" ? error.errcode : error._tag
  const retryAfter = "retryAfter" in error ? error.retryAfter : undefined
  return throughJson({
    ...fields(error),
    error: error.error ?? errcode,
    ...(retryAfter === undefined ? {} : { retryAfter: Duration.toMillis(carried(retryAfter)) })
  })
}

describe("Answer.fromError and Answer.decode", () => {
  it.prop("C15 every error comes back from the wire as it was, but for an absent text and fractions of a second", [
    PingError.PingError
  ], ([error]) => {
    // Below 400 there are no errors on the wire.
    if (error._tag === "OtherErrcode" && (isOwnErrcode(error.errcode) || error.status < 400)) return
    const { body, headers, status } = Answer.fromError(error)
    assert.deepStrictEqual(throughJson(failureOf(status, body, headers)), afterTheWire(error))
  })

  it("C15 every kind of error comes back as it was", () => {
    for (const error of Object.values(pingErrors)) {
      const { body, headers, status } = Answer.fromError(error)
      assert.deepStrictEqual(failureOf(status, body, headers), fields(error))
    }
  })

  it("C19 an OtherErrcode that carries one of the ping's own errcodes comes back as that error", () => {
    const answer = Answer.fromError(new PingError.OtherErrcode({ errcode: "M_FORBIDDEN", status: 418, error: "x" }))
    assert.deepStrictEqual(failureOf(answer.status, answer.body), fields(new PingError.Forbidden({ error: "x" })))
  })

  it("C19 an OtherErrcode with a status below 400 is no error on the wire", () => {
    for (const status of [-1, 0, 200, 302, 399]) {
      const answer = Answer.fromError(new PingError.OtherErrcode({ errcode: "M_UNKNOWN", status, error: "x" }))
      assert.strictEqual(failureOf(answer.status, answer.body)?._tag, "NotHomeserver")
    }
  })
})

describe("what a peer echoes", () => {
  const token = Redacted.make("as+token/canary=0123456789")
  const reading = { url: new URL("https://matrix.example/ping"), now: 0, tokens: [token] }
  const escaped = Redacted.value(token).replaceAll("+", "\\u002b")

  it("D8 takes the token out of every text of an error, JSON escapes included", () => {
    const body = `{"errcode":"M_BAD_STATUS","error":"no ${escaped}","status":401,"body":"you sent ${escaped}"}`
    const error = Answer.decodeError({ status: 502, headers: {}, body }, reading)
    assert.deepStrictEqual(
      throughJson(error),
      { _tag: "M_BAD_STATUS", error: "no <redacted>", status: 401, body: "you sent <redacted>" }
    )
    const other = Answer.decodeError({ status: 500, headers: {}, body: `{"errcode":"X_${escaped}"}` }, reading)
    assert.deepStrictEqual(throughJson(other), { _tag: "OtherErrcode", errcode: "X_<redacted>", status: 500 })
  })

  it("D1 reads a redirect as no homeserver's answer, also one with an errcode", () => {
    const answer = { status: 307, headers: { location: "/elsewhere" }, body: "{\"errcode\":\"M_FORBIDDEN\"}" }
    const error = Answer.decodeError(answer, reading)
    assert.strictEqual(error._tag, "NotHomeserver")
    assert.strictEqual(error._tag === "NotHomeserver" ? error.location : "", "https://matrix.example/elsewhere")
  })
})
