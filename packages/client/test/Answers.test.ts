// Every Matrix answer that a homeserver gives, and what a caller gets for it.
import { ping } from "@appservice-ping/client/Ping"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answering, answeringJson, homeserver, plain, registration } from "./support/memory.ts"

const pinged = ping({ homeserver, registration })

interface Row {
  readonly name: string
  readonly status: number
  readonly body: unknown
  readonly headers?: { readonly [name: string]: string }
  readonly error: { readonly [field: string]: unknown }
}

const fails = (rows: ReadonlyArray<Row>): void => {
  for (const { body, error, headers, name, status } of rows) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const stub = answeringJson(status, body, headers)
        assert.deepStrictEqual(yield* plain(yield* Effect.flip(pinged.pipe(stub.provide))), error)
        assert.lengthOf(stub.received, 1)
      }))
  }
}

describe("success", () => {
  const successes = [
    ["C9 returns the homeserver's own measure", 200, { duration_ms: 12 }, 12],
    ["C9 takes a duration of 0 for success", 200, { duration_ms: 0 }, 0],
    ["C9 rounds a duration that is no integer", 200, { duration_ms: 12.6 }, 13],
    ["C9 takes any 2xx for success", 201, { duration_ms: 1 }, 1],
    ["C14 ignores keys it does not know", 200, { duration_ms: 1, errcode: "M_UNKNOWN", "org.example": {} }, 1]
  ] as const
  for (const [name, status, body, duration_ms] of successes) {
    it.effect(name, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* pinged.pipe(answeringJson(status, body).provide), { duration_ms })
      }))
  }

  it.effect("C9 does not check the Content-Type, and skips a byte order mark", () =>
    Effect.gen(function*() {
      const stub = answering(200, "\uFEFF{\"duration_ms\":1}", { "content-type": "text/html" })
      assert.deepStrictEqual(yield* pinged.pipe(stub.provide), { duration_ms: 1 })
    }))
})

describe("the spec's errors", () => {
  const error = "why"
  fails([
    {
      name: "C2 fails with M_MISSING_TOKEN",
      status: 401,
      body: { errcode: "M_MISSING_TOKEN", error },
      error: { _tag: "M_MISSING_TOKEN", error }
    },
    {
      name: "C3 fails with M_UNKNOWN_TOKEN",
      status: 401,
      body: { errcode: "M_UNKNOWN_TOKEN", error },
      error: { _tag: "M_UNKNOWN_TOKEN", error }
    },
    {
      name: "C3 keeps soft_logout",
      status: 401,
      body: { errcode: "M_UNKNOWN_TOKEN", error, soft_logout: true },
      error: { _tag: "M_UNKNOWN_TOKEN", error, soft_logout: true }
    },
    {
      name: "C4 C5 fails with M_FORBIDDEN",
      status: 403,
      body: { errcode: "M_FORBIDDEN", error },
      error: { _tag: "M_FORBIDDEN", error }
    },
    {
      name: "C6 fails with M_NOT_JSON",
      status: 400,
      body: { errcode: "M_NOT_JSON", error },
      error: { _tag: "M_NOT_JSON", error }
    },
    {
      name: "C6 fails with M_BAD_JSON",
      status: 400,
      body: { errcode: "M_BAD_JSON", error },
      error: { _tag: "M_BAD_JSON", error }
    },
    {
      name: "C8 fails with M_URL_NOT_SET",
      status: 400,
      body: { errcode: "M_URL_NOT_SET", error },
      error: { _tag: "M_URL_NOT_SET", error }
    },
    {
      name: "C10 fails with M_BAD_STATUS and the appservice's status and body",
      status: 502,
      body: { errcode: "M_BAD_STATUS", error, status: 401, body: "{\"errcode\":\"M_UNKNOWN_TOKEN\"}" },
      error: { _tag: "M_BAD_STATUS", error, status: 401, body: "{\"errcode\":\"M_UNKNOWN_TOKEN\"}" }
    },
    {
      name: "C10 fails with M_BAD_STATUS without status and body",
      status: 502,
      body: { errcode: "M_BAD_STATUS" },
      error: { _tag: "M_BAD_STATUS" }
    },
    {
      name: "C11 fails with M_CONNECTION_FAILED",
      status: 502,
      body: { errcode: "M_CONNECTION_FAILED", error },
      error: { _tag: "M_CONNECTION_FAILED", error }
    },
    {
      name: "C12 fails with M_CONNECTION_TIMEOUT",
      status: 504,
      body: { errcode: "M_CONNECTION_TIMEOUT", error },
      error: { _tag: "M_CONNECTION_TIMEOUT", error }
    },
    ...[404, 405].map((status) => ({
      name: `C16 fails with M_UNRECOGNIZED for a ${status}`,
      status,
      body: { errcode: "M_UNRECOGNIZED", error },
      error: { _tag: "M_UNRECOGNIZED", error }
    }))
  ])
})

