// What the watch does with more pings than it has room for.
import * as Watch from "@appservice-ping/client/Watch"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { exact, script, seconds, settled, slow, temporary } from "./support/watched.ts"

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
      const watch = yield* Watch.make({ ...exact, concurrency: 1 })
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
