import * as Watch from "@appservice-ping/client/Watch"
import { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { assert, describe, it } from "@effect/vitest"
import { Data, Duration, Effect, Exit, Fiber, Random, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { chance, limited, ok, permanent, script, settled, slow, temporary, undecided } from "./support/watched.ts"

/** No chance at all: a ping at once, and then one every 60 seconds. */
const exact = { spread: 0, jitter: 0 }

const seconds = (started: ReadonlyArray<number>) => started.map((millis) => millis / 1000)

const tagOf = (watch: Watch.Watch["Service"], key: string) =>
  Effect.map(watch.status(key), (status) => status?.health._tag)

describe("the interval", () => {
  it.effect("is 60 seconds by default", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const { ping, state } = script()
      yield* watch.add({ key: "irc", ping })
      yield* settled
      assert.deepStrictEqual(state.started, [0])
      for (const nth of [1, 2, 3]) {
        yield* TestClock.adjust("59999 millis")
        assert.lengthOf(state.started, nth)
        yield* TestClock.adjust("1 millis")
        assert.lengthOf(state.started, nth + 1)
      }
    }))

  it.effect("can be each appservice's own", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const often = script()
      const rarely = script()
      const never = script()
      yield* watch.add({ key: "often", ping: often.ping })
      yield* watch.add({ key: "rarely", ping: rarely.ping, interval: "25 seconds" })
      yield* watch.add({ key: "never", ping: never.ping, interval: Duration.infinity, spread: 0 })
      yield* settled
      yield* TestClock.adjust("50 seconds")
      assert.deepStrictEqual(seconds(often.state.started), [0, 10, 20, 30, 40, 50])
      assert.deepStrictEqual(seconds(rarely.state.started), [0, 25, 50])
      assert.deepStrictEqual(seconds(never.state.started), [0])
      yield* watch.remove("often")
      yield* watch.remove("rarely")
      yield* TestClock.adjust("365 days")
      assert.lengthOf(never.state.started, 1)
    }))

  it.effect("is another one after a failed ping", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, failingInterval: "5 seconds" })
      const { ping, state } = script(ok, temporary, permanent, ok, ok)
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("64999 millis")
      assert.deepStrictEqual(seconds(state.started), [0, 60])
      yield* TestClock.adjust("130 seconds")
      assert.deepStrictEqual(seconds(state.started), [0, 60, 65, 70, 130, 190])
    }))

  it.effect("does not grow with the time that pings take", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const { ping, state } = script(slow("9 seconds"))
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("40 seconds")
      assert.deepStrictEqual(seconds(state.started), [0, 10, 20, 30, 40])
    }))

  it.effect("can be a month", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "30 days" })
      const { ping, state } = script()
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust(Duration.millis(30 * 86_400_000 - 1))
      assert.lengthOf(state.started, 1)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(state.started, 2)
    }))
})

describe("chance", () => {
  it.effect("delays the first ping by its share of the spread, which is the interval by default", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ jitter: 0 }).pipe(chance(0.75))
      const { ping, state } = script()
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("44999 millis")
      assert.lengthOf(state.started, 0)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(state.started, 1)
      yield* TestClock.adjust("59999 millis")
      assert.lengthOf(state.started, 1)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(state.started, 2)
    }))

  it.effect("delays each further ping by its share of the jitter, and adds nothing up", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ spread: 0, jitter: 0.1 }).pipe(chance(0.5))
      const { ping, state } = script()
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("62999 millis")
      assert.lengthOf(state.started, 1)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(state.started, 2)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(seconds(state.started).slice(0, 4), [0, 63, 123, 183])
    }))

  it.effect.prop("keeps pings between 1 - jitter and 1 + jitter intervals apart, whatever the seed", {
    seed: Schema.Int,
    jitter: Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1 })))
  }, ({ jitter, seed }) =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ interval: "10 seconds", jitter }).pipe(Random.withSeed(seed))
      const { ping, state } = script()
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("5 minutes")
      const [first = Number.NaN] = state.started
      assert.isBelow(first, 10_000)
      assert.isAtLeast(state.started.length, 29)
      for (const [nth, at] of state.started.entries()) {
        const slot = first + nth * 10_000
        assert.isAtLeast(at, slot)
        assert.isAtMost(at, slot + jitter * 10_000)
      }
    }))

  it.effect("spreads many first pings over the interval", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ concurrency: 1000 }).pipe(Random.withSeed("spread"))
      const { ping, state } = script()
      for (let nth = 0; nth < 600; nth++) yield* watch.add({ key: String(nth), ping })
      yield* settled
      yield* TestClock.adjust("59999 millis")
      assert.lengthOf(state.started, 600)
      for (let second = 0; second < 60; second += 10) {
        const within = state.started.filter((at) => at >= second * 1000 && at < (second + 10) * 1000)
        assert.isAbove(within.length, 60, `after ${second} s`)
        assert.isBelow(within.length, 140, `after ${second} s`)
      }
    }))
})

