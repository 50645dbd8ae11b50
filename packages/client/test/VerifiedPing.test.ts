// What a verified ping tells apart, each wait asserted before and after its edge.
import * as VerifiedPing from "@appservice-ping/client/VerifiedPing"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Layer, Schema } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { endpoint, homeserver, memory, type Reaction, type Received, registration } from "./support/memory.ts"

const ok = (): Reaction => Response.json({ duration_ms: 3 })

const failed = (): Reaction => Response.json({ errcode: "M_CONNECTION_TIMEOUT" }, { status: 504 })

const Body = Schema.fromJsonString(Schema.Struct({ transaction_id: Schema.String }))

const idOf = ({ body }: Received): string => Schema.decodeUnknownSync(Body)(body).transaction_id

const at = (millis: number): Duration.Input => `${millis} millis`

/** A homeserver that does, for each ping, what the script says; it knows the service that it delivers to. */
const make = Effect.fnUntraced(function*(
  react: (
    id: string,
    received: VerifiedPing.VerifiedPing["Service"]["received"],
    nth: number
  ) => Effect.Effect<Reaction>,
  options?: VerifiedPing.VerifiedPingOptions
) {
  const verified = yield* VerifiedPing.make(options)
  const stub = memory((request, nth) => react(idOf(request), verified.received, nth))
  const ping = (more: Partial<VerifiedPing.VerifiedOptions> = {}) =>
    verified.ping({ homeserver, registration, ...more }).pipe(Effect.provideService(HttpClient.HttpClient, stub.client))
  return { ping, received: verified.received, stub }
})

describe("a ping that arrives", () => {
  it.effect("A5 is confirmed, with the time from the question to the arrival", () =>
    Effect.gen(function*() {
      const { ping, stub } = yield* make((id, received) =>
        Effect.gen(function*() {
          yield* Effect.sleep(at(20))
          yield* received({ transactionId: id })
          yield* Effect.sleep(at(30))
          return ok()
        })
      )
      const fiber = yield* Effect.forkChild(ping())
      yield* TestClock.adjust(at(49))
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(at(1))
      const { arrivedAfter, duration_ms, transactionId } = yield* Fiber.join(fiber)
      assert.strictEqual(duration_ms, 3)
      assert.strictEqual(Duration.toMillis(arrivedAfter), 20)
      assert.strictEqual(stub.received[0] === undefined ? undefined : idOf(stub.received[0]), transactionId)
    }))

  it.effect("A5 is confirmed by its first arrival when it arrives twice", () =>
    Effect.gen(function*() {
      const { ping } = yield* make((id, received) =>
        Effect.gen(function*() {
          yield* received({ transactionId: id })
          yield* Effect.sleep(at(10))
          yield* received({ transactionId: id })
          return ok()
        })
      )
      const fiber = yield* Effect.forkChild(ping())
      yield* TestClock.adjust(at(10))
      assert.strictEqual(Duration.toMillis((yield* Fiber.join(fiber)).arrivedAfter), 0)
    }))

  it.effect("A5 may arrive after the homeserver's answer, up to the settle time", () =>
    Effect.gen(function*() {
      const { ping, received, stub } = yield* make(() => Effect.sync(ok))
      const fiber = yield* Effect.forkChild(ping())
      yield* TestClock.adjust(at(999))
      assert.isUndefined(fiber.pollUnsafe())
      const [request] = stub.received
      yield* received({ transactionId: request === undefined ? undefined : idOf(request) })
      assert.strictEqual(Duration.toMillis((yield* Fiber.join(fiber)).arrivedAfter), 999)
    }))
})

