import * as Answer from "@appservice-ping/domain/Answer"
import * as PingError from "@appservice-ping/domain/PingError"
import { NotHomeserver } from "@appservice-ping/domain/TransportError"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Redacted, Result, Schema } from "effect"
import { decode, failureOf, fields } from "./support/answers.ts"
import { leaks } from "./support/canary.ts"
import { cpuMillis } from "./support/cpu.ts"

describe("Answer.decode of a success", () => {
  it.each([[0, 0], [123, 123], [1.4, 1], [1.5, 2], [-3, 0], [-0.2, 0], [1e300, Number.MAX_SAFE_INTEGER]])(
    "C9 reads duration_ms %d as %d",
    (duration_ms, expected) => {
      assert.deepStrictEqual(decode(200, { duration_ms }), Result.succeed({ duration_ms: expected }))
      assert.isTrue(Schema.is(Answer.PingSuccess)(Result.getOrThrow(decode(200, { duration_ms }))))
    }
  )

  it("C9 takes any 2xx status and extra keys", () => {
    for (const status of [200, 201, 204, 299]) {
      assert.deepStrictEqual(decode(status, { duration_ms: 1, errcode: "M_X" }), Result.succeed({ duration_ms: 1 }))
    }
  })

  it.each([{}, { duration_ms: "12" }, { duration_ms: null }, [], [{ duration_ms: 1 }], 12, null, "", "<html>", "{"])(
    "C9 takes no 2xx answer without a duration for a success: %j",
    (body) => {
      assert.strictEqual(failureOf(200, body)?._tag, "NotHomeserver")
    }
  )
})

