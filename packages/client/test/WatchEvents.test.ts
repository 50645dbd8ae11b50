import type { Health } from "@appservice-ping/client/Health"
import * as Watch from "@appservice-ping/client/Watch"
import type { WatchEvent } from "@appservice-ping/client/WatchStatus"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Latch, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { EventLog } from "../src/internal/watchLog.ts"
import { ok, permanent, script, settled, slow, temporary } from "./support/watched.ts"

const exact = { spread: 0, jitter: 0 }

/** Follows a stream in the background. */
const follow = Effect.fnUntraced(function*<A>(stream: Stream.Stream<A>) {
  const seen: Array<A> = []
  const fiber = yield* Effect.forkScoped(Stream.runForEach(stream, (value) => Effect.sync(() => seen.push(value))))
  yield* settled
  return { seen, fiber }
})

const show = (event: WatchEvent): string =>
  event._tag === "Missed"
    ? `missed ${event.count}`
    : `${event.key} ${event.observation._tag}${
      event.transition === undefined ? "" : ` ${event.transition.from._tag} > ${event.transition.to._tag}`
    }`

describe("changes", () => {
  it.effect("tells every observation and what it has changed", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const { seen } = yield* follow(watch.changes)
      yield* watch.add({
        key: "irc",
        labels: { homeserver: "example" },
        ping: script(ok, temporary, temporary, ok).ping
      })
      yield* settled
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual(seen.map(show), [
        "irc Success Unknown > Healthy",
        "irc Failure",
        "irc Failure Healthy > Failing",
        "irc Success Failing > Recovered",
        "irc Success Recovered > Healthy"
      ])
      const second = seen[1]
      assert.deepInclude(second?._tag === "Observed" ? { ...second } : {}, {
        key: "irc",
        labels: { homeserver: "example" }
      })
      assert.deepInclude(second?._tag === "Observed" ? { ...second.observation } : {}, {
        at: 60_000,
        monotonic: 60_000,
        error: { verdict: "M_CONNECTION_FAILED", text: "M_CONNECTION_FAILED: refused" }
      })
    }))

  it.effect("delays nothing for a slow reader, which learns how much it has missed", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "1 second", bufferSize: 4 })
      const gate = yield* Latch.make()
      const seen: Array<string> = []
      yield* Effect.forkScoped(Stream.runForEach(watch.changes, (event) =>
        Effect.andThen(
          Effect.sync(() => seen.push(show(event))),
          gate.await
        )))
      const quick = yield* follow(watch.changes)
      const { ping, state } = script()
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("9 seconds")
      assert.lengthOf(state.started, 10)
      assert.lengthOf(quick.seen, 10)
      assert.lengthOf(seen, 1)
      yield* gate.open
      yield* settled
      assert.deepStrictEqual(seen.slice(1), ["missed 5", "irc Success", "irc Success", "irc Success", "irc Success"])
      assert.notInclude(quick.seen.map(show).join(), "missed")
    }))

  it.effect("ends with the watch", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const watch = yield* Scope.provide(Watch.make(exact), scope)
      const { fiber } = yield* follow(watch.changes)
      assert.isUndefined(fiber.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(fiber)
    }))
})

describe("EventLog", () => {
  it.effect.prop("gives each reader everything in order, or the number of what it has lost", {
    capacity: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 5 }))),
    bursts: Schema.Array(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 9 }))))
  }, ({ bursts, capacity }) =>
    Effect.gen(function*() {
      const log = new EventLog<number>(capacity)
      const { fiber, seen } = yield* follow(log.stream((count) => ({ count })))
      let written = 0
      for (const burst of bursts) {
        for (let nth = 0; nth < burst; nth++) log.write(written++)
        yield* settled
      }
      log.end()
      yield* Fiber.join(fiber)
      let position = 0
      for (const one of seen) {
        if (typeof one === "number") assert.strictEqual(one, position++)
        else position += one.count
      }
      assert.strictEqual(position, written)
      const lost = bursts.reduce((sum, burst) => sum + Math.max(0, burst - capacity), 0)
      assert.strictEqual(seen.filter((one) => typeof one === "number").length, written - lost)
    }))
})

describe("health", () => {
  const tags = (seen: ReadonlyArray<Health>) => seen.map(({ _tag }) => _tag)

  it.effect("is the health now, and then each change", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: script(ok, ok, permanent, permanent, ok, ok).ping })
      yield* watch.add({ key: "other", ping: permanent })
      const early = yield* follow(watch.health("irc"))
      yield* TestClock.adjust("1 minute")
      const late = yield* follow(watch.health("irc"))
      assert.deepStrictEqual(tags(early.seen).slice(-1), ["Healthy"])
      assert.deepStrictEqual(tags(late.seen), ["Healthy"])
      yield* TestClock.adjust("59999 millis")
      assert.deepStrictEqual(tags(late.seen), ["Healthy"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(tags(late.seen), ["Healthy", "Failing"])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(tags(late.seen), ["Healthy", "Failing", "Recovered", "Healthy"])
    }))

  it.effect("starts with unknown", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ jitter: 0, spread: "10 seconds" })
      yield* watch.pause()
      yield* watch.add({ key: "irc", ping: ok })
      const { seen } = yield* follow(watch.health("irc"))
      assert.deepStrictEqual(tags(seen), ["Unknown"])
    }))

  it.effect("shows a slow reader the newest", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: script(ok, permanent, ok, ok, permanent).ping })
      yield* settled
      const gate = yield* Latch.make()
      const seen: Array<Health> = []
      yield* Effect.forkScoped(
        Stream.runForEach(watch.health("irc"), (health) =>
          Effect.andThen(Effect.sync(() => seen.push(health)), gate.await))
      )
      yield* settled
      yield* TestClock.adjust("4 minutes")
      yield* gate.open
      yield* settled
      assert.deepStrictEqual(tags(seen), ["Healthy", "Failing"])
      assert.propertyVal(seen[1], "since", 240_000)
    }))

  it.effect("ends when the appservice is removed", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: slow("5 seconds") })
      const { fiber, seen } = yield* follow(watch.health("irc"))
      assert.isUndefined(fiber.pollUnsafe())
      yield* watch.remove("irc")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(tags(seen), ["Unknown"])
    }))

  it.effect("ends with the watch, and is empty for what is not watched", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const watch = yield* Scope.provide(Watch.make(exact), scope)
      yield* watch.add({ key: "irc", ping: ok })
      const { fiber } = yield* follow(watch.health("irc"))
      const other = yield* follow(watch.health("other"))
      yield* Fiber.join(other.fiber)
      assert.deepStrictEqual(other.seen, [])
      assert.isUndefined(fiber.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(fiber)
    }))
})

