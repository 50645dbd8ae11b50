// How the gate waits with a ping behind it: each wait asserted before and after its edge.
import { wait } from "@appservice-ping/client/Gate"
import { AttemptTimeout, GaveUpError } from "@appservice-ping/client/GateEvent"
import type { GatePolicy } from "@appservice-ping/client/GatePolicy"
import { ping, type PingOptions } from "@appservice-ping/client/Ping"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Random, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import { homeserver, memory, plain, type Reaction, registration } from "./support/memory.ts"

type Options = GatePolicy & Pick<PingOptions, "timeout">

const exact: Options = { jitter: 0 }

const untilConnected = ({ timeout, ...policy }: Options) =>
  wait({ ping: ping({ homeserver, registration, timeout }), ...policy })

const refused: Reaction = { raises: Object.assign(new Error(), { code: "ECONNREFUSED" }) }

const json = (status: number, body: unknown, headers: { readonly [name: string]: string } = {}) => (): Reaction =>
  Response.json(body, { status, headers })

const ok = json(200, { duration_ms: 1 })

/** Reacts to the first requests one by one, and to all later ones as to the last. */
const script = (...reactions: ReadonlyArray<Reaction | (() => Reaction)>) =>
  memory((_, nth) =>
    Effect.sync(() => {
      const reaction = reactions[Math.min(nth, reactions.length - 1)] ?? refused
      return typeof reaction === "function" ? reaction() : reaction
    })
  )

const start = (stub: ReturnType<typeof script>, options: Options = exact) =>
  Effect.forkChild(Effect.result(untilConnected(options).pipe(stub.provide)))

const gaveUp = (fiber: Effect.Success<ReturnType<typeof start>>) =>
  Effect.flatMap(Fiber.join(fiber), (result) => Effect.fromResult(Result.flip(result)))

/** The ping's own error behind a gate that gave up. */
const failureOf = (fiber: Effect.Success<ReturnType<typeof start>>) =>
  Effect.map(
    gaveUp(fiber),
    ({ error }) => error instanceof AttemptTimeout ? assert.fail("the attempt was ended") : error
  )

/** Asserts that the next attempt starts exactly `millis` from now. */
const nextAttemptAfter = Effect.fnUntraced(function*(stub: ReturnType<typeof script>, millis: number) {
  const before = stub.received.length
  yield* TestClock.adjust(millis - 1)
  assert.lengthOf(stub.received, before, `no attempt before ${millis} ms`)
  yield* TestClock.adjust(1)
  assert.lengthOf(stub.received, before + 1, `an attempt at ${millis} ms`)
})