describe("options that make no sense", () => {
  it.effect("become the nearest that do", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({
        interval: 0,
        spread: -5,
        jitter: Number.NaN,
        concurrency: Number.NaN,
        bufferSize: -1
      })
      const { ping, state } = script(slow("3 millis"))
      const slower = script(slow("3 millis"))
      yield* watch.add({ key: "irc", ping })
      yield* watch.add({ key: "slack", ping: slower.ping, jitter: 7, interval: "10 millis" })
      yield* settled
      assert.strictEqual((yield* watch.load).running, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(state.most, 1)
      assert.isAbove(state.started.length, 100)
      assert.isAbove(slower.state.started.length, 50)
    }))
})

describe("Retry-After", () => {
  it.effect("C18 postpones the next ping to the first slot after it", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const { ping, state } = script(limited("25 seconds"), ok)
      const other = script()
      yield* watch.add({ key: "irc", ping })
      yield* watch.add({ key: "other", ping: other.ping })
      yield* settled
      yield* TestClock.adjust("29999 millis")
      assert.lengthOf(state.started, 1)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(seconds(state.started), [0, 30])
      assert.deepStrictEqual(seconds(other.state.started), [0, 10, 20, 30])
      assert.strictEqual((yield* watch.load).skipped, 0)
    }))

  it.effect("C18 changes nothing where the next ping is later anyway", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const { ping, state } = script(limited("10 seconds"), limited(0), ok)
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(seconds(state.started), [0, 10, 20, 30])
    }))

  it.effect("C18 silences the watch for an hour at most", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const { ping, state } = script(limited(Duration.infinity), ok)
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust(Duration.millis(3_599_999))
      assert.lengthOf(state.started, 1)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(state.started, 2)
    }))
})

