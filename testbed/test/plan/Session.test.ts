import { toText } from "@appservice-ping/testbed/Journal"
import * as Fault from "@appservice-ping/testbed/plan/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/Session"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"

const request = (session: Session.Session["Service"], transactionId: string) =>
  Effect.gen(function*() {
    const { connection } = yield* session.connection("to-appservice", false)
    return yield* session.request({
      leg: "to-appservice",
      connection,
      isSecure: false,
      exchange: 1,
      method: "POST",
      path: "/_matrix/app/v1/ping",
      transactionId
    })
  })

describe("Session", () => {
  it.effect("counts a rule as matched, suppressed and fired, and as applied only when it was played", () =>
    Effect.gen(function*() {
      const session = yield* Session.make()
      const injection = yield* session.inject(
        Plan.of("to-appservice", Fault.status(503), { when: { first: 1 } })
      )
      const first = yield* request(session, "a")
      assert.strictEqual(first.decision.verdict._tag, "Play")
      assert.deepStrictEqual(yield* injection.report, [{
        rule: "rule-1",
        matched: 1,
        suppressed: 0,
        fired: 1,
        applied: 0
      }])
      yield* first.applied
      assert.strictEqual((yield* request(session, "a")).decision.verdict._tag, "Pass")
      assert.deepStrictEqual(yield* injection.report, [{
        rule: "rule-1",
        matched: 2,
        suppressed: 1,
        fired: 1,
        applied: 1
      }])
      assert.include(toText(yield* session.journal), "\"attempt\":2")
    }))

  it.effect("refuses connections after a crash for as long as it says, and not longer", () =>
    Effect.gen(function*() {
      const session = yield* Session.make()
      yield* session.inject(Plan.of("to-appservice", Fault.crash({ downFor: "5 seconds" }), { when: { nth: 1 } }))
      assert.strictEqual((yield* request(session, "a")).decision.verdict._tag, "Crash")
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual((yield* session.peek("to-appservice", false))._tag, "Refuse")
      assert.strictEqual(yield* session.nextEdge, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* session.peek("to-appservice", false))._tag, "Pass")
    }))
})