describe("wait", () => {
  it.effect("A10 pings once where that is enough", () =>
    Effect.gen(function*() {
      const stub = script(ok)
      assert.deepStrictEqual(yield* untilConnected(exact).pipe(stub.provide), { duration_ms: 1 })
      assert.lengthOf(stub.received, 1)
    }))

  it.effect("A10 waits 1, 2, 4, 8, 16, 30 and 30 seconds for a homeserver that is not there yet", () =>
    Effect.gen(function*() {
      const stub = script(refused, refused, refused, refused, refused, refused, refused, ok)
      const fiber = yield* start(stub)
      yield* TestClock.adjust(0)
      assert.lengthOf(stub.received, 1)
      for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
        assert.isUndefined(fiber.pollUnsafe())
        yield* nextAttemptAfter(stub, seconds * 1000)
      }
      assert.deepStrictEqual(yield* Effect.fromResult(yield* Fiber.join(fiber)), { duration_ms: 1 })
    }))

  it.effect("A10 waits as long as it is told to", () =>
    Effect.gen(function*() {
      const stub = script(refused)
      const fiber = yield* start(stub, { ...exact, firstDelay: "100 millis", maxDelay: "250 millis" })
      yield* TestClock.adjust(0)
      for (const millis of [100, 200, 250, 250]) yield* nextAttemptAfter(stub, millis)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect.prop("A10 leaves half of each wait to chance", {
    random: Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 0.999 })))
  }, ({ random }) =>
    Effect.gen(function*() {
      const stub = script(refused)
      const fiber = yield* start(stub, {}).pipe(
        Effect.provideService(Random.Random, { nextDoubleUnsafe: () => random, nextIntUnsafe: () => 0 })
      )
      yield* TestClock.adjust("500 millis")
      assert.lengthOf(stub.received, 1)
      yield* TestClock.adjust("500 millis")
      assert.isAtLeast(stub.received.length, 2)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("A10 waits 3/4 of the time where chance says half", () =>
    Effect.gen(function*() {
      const stub = script(refused)
      const fiber = yield* start(stub, {}).pipe(
        Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 })
      )
      yield* TestClock.adjust(0)
      for (const millis of [750, 1500, 3000]) yield* nextAttemptAfter(stub, millis)
      yield* Fiber.interrupt(fiber)
    }))

  const lasting: ReadonlyArray<readonly [string, () => Reaction]> = [
    ["M_UNKNOWN_TOKEN", json(401, { errcode: "M_UNKNOWN_TOKEN" })],
    ["M_FORBIDDEN", json(403, { errcode: "M_FORBIDDEN" })],
    ["M_URL_NOT_SET", json(400, { errcode: "M_URL_NOT_SET" })],
    ["M_UNRECOGNIZED", json(404, { errcode: "M_UNRECOGNIZED" })],
    ["M_BAD_STATUS", json(502, { errcode: "M_BAD_STATUS", status: 401, body: "{\"errcode\":\"M_UNKNOWN_TOKEN\"}" })],
    ["NotHomeserver", json(200, { status: "ok" })],
    ["HomeserverUnreachable", () => ({ raises: Object.assign(new Error(), { code: "CERT_HAS_EXPIRED" }) })]
  ]
  for (const [tag, answer] of lasting) {
    it.effect(`A10 stops at once at a ${tag} that only a person can fix`, () =>
      Effect.gen(function*() {
        const stub = script(refused, answer)
        const fiber = yield* start(stub)
        yield* TestClock.adjust("999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.isDefined(fiber.pollUnsafe())
        const end = yield* gaveUp(fiber)
        assert.instanceOf(end, GaveUpError)
        assert.deepInclude(end, { reason: "permanent", attempts: 2 })
        assert.strictEqual(Duration.toMillis(end.elapsed), 1000)
        assert.strictEqual(end.error._tag, tag)
        assert.isFalse(end.diagnosis.temporary)
        assert.include(end.message, end.diagnosis.cause)
        yield* TestClock.adjust("1 hour")
        assert.lengthOf(stub.received, 2)
      }))
  }

  const passing: ReadonlyArray<readonly [string, () => Reaction]> = [
    ["M_CONNECTION_FAILED", json(502, { errcode: "M_CONNECTION_FAILED", error: "the connection was refused" })],
    ["M_CONNECTION_TIMEOUT", json(504, { errcode: "M_CONNECTION_TIMEOUT" })],
    ["M_LIMIT_EXCEEDED", json(429, { errcode: "M_LIMIT_EXCEEDED" })],
    ["M_BAD_STATUS of a proxy", json(502, { errcode: "M_BAD_STATUS", status: 503, body: "<html>" })],
    ["M_UNKNOWN", json(500, { errcode: "M_UNKNOWN" })],
    ["proxy's page", () => new Response("<html>", { status: 502 })],
    ["connection that was reset", () => ({ raises: Object.assign(new Error(), { code: "ECONNRESET" }) })]
  ]
  for (const [name, answer] of passing) {
    it.effect(`A10 goes on after a ${name}, which passes by itself`, () =>
      Effect.gen(function*() {
        const stub = script(answer, ok)
        const fiber = yield* start(stub)
        yield* TestClock.adjust(0)
        yield* nextAttemptAfter(stub, 1000)
        assert.deepStrictEqual(yield* Effect.fromResult(yield* Fiber.join(fiber)), { duration_ms: 1 })
      }))
  }

  it.effect("A10 goes on after an attempt that ended undecided", () =>
    Effect.gen(function*() {
      const stub = memory((_, nth) => nth === 0 ? Effect.never : Effect.sync(ok))
      const fiber = yield* start(stub, { ...exact, timeout: "5 seconds" })
      yield* TestClock.adjust("5 seconds")
      yield* nextAttemptAfter(stub, 1000)
      assert.deepStrictEqual(yield* Effect.fromResult(yield* Fiber.join(fiber)), { duration_ms: 1 })
    }))

  const asked = [
    ["C18 A10 waits as long as Retry-After says", { "retry-after": "45" }, {}, 45_000],
    ["C18 A10 waits as long as retry_after_ms says", {}, { retry_after_ms: 2500 }, 2500],
    ["C18 A10 lengthens a Retry-After of 0 to the first wait", { "retry-after": "0" }, {}, 1000]
  ] as const
  for (const [name, headers, fields, millis] of asked) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const limited = json(429, { errcode: "M_LIMIT_EXCEEDED", ...fields }, headers)
        const stub = script(refused, refused, limited, ok)
        const fiber = yield* start(stub)
        yield* TestClock.adjust(0)
        yield* nextAttemptAfter(stub, 1000)
        yield* nextAttemptAfter(stub, 2000)
        yield* nextAttemptAfter(stub, millis)
        assert.isDefined(fiber.pollUnsafe())
      }))
  }

  it.effect("C18 A10 waits as long as a proxy's Retry-After says", () =>
    Effect.gen(function*() {
      const stub = script(() => new Response("<html>", { status: 503, headers: { "retry-after": "7" } }), ok)
      yield* start(stub)
      yield* TestClock.adjust(0)
      yield* nextAttemptAfter(stub, 7000)
    }))
})