describe("a ping that does not arrive", () => {
  it.effect("is answered elsewhere when the homeserver says that it succeeded, after the settle time", () =>
    Effect.gen(function*() {
      const { ping } = yield* make(() => Effect.sync(ok))
      const url = "http://user:canary@bridge.example:29318/x?canary"
      const fiber = yield* Effect.forkChild(Effect.flip(ping({ registration: { ...registration, url } })))
      yield* TestClock.adjust(at(999))
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(at(1))
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, { _tag: "AnsweredElsewhere", url: "http://bridge.example:29318/x", duration_ms: 3 })
      assert.notInclude(error.message, "canary")
    }))

  it.effect("is waited for as long as the settle time says", () =>
    Effect.gen(function*() {
      const { ping } = yield* make(() => Effect.sync(ok), { settleTime: "5 seconds" })
      const fiber = yield* Effect.forkChild(Effect.flip(ping()))
      yield* TestClock.adjust(at(4999))
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(at(1))
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "AnsweredElsewhere")
      assert.notProperty(error, "url")
    }))

  it.effect("fails as a plain ping does when the homeserver says that it failed, at once", () =>
    Effect.gen(function*() {
      const { ping } = yield* make(() => Effect.sync(failed))
      assert.strictEqual((yield* Effect.flip(ping()))._tag, "M_CONNECTION_TIMEOUT")
    }))

  it.effect("is not confirmed by what someone else asked for", () =>
    Effect.gen(function*() {
      const { ping } = yield* make((id, received) =>
        Effect.gen(function*() {
          for (const transactionId of [undefined, "", "other", id.slice(0, -1), `${id} `, id.toUpperCase()]) {
            yield* received({ transactionId })
          }
          return ok()
        })
      )
      const fiber = yield* Effect.forkChild(Effect.flip(ping()))
      yield* TestClock.adjust(at(1000))
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "AnsweredElsewhere")
    }))
})

describe("a ping that arrives, and is not confirmed", () => {
  const rows: ReadonlyArray<readonly [string, () => Reaction, string]> = [
    ["the homeserver says that it failed", failed, "M_CONNECTION_TIMEOUT"],
    [
      "the homeserver says 502",
      () => Response.json({ errcode: "M_BAD_STATUS", status: 502 }, { status: 502 }),
      "M_BAD_STATUS"
    ],
    ["a proxy answers in its place", () => new Response("<html>", { status: 504 }), "NotHomeserver"],
    ["the connection to it breaks", () => ({ raises: Object.assign(new Error(), { code: "ECONNRESET" }) }), "Undecided"]
  ]
  for (const [name, reaction, tag] of rows) {
    it.effect(`is seen, but failed: ${name}`, () =>
      Effect.gen(function*() {
        const { ping } = yield* make((id, received) => Effect.as(received({ transactionId: id }), reaction()))
        const error = yield* Effect.flip(ping())
        assert.strictEqual(error._tag === "SeenButFailed" ? error.error._tag : error._tag, tag)
        assert.strictEqual(error._tag, "SeenButFailed")
      }))
  }

  it.effect("is seen, but failed: the homeserver says nothing before the client's deadline", () =>
    Effect.gen(function*() {
      const { ping } = yield* make((id, received) => Effect.andThen(received({ transactionId: id }), Effect.never))
      const fiber = yield* Effect.forkChild(Effect.flip(ping({ timeout: "5 seconds" })))
      yield* TestClock.adjust(at(4999))
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(at(1))
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag === "SeenButFailed" ? error.error._tag : error._tag, "Undecided")
      assert.include(error.message, endpoint)
    }))

  it.effect("is the homeserver's failure where it arrives only after that", () =>
    Effect.gen(function*() {
      const { ping, received, stub } = yield* make(() => Effect.sync(failed))
      assert.strictEqual((yield* Effect.flip(ping()))._tag, "M_CONNECTION_TIMEOUT")
      const [request] = stub.received
      yield* received({ transactionId: request === undefined ? undefined : idOf(request) })
    }))
})

