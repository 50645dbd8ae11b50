// What the gate tells on its way, and the policies that a caller brings.
import * as Gate from "@appservice-ping/client/Gate"
import { AttemptTimeout, type GateEvent } from "@appservice-ping/client/GateEvent"
import { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import * as PingError from "@appservice-ping/domain/PingError"
import { assert, describe, it } from "@effect/vitest"
import { Context, Data, Deferred, Duration, Effect, Exit, Fiber, Layer, Predicate, Ref, Stream } from "effect"
import { TestClock } from "effect/testing"

class Broken extends Data.TaggedError("Broken")<{ readonly temporary: boolean }> {}

const diagnoseBroken = ({ temporary }: Broken): Diagnosis =>
  new Diagnosis({ actor: "operator", cause: "It is broken.", advice: "Mend it.", temporary })

const refused = new PingError.ConnectionFailed({ error: "the connection was refused" })

/** Fails with each error in turn, then succeeds; and counts. */
const script = <E>(...errors: ReadonlyArray<E>) =>
  Effect.map(Ref.make(0), (count) => ({
    ping: Effect.flatMap(Ref.getAndUpdate(count, (n) => n + 1), (n): Effect.Effect<string, E> => {
      const error = errors[n]
      return error === undefined ? Effect.succeed("pong") : Effect.fail(error)
    }),
    count: Ref.get(count)
  }))

const elapsedMillis = (end: unknown): number =>
  Predicate.hasProperty(end, "elapsed") && Duration.isDuration(end.elapsed)
    ? Duration.toMillis(end.elapsed)
    : assert.fail("no elapsed time")

/** Runs the gate and keeps what it told so far. */
const watch = Effect.fnUntraced(function*<A, E>(events: Stream.Stream<GateEvent<A, E>>) {
  const seen: Array<GateEvent<A, E>> = []
  const fiber = yield* Effect.forkChild(Stream.runForEach(events, (event) => Effect.sync(() => void seen.push(event))))
  yield* TestClock.adjust(0)
  return { seen, fiber, tags: () => seen.map(({ _tag, number }) => `${_tag} ${number}`) }
})

describe("events", () => {
  it.effect("A10 tell each attempt, each failure with the wait after it, and the end", () =>
    Effect.gen(function*() {
      const { ping } = yield* script(refused, refused)
      const { fiber, seen, tags } = yield* watch(Gate.events({ ping, jitter: 0 }))
      assert.deepStrictEqual(tags(), ["Attempt 1", "Failed 1"])
      yield* TestClock.adjust("999 millis")
      assert.lengthOf(seen, 2)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(tags().slice(2), ["Attempt 2", "Failed 2"])
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(tags().slice(4), ["Attempt 3", "Connected 3"])
      const [, first, , second, , last] = seen
      assert.deepInclude(first, { error: refused, retryIn: Duration.seconds(1) })
      assert.deepInclude(second, { error: refused, retryIn: Duration.seconds(2) })
      assert.deepInclude(last, { value: "pong" })
      assert.strictEqual(elapsedMillis(last), 3000)
      assert.match(first?._tag === "Failed" ? first.diagnosis.cause : "", /Nothing listens/)
    }))

  it.effect("A10 end with why the gate gave up, and with no further wait", () =>
    Effect.gen(function*() {
      const { ping } = yield* script<PingError.PingError>(refused, new PingError.UnknownToken({}))
      const { fiber, seen, tags } = yield* watch(Gate.events({ ping, jitter: 0 }))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(tags(), ["Attempt 1", "Failed 1", "Attempt 2", "Failed 2", "GaveUp 2"])
      assert.deepInclude(seen[3], { retryIn: undefined })
      assert.deepInclude(seen[4], { reason: "permanent" })
      assert.strictEqual(elapsedMillis(seen[4]), 1000)
    }))

  it.effect("A10 do nothing before they are asked for, and nothing after they are left", () =>
    Effect.gen(function*() {
      const { count, ping } = yield* script(...Array.from({ length: 100 }, () => refused))
      const events = Gate.events({ ping, jitter: 0 })
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* count, 0)
      const fiber = yield* Effect.forkChild(Stream.runCollect(Stream.take(events, 4)))
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* Fiber.join(fiber), 4)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* count, 2)
    }))

  it.effect("A10 let the gate be no more than 16 events ahead of a reader who stands still", () =>
    Effect.gen(function*() {
      const { count, ping } = yield* script(...Array.from({ length: 100 }, () => refused))
      const reader = Stream.runForEach(Gate.events({ ping, jitter: 0, maxDelay: "1 second" }), () => Effect.never)
      yield* Effect.forkChild(reader)
      yield* TestClock.adjust("8 minutes")
      assert.isAtMost(yield* count, 12)
      assert.isAtLeast(yield* count, 2)
    }))

  it.effect("end with the defect of a ping that has one", () =>
    Effect.gen(function*() {
      const ping: Effect.Effect<string, PingError.PingError> = Effect.die("a bug")
      const exit = yield* Effect.exit(Stream.runCollect(Gate.events({ ping })))
      assert.isTrue(Exit.hasDies(exit))
    }))
})