describe("ready", () => {
  it.effect("is not given while nothing is watched", () =>
    Effect.gen(function*() {
      for (const readiness of ["all", "any", { atLeast: 1 }] as const) {
        const watch = yield* Watch.make({ ...exact, readiness })
        assert.deepStrictEqual(yield* watch.ready, { ready: false, reasons: ["No appservice is watched."] })
      }
      assert.isTrue((yield* (yield* Watch.make({ readiness: { atLeast: 0 } })).ready).ready)
    }))

  const table = [
    ["all", 2, false],
    ["all", 3, true],
    ["any", 0, false],
    ["any", 1, true],
    [{ atLeast: 2 }, 1, false],
    [{ atLeast: 2 }, 2, true]
  ] as const
  for (const [readiness, up, expected] of table) {
    it.effect(`is ${expected ? "" : "not "}given for ${JSON.stringify(readiness)} with ${up} of 3`, () =>
      Effect.gen(function*() {
        const watch = yield* Watch.make({ ...exact, readiness })
        for (let nth = 0; nth < 3; nth++) yield* watch.add({ key: String(nth), ping: nth < up ? ok : permanent })
        const waiting = yield* Effect.forkChild(watch.awaitReady)
        yield* settled
        const { ready, reasons } = yield* watch.ready
        assert.strictEqual(ready, expected)
        assert.lengthOf(reasons, expected ? 0 : 3 - up)
        assert.strictEqual(waiting.pollUnsafe() !== undefined, expected)
      }))
  }

  it.effect("is not given while the health is unknown, and says of whom", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: slow("5 seconds") })
      yield* watch.add({ key: "slack", ping: permanent })
      const waiting = yield* Effect.forkChild(watch.awaitReady)
      yield* settled
      const { ready, reasons } = yield* watch.ready
      assert.isFalse(ready)
      assert.strictEqual(reasons[0], "\"irc\": No ping has succeeded yet.")
      assert.match(reasons[1] ?? "", /^"slack": The homeserver does not know the as_token/)
      yield* watch.remove("slack")
      yield* TestClock.adjust("4999 millis")
      assert.isFalse((yield* watch.ready).ready)
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isTrue((yield* watch.ready).ready)
      yield* Fiber.join(waiting)
    }))

  it.effect("is lost and won with the health", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: script(ok, permanent, ok).ping })
      yield* settled
      const states: Array<boolean> = [(yield* watch.ready).ready]
      for (let minute = 0; minute < 2; minute++) {
        yield* TestClock.adjust("59999 millis")
        states.push((yield* watch.ready).ready)
        yield* TestClock.adjust("1 millis")
        states.push((yield* watch.ready).ready)
      }
      assert.deepStrictEqual(states, [true, true, false, false, true])
    }))

  it.effect("is won when the last one that is down is removed", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: ok })
      yield* watch.add({ key: "slack", ping: permanent })
      const waiting = yield* Effect.forkChild(watch.awaitReady)
      yield* settled
      assert.isUndefined(waiting.pollUnsafe())
      yield* watch.remove("slack")
      yield* Fiber.join(waiting)
    }))

  it.effect("names ten, and counts the rest", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      for (let nth = 0; nth < 13; nth++) yield* watch.add({ key: String(nth), ping: permanent })
      yield* settled
      const { reasons } = yield* watch.ready
      assert.lengthOf(reasons, 11)
      assert.strictEqual(reasons[10], "and 3 more")
    }))

  it.effect("tells where too few are watched", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, readiness: { atLeast: 2 } })
      yield* watch.add({ key: "irc", ping: ok })
      yield* settled
      assert.deepStrictEqual((yield* watch.ready).reasons, ["Only 1 of 2 appservices are watched."])
    }))

  it.effect("fails once the watch has ended, and so does adding: neither interrupts who asks", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const watch = yield* Scope.provide(Watch.make(exact), scope)
      const waiting = yield* Effect.forkChild(watch.awaitReady)
      yield* settled
      yield* watch.add({ key: "irc", ping: permanent })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Effect.flip(Fiber.join(waiting)))._tag, "WatchEnded")
      assert.strictEqual((yield* Effect.flip(watch.awaitReady))._tag, "WatchEnded")
      const added = yield* Effect.flip(watch.add({ key: "slack", ping: ok }))
      assert.deepInclude(added, { _tag: "CannotWatch", key: "slack", reason: "watch has ended" })
      const scoped = yield* Effect.flip(Effect.scoped(watch.addScoped({ key: "slack", ping: ok })))
      assert.strictEqual(scoped.reason, "watch has ended")
    }))
})
