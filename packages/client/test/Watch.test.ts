import * as Watch from "@appservice-ping/client/Watch"
import { BoundError } from "@appservice-ping/domain/Bound"
import { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { LimitExceeded } from "@appservice-ping/domain/PingError"
import { SeenButFailed } from "@appservice-ping/domain/VerifiedPingError"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Deferred, Duration, Effect, Exit, Random, Schema } from "effect"
import { TestClock } from "effect/testing"
import {
  chance,
  exact,
  limited,
  ok,
  permanent,
  script,
  seconds,
  settled,
  slow,
  tagOf,
  temporary,
  undecided
} from "./support/watched.ts"

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
      yield* watch.add({ key: "often", ping: often.ping })
      yield* watch.add({ key: "rarely", ping: rarely.ping, interval: "25 seconds" })
      yield* settled
      yield* TestClock.adjust("50 seconds")
      assert.deepStrictEqual(seconds(often.state.started), [0, 10, 20, 30, 40, 50])
      assert.deepStrictEqual(seconds(rarely.state.started), [0, 25, 50])
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

describe("options that bound nothing", () => {
  const options: ReadonlyArray<readonly [Watch.WatchOptions, string]> = [
    [{ interval: Infinity }, "interval"],
    [{ interval: 0 }, "interval"],
    [{ interval: Number.NaN }, "interval"],
    [{ failingInterval: "-1 seconds" }, "failingInterval"],
    [{ spread: -5 }, "spread"],
    [{ jitter: Number.NaN }, "jitter"],
    [{ jitter: 7 }, "jitter"],
    [{ concurrency: 0 }, "concurrency"],
    [{ concurrency: Number.NaN }, "concurrency"],
    [{ bufferSize: -1 }, "bufferSize"],
    [{ pingTimeout: Infinity }, "pingTimeout"],
    [{ maxRetryAfter: Infinity }, "maxRetryAfter"],
    [{ maxWatched: -1 }, "maxWatched"],
    [{ maxWatched: Number.NaN }, "maxWatched"],
    [{ policy: { failAfter: 0 } }, "failAfter"]
  ]
  it.effect("are refused when they are given, by name", () =>
    Effect.gen(function*() {
      for (const [given, option] of options) {
        const exit = yield* Effect.exit(Watch.make(given))
        const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.strictEqual(defect instanceof BoundError ? defect.option : "accepted", option)
      }
      const watch = yield* Watch.make()
      const exit = yield* Effect.exit(watch.add({ key: "irc", ping: ok, interval: Infinity }))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual((yield* watch.load).watched, 0)
    }))

  it.effect("leave no room for any where the most is none", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ maxWatched: 0 })
      assert.propertyVal(yield* Effect.flip(watch.add({ key: "a", ping: ok })), "reason", "watch is full")
    }))
})

describe("Retry-After", () => {
  it.effect("C18 is honoured in the homeserver's error of a ping that was seen, as the gate honours it", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const error = new SeenButFailed({ error: new LimitExceeded({ retryAfter: Duration.seconds(25) }) })
      const { ping, state } = script(Effect.fail(error), ok)
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("29999 millis")
      assert.lengthOf(state.started, 1)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(state.started, 2)
    }))

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

  it.effect("is undecided on time where a ping cannot be interrupted, which takes no slot and is not sent twice", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, pingTimeout: "10 seconds", interval: "30 seconds", concurrency: 1 })
      const gate = yield* Deferred.make<{ readonly duration_ms: number }>()
      const { ping, state } = script(Effect.uninterruptible(Deferred.await(gate)), ok)
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual((yield* watch.load).running, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* watch.load).running, 0)
      const textOf = Effect.map(
        watch.status("irc"),
        (status) => status?.last?._tag === "Failure" ? status.last.error.text : status?.last?._tag
      )
      assert.strictEqual(yield* textOf, "The ping did not end within 10s.")

      const other = script(ok)
      yield* watch.add({ key: "slack", ping: other.ping })
      yield* TestClock.adjust("1 second")
      assert.lengthOf(other.state.started, 1)

      yield* TestClock.adjust("19 seconds")
      assert.lengthOf(state.started, 1)
      assert.match(`${yield* textOf}`, /^The ping was not sent/)

      yield* Deferred.succeed(gate, { duration_ms: 1 })
      yield* settled
      yield* TestClock.adjust("30 seconds")
      assert.lengthOf(state.started, 2)
      assert.strictEqual(yield* textOf, "Success")
    }))
})
