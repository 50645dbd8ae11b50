// What a ping takes at most: time and bytes.
import { ping } from "@appservice-ping/client/Ping"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { answering, endpoint, homeserver, memory, plain, registration } from "./support/memory.ts"

const ok = { duration_ms: 12 }

/** A body that gives its start and then nothing, and whether it was let go. */
const stalling = (start: string) => {
  const state = { cancelled: false }
  const body = () =>
    new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(start)),
      cancel: () => {
        state.cancelled = true
      }
    })
  return { state, body }
}

describe("the deadline", () => {
  it.effect("leaves the ping undecided after 90 seconds without an answer, and not before", () =>
    Effect.gen(function*() {
      const state = { interrupted: false }
      const stub = memory(() =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            state.interrupted = true
          }))
      )
      const fiber = yield* Effect.forkChild(Effect.flip(ping({ homeserver, registration }).pipe(stub.provide)))
      yield* TestClock.adjust("89999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      assert.isFalse(state.interrupted)
      yield* TestClock.adjust("1 millis")
      assert.isDefined(fiber.pollUnsafe())
      assert.isTrue(state.interrupted)
      assert.deepStrictEqual(yield* plain(yield* Fiber.join(fiber)), {
        _tag: "Undecided",
        url: endpoint,
        after: 90_000
      })
    }))

  it.effect("covers a body that stalls, and lets go of it", () =>
    Effect.gen(function*() {
      const { body, state } = stalling("{\"duration_ms\":")
      const stub = memory(() => Effect.sync(() => new Response(body())))
      const fiber = yield* Effect.forkChild(
        Effect.flip(ping({ homeserver, registration, timeout: "3 seconds" }).pipe(stub.provide))
      )
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      assert.isFalse(state.cancelled)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* plain(yield* Fiber.join(fiber)), {
        _tag: "Undecided",
        url: endpoint,
        after: 3000
      })
      assert.isTrue(state.cancelled)
    }))

  it.effect("covers the wait for the head and the body together", () =>
    Effect.gen(function*() {
      const stub = memory(() => Effect.delay(Effect.sync(() => new Response(stalling("{").body())), "2 seconds"))
      const fiber = yield* Effect.forkChild(
        Effect.flip(ping({ homeserver, registration, timeout: "3 seconds" }).pipe(stub.provide))
      )
      yield* TestClock.adjust("2 seconds")
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Undecided")
    }))

  it.effect("does not touch an answer that comes just before it", () =>
    Effect.gen(function*() {
      const stub = memory(() => Effect.delay(Effect.sync(() => Response.json(ok)), "2999 millis"))
      const fiber = yield* Effect.forkChild(ping({ homeserver, registration, timeout: "3 seconds" }).pipe(stub.provide))
      yield* TestClock.adjust("2998 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Fiber.join(fiber), ok)
    }))

  it.effect("is not waited for when the ping is interrupted", () =>
    Effect.gen(function*() {
      const { body, state } = stalling("{")
      const stub = memory(() => Effect.sync(() => new Response(body())))
      const fiber = yield* Effect.forkChild(ping({ homeserver, registration }).pipe(stub.provide))
      yield* TestClock.adjust("1 seconds")
      assert.isFalse(state.cancelled)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(state.cancelled)
    }))
})

describe("the size limit", () => {
  it.effect("reads no more of a long body than it may, and lets go of the rest", () =>
    Effect.gen(function*() {
      const state = { pulls: 0, cancelled: false }
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          // Not quite endless: without a limit this test has to fail, and not to fill the memory.
          if (++state.pulls > 100) controller.close()
          else controller.enqueue(new Uint8Array(64 * 1024).fill(120))
        },
        cancel: () => {
          state.cancelled = true
        }
      }, { highWaterMark: 0 })
      const error = yield* Effect.flip(ping({ homeserver, registration }).pipe(answering(200, body).provide))
      assert.deepStrictEqual(yield* plain(error), {
        _tag: "NotHomeserver",
        url: endpoint,
        status: 200,
        body: "x".repeat(2048)
      })
      assert.isTrue(state.cancelled)
      assert.strictEqual(state.pulls, 16)
    }))

  it.effect("reads an answer of exactly the size that may be read, and not of one byte more", () =>
    Effect.gen(function*() {
      const body = JSON.stringify(ok)
      const exact = ping({ homeserver, registration, maxBodyBytes: body.length })
      assert.deepStrictEqual(yield* exact.pipe(answering(200, body).provide), ok)
      const error = yield* Effect.flip(
        ping({ homeserver, registration, maxBodyBytes: body.length - 1 }).pipe(answering(200, body).provide)
      )
      assert.deepStrictEqual(yield* plain(error), {
        _tag: "NotHomeserver",
        url: endpoint,
        status: 200,
        contentType: "text/plain;charset=UTF-8",
        body: body.slice(0, -1)
      })
    }))

  it.effect("cuts a character in two without a failure", () =>
    Effect.gen(function*() {
      const stub = answering(502, new TextEncoder().encode("aü"))
      const error = yield* Effect.flip(ping({ homeserver, registration, maxBodyBytes: 2 }).pipe(stub.provide))
      assert.propertyVal(yield* plain(error), "body", "a\uFFFD")
    }))
})
