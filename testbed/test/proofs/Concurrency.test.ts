import * as Ping from "@appservice-ping/client/Ping"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import { Testbed } from "@appservice-ping/testbed/Testbed"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { modes } from "../support/modes.ts"

const ids = Array.from({ length: 200 }, (_, index) => `ping-${index}`)

/** Long beside what 200 pings take on a busy machine. */
const pingTimeout = "10 seconds"

for (const { name, run } of modes) {
  describe(`200 pings at once, ${name}`, { timeout: 30_000 }, () => {
    it.live("C7 reach the appservice, each with its own transaction id and once", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        const answers = yield* Effect.forEach(ids, (transactionId) => Ping.ping({ ...testbed, transactionId }), {
          concurrency: "unbounded"
        })
        assert.lengthOf(answers, ids.length)
        const received = (yield* testbed.received).map(({ transactionId }) => transactionId)
        assert.lengthOf(received, ids.length)
        assert.sameMembers(received, ids)
      }).pipe(run({ pingTimeout })))

    const faults = [
      Fault.refused,
      Fault.resetPeer({ phase: "in_body" }),
      Fault.close({ phase: "before_headers" }),
      Fault.status(503, { body: "busy" }),
      Fault.drip({ gap: "1 millis" })
    ]
    for (const fault of faults) {
      it.live(`${Fault.describe(fault)}: all of them get the same answer, and each was struck once`, () =>
        Effect.gen(function*() {
          const testbed = yield* Testbed
          const injection = yield* testbed.inject(fault)
          const answers = yield* Effect.forEach(
            ids,
            (transactionId) => Effect.result(Ping.ping({ ...testbed, transactionId })),
            { concurrency: "unbounded" }
          )
          const expected = testbed.expected(fault).answer._tag
          assert.deepStrictEqual(
            answers.map((answer) => Result.isSuccess(answer) ? "Success" : answer.failure._tag),
            ids.map(() => expected)
          )
          assert.strictEqual(yield* injection.applied, ids.length)
          assert.lengthOf(yield* testbed.received, testbed.expected(fault).calls.length * ids.length)
        }).pipe(run({ pingTimeout })))
    }

    it.live("a stall lets go of all of them at the deadline", () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        yield* testbed.inject(Fault.stall({ phase: "in_body" }))
        const errors = yield* Effect.forEach(ids, () => Effect.flip(Ping.ping(testbed)), { concurrency: "unbounded" })
        assert.deepStrictEqual(new Set(errors.map((error) => error._tag)), new Set(["M_CONNECTION_TIMEOUT"]))
      }).pipe(run({ pingTimeout: "1 second" })))
  })
}
