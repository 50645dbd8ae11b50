import * as PingError from "@appservice-ping/domain/PingError"
import * as Expected from "@appservice-ping/testbed/Expected"
import * as Fault from "@appservice-ping/testbed/Fault"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"

const success = { _tag: "Success", status: 200 } as const
const timeout = { _tag: "M_CONNECTION_TIMEOUT", status: 504 } as const
const failed = (kind: string) => ({ _tag: "M_CONNECTION_FAILED", status: 502, kind })
const badStatus = (status: number, body: string) => ({
  _tag: "M_BAD_STATUS",
  status: 502,
  appservice: { status, body }
})

const options = { timeout: "1 second" } as const

// Written down by hand from the rules, so that no mistake of the computation can hide behind itself.
const table: ReadonlyArray<readonly [string, Fault.Fault, unknown]> = [
  ["C9", Fault.latency("999 millis"), success],
  ["C12", Fault.latency("1001 millis"), timeout],
  ["D2", Fault.status(200, { body: "<html>" }), success],
  ["D2", Fault.status(204), success],
  ["D2", Fault.status(299), success],
  ["D1", Fault.status(303, { headers: { Location: "http://x.test/" } }), badStatus(303, "")],
  ["D1", Fault.status(304), badStatus(304, "")],
  ["C10", Fault.status(401, { body: "{}" }), badStatus(401, "{}")],
  ["C10", Fault.status(503, { body: "später" }), badStatus(503, "später")],
  ["C11", Fault.refused, failed("refused")],
  ["D7", Fault.resetPeer({ at: "before-headers" }), failed("reset")],
  ["C11", Fault.resetPeer({ at: "in-headers" }), failed("reset")],
  ["D3", Fault.resetPeer({ at: "in-body" }), failed("reset")],
  ["D3", Fault.resetPeer({ at: "in-body", framing: "chunked" }), failed("reset")],
  ["D7", Fault.close({ at: "before-headers" }), failed("closed")],
  ["C11", Fault.close({ at: "in-headers" }), failed("closed")],
  ["D3", Fault.close({ at: "in-body" }), failed("closed")],
  ["D3", Fault.close({ at: "in-body", framing: "chunked" }), failed("closed")],
  ["C12", Fault.stall({ at: "before-headers" }), timeout],
  ["C12", Fault.stall({ at: "in-headers" }), timeout],
  ["D3", Fault.stall({ at: "in-body" }), timeout],
  ["D3", Fault.stall({ at: "in-body", framing: "chunked" }), timeout],
  ["D3", Fault.drip({ gap: "1 millis" }), success],
  ["C10", Fault.drip({ gap: "1 millis", status: 500, body: "no" }), badStatus(500, "no")],
  ["D3", Fault.drip({ gap: "100 millis" }), timeout],
  ["C11", Fault.malformed, failed("malformed")]
]

describe("Expected", () => {
  for (const [rule, fault, expected] of table) {
    it(`${rule} ${Fault.describe(fault)}`, () => {
      assert.deepStrictEqual<unknown>(Expected.of(fault, options), expected)
    })
  }

  it("D4 keeps the start of a long body, and notices nothing that comes after it", () => {
    const bounded = { ...options, maxBodyBytes: 3 }
    assert.deepStrictEqual<unknown>(Expected.of(Fault.status(500, { body: "12345" }), bounded), badStatus(500, "123"))
    assert.deepStrictEqual<unknown>(Expected.of(Fault.close({ at: "in-body" }), bounded), success)
    assert.deepStrictEqual<unknown>(Expected.of(Fault.stall({ at: "in-body" }), bounded), success)
  })

  it("D3 a drip is late when its last byte is, not when its head is", () => {
    const bytes =
      "HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}".length
    const drip = Fault.drip({ gap: "10 millis" })
    assert.deepStrictEqual<unknown>(Expected.of(drip, { timeout: bytes * 10 + 1 }), success)
    assert.deepStrictEqual<unknown>(Expected.of(drip, { timeout: bytes * 10 - 1 }), timeout)
  })

  it("matches the errcode, and of M_BAD_STATUS the appservice's status and body as well", () => {
    const ok = Result.succeed({ duration_ms: 1 })
    const bad = (status: number, body: string) => Result.fail(new PingError.BadStatus({ status, body }))
    const refused = Result.fail(new PingError.ConnectionFailed({}))
    const expectedBad = Expected.of(Fault.status(500, { body: "no" }), options)
    assert.isTrue(Expected.matches(Expected.healthy, ok))
    assert.isFalse(Expected.matches(Expected.healthy, refused))
    assert.isTrue(Expected.matches(expectedBad, bad(500, "no")))
    assert.isFalse(Expected.matches(expectedBad, bad(501, "no")))
    assert.isFalse(Expected.matches(expectedBad, bad(500, "yes")))
    assert.isFalse(Expected.matches(expectedBad, ok))
    assert.isFalse(Expected.matches(Expected.of(Fault.stall({ at: "in-body" }), options), refused))
    assert.isTrue(Expected.matches(Expected.of(Fault.refused, options), refused))
  })
})