describe("Answer.decode of a Matrix error", () => {
  it("C15 takes an error without a text, and drops one that is no text", () => {
    assert.deepStrictEqual(failureOf(403, { errcode: "M_FORBIDDEN" }), fields(new PingError.Forbidden({})))
    assert.deepStrictEqual(failureOf(403, { errcode: "M_FORBIDDEN", error: 5 }), fields(new PingError.Forbidden({})))
    assert.deepStrictEqual(failureOf(403, { errcode: "M_FORBIDDEN", error: null }), fields(new PingError.Forbidden({})))
  })

  it("C15 takes any Content-Type, or none", () => {
    for (const type of ["application/json", "application/json; charset=utf-8", "text/html", "x"]) {
      assert.deepStrictEqual(
        failureOf(400, { errcode: "M_URL_NOT_SET" }, { "content-type": type }),
        fields(new PingError.UrlNotSet({}))
      )
    }
  })

  it("C10 keeps status and body, and drops them where they have another type", () => {
    const body = "{\"errcode\":\"M_UNKNOWN_TOKEN\"}"
    assert.deepStrictEqual(
      failureOf(502, { errcode: "M_BAD_STATUS", error: "x", status: 401, body }),
      fields(new PingError.BadStatus({ error: "x", status: 401, body }))
    )
    assert.deepStrictEqual(
      failureOf(502, { errcode: "M_BAD_STATUS", status: "401", body: { errcode: "M_X" } }),
      fields(new PingError.BadStatus({}))
    )
    assert.deepStrictEqual(
      failureOf(502, { errcode: "M_BAD_STATUS", status: 401.5 }),
      fields(new PingError.BadStatus({}))
    )
  })

  it("C3 keeps soft_logout", () => {
    for (const soft_logout of [true, false]) {
      assert.deepStrictEqual(
        failureOf(401, { errcode: "M_UNKNOWN_TOKEN", soft_logout }),
        fields(new PingError.UnknownToken({ soft_logout }))
      )
    }
    assert.deepStrictEqual(
      failureOf(401, { errcode: "M_UNKNOWN_TOKEN", soft_logout: "yes" }),
      fields(new PingError.UnknownToken({}))
    )
  })

  it.each([
    ["Retry-After in seconds", { "retry-after": "3" }, undefined, 3000],
    ["Retry-After as a date", { "retry-after": "Thu, 15 Jan 2026 12:00:05 GMT" }, undefined, 5000],
    ["Retry-After before retry_after_ms", { "retry-after": "3" }, 9000, 3000],
    ["a Retry-After of zero before retry_after_ms", { "retry-after": "0" }, 9000, 0],
    ["retry_after_ms alone", {}, 2500, 2500],
    ["retry_after_ms where Retry-After is garbage", { "retry-after": "soon" }, 2500, 2500],
    ["a retry_after_ms with a fraction, rounded up", {}, 0.5, 1],
    ["a negative retry_after_ms as zero", {}, -5, 0],
    ["an enormous retry_after_ms", {}, 1e300, Number.MAX_SAFE_INTEGER]
  ])("C18 reads %s", (_, headers, retry_after_ms, millis) => {
    assert.deepStrictEqual(
      failureOf(429, { errcode: "M_LIMIT_EXCEEDED", retry_after_ms }, headers),
      fields(new PingError.LimitExceeded({ retryAfter: Duration.millis(millis) }))
    )
  })

  it("C18 takes a rate limit without a wait", () => {
    for (const retry_after_ms of [undefined, null, "2000"]) {
      assert.deepStrictEqual(
        failureOf(429, { errcode: "M_LIMIT_EXCEEDED", retry_after_ms }),
        fields(new PingError.LimitExceeded({}))
      )
    }
  })

  it.each([
    ["M_USER_LOCKED", 401],
    ["M_USER_SUSPENDED", 403],
    ["M_UNKNOWN", 500],
    ["M_RESOURCE_LIMIT_EXCEEDED", 403],
    ["M_TOO_LARGE", 413],
    ["M_UNKNOWN_DEVICE", 400],
    ["COM.EXAMPLE_X", 418],
    ["AUTH_FAILED", 401],
    ["constructor", 400],
    ["__proto__", 400],
    ["", 400]
  ])("C19 keeps an errcode it does not know, with its status: %j %i", (errcode, status) => {
    assert.deepStrictEqual(
      failureOf(status, { errcode, error: "why" }),
      fields(new PingError.OtherErrcode({ errcode, status, error: "why" }))
    )
  })

  it("C19 keeps the wait of an errcode it does not know", () => {
    assert.deepStrictEqual(
      failureOf(503, { errcode: "M_UNKNOWN" }, { "retry-after": "7" }),
      fields(new PingError.OtherErrcode({ errcode: "M_UNKNOWN", status: 503, retryAfter: Duration.seconds(7) }))
    )
  })

  it.each([
    ["FI.MAU.MSC2659_URL_NOT_SET", "M_URL_NOT_SET"],
    ["FI.MAU.MSC2659_BAD_STATUS", "M_BAD_STATUS"],
    ["FI.MAU.MSC2659_CONNECTION_FAILED", "M_CONNECTION_FAILED"],
    ["FI.MAU.MSC2659_CONNECTION_TIMEOUT", "M_CONNECTION_TIMEOUT"],
    ["FI.MAU.MSC2659.CONNECTION_TIMEOUT", "M_CONNECTION_TIMEOUT"],
    ["M_UNAUTHORIZED", "M_UNKNOWN_TOKEN"]
  ])("C22 reads %s as %s", (errcode, tag) => {
    assert.strictEqual(failureOf(502, { errcode, error: "x" })?._tag, tag)
  })

  it("C22 keeps an unstable errcode that stands for none of the ping's own", () => {
    assert.deepStrictEqual(
      failureOf(400, { errcode: "FI.MAU.MSC2659_ELSE" }),
      fields(new PingError.OtherErrcode({ errcode: "FI.MAU.MSC2659_ELSE", status: 400 }))
    )
    assert.strictEqual(failureOf(400, { errcode: "FI.MAU.MSC26590_URL_NOT_SET" })?._tag, "OtherErrcode")
  })

  it("C16 reads M_UNRECOGNIZED with either of its statuses", () => {
    for (const status of [404, 405]) {
      assert.deepStrictEqual(failureOf(status, { errcode: "M_UNRECOGNIZED" }), fields(new PingError.Unrecognized({})))
    }
  })
})

