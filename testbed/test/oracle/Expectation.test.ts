import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import * as PingError from "@appservice-ping/domain/PingError"
import { HomeserverUnreachable, NotHomeserver, Undecided } from "@appservice-ping/domain/TransportError"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Tls from "@appservice-ping/testbed/fault/kind/Tls"
import * as Expectation from "@appservice-ping/testbed/oracle/Expectation"
import type { Leg } from "@appservice-ping/testbed/step/Leg"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Result } from "effect"

const action = (leg: Leg, fault: Fault.Fault) =>
  Fault.actionOf(fault, { leg, draw: 0.5, time: 0, now: 0, path: "/ping" })

const ofAppservice = (fault: Fault.Fault, options?: Partial<Expectation.ExpectationOptions>) =>
  Expectation.ofAppservice(action("to_appservice", fault), {
    timeout: "1 second",
    stage: Fault.stageOf(fault) ?? "request",
    ...options
  })

const ofHomeserver = (
  fault: Fault.Fault,
  options?: Partial<Expectation.ExpectationOptions>,
  homeserver: Expectation.Expectation = Expectation.healthy
) =>
  Expectation.ofHomeserver(action("to_homeserver", fault), homeserver, {
    timeout: "4 seconds",
    stage: Fault.stageOf(fault) ?? "request",
    ...options
  })

const success = { _tag: "Success", status: 200 } as const
const timeout = { _tag: "M_CONNECTION_TIMEOUT", status: 504 } as const
const failed = (kind: string) => ({ _tag: "M_CONNECTION_FAILED", status: 502, kind })
const badStatus = (status: number, body: string) => ({
  _tag: "M_BAD_STATUS",
  status: 502,
  appservice: { status, body }
})
const unreachable = (kind: string) => ({ _tag: "HomeserverUnreachable", kind })
const undecided = (kind?: string) => ({ _tag: "Undecided", ...kind === undefined ? {} : { kind } })