describe("C15 an error without the key error", () => {
  const errcodes = [
    "M_BAD_JSON",
    "M_BAD_STATUS",
    "M_CONNECTION_FAILED",
    "M_CONNECTION_TIMEOUT",
    "M_FORBIDDEN",
    "M_LIMIT_EXCEEDED",
    "M_MISSING_TOKEN",
    "M_NOT_JSON",
    "M_UNKNOWN_TOKEN",
    "M_UNRECOGNIZED",
    "M_URL_NOT_SET"
  ]
  fails([
    ...errcodes.map((errcode) => ({
      name: `C15 is read as ${errcode}`,
      status: 400,
      body: { errcode },
      error: { _tag: errcode }
    })),
    {
      name: "C15 keeps an unknown errcode",
      status: 400,
      body: { errcode: "COM.EXAMPLE_X" },
      error: { _tag: "OtherErrcode", errcode: "COM.EXAMPLE_X", status: 400 }
    },
    {
      name: "C15 reads the errcode beside an error that is no text",
      status: 403,
      body: { errcode: "M_FORBIDDEN", error: { nested: true } },
      error: { _tag: "M_FORBIDDEN" }
    }
  ])
})

describe("C18 the rate limit", () => {
  // TestClock starts at the epoch.
  const date = "Thu, 01 Jan 1970 00:01:30 GMT"
  const rows = [
    ["reads Retry-After in seconds", { "retry-after": "7" }, {}, 7000],
    ["reads Retry-After as a date", { "retry-after": date }, {}, 90_000],
    ["reads retry_after_ms where there is no header", {}, { retry_after_ms: 2500 }, 2500],
    ["reads the header before retry_after_ms", { "retry-after": "7" }, { retry_after_ms: 2500 }, 7000],
    ["reads retry_after_ms where the header is neither", { "retry-after": "soon" }, { retry_after_ms: 2500 }, 2500],
    ["reads a date in the past as no wait", { "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }, {}, 0]
  ] as const
  fails(rows.map(([name, headers, fields, retryAfter]) => ({
    name: `C18 ${name}`,
    status: 429,
    headers,
    body: { errcode: "M_LIMIT_EXCEEDED", error: "slow down", ...fields },
    error: { _tag: "M_LIMIT_EXCEEDED", error: "slow down", retryAfter }
  })))
  fails([
    {
      name: "C18 needs no hint at all",
      status: 429,
      body: { errcode: "M_LIMIT_EXCEEDED" },
      error: { _tag: "M_LIMIT_EXCEEDED" }
    },
    {
      name: "C18 reads the wait of any other errcode too",
      status: 503,
      headers: { "retry-after": "5" },
      body: { errcode: "M_UNKNOWN", error: "down" },
      error: { _tag: "OtherErrcode", errcode: "M_UNKNOWN", status: 503, error: "down", retryAfter: 5000 }
    }
  ])

  it.effect("C18 measures a date from when the answer came", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("80 seconds")
      const stub = answeringJson(429, { errcode: "M_LIMIT_EXCEEDED" }, { "retry-after": date })
      const error = yield* Effect.flip(pinged.pipe(stub.provide))
      assert.deepStrictEqual(yield* plain(error), { _tag: "M_LIMIT_EXCEEDED", retryAfter: 10_000 })
    }))
})

describe("C19 errcodes outside the ping's own", () => {
  const codes = [
    ["M_USER_LOCKED", 401],
    ["M_USER_SUSPENDED", 403],
    ["M_UNKNOWN", 500],
    ["M_RESOURCE_LIMIT_EXCEEDED", 403],
    ["M_TOO_LARGE", 413],
    ["M_UNKNOWN_DEVICE", 400],
    ["COM.EXAMPLE_X", 418],
    ["__proto__", 400],
    ["", 400]
  ] as const
  fails(codes.map(([errcode, status]) => ({
    name: `C19 keeps ${JSON.stringify(errcode)} with its status`,
    status,
    body: { errcode, error: "why", admin_contact: "mailto:admin@example", soft_logout: true },
    error: { _tag: "OtherErrcode", errcode, status, error: "why" }
  })))
})