describe("health", () => {
  it.effect("changes as the policy says", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: script(ok, temporary, temporary, ok, ok).ping })
      assert.strictEqual(yield* tagOf(watch, "irc"), "Unknown")
      yield* settled
      assert.strictEqual(yield* tagOf(watch, "irc"), "Healthy")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* tagOf(watch, "irc"), "Healthy")
      yield* TestClock.adjust("1 minute")
      const failing = (yield* watch.status("irc"))?.health
      assert.deepInclude(failing, { _tag: "Failing", since: 60_000, failures: 2 })
      assert.deepInclude(failing?._tag === "Failing" ? { ...failing.diagnosis } : {}, {
        actor: "operator",
        temporary: true
      })
      yield* TestClock.adjust("59999 millis")
      assert.strictEqual(yield* tagOf(watch, "irc"), "Failing")
      yield* TestClock.adjust("1 millis")
      assert.deepInclude((yield* watch.status("irc"))?.health, { _tag: "Recovered", after: Duration.minutes(2) })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* tagOf(watch, "irc"), "Healthy")
    }))

  it.effect("takes the policy from the options", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, policy: { failAfter: 1, undecided: "ignored" } })
      yield* watch.add({ key: "temporary", ping: script(temporary).ping })
      yield* watch.add({ key: "undecided", ping: script(ok, undecided).ping })
      yield* settled
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* tagOf(watch, "temporary"), "Failing")
      assert.strictEqual(yield* tagOf(watch, "undecided"), "Healthy")
    }))

  it.effect("gives an error of the caller's own its own diagnosis", () =>
    Effect.gen(function*() {
      class Odd extends Data.TaggedError("Odd")<{ readonly message: string }> {}
      const diagnosis = new Diagnosis({ actor: "network", cause: "odd", advice: "even", temporary: false })
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: Effect.fail(new Odd({ message: "3" })), diagnose: () => diagnosis })
      yield* settled
      assert.deepInclude((yield* watch.status("irc"))?.health, {
        _tag: "Failing",
        error: { verdict: "Odd", text: "3" },
        diagnosis
      })
    }))

  const endings = [
    ["dies", Effect.die("defect"), "Defect"],
    ["interrupts itself", Effect.interrupt, "Interrupted"]
  ] as const
  for (const [name, ping, verdict] of endings) {
    it.effect(`is failing where the ping ${name}, and the watch goes on`, () =>
      Effect.gen(function*() {
        const watch = yield* Watch.make(exact)
        yield* watch.add({ key: "irc", ping })
        yield* settled
        const health = (yield* watch.status("irc"))?.health
        assert.strictEqual(health?._tag === "Failing" ? health.error.verdict : undefined, verdict)
        yield* TestClock.adjust("1 minute")
        assert.propertyVal((yield* watch.status("irc"))?.health, "failures", 2)
        assert.strictEqual((yield* watch.load).running, 0)
      }))
  }

  it.effect("is failing where diagnose itself throws, and the watch goes on", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const diagnose = () => {
        throw new Error("no idea")
      }
      yield* watch.add({ key: "irc", ping: temporary, diagnose })
      yield* settled
      yield* TestClock.adjust("1 minute")
      const health = (yield* watch.status("irc"))?.health
      assert.strictEqual(health?._tag === "Failing" ? health.error.verdict : undefined, "Defect")
      assert.propertyVal(health, "failures", 2)
    }))

  it.effect("is undecided where a ping does not end", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, pingTimeout: "10 seconds", concurrency: 1 })
      const { ping, state } = script(Effect.never)
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual((yield* watch.load).running, 1)
      assert.isUndefined((yield* watch.status("irc"))?.last)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* watch.load).running, 0)
      assert.strictEqual(state.interrupted, 1)
      const last = (yield* watch.status("irc"))?.last
      assert.strictEqual(last?._tag === "Failure" ? last.error.verdict : undefined, "Undecided")
    }))
})

describe("add and remove", () => {
  it.effect("watches a key once, and another one after it was removed", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const { ping, state } = script()
      yield* watch.add({ key: "irc", ping })
      const error = yield* Effect.flip(watch.add({ key: "irc", ping }))
      assert.deepInclude(error, { _tag: "CannotWatch", key: "irc", reason: "key in use" })
      assert.isTrue(yield* watch.remove("irc"))
      assert.isFalse(yield* watch.remove("irc"))
      assert.isUndefined(yield* watch.status("irc"))
      assert.deepStrictEqual(yield* watch.all, [])
      yield* settled
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(state.started, 0)
      yield* watch.add({ key: "irc", ping })
      yield* settled
      assert.lengthOf(state.started, 1)
    }))

  it.effect("refuses one more than it has room for", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ maxWatched: 2 })
      yield* watch.add({ key: "a", ping: ok })
      yield* watch.add({ key: "b", ping: ok })
      assert.propertyVal(yield* Effect.flip(watch.add({ key: "c", ping: ok })), "reason", "watch is full")
      yield* watch.remove("a")
      yield* watch.add({ key: "c", ping: ok })
      assert.deepStrictEqual((yield* watch.all).map(({ key }) => key), ["b", "c"])
    }))

  it.effect("ends the ping that is under way, and says nothing of it", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, concurrency: 1 })
      const { ping, state } = script(Effect.never)
      const other = script()
      yield* watch.add({ key: "irc", ping })
      yield* watch.add({ key: "other", ping: other.ping })
      yield* settled
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([state.running, state.interrupted], [1, 0])
      assert.lengthOf(other.state.started, 0)
      const heard: Array<string> = []
      yield* watch.listen({
        added: () => {},
        observed: ({ key }) => heard.push(key),
        removed: ({ key }) => heard.push(`removed ${key}`)
      })
      assert.isTrue(yield* watch.remove("irc"))
      assert.deepStrictEqual([state.running, state.interrupted], [0, 1])
      yield* settled
      assert.lengthOf(other.state.started, 1)
      assert.deepStrictEqual(heard, ["removed irc", "other"])
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(state.started, 1)
    }))

  it.effect("keeps the key until the ping has ended, so that no appservice has two", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const { ping, state } = script(Effect.onInterrupt(Effect.never, () => Effect.sleep("5 seconds")), ok)
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("1 second")
      const removing = yield* Effect.forkChild(watch.remove("irc"))
      yield* settled
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(removing.pollUnsafe())
      assert.isUndefined(yield* watch.status("irc"))
      assert.propertyVal(yield* Effect.flip(watch.add({ key: "irc", ping })), "reason", "key in use")
      yield* TestClock.adjust("1 millis")
      assert.isTrue(yield* Fiber.join(removing))
      yield* watch.add({ key: "irc", ping })
      yield* settled
      assert.strictEqual(state.most, 1)
      assert.lengthOf(state.started, 2)
    }))

  it.effect("follows a scope", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const { ping, state } = script(ok, Effect.never)
      const scope = yield* Scope.make()
      yield* Scope.provide(watch.addScoped({ key: "irc", ping }), scope)
      yield* settled
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(state.running, 1)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([state.running, state.interrupted], [0, 1])
      assert.isUndefined(yield* watch.status("irc"))
    }))

  it.effect("ends every ping with the watch", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const watch = yield* Scope.provide(Watch.make(exact), scope)
      const { ping, state } = script(Effect.never)
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("1 second")
      assert.strictEqual(state.running, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(state.running, 0)
      assert.strictEqual(yield* tagOf(watch, "irc"), "Unknown")
      assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(watch.add({ key: "late", ping }))))
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(state.started, 1)
    }))

  it.effect("pings with the services of the add, and a span of its own", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const seen: Array<string> = []
      const ping = Effect.gen(function*() {
        const span = yield* Effect.currentParentSpan
        const parent = span._tag === "Span" ? span.parent : undefined
        seen.push(`${span._tag === "Span" ? span.name : ""} ${parent?._tag ?? "root"} ${yield* Random.nextInt}`)
        return { duration_ms: 1 }
      }).pipe(Effect.orDie)
      yield* watch.add({ key: "irc", ping }).pipe(
        Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0, nextIntUnsafe: () => 42 }),
        Effect.withSpan("start-up")
      )
      yield* settled
      assert.deepStrictEqual(seen, ["Watch.ping None 42"])
    }))
})