describe("the deadline of all attempts", () => {
  it.effect("A10 ends with the last error where no time is left for another attempt", () =>
    Effect.gen(function*() {
      const stub = script(refused, refused, refused, json(504, { errcode: "M_CONNECTION_TIMEOUT" }))
      const fiber = yield* start(stub, { ...exact, deadline: "15 seconds" })
      yield* TestClock.adjust("6999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(fiber.pollUnsafe())
      assert.deepStrictEqual(yield* plain(yield* failureOf(fiber)), { _tag: "M_CONNECTION_TIMEOUT" })
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(stub.received, 4)
    }))

  it.effect("A10 makes the last attempt that ends before the deadline", () =>
    Effect.gen(function*() {
      const stub = script(refused, refused, refused, refused, ok)
      const fiber = yield* start(stub, { ...exact, deadline: "15001 millis" })
      yield* TestClock.adjust("14999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Effect.fromResult(yield* Fiber.join(fiber)), { duration_ms: 1 })
    }))

  it.effect("A10 ends an attempt that is still under way", () =>
    Effect.gen(function*() {
      const stub = memory((_, nth) => nth < 2 ? Effect.succeed(refused) : Effect.never)
      const fiber = yield* start(stub, { ...exact, deadline: "10 seconds" })
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(fiber.pollUnsafe())
      const end = yield* gaveUp(fiber)
      assert.deepInclude(end, { reason: "deadline", attempts: 3 })
      assert.strictEqual(Duration.toMillis(end.elapsed), 10_000)
      // What was wrong before the attempt that the deadline ended says more than that it was ended.
      assert.strictEqual(end.error._tag, "HomeserverUnreachable")
      assert.match(end.diagnosis.cause, /Nothing listens/)
      assert.lengthOf(stub.received, 3)
    }))

  it.effect("A10 ends the first attempt too, which leaves the ping undecided", () =>
    Effect.gen(function*() {
      const stub = memory(() => Effect.never)
      const fiber = yield* start(stub, { ...exact, deadline: "10 seconds" })
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { attempts, diagnosis, error, reason } = yield* gaveUp(fiber)
      assert.deepStrictEqual([reason, attempts], ["deadline", 1])
      assert.strictEqual(error._tag === "AttemptTimeout" ? Duration.toMillis(error.after) : error._tag, 10_000)
      assert.strictEqual(error.message, "the attempt was ended after 10s")
      assert.match(diagnosis.cause, /undecided/)
    }))

  it.effect("A10 does not wait for a Retry-After that lies behind the deadline", () =>
    Effect.gen(function*() {
      const stub = script(json(429, { errcode: "M_LIMIT_EXCEEDED" }, { "retry-after": "601" }))
      const fiber = yield* start(stub)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* plain(yield* failureOf(fiber)), {
        _tag: "M_LIMIT_EXCEEDED",
        retryAfter: 601_000
      })
    }))

  it.effect("A10 is 10 minutes by default", () =>
    Effect.gen(function*() {
      const stub = script(refused)
      const fiber = yield* start(stub)
      // 0, 1, 3, 7, 15 and 31 seconds, then every 30 seconds; the next attempt would be at 601.
      yield* TestClock.adjust("570999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      assert.lengthOf(stub.received, 23)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* failureOf(fiber))._tag, "HomeserverUnreachable")
      assert.lengthOf(stub.received, 24)
    }))

  it.effect("A10 can be left out", () =>
    Effect.gen(function*() {
      const stub = script(refused)
      const fiber = yield* start(stub, { ...exact, deadline: Duration.infinity })
      // More doublings of the wait than a number can hold.
      yield* TestClock.adjust("10 hours")
      assert.isUndefined(fiber.pollUnsafe())
      assert.isAbove(stub.received.length, 1100)
      const before = stub.received.length
      yield* TestClock.adjust("30 seconds")
      assert.lengthOf(stub.received, before + 1)
      yield* Fiber.interrupt(fiber)
    }))
})

describe("interruption", () => {
  it.effect("A10 ends a wait at once", () =>
    Effect.gen(function*() {
      const stub = script(refused)
      const fiber = yield* start(stub)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(fiber)
      const before = stub.received.length
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(stub.received, before)
    }))

  it.effect("A10 ends an attempt at once", () =>
    Effect.gen(function*() {
      const state = { interrupted: false }
      const stub = memory(() =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            state.interrupted = true
          }))
      )
      const fiber = yield* start(stub)
      yield* TestClock.adjust("10 seconds")
      assert.isFalse(state.interrupted)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(state.interrupted)
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(stub.received, 1)
    }))
})

