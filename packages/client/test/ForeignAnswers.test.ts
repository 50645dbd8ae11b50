// Answers of what is no homeserver, or stands in front of one, and what a caller gets for them.
import { ping } from "@appservice-ping/client/Ping"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { answering, answeringJson, endpoint, homeserver, plain, registration } from "./support/memory.ts"

const pinged = ping({ homeserver, registration })

describe("a duration that cannot be", () => {
  it.effect("C9 is not believed: the client knows how long it waited", () =>
    Effect.gen(function*() {
      for (const millis of ["5000", "9e15", "1e300"]) {
        const stub = answering(200, `{"duration_ms":${millis}}`)
        // The clock of the test stands still, so the answer took no time.
        assert.deepStrictEqual(yield* pinged.pipe(stub.provide), { duration_ms: 0 })
      }
    }))
})

describe("what is no Matrix answer", () => {
  const html = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
  const rows: ReadonlyArray<readonly [string, number, string]> = [
    ["a proxy's page with 502", 502, html],
    ["a proxy's page with 503", 503, html],
    ["a proxy's page with 504", 504, html],
    ["a page with 404", 404, html],
    ["a login page with 200", 200, html],
    ["an empty body with 200", 200, ""],
    ["an empty body with 502", 502, ""],
    ["JSON that is cut short", 200, "{\"duration_ms\":1"],
    ["an errcode that is cut short", 502, "{\"errcode\":\"M_BAD_STAT"],
    ["an array", 200, "[{\"duration_ms\":1}]"],
    ["null", 200, "null"],
    ["a text", 502, "\"M_BAD_STATUS\""],
    ["an object without duration_ms", 200, "{\"status\":\"ok\"}"],
    ["a duration_ms that is no number", 200, "{\"duration_ms\":\"12\"}"],
    ["a duration_ms that is null", 200, "{\"duration_ms\":null}"],
    ["an object without errcode", 500, "{\"error\":\"Internal Server Error\"}"],
    ["an errcode that is no text", 500, "{\"errcode\":500}"],
    ["deep JSON", 200, "[".repeat(100_000)]
  ]
  for (const [name, status, body] of rows) {
    it.effect(`is told from a homeserver: ${name}`, () =>
      Effect.gen(function*() {
        const stub = answering(status, body, { "content-type": "text/html" })
        assert.deepStrictEqual(yield* plain(yield* Effect.flip(pinged.pipe(stub.provide))), {
          _tag: "NotHomeserver",
          url: endpoint,
          status,
          contentType: "text/html",
          body: body.slice(0, 2048)
        })
      }))
  }

  it.effect("is told from a homeserver: a 204", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(pinged.pipe(answering(204, null).provide))
      assert.deepStrictEqual(yield* plain(error), { _tag: "NotHomeserver", url: endpoint, status: 204, body: "" })
    }))

  it.effect("C18 keeps how long a proxy asks to wait", () =>
    Effect.gen(function*() {
      const stub = answering(503, html, { "retry-after": "120" })
      assert.propertyVal(yield* plain(yield* Effect.flip(pinged.pipe(stub.provide))), "retryAfter", 120_000)
    }))

  it.effect("is read with U+FFFD for what is not UTF-8", () =>
    Effect.gen(function*() {
      const bytes = new Uint8Array([0x7b, 0xff, 0xc3, 0x28, 0x7d])
      const error = yield* Effect.flip(pinged.pipe(answering(200, bytes).provide))
      assert.propertyVal(yield* plain(error), "body", "{\uFFFD\uFFFD(}")
    }))

  it.effect("C15 reads an error with bytes that are not UTF-8", () =>
    Effect.gen(function*() {
      const start = new TextEncoder().encode("{\"errcode\":\"M_FORBIDDEN\",\"error\":\"")
      const bytes = new Uint8Array([...start, 0xff, 0x22, 0x7d])
      const error = yield* Effect.flip(pinged.pipe(answering(403, bytes).provide))
      assert.deepStrictEqual(yield* plain(error), { _tag: "M_FORBIDDEN", error: "\uFFFD" })
    }))
})

const Status = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 200, maximum: 599 })))
const withoutBody = new Set([204, 205, 304])
const fields = Schema.Record(
  Schema.Literals(["errcode", "error", "status", "body", "duration_ms", "retry_after_ms", "soft_logout"]),
  Schema.Json
)

describe("any answer", () => {
  it.effect.prop("is a result or a typed error, whatever its text", {
    status: Status,
    text: Schema.String,
    header: Schema.String
  }, ({ header, status, text }) =>
    Effect.gen(function*() {
      const stub = answering(status, withoutBody.has(status) ? null : text, {
        "retry-after": encodeURIComponent(header.toWellFormed()),
        location: encodeURIComponent(header.toWellFormed())
      })
      const error = yield* Effect.flip(pinged.pipe(stub.provide))
      assert.strictEqual((yield* plain(error))._tag, "NotHomeserver")
    }))

  it.effect.prop("is a result or a typed error, whatever the types of its fields", {
    status: Status,
    body: fields
  }, ({ body, status }) =>
    Effect.gen(function*() {
      const stub = withoutBody.has(status) ? answering(status, null) : answeringJson(status, body)
      const result = yield* Effect.result(pinged.pipe(stub.provide))
      if (result._tag === "Failure") yield* plain(result.failure)
      else assert.isAtLeast(result.success.duration_ms, 0)
    }))
})
