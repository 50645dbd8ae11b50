// What comes, goes and pauses while the watch runs: no ping is lost, doubled or left behind.
import * as Watch from "@appservice-ping/client/Watch"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Random, Scope } from "effect"
import { TestClock } from "effect/testing"
import { exact, ok, script, seconds, settled, slow, tagOf } from "./support/watched.ts"

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
      assert.propertyVal(yield* Effect.flip(watch.add({ key: "late", ping })), "reason", "watch has ended")
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
      assert.deepStrictEqual(seen, ["appservice_ping.watch None 42"])
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

  it.effect("changes nothing where the ping itself does it, before its first wait", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ ...exact, interval: "10 seconds" })
      const toggle = Effect.andThen(watch.pause("irc"), watch.resume("irc"))
      const { ping, state } = script(Effect.andThen(toggle, slow("25 seconds")))
      yield* watch.add({ key: "irc", ping })
      yield* settled
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(seconds(state.started), [0, 30, 60])
      assert.strictEqual(state.most, 1)
    }))

  it.effect("ends a ping that removes its own appservice before its first wait", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      const { ping, state } = script(Effect.andThen(watch.remove("irc"), Effect.never))
      yield* watch.add({ key: "irc", ping })
      yield* settled
      assert.deepInclude(state, { interrupted: 1, running: 0 })
      assert.deepInclude(yield* watch.load, { watched: 0, running: 0 })
      yield* watch.add({ key: "irc", ping: ok })
    }))

  it.effect("knows only what is watched", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      assert.isFalse(yield* watch.pause("irc"))
      assert.isFalse(yield* watch.resume("irc"))
    }))
})