describe("the id", () => {
  it.effect("has 128 bits that nobody can guess, and is another one each time", () =>
    Effect.gen(function*() {
      const { ping } = yield* make((id, received) => Effect.as(received({ transactionId: id }), ok()))
      const ids = yield* Effect.forEach(Array.from({ length: 100 }), () =>
        Effect.map(ping(), (found) => found.transactionId))
      for (const id of ids) {
        assert.match(id, /^ping-\d+-[0-9a-f]{32}$/)
      }
      assert.strictEqual(
        new Set(ids.map((id) =>
          id.split("-")[2]
        )).size,
        100
      )
    }))

  it.effect("is another one even where the source of randomness repeats itself", () =>
    Effect.gen(function*() {
      const randomBytes = Effect.succeed(new Uint8Array(16))
      const { ping } = yield* make(
        (id, received) => Effect.as(received({ transactionId: id }), ok()),
        {
          randomBytes
        }
      )
      const ids = yield* Effect.forEach([1, 2], () => Effect.map(ping(), (found) => found.transactionId))
      assert.deepStrictEqual(ids, [`ping-1-${"0".repeat(32)}`, `ping-2-${"0".repeat(32)}`])
    }))
})

describe("the pings under way", () => {
  it.effect("are no more than their bound, and the one too many is not sent", () =>
    Effect.gen(function*() {
      const { ping, stub } = yield* make(() => Effect.never, { maxPending: 2 })
      const fibers = yield* Effect.forEach([1, 2], () => Effect.forkChild(ping()))
      yield* TestClock.adjust(0)
      assert.deepInclude(yield* Effect.flip(ping()), { _tag: "TooManyPending", maxPending: 2 })
      assert.lengthOf(stub.received, 2)
      // An interrupted one makes room.
      yield* Effect.forEach(fibers, Fiber.interrupt)
      const again = yield* Effect.forkChild(ping())
      yield* TestClock.adjust(0)
      assert.isUndefined(again.pollUnsafe())
      assert.lengthOf(stub.received, 3)
    }))

  for (const maxPending of [1.5, -1, Number.NaN, Infinity]) {
    it.effect(`are refused a bound of ${maxPending}`, () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(VerifiedPing.make({ maxPending }))
        const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.match(String(defect), /maxPending: expected a whole number/)
      }))
  }

  it.effect("are none at all with a bound of 0", () =>
    Effect.gen(function*() {
      const { ping, stub } = yield* make(() => Effect.never, { maxPending: 0 })
      assert.deepInclude(yield* Effect.flip(ping()), { _tag: "TooManyPending", maxPending: 0 })
      assert.lengthOf(stub.received, 0)
    }))

  const ends: ReadonlyArray<readonly [string, (() => Reaction) | "never", boolean]> = [
    ["confirmed", ok, true],
    ["answered elsewhere", ok, false],
    ["failed", () => ({ raises: Object.assign(new Error(), { code: "ECONNREFUSED" }) }), false],
    ["undecided", "never", false]
  ]
  for (const [name, reaction, arrives] of ends) {
    it.effect(`leave nothing behind when they are ${name}`, () =>
      Effect.gen(function*() {
        const { ping } = yield* make(
          (id, received) =>
            Effect.andThen(
              arrives ? received({ transactionId: id }) : Effect.void,
              reaction === "never" ? Effect.never : Effect.sync(reaction)
            ),
          { maxPending: 1 }
        )
        for (const tag of [1, 2, 3]) {
          const fiber = yield* Effect.forkChild(Effect.result(ping()))
          yield* TestClock.adjust("2 minutes")
          const result = yield* Fiber.join(fiber)
          assert.notStrictEqual(result._tag === "Failure" ? result.failure._tag : tag, "TooManyPending")
        }
      }))
  }
})

/** One ping of a run: when the homeserver answers, whether with success, and when it arrives here. */
const Plan = Schema.Struct({
  starts: Schema.Literals([0, 1, 7, 100]),
  answers: Schema.Literals([0, 1, 5, 50, 999, 2000]),
  succeeds: Schema.Boolean,
  // Not at the instant of an answer, where chance decides.
  arrives: Schema.Array(
    Schema.Literals([0.5, 1.5, 4.5, 5.5, 49.5, 50.5, 998.5, 999.5, 1000.5, 1004.5, 1005.5, 1998.5, 1999.5, 3000.5])
  ),
  interrupted: Schema.Literals([false, false, false, 3])
})