describe("an attempt that cannot be interrupted", () => {
  /** An attempt that never ends, and how often it was started. */
  const stuck = () => {
    const counted = {
      started: 0,
      ping: Effect.suspend(() => {
        counted.started++
        return Effect.uninterruptible(Effect.never)
      })
    }
    return counted
  }

  it.effect("ends on time, and so does the gate", () =>
    Effect.gen(function*() {
      const attempt = stuck()
      const waiting = yield* Effect.forkChild(
        Effect.flip(wait({ ping: attempt.ping, ...exact, attemptTimeout: "10 seconds", deadline: "15 seconds" }))
      )
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual(attempt.started, 1)
      yield* TestClock.adjust("1 millis")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(attempt.started, 2)
      yield* TestClock.adjust("3999 millis")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { error, reason } = yield* Fiber.join(waiting)
      assert.instanceOf(error, AttemptTimeout)
      assert.strictEqual(reason, "deadline")
    }))

  it.effect("is started no more often than 16 times", () =>
    Effect.gen(function*() {
      const attempt = stuck()
      const waiting = yield* Effect.forkChild(
        Effect.flip(wait({ ping: attempt.ping, ...exact, attemptTimeout: "1 second", deadline: "1 hour" }))
      )
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(waiting)
      assert.strictEqual(attempt.started, 16)
    }))
})
