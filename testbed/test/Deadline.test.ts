import * as Ping from "@appservice-ping/client/Ping"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import { layerMemory, layerSocket, Testbed } from "@appservice-ping/testbed/Testbed"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ask } from "./support/ask.ts"

const stalling: ReadonlyArray<Fault.Fault> = [
  Fault.latency("1 hour"),
  Fault.stall({ phase: "before_headers" }),
  Fault.stall({ phase: "in_headers" }),
  Fault.stall({ phase: "in_body" }),
  Fault.stall({ phase: "in_body", framing: "chunked" }),
  Fault.drip({ gap: "400 millis" })
]

describe("the homeserver's deadline in memory, on virtual time", () => {
  for (const fault of stalling) {
    it.effect(`D3 ${Fault.describe(fault)}: no answer at 29,999 ms, M_CONNECTION_TIMEOUT at 30,000 ms`, () =>
      Effect.gen(function*() {
        const testbed = yield* Testbed
        yield* testbed.inject(fault)
        const fiber = yield* Effect.forkChild(ask)
        yield* TestClock.adjust("29999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        const { body, millis, status } = yield* Fiber.join(fiber)
        assert.strictEqual(status, 504)
        assert.include(body, "\"M_CONNECTION_TIMEOUT\"")
        assert.strictEqual(millis, 30_000)
      }).pipe(Effect.provide(layerMemory())))
  }

  it.effect("D3 an answer 1 ms before the deadline is a success, and one 1 ms after it is not", () =>
    Effect.gen(function*() {
      const testbed = yield* Testbed
      const before = yield* Effect.scoped(Effect.gen(function*() {
        yield* testbed.inject(Fault.latency("29999 millis"))
        const fiber = yield* Effect.forkChild(Ping.ping(testbed))
        yield* TestClock.adjust("29998 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        return yield* Fiber.join(fiber)
      }))
      assert.deepStrictEqual(before, { duration_ms: 29_999 })
      yield* testbed.inject(Fault.latency("30001 millis"))
      const fiber = yield* Effect.forkChild(Effect.flip(Ping.ping(testbed)))
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "M_CONNECTION_TIMEOUT")
      assert.lengthOf(yield* testbed.received, 1)
    }).pipe(Effect.provide(layerMemory())))

  it.effect("D3 a drip within the deadline is a success, and takes as long as all of its bytes", () =>
    Effect.gen(function*() {
      const testbed = yield* Testbed
      const bytes =
        "HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}".length
      yield* testbed.inject(Fault.drip({ gap: "300 millis", status: 200, body: "{}" }))
      const fiber = yield* Effect.forkChild(Ping.ping(testbed))
      yield* TestClock.adjust(bytes * 300 - 1)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* Fiber.join(fiber), { duration_ms: bytes * 300 })
    }).pipe(Effect.provide(layerMemory())))

  it.effect("D3 the deadline is the one that was set", () =>
    Effect.gen(function*() {
      const testbed = yield* Testbed
      yield* testbed.inject(Fault.stall({ phase: "in_body" }))
      const fiber = yield* Effect.forkChild(ask)
      yield* TestClock.adjust("1234 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 504)
    }).pipe(Effect.provide(layerMemory({ pingTimeout: "1235 millis" }))))
})

/** A timer of Node may fire this much before its time, because it counts in whole milliseconds. */
const timerSlackMillis = 1

/** What the client's own connection may add on a busy machine. */
const clientSlackMillis = 25

const attemptsMax = 5

/**
 * Measures until a measurement is within the window. Other programs on the machine can only make an exchange longer, so
 * one that is too short fails at once, and one that is too long is measured again, a few times; the window stays as it is.
 */
const measure = <R>(
  duration: Effect.Effect<number, never, R>,
  window: { readonly atLeast: number; readonly below: number },
  attempt = 1
): Effect.Effect<void, never, R> =>
  Effect.flatMap(duration, (millis) => {
    assert.isAtLeast(millis, window.atLeast)
    if (millis < window.below) return Effect.void
    assert.isBelow(attempt, attemptsMax, `${millis} ms, and too long in each attempt before`)
    return measure(duration, window, attempt + 1)
  })

describe("the homeserver's deadline on sockets", { timeout: 30_000 }, () => {
  const deadlineMillis = 500

  for (const fault of stalling) {
    it.live(
      `D3 ${Fault.describe(fault)}: M_CONNECTION_TIMEOUT, not before the deadline and within 10 % after it`,
      () =>
        Effect.gen(function*() {
          const testbed = yield* Testbed
          const injection = yield* testbed.inject(fault)
          const once = Effect.map(ask, ({ body, millis, status }) => {
            assert.strictEqual(status, 504)
            assert.include(body, "\"M_CONNECTION_TIMEOUT\"")
            return millis
          })
          yield* measure(once, {
            atLeast: deadlineMillis - timerSlackMillis,
            below: deadlineMillis * 1.1 + clientSlackMillis
          })
          assert.isAtLeast(yield* injection.applied, 1)
        }).pipe(Effect.provide(layerSocket({ pingTimeout: deadlineMillis })))
    )
  }

  it.live("C9 duration_ms of an appservice that takes 150 ms is 150 to 170", () =>
    Effect.gen(function*() {
      const testbed = yield* Testbed
      const once = Effect.map(Effect.orDie(Ping.ping(testbed)), ({ duration_ms }) => duration_ms)
      yield* measure(once, { atLeast: 150, below: 171 })
    }).pipe(Effect.provide(layerSocket({
      appservice: () => Effect.delay(Effect.succeed({ status: 200, headers: {}, body: "{}" }), "150 millis")
    }))))

  it.live("C9 duration_ms of an appservice behind a latency of 150 ms is 150 to 170", () =>
    Effect.gen(function*() {
      const testbed = yield* Testbed
      yield* testbed.inject(Fault.latency("150 millis"))
      const once = Effect.map(Effect.orDie(Ping.ping(testbed)), ({ duration_ms }) => duration_ms)
      yield* measure(once, { atLeast: 150, below: 171 })
    }).pipe(Effect.provide(layerSocket())))
})