describe("Answer.decode of something else", () => {
  const page = "<html><head><title>502 Bad Gateway</title></head></html>"

  it("keeps what tells a proxy's page: status, type, wait, and the start of it", () => {
    assert.deepStrictEqual(
      failureOf(502, page, { "content-type": "text/html", "retry-after": "10" }),
      fields(
        new NotHomeserver({
          url: "https://matrix.example/_matrix/client/v1/appservice/a/ping",
          status: 502,
          contentType: "text/html",
          body: page,
          retryAfter: Duration.seconds(10)
        })
      )
    )
  })

  it("keeps at most 2048 characters of it", () => {
    const failure = failureOf(502, `${"x".repeat(2048)}y`)
    assert.strictEqual(failure?._tag === "NotHomeserver" ? failure.body : "", "x".repeat(2048))
  })

  it.each([
    "",
    " ",
    page,
    "{",
    "null",
    "true",
    "12",
    "[]",
    "\"M_FORBIDDEN\"",
    "{}",
    "{\"errcode\":5}",
    "{\"error\":\"x\"}"
  ])(
    "is no Matrix error: %j",
    (body) => {
      assert.strictEqual(failureOf(500, body)?._tag, "NotHomeserver")
    }
  )

  it.each([
    ["https://elsewhere.example/x", "https://elsewhere.example/x"],
    ["/login?next=canary", "https://matrix.example/login"],
    ["//user:canary@elsewhere.example/x?token=canary#canary", "https://elsewhere.example/x"],
    ["data:text/plain,canary", undefined],
    ["javascript:canary", undefined],
    ["http://[canary", undefined]
  ])("D8 names the target of a redirect without secrets: %s", (location, shown) => {
    const failure = failureOf(302, "", { location })
    assert.strictEqual(failure?._tag === "NotHomeserver" ? failure.location : "none", shown)
  })

  it("D8 names the URL without userinfo and query string", () => {
    for (const failure of [failureOf(502, page), failureOf(302, "", { location: "/x" }), failureOf(0, "")]) {
      assert.notInclude(JSON.stringify(failure), "canary")
    }
  })
})

describe("Answer.decode of an answer that echoes a token", () => {
  const token = "canary/0123456789+=="
  const escaped = encodeURIComponent(token)
  const text = `before ${token} and ${escaped} after`
  const clean = "before <redacted> and <redacted> after"
  const read = (status: number, body: unknown, headers: Answer.Answer["headers"] = {}) => {
    const result = decode(status, body, headers, [Redacted.make("another-token"), Redacted.make(token)])
    assert.deepStrictEqual(leaks(result, [token, escaped]), [])
    return Result.isFailure(result) ? fields(result.failure) : undefined
  }

  it("D8 takes it out of every text of an error", () => {
    assert.deepStrictEqual(
      read(502, { errcode: "M_BAD_STATUS", error: text, status: 401, body: text }),
      fields(new PingError.BadStatus({ error: clean, status: 401, body: clean }))
    )
    assert.deepStrictEqual(
      read(400, { errcode: `COM.${token}`, error: text }),
      fields(new PingError.OtherErrcode({ errcode: "COM.<redacted>", status: 400, error: clean }))
    )
  })

  it("D8 takes it out of what no homeserver answers, also where the cut falls into it", () => {
    const page = read(502, text, { "content-type": text, location: `https://h.example/${escaped}?${token}` })
    assert.deepInclude(page, { body: clean, contentType: clean, location: "https://h.example/<redacted>" })
    for (let length = 2048 - token.length; length <= 2048; length++) {
      const foreign = read(502, `${"x".repeat(length)}${token} after`)
      assert.notInclude(JSON.stringify(foreign), "canary")
    }
  })

  it("leaves a text alone without tokens", () => {
    assert.deepStrictEqual(
      failureOf(403, { errcode: "M_FORBIDDEN", error: text }),
      fields(new PingError.Forbidden({ error: text }))
    )
  })
})

describe("Answer.decode and the client's own clock", () => {
  const durationOf = (body: string, elapsed?: Duration.Duration): number => {
    const result = Answer.decode({ status: 200, headers: {}, body }, {
      url: new URL("http://h.example"),
      now: 0,
      elapsed
    })
    return Result.isSuccess(result) ? result.success.duration_ms : Number.NaN
  }

  it("C9 believes a duration up to a second longer than the client waited", () => {
    for (const millis of [0, 80, 1080]) {
      assert.strictEqual(durationOf(`{"duration_ms":${millis}}`, Duration.millis(80)), millis)
    }
  })

  it("C9 takes how long the client waited for a longer duration", () => {
    for (const millis of ["1081", "9e15", "1e300"]) {
      assert.strictEqual(durationOf(`{"duration_ms":${millis}}`, Duration.millis(80)), 80)
      assert.strictEqual(durationOf(`{"duration_ms":${millis}}`, Duration.micros(79_500n)), 80)
    }
    assert.strictEqual(durationOf("{\"duration_ms\":1e300}"), Number.MAX_SAFE_INTEGER)
  })
})