describe("C22 errcodes from before spec v1.7", () => {
  const tags = [
    "M_URL_NOT_SET",
    "M_BAD_STATUS",
    "M_CONNECTION_FAILED",
    "M_CONNECTION_TIMEOUT"
  ]
  fails(tags.flatMap((tag) =>
    ["FI.MAU.MSC2659_", "FI.MAU.MSC2659."].map((prefix) => ({
      name: `C22 reads ${prefix}${tag.slice(2)} as ${tag}`,
      status: 502,
      body: { errcode: prefix + tag.slice(2), error: "why" },
      error: { _tag: tag, error: "why" }
    }))
  ))
})

// The tables of real peers: a row for each answer that differs from the spec's own.
describe("what real homeservers answer", () => {
  const unknown = { _tag: "OtherErrcode", errcode: "M_UNKNOWN", status: 500 }
  fails([
    ...["continuwuity: no token", "continuwuity: unknown token", "Tuwunel, continuwuity, Conduit: a user's token"]
      .map((peer) => ({
        name: `C3 reads M_UNAUTHORIZED as M_UNKNOWN_TOKEN (${peer})`,
        status: 401,
        body: { errcode: "M_UNAUTHORIZED", error: "Unknown access token." },
        error: { _tag: "M_UNKNOWN_TOKEN", error: "Unknown access token." }
      })),
    ...[
      "C10 a bad status",
      "C11 a refused connection",
      "C11 a reset",
      "C11 a close in the body",
      "C12 a timeout",
      "D3 a stall in the body"
    ].map((name) => ({
      name: `${name} as 500 M_UNKNOWN keeps its cause unknown (continuwuity)`,
      status: 500,
      body: { errcode: "M_UNKNOWN", error: "Internal server error" },
      error: { ...unknown, error: "Internal server error" }
    })),
    {
      name: "C10 a bad status as M_CONNECTION_FAILED (Conduit)",
      status: 502,
      body: { errcode: "M_CONNECTION_FAILED", error: "Appservice returned bad status 500" },
      error: { _tag: "M_CONNECTION_FAILED", error: "Appservice returned bad status 500" }
    },
    {
      name: "C10 a redirect or a 2xx without JSON as M_CONNECTION_FAILED (Synapse)",
      status: 502,
      body: { errcode: "M_CONNECTION_FAILED", error: "Expecting value: line 1 column 1 (char 0)" },
      error: { _tag: "M_CONNECTION_FAILED", error: "Expecting value: line 1 column 1 (char 0)" }
    },
    {
      name: "C11 a refused connection with a Python class in its text (Synapse)",
      status: 502,
      body: { errcode: "M_CONNECTION_FAILED", error: "ConnectionRefusedError: Connection refused" },
      error: { _tag: "M_CONNECTION_FAILED", error: "ConnectionRefusedError: Connection refused" }
    },
    {
      name: "C12 a reset as M_CONNECTION_TIMEOUT (Synapse)",
      status: 504,
      body: { errcode: "M_CONNECTION_TIMEOUT", error: "ResponseNeverReceived:[ConnectionLost()]" },
      error: { _tag: "M_CONNECTION_TIMEOUT", error: "ResponseNeverReceived:[ConnectionLost()]" }
    }
  ])
})

describe("what real appservices answer, inside M_BAD_STATUS", () => {
  const answers = [
    ["A2 a wrong hs_token (mautrix)", 401, "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"Unknown token\"}"],
    ["A2 a wrong hs_token (trixnity)", 403, "{\"errcode\":\"M_FORBIDDEN\"}"],
    ["A2 a wrong hs_token (matrix-bot-sdk)", 401, "{\"errcode\":\"AUTH_FAILED\",\"error\":\"Authentication failed\"}"],
    ["A3 no hs_token (mautrix-go)", 401, "{\"errcode\":\"M_MISSING_TOKEN\",\"error\":\"Missing access token\"}"],
    ["A3 no hs_token (trixnity)", 401, "{\"errcode\":\"M_UNAUTHORIZED\"}"],
    ["A4 an empty body (mautrix)", 400, "{\"errcode\":\"M_NOT_JSON\",\"error\":\"Body is not JSON\"}"],
    ["A4 an empty body (matrix-bot-sdk)", 400, "<!DOCTYPE html><pre>SyntaxError</pre>"],
    ["A4 an empty body (trixnity)", 400, "{\"errcode\":\"M_BAD_JSON\"}"],
    ["A6 an unknown route (mautrix)", 404, "404 page not found\n"],
    ["A6 an unknown route (matrix-bot-sdk, trixnity)", 404, "{\"errcode\":\"M_UNRECOGNIZED\"}"]
  ] as const
  fails(answers.map(([name, status, body]) => ({
    name,
    status: 502,
    body: { errcode: "M_BAD_STATUS", error: `Ping returned status ${status}`, status, body },
    error: { _tag: "M_BAD_STATUS", error: `Ping returned status ${status}`, status, body }
  })))
})