// Written down by hand from the rules, so that no mistake of the computation can hide behind itself.
const homeserver: ReadonlyArray<readonly [rule: string, Fault.Fault, expected: unknown, calls: number]> = [
  ["C9", Fault.pass, success, 1],
  ["C9", Fault.latency("999 millis"), success, 1],
  ["C12", Fault.latency("1001 millis"), timeout, 0],
  ["C12", Fault.latency("1001 millis", { phase: "response" }), timeout, 1],
  ["C12", Fault.latency("1001 millis", { phase: "connect" }), timeout, 0],
  ["D2", Fault.status(200, { body: "<html>" }), success, 0],
  ["D2", Fault.status(204), success, 0],
  ["D2", Fault.status(299), success, 0],
  ["D1", Fault.status(303, { headers: { Location: "http://x.test/" } }), badStatus(303, ""), 0],
  ["D1", { type: "redirect", status: 307, location: "self" }, badStatus(307, ""), 0],
  ["D1", Fault.status(304), badStatus(304, ""), 0],
  ["C10", Fault.status(401, { body: "{}" }), badStatus(401, "{}"), 0],
  ["C10", Fault.status(503, { body: "später" }), badStatus(503, "später"), 0],
  ["C10", Fault.peerAnswer("not_found_text"), badStatus(404, "404 page not found\n"), 0],
  ["C11", { type: "dns", failure: "not_found" }, failed("dns"), 0],
  ["C11", { type: "dns", failure: "try_again" }, failed("dns"), 0],
  ["C12", { type: "dns", failure: "hang" }, timeout, 0],
  ["C11", Fault.refused, failed("refused"), 0],
  ["C12", { type: "never_accepted" }, timeout, 0],
  ["C11", Fault.resetPeer({ phase: "accept" }), failed("reset"), 0],
  ["D7", Fault.resetPeer({ phase: "before_headers" }), failed("reset"), 0],
  ["C11", Fault.resetPeer({ phase: "in_headers" }), failed("reset"), 0],
  ["D3", Fault.resetPeer({ phase: "in_body" }), failed("reset"), 0],
  ["D3", Fault.resetPeer({ phase: "in_body", framing: "chunked" }), failed("reset"), 0],
  ["D3", Fault.resetPeer({ phase: "in_body", framing: "until_close" }), failed("reset"), 0],
  ["C9", Fault.resetPeer({ phase: "after_answer" }), success, 1],
  ["D7", Fault.close({ phase: "before_headers" }), failed("closed"), 0],
  ["C11", Fault.close({ phase: "in_headers" }), failed("closed"), 0],
  ["D3", Fault.close({ phase: "in_body" }), failed("closed"), 0],
  ["D3", Fault.close({ phase: "in_body", framing: "chunked" }), failed("closed"), 0],
  // Nobody can tell this end from a cut.
  ["D3", Fault.close({ phase: "in_body", framing: "until_close" }), success, 0],
  ["C12", Fault.stall({ phase: "before_headers" }), timeout, 0],
  ["C12", Fault.stall({ phase: "in_headers" }), timeout, 0],
  ["D3", Fault.stall({ phase: "in_body" }), timeout, 0],
  ["D3", Fault.stall({ phase: "in_body", framing: "chunked" }), timeout, 0],
  ["C9", Fault.stall({ phase: "after_answer" }), success, 1],
  ["D3", Fault.drip({ gap: "1 millis" }), success, 1],
  ["C10", Fault.drip({ gap: "1 millis", status: 500, body: "no" }), badStatus(500, "no"), 0],
  ["D3", Fault.drip({ gap: "100 millis" }), timeout, 1],
  ["C11", Fault.head("not_http"), failed("malformed"), 0],
  ["C11", { type: "head", defect: "huge_headers" }, failed("malformed"), 0],
  ["C11", { type: "framing", defect: "bad_chunk_size" }, failed("malformed"), 0],
  ["C11", { type: "framing", defect: "length_and_chunked" }, failed("malformed"), 0],
  ["C9", { type: "framing", defect: "extra_bytes" }, success, 0],
  ["C9", { type: "informational", status: 103, count: 16 }, success, 1],
  // The appservice's side does not wait for what the homeserver makes of them.
  ["C11", { type: "informational", status: 103, count: 17 }, failed("malformed"), 1],
  ["C11", { type: "informational", status: 101 }, { _tag: "M_CONNECTION_FAILED", status: 502 }, 1],
  ["C12", { type: "informational", status: 100, ending: "hang" }, timeout, 0],
  ["C11", Fault.lostAnswer("rst"), failed("reset"), 1],
  ["C12", Fault.lostAnswer("hang"), timeout, 1],
  ["C9", { type: "replayed", times: 3 }, success, 3],
  ["C11", { type: "limit_data", bytes: 12 }, failed("closed"), 1],
  ["C9", { type: "limit_data", bytes: 1_000_000, how: "rst" }, success, 1],
  ["C11", Fault.crash({ down_for: "1 second" }), failed("reset"), 0]
]