describe("pause and resume", () => {
  it.effect("leaves out the pings of one appservice, and goes on at its next slot", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const { ping, state } = script()
      const other = script()
      yield* watch.add({ key: "irc", ping })
      yield* watch.add({ key: "other", ping: other.ping })
      yield* settled
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(yield* watch.pause("irc"))
      assert.deepInclude(yield* watch.status("irc"), { isPaused: true, nextIn: undefined })
      yield* TestClock.adjust("25 seconds")
      assert.deepStrictEqual(seconds(state.started), [0, 10])
      assert.deepStrictEqual(seconds(other.state.started), [0, 10, 20, 30])
      assert.isTrue(yield* watch.resume("irc"))
      assert.deepInclude(yield* watch.status("irc"), { isPaused: false, nextIn: Duration.seconds(5) })
      yield* TestClock.adjust("4999 millis")
      assert.lengthOf(state.started, 2)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(seconds(state.started), [0, 10, 40])
      assert.strictEqual((yield* watch.load).skipped, 0)
    }))

  it.effect("leaves out all pings, and does not make up for them at once", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const { ping, state } = script()
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("1 second")
      yield* watch.pause()
      yield* watch.add({ key: "later", ping })
      yield* TestClock.adjust("34 seconds")
      assert.deepStrictEqual(seconds(state.started), [0])
      assert.deepInclude(yield* watch.load, { backlog: 0, late: Duration.zero })
      assert.isTrue((yield* watch.status("irc"))?.isPaused)
      yield* watch.resume()
      yield* TestClock.adjust("4999 millis")
      assert.deepStrictEqual(seconds(state.started), [0])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(seconds(state.started), [0, 40])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seconds(state.started), [0, 40, 41])
    }))

  it.effect("keeps what was paused alone paused, when all go on", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const { ping, state } = script()
      yield* watch.add({ key: "irc", ping })
      yield* watch.pause("irc")
      yield* watch.pause()
      yield* watch.resume()
      yield* settled
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(state.started, 0)
      yield* watch.resume("irc")
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(state.started, 1)
    }))

  it.effect("lets a ping that is under way end, and counts it", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const { ping, state } = script(slow("5 seconds"))
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("1 second")
      yield* watch.pause("irc")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* tagOf(watch, "irc"), "Healthy")
      assert.lengthOf(state.started, 1)
      yield* watch.resume("irc")
      yield* watch.resume("irc")
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(seconds(state.started), [0, 70])
    }))

  it.effect("changes nothing where it goes on during the same ping", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const { ping, state } = script(slow("5 seconds"))
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("1 second")
      yield* watch.pause("irc")
      yield* watch.resume("irc")
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(seconds(state.started), [0, 10, 20])
      assert.strictEqual(state.most, 1)
    }))

  it.effect("knows only what is watched", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      assert.isFalse(yield* watch.pause("irc"))
      assert.isFalse(yield* watch.resume("irc"))
    }))
})

