import type { Kind } from "@appservice-ping/domain/ConnectionFailure"
import * as Catalogue from "@appservice-ping/testbed/Catalogue"
import type { Expected } from "@appservice-ping/testbed/Expected"
import * as Fault from "@appservice-ping/testbed/Fault"
import { layerMemory, layerSocket, Testbed } from "@appservice-ping/testbed/Testbed"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { ask, onVirtualTime, type RawAnswer } from "./support/ask.ts"

// Long beside what a drip takes, so that a busy machine makes no difference; the tests run side by side.
const pingTimeout = "1 second"

const Body = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json))

/** An answer without what cannot be the same: the place of the appservice, the duration and the date. */
const normalize = (answer: RawAnswer, appservice: URL) => {
  const { duration_ms, ...body } = Schema.decodeSync(Body)(answer.body.replaceAll(appservice.origin, "<appservice>"))
  return { status: answer.status, hasDuration: typeof duration_ms === "number", body }
}

const underFault = (fault: Fault.Fault) =>
  Effect.gen(function*() {
    const testbed = yield* Testbed
    const injection = yield* testbed.inject(fault)
    const answer = yield* ask
    return {
      answer: normalize(answer, testbed.appserviceUrl),
      applied: yield* injection.applied,
      received: (yield* testbed.received).length,
      expected: testbed.expected(fault)
    }
  })

const failed = "The homeserver could not ping the appservice at <appservice>/_matrix/app/v1/ping"

const texts = new Map<Kind, string>([
  ["refused", "the connection was refused"],
  ["reset", "the connection was reset"],
  ["closed", "the connection was closed early"],
  ["malformed", "the answer was not valid HTTP"]
])

/** What the body of the answer has to say, as far as the expectation goes. */
const assertExpected = (expected: Expected, answer: ReturnType<typeof normalize>): void => {
  assert.strictEqual(answer.status, expected.status)
  assert.strictEqual(answer.hasDuration, expected._tag === "Success")
  assert.strictEqual(answer.body["errcode"], expected._tag === "Success" ? undefined : expected._tag)
  if (expected._tag === "M_BAD_STATUS") {
    assert.strictEqual(answer.body["status"], expected.appservice.status)
    assert.strictEqual(answer.body["body"], expected.appservice.body)
  }
  if (expected._tag === "M_CONNECTION_FAILED") {
    assert.strictEqual(answer.body["error"], `${failed}: ${texts.get(expected.kind)}`)
  }
}

describe.concurrent("memory and wire give the same answer, the expected one, to the same number of requests", {
  timeout: 30_000
}, () => {
  for (const fault of Catalogue.all(pingTimeout)) {
    it.live(Fault.describe(fault), () =>
      Effect.gen(function*() {
        const wire = yield* Effect.provide(underFault(fault), layerSocket({ pingTimeout }))
        const memory = yield* onVirtualTime(
          Effect.provide(underFault(fault), layerMemory({ pingTimeout })),
          "1 minute"
        )
        assert.deepStrictEqual(memory, wire)
        assertExpected(wire.expected, wire.answer)
        assert.strictEqual(wire.applied, 1)
      }))
  }

  it.live("without a fault", () =>
    Effect.gen(function*() {
      const healthy = Effect.gen(function*() {
        const testbed = yield* Testbed
        const answer = normalize(yield* ask, testbed.appserviceUrl)
        return { answer, received: yield* testbed.received, applied: yield* testbed.applied }
      })
      const wire = yield* Effect.provide(healthy, layerSocket({ pingTimeout }))
      const memory = yield* Effect.provide(healthy, layerMemory({ pingTimeout }))
      assert.deepStrictEqual(memory, wire)
      assert.deepStrictEqual(wire, {
        answer: { status: 200, hasDuration: true, body: {} },
        received: [{ transactionId: undefined }],
        applied: 0
      })
    }))
})