const client: ReadonlyArray<readonly [rule: string, Fault.Fault, expected: unknown, calls: number]> = [
  ["C9", Fault.pass, success, 1],
  ["a name that is not there", { type: "dns", failure: "not_found" }, unreachable("dns"), 0],
  ["a refused connection", Fault.refused, unreachable("refused"), 0],
  ["a reset before anything", Fault.resetPeer({ phase: "accept" }), unreachable("reset"), 0],
  ["a reset after something", Fault.resetPeer({ phase: "request" }), undecided("reset"), 0],
  ["a reset answer", Fault.resetPeer({ phase: "in_body" }), undecided("closed"), 0],
  ["no HTTP", Fault.head("not_http"), undecided("malformed"), 0],
  ["bad HTTP", { type: "head", defect: "bad_header" }, undecided("malformed"), 0],
  ["no answer", Fault.stall({ phase: "before_headers" }), undecided(), 0],
  ["a lost answer", Fault.lostAnswer("fin"), undecided("closed"), 1],
  ["a late answer", Fault.latency("5 seconds", { phase: "response" }), undecided(), 1],
  ["C20", Fault.peerAnswer("unknown_token"), { _tag: "M_UNKNOWN_TOKEN", status: 401 }, 0],
  ["C20", Fault.peerAnswer("unauthorized"), { _tag: "M_UNKNOWN_TOKEN", status: 401 }, 0],
  ["C20", Fault.peerAnswer("bad_status"), {
    _tag: "M_BAD_STATUS",
    status: 502,
    appservice: { status: 418, body: "teapot" }
  }, 0],
  ["C20", Fault.peerAnswer("bad_status_without_status"), { _tag: "M_BAD_STATUS", status: 502 }, 0],
  ["C20", Fault.peerAnswer("custom_errcode"), { _tag: "OtherErrcode", status: 400, errcode: "COM.EXAMPLE_X" }, 0],
  ["a web page", Fault.peerAnswer("success_html"), { _tag: "NotHomeserver", status: 200 }, 0],
  ["a redirect", { type: "redirect", status: 302, location: "self" }, { _tag: "NotHomeserver", status: 302 }, 0],
  ["too much of a body", { type: "body", defect: "huge" }, { _tag: "NotHomeserver", status: 200 }, 0]
]