describe("load", () => {
  it.effect("is bounded by the concurrency, and tells what waits and for how long", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, concurrency: 2 })
      const { ping, state } = script(slow("10 seconds"))
      for (let nth = 0; nth < 5; nth++) yield* watch.add({ key: String(nth), ping })
      yield* settled
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual(state.running, 2)
      assert.deepStrictEqual(yield* watch.load, {
        watched: 5,
        byHealth: { Unknown: 5, Healthy: 0, Failing: 0, Recovered: 0 },
        running: 2,
        backlog: 3,
        late: Duration.millis(9999),
        skipped: 0
      })
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(yield* watch.load, { running: 2, backlog: 1, late: Duration.seconds(10) })
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(yield* watch.load, {
        watched: 5,
        byHealth: { Unknown: 0, Healthy: 5, Failing: 0, Recovered: 0 },
        running: 0,
        backlog: 0,
        late: Duration.zero,
        skipped: 0
      })
      assert.strictEqual(state.most, 2)
    }))

  it.effect("grows no further than one ping for each appservice, and counts what is left out", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds", concurrency: 1 })
      const { ping, state } = script(slow("7 seconds"))
      for (let nth = 0; nth < 4; nth++) yield* watch.add({ key: String(nth), ping })
      yield* settled
      yield* TestClock.adjust("10 minutes")
      const { backlog, skipped } = yield* watch.load
      assert.strictEqual(backlog, 3)
      assert.strictEqual(state.most, 1)
      assert.lengthOf(state.started, 86)
      assert.isAbove(skipped, 100)
    }))

  it.effect("leaves out the slots that pass during a ping, and never pings twice at once", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const { ping, state } = script(slow("25 seconds"))
      const other = script()
      yield* watch.add({ key: "slow", ping })
      yield* watch.add({ key: "other", ping: other.ping })
      yield* settled
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(seconds(state.started), [0, 30, 60])
      assert.deepStrictEqual(seconds(other.state.started), [0, 10, 20, 30, 40, 50, 60])
      assert.strictEqual(state.most, 1)
      assert.strictEqual((yield* watch.load).skipped, 4)
    }))

  it.effect("leaves room for others where many hang", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds", concurrency: 4 })
      const hanging = script(...Array.from({ length: 8 }, () => temporary), slow("95 seconds", temporary))
      const other = script()
      for (let nth = 0; nth < 8; nth++) yield* watch.add({ key: `hanging ${nth}`, ping: hanging.ping })
      yield* watch.add({ key: "other", ping: other.ping })
      yield* settled
      yield* TestClock.adjust("90 seconds")
      assert.deepStrictEqual(seconds(other.state.started), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
      assert.strictEqual(hanging.state.most, 2)
      assert.deepInclude(yield* watch.load, { running: 2, backlog: 6, late: Duration.seconds(80) })
    }))

  it.effect("gives all of the room to those whose last ping succeeded", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, concurrency: 4 })
      const { ping, state } = script(slow("5 seconds"))
      for (let nth = 0; nth < 8; nth++) yield* watch.add({ key: String(nth), ping })
      yield* settled
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(state.running, 4)
    }))

  it.effect("pings with a concurrency of 1 what fails and what does not", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, concurrency: 0 })
      const failing = script(temporary)
      const other = script()
      yield* watch.add({ key: "failing", ping: failing.ping })
      yield* watch.add({ key: "other", ping: other.ping })
      yield* settled
      yield* TestClock.adjust("5 minutes")
      assert.lengthOf(failing.state.started, 6)
      assert.lengthOf(other.state.started, 6)
    }))
})