describe("the caller's policy", () => {
  it.effect("A10 stops after as many attempts as it says", () =>
    Effect.gen(function*() {
      const { count, ping } = yield* script(refused, refused, refused)
      const fiber = yield* Effect.forkChild(Effect.flip(Gate.wait({ ping, jitter: 0, maxAttempts: 2 })))
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(yield* Fiber.join(fiber), { reason: "attempts", attempts: 2, error: refused })
      assert.strictEqual(yield* count, 2)
    }))

  it.effect("A10 ends one attempt at its own time, and goes on", () =>
    Effect.gen(function*() {
      const count = yield* Ref.make(0)
      const ping: Effect.Effect<string, PingError.PingError> = Effect.flatMap(
        Ref.getAndUpdate(count, (n) => n + 1),
        (n) => n === 0 ? Effect.never : Effect.succeed("pong")
      )
      const { fiber, seen, tags } = yield* watch(Gate.events({ ping, jitter: 0, attemptTimeout: "5 seconds" }))
      yield* TestClock.adjust("4999 millis")
      assert.deepStrictEqual(tags(), ["Attempt 1"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(tags(), ["Attempt 1", "Failed 1"])
      assert.deepInclude(seen[1], { error: new AttemptTimeout({ after: Duration.seconds(5) }) })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(tags().slice(2), ["Attempt 2", "Connected 2"])
    }))

  it.effect("A10 tries again after what only it calls temporary", () =>
    Effect.gen(function*() {
      const unknownToken = new PingError.UnknownToken({})
      const { ping } = yield* script<PingError.PingError>(unknownToken, unknownToken, new PingError.Forbidden({}))
      const fiber = yield* Effect.forkChild(Effect.flip(
        Gate.wait({ ping, jitter: 0, alsoRetry: (error) => error._tag === "M_UNKNOWN_TOKEN" })
      ))
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const end = yield* Fiber.join(fiber)
      assert.deepInclude(end, { reason: "permanent", attempts: 3 })
      assert.strictEqual(end.error._tag, "M_FORBIDDEN")
    }))

  it.effect("A10 explains errors of its own", () =>
    Effect.gen(function*() {
      const { ping } = yield* script(new Broken({ temporary: true }), new Broken({ temporary: false }))
      const fiber = yield* Effect.forkChild(Effect.flip(Gate.wait({ ping, jitter: 0, diagnose: diagnoseBroken })))
      yield* TestClock.adjust("1 second")
      const end = yield* Fiber.join(fiber)
      assert.deepInclude(end, { reason: "permanent", attempts: 2 })
      assert.strictEqual(end.message, "Gave up after 2 attempts (permanent): It is broken. Mend it.")
    }))

  it.effect("hears of each event before the gate goes on", () =>
    Effect.gen(function*() {
      const { count, ping } = yield* script(refused)
      const latch = yield* Deferred.make<void>()
      const told: Array<string> = []
      const onEvent = (event: GateEvent<string, PingError.ConnectionFailed>) =>
        Effect.andThen(
          Effect.sync(() => void told.push(event._tag)),
          event._tag === "Attempt" ? Deferred.await(latch) : Effect.void
        )
      const fiber = yield* Effect.forkChild(Gate.wait({ ping, jitter: 0, onEvent }))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* count, 0)
      yield* Deferred.succeed(latch, undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "pong")
      assert.deepStrictEqual(told, ["Attempt", "Failed", "Attempt", "Connected"])
    }))
})

class Listener extends Context.Service<Listener, { readonly isUp: boolean }>()("test/Listener") {}

describe("layer", () => {
  it.effect("A10 pings once the layer below it is up", () =>
    Effect.gen(function*() {
      const order: Array<string> = []
      const listener = Layer.effect(
        Listener,
        Effect.delay(Effect.sync(() => (order.push("listening"), Listener.of({ isUp: true }))), "5 seconds")
      )
      const ping: Effect.Effect<string, PingError.PingError> = Effect.sync(() => (order.push("pinged"), "pong"))
      const fiber = yield* Effect.forkChild(
        Layer.build(Layer.provideMerge(Gate.layer({ ping }), listener)).pipe(Effect.scoped)
      )
      yield* TestClock.adjust("4999 millis")
      assert.deepStrictEqual(order, [])
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Context.get(yield* Fiber.join(fiber), Listener).isUp)
      assert.deepStrictEqual(order, ["listening", "pinged"])
    }))

  it.effect("fails to build where the gate gives up", () =>
    Effect.gen(function*() {
      const { ping } = yield* script(new PingError.UrlNotSet({}))
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Gate.layer({ ping }))))
      assert.deepInclude(error, { _tag: "GaveUpError", reason: "permanent", attempts: 1 })
    }))
})