describe("Expectation", () => {
  for (const [rule, fault, expected, calls] of homeserver) {
    it(`${rule} ${Fault.describe(fault)}: the homeserver's answer, and ${calls} calls`, () => {
      const outcome = ofAppservice(fault)
      assert.deepStrictEqual<unknown>(outcome.answer, expected)
      assert.lengthOf(outcome.calls, calls)
    })
  }

  for (const [rule, fault, expected, calls] of client) {
    it(`${rule}, ${Fault.describe(fault)}: what the client gets, and ${calls} calls`, () => {
      const outcome = ofHomeserver(fault)
      assert.deepStrictEqual<unknown>(outcome.answer, expected)
      assert.lengthOf(outcome.calls, calls)
    })
  }

  it("A9 a bad certificate fails on TLS alone", () => {
    for (const defect of Tls.kind.schema.fields.defect.literals) {
      const fault: Fault.Fault = { type: "tls", defect }
      assert.deepStrictEqual<unknown>(ofAppservice(fault, { tls: true }).answer, failed("tls"), defect)
      assert.deepStrictEqual<unknown>(ofHomeserver(fault, { tls: true }).answer, unreachable("tls"), defect)
    }
  })

  it("gives up connecting where the client has a bound for that: nobody can have read the request", () => {
    const never = { timeout: "1 minute" } as const
    const bounded = ofHomeserver({ type: "never_accepted" }, { ...never, connectTimeout: "10 seconds" })
    assert.deepStrictEqual<unknown>(bounded.answer, unreachable("timeout"))
    assert.strictEqual(bounded.after, 10_000)
    assert.deepStrictEqual<unknown>(ofHomeserver({ type: "never_accepted" }, never).answer, undecided())
  })

  it("D4 keeps the start of a long body, and notices nothing that comes after it", () => {
    const bounded = { maxBodyBytes: 3 }
    assert.deepStrictEqual<unknown>(
      ofAppservice(Fault.status(500, { body: "12345" }), bounded).answer,
      badStatus(500, "123")
    )
    assert.deepStrictEqual<unknown>(ofAppservice(Fault.close({ phase: "in_body" }), bounded).answer, success)
    assert.deepStrictEqual<unknown>(ofAppservice(Fault.stall({ phase: "in_body" }), bounded).answer, success)
  })

  it("D3 a drip is late when its last byte is, not when its head is", () => {
    const bytes =
      "HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}".length
    const drip = Fault.drip({ gap: "10 millis", status: 200 })
    const within = ofAppservice(drip, { timeout: bytes * 10 + 1 })
    assert.deepStrictEqual<unknown>(within.answer, success)
    assert.strictEqual(within.after, bytes * 10)
    assert.deepStrictEqual<unknown>(ofAppservice(drip, { timeout: bytes * 10 - 1 }).answer, timeout)
  })

  it("joins both legs: the time of the one is part of the other, and its answer what the other carries", () => {
    const slow = ofAppservice(Fault.latency("900 millis"))
    assert.strictEqual(slow.after, 900)
    const wait = Fault.latency("3 seconds")
    assert.deepStrictEqual<unknown>(ofHomeserver(wait, { timeout: 3901 }, slow).answer, success)
    assert.deepStrictEqual<unknown>(ofHomeserver(wait, { timeout: 3899 }, slow).answer, undecided())
    // The homeserver is asked at 3 seconds, and goes on for a second when its client has left.
    assert.lengthOf(ofHomeserver(wait, { timeout: 3001 }, slow).calls, 1)
    assert.lengthOf(ofHomeserver(wait, { timeout: 2999 }, slow).calls, 0)
    const slower = ofAppservice(Fault.latency("2 seconds"), { timeout: "3 seconds" })
    assert.lengthOf(ofHomeserver(Fault.pass, { timeout: 1001 }, slower).calls, 1)
    assert.lengthOf(ofHomeserver(Fault.pass, { timeout: 999 }, slower).calls, 0)
    const bad = ofAppservice(Fault.status(401, { body: "no" }))
    assert.deepStrictEqual<unknown>(ofHomeserver(Fault.pass, {}, bad).answer, badStatus(401, "no"))
    const replayed = ofAppservice({ type: "replayed", times: 3 })
    assert.lengthOf(ofHomeserver({ type: "replayed" }, {}, replayed).calls, 6)
  })

  it("matches the tag, and whatever else is expected and known", () => {
    const url = "http://homeserver.test/"
    const after = Duration.zero
    const failure = (kind: ConnectionFailure.Kind) => new ConnectionFailure.ConnectionFailure({ kind, text: "" })
    const ok = Result.succeed({ duration_ms: 1 })
    const bad = (status: number, body: string) => Result.fail(new PingError.BadStatus({ status, body }))
    const refused = Result.fail(new PingError.ConnectionFailed({}))
    const none = Result.fail(new HomeserverUnreachable({ url, failure: failure("refused") }))
    const open = Result.fail(new Undecided({ url, after }))
    const broken = Result.fail(new Undecided({ url, after, failure: failure("reset") }))
    const page = Result.fail(new NotHomeserver({ url, status: 404, body: "" }))
    const other = Result.fail(new PingError.OtherErrcode({ errcode: "X", status: 400 }))
    const results = [ok, bad(500, "no"), bad(500, "yes"), bad(501, "no"), refused, none, open, broken, page, other]
    const matching = (expected: Expectation.ExpectedAnswer) =>
      results.flatMap((result, index) => Expectation.matches(expected, result) ? [index] : [])
    assert.deepStrictEqual(matching(success), [0])
    assert.deepStrictEqual(matching(ofAppservice(Fault.status(500, { body: "no" })).answer), [1])
    assert.deepStrictEqual(matching({ _tag: "M_BAD_STATUS", status: 502 }), [])
    assert.deepStrictEqual(matching(ofAppservice(Fault.refused).answer), [4])
    assert.deepStrictEqual(matching({ _tag: "HomeserverUnreachable", kind: "refused" }), [5])
    assert.deepStrictEqual(matching({ _tag: "HomeserverUnreachable", kind: "dns" }), [])
    assert.deepStrictEqual(matching({ _tag: "Undecided" }), [6])
    assert.deepStrictEqual(matching({ _tag: "Undecided", kind: "reset" }), [7])
    assert.deepStrictEqual(matching({ _tag: "NotHomeserver", status: 404 }), [8])
    assert.deepStrictEqual(matching({ _tag: "NotHomeserver", status: 200 }), [])
    assert.deepStrictEqual(matching({ _tag: "OtherErrcode", errcode: "X", status: 400 }), [9])
    assert.deepStrictEqual(matching({ _tag: "OtherErrcode", errcode: "Y", status: 400 }), [])
  })
})