describe("Answer.decodeError", () => {
  const url = new URL("https://matrix.example/_matrix/client/versions")
  const tagOf = (status: number, body: string): string =>
    Answer.decodeError({ status, headers: {}, body }, { url, now: 0 })._tag

  it("takes an errcode for an error from status 400 on", () => {
    const body = "{\"errcode\":\"M_FORBIDDEN\"}"
    for (const status of [400, 403, 500, 599]) assert.strictEqual(tagOf(status, body), "M_FORBIDDEN")
    for (const status of [0, 100, 200, 204, 301, 399]) assert.strictEqual(tagOf(status, body), "NotHomeserver")
  })

  it("never takes an answer for a success", () => {
    assert.strictEqual(tagOf(200, "{\"duration_ms\":1}"), "NotHomeserver")
    assert.strictEqual(tagOf(500, "<html></html>"), "NotHomeserver")
  })
})

const maybe = <S extends Schema.Constraint>(schema: S) => Schema.Union([Schema.Json, schema])

describe("Answer.decode is total", () => {
  it.prop("no status and no text makes it throw", [Schema.Int, Schema.String], ([status, body]) => {
    assert.isTrue(Result.isResult(decode(status, body)))
  })

  it.prop("no JSON makes it throw", [
    Schema.Literals([200, 400, 401, 403, 429, 500, 502, 504]),
    Schema.Struct({
      duration_ms: Schema.optionalKey(maybe(Schema.Finite)),
      errcode: Schema.optionalKey(
        maybe(Schema.Literals(["M_BAD_STATUS", "M_LIMIT_EXCEEDED", "M_UNKNOWN_TOKEN", "M_X"]))
      ),
      error: Schema.optionalKey(maybe(Schema.String)),
      status: Schema.optionalKey(maybe(Schema.Finite)),
      body: Schema.optionalKey(maybe(Schema.String)),
      soft_logout: Schema.optionalKey(maybe(Schema.Boolean)),
      retry_after_ms: Schema.optionalKey(maybe(Schema.Finite))
    }),
    Schema.Struct({
      "retry-after": Schema.optionalKey(Schema.String),
      location: Schema.optionalKey(Schema.String),
      "content-type": Schema.optionalKey(Schema.String)
    })
  ], ([status, body, headers]) => {
    const result = decode(status, body, headers)
    assert.isTrue(Result.isResult(result))
    if (Result.isSuccess(result)) assert.isTrue(Schema.is(Answer.PingSuccess)(result.success))
    if (status !== 200 && typeof body.errcode === "string") {
      assert.notStrictEqual(Result.getOrUndefined(Result.flip(result))?._tag, "NotHomeserver")
    }
  })

  const brackets = 100_000
  it.each([
    ["100 000 opening brackets", "[".repeat(brackets)],
    ["100 000 nested lists", "[".repeat(brackets) + "]".repeat(brackets)],
    ["100 000 nested objects", `${"{\"a\":".repeat(brackets)}1${"}".repeat(brackets)}`],
    [
      "100 000 nested objects beside an errcode",
      `{"errcode":"M_FORBIDDEN","a":${"{\"a\":".repeat(brackets)}1${"}".repeat(brackets)}}`
    ],
    ["1 MB of text", "x".repeat(1_000_000)],
    ["1 MB of spaces", " ".repeat(1_000_000)],
    ["1 MB of digits", "1".repeat(1_000_000)],
    ["1 MB in an error's text", JSON.stringify({ errcode: "M_FORBIDDEN", error: "x".repeat(1_000_000) })],
    ["1 MB in an errcode", JSON.stringify({ errcode: `FI.MAU.MSC2659${"_".repeat(1_000_000)}` })],
    ["1 MB of keys", `{${Array.from({ length: 100_000 }, (_, i) => `"${i}":1`).join(",")},"errcode":"M_FORBIDDEN"}`]
  ])("reads %s in well under a second", (_, body) => {
    assert.isBelow(cpuMillis(() => assert.isTrue(Result.isResult(decode(500, body)))), 900)
  })

  it("reads 1 MB of a header in well under a second", () => {
    for (const header of [" ".repeat(1_000_000), "9".repeat(1_000_000), `Mon ${"0".repeat(1_000_000)}`]) {
      const headers = { "retry-after": header, location: header, "content-type": header }
      assert.isBelow(cpuMillis(() => decode(503, "", headers)), 900)
    }
  })
})