const expected = ({ answers, arrives, interrupted, succeeds }: typeof Plan.Type): string => {
  const first = Math.min(...arrives)
  if (interrupted !== false && answers + (succeeds ? Math.max(0, Math.min(first - answers, 1000)) : 0) > interrupted) {
    return "interrupted"
  }
  if (succeeds) return first < answers + 1000 ? "Confirmed" : "AnsweredElsewhere"
  return first < answers ? "SeenButFailed" : "M_CONNECTION_TIMEOUT"
}

describe("any number at once", () => {
  it.effect.prop(
    "are told apart in any order of questions, answers and arrivals, with twins, latecomers and strangers",
    [
      Schema.Array(Plan)
    ],
    ([plans]) =>
      Effect.gen(function*() {
        const verified = yield* VerifiedPing.make({ maxPending: plans.length })
        const outcomes = yield* Effect.forEach(plans, (plan) =>
          Effect.gen(function*() {
            const done = yield* Deferred.make<string>()
            const stub = memory((request) =>
              Effect.gen(function*() {
                const transactionId = idOf(request)
                for (const millis of plan.arrives) {
                  // Detached, because a ping travels on when nobody waits for it any more.
                  yield* Effect.forkDetach(Effect.delay(verified.received({ transactionId }), `${millis} millis`))
                  yield* Effect.forkDetach(
                    Effect.delay(verified.received({ transactionId: "foreign" }), `${millis} millis`)
                  )
                }
                yield* Effect.sleep(`${plan.answers} millis`)
                return plan.succeeds ? Response.json({ duration_ms: 1 }) : failed()
              })
            )
            const fiber = yield* Effect.forkChild(
              Effect.delay(verified.ping({ homeserver, registration }), `${plan.starts} millis`).pipe(
                Effect.map(() => "Confirmed"),
                Effect.catch((error) => Effect.succeed(error._tag)),
                Effect.onInterrupt(() => Deferred.succeed(done, "interrupted")),
                Effect.flatMap((outcome) => Deferred.succeed(done, outcome)),
                stub.provide
              )
            )
            if (plan.interrupted !== false) {
              yield* Effect.forkChild(Effect.delay(Fiber.interrupt(fiber), `${plan.starts + plan.interrupted} millis`))
            }
            return { outcome: Deferred.await(done) }
          }))
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(yield* Effect.forEach(outcomes, ({ outcome }) => outcome), plans.map(expected))

        // Whatever happened, nothing is left: as many may be under way as at first.
        const silent = memory(() => Effect.never)
        const fibers = yield* Effect.forEach(
          plans,
          () => Effect.forkChild(verified.ping({ homeserver, registration }).pipe(silent.provide))
        )
        yield* TestClock.adjust(0)
        assert.lengthOf(silent.received, plans.length)
        const beyond = yield* Effect.flip(verified.ping({ homeserver, registration }).pipe(silent.provide))
        assert.strictEqual(beyond._tag, "TooManyPending")
        yield* Effect.forEach(fibers, Fiber.interrupt)
      })
  )
})

describe("layer", () => {
  it.effect("is one service for the side that asks and the side that listens", () =>
    Effect.gen(function*() {
      const { ping, received } = yield* VerifiedPing.VerifiedPing
      const stub = memory((request) =>
        Effect.as(received({ transactionId: idOf(request) }), Response.json({ duration_ms: 2 }))
      )
      const found = yield* ping({ homeserver, registration }).pipe(stub.provide)
      assert.strictEqual(found.duration_ms, 2)
    }).pipe(Effect.provide(Layer.fresh(VerifiedPing.VerifiedPing.layer()))))
})
