import { BoundError } from "@appservice-ping/domain/Bound"
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Stream } from "effect"

const chunks = [Uint8Array.of(1, 2), Uint8Array.of(3, 4), Uint8Array.of(5)]

describe("BoundedBody.read", () => {
  it.effect("D4 reads no more than the bound, in a chunk or between two", () =>
    Effect.gen(function*() {
      for (let maxBytes = 0; maxBytes <= 6; maxBytes++) {
        const read = yield* BoundedBody.read(Stream.fromIterable(chunks), maxBytes)
        assert.deepStrictEqual([...read], [1, 2, 3, 4, 5].slice(0, maxBytes))
      }
    }))

  it.effect("D4 asks for nothing beyond the bound, and lets the stream go", () =>
    Effect.gen(function*() {
      let released = false
      const endless = Stream.concat(Stream.make(Uint8Array.of(1, 2)), Stream.die("asked for more")).pipe(
        Stream.ensuring(Effect.sync(() => {
          released = true
        }))
      )
      assert.deepStrictEqual([...yield* BoundedBody.read(endless, 2)], [1, 2])
      assert.isTrue(released)
    }))

  it.effect("fails as the stream does, and starts anew each time", () =>
    Effect.gen(function*() {
      const broken = BoundedBody.read(Stream.concat(Stream.fromIterable(chunks), Stream.fail("cut")), 10)
      assert.strictEqual(yield* Effect.flip(broken), "cut")
      const whole = BoundedBody.read(Stream.fromIterable(chunks), 10)
      assert.deepStrictEqual(yield* whole, yield* whole)
    }))

  it.effect("refuses a bound that is none, before it asks for anything", () =>
    Effect.gen(function*() {
      for (const maxBytes of [NaN, Infinity, -1, 0.5]) {
        const exit = yield* Effect.exit(BoundedBody.read(Stream.die("asked"), maxBytes))
        const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.instanceOf(defect, BoundError)
      }
    }))
})

describe("BoundedBody.readWhole", () => {
  it.effect("reads a body up to the bound, and none that is larger", () =>
    Effect.gen(function*() {
      const whole = yield* BoundedBody.readWhole(Stream.fromIterable(chunks), 5)
      assert.deepStrictEqual([...whole], [1, 2, 3, 4, 5])
      for (let maxBytes = 0; maxBytes < 5; maxBytes++) {
        const error = yield* Effect.flip(BoundedBody.readWhole(Stream.fromIterable(chunks), maxBytes))
        assert.deepStrictEqual(error, new BoundedBody.BodyTooLarge({ maxBytes }))
      }
    }))

  it.effect("asks for nothing more once the body is too large, and fails as the stream does before", () =>
    Effect.gen(function*() {
      const endless = Stream.concat(Stream.fromIterable(chunks), Stream.die("asked for more"))
      assert.strictEqual((yield* Effect.flip(BoundedBody.readWhole(endless, 4)))._tag, "BodyTooLarge")
      const broken = Stream.concat(Stream.fromIterable(chunks), Stream.fail("cut"))
      assert.strictEqual(yield* Effect.flip(BoundedBody.readWhole(broken, 5)), "cut")
    }))
})

describe("BoundedBody.readAnswer", () => {
  it.effect("D2 takes an answer without a body for an empty one, and no other failure", () =>
    Effect.gen(function*() {
      const empty = { stream: Stream.fail({ _tag: "HttpClientError", reason: { _tag: "EmptyBodyError" } }) }
      assert.strictEqual((yield* BoundedBody.readAnswer(empty, { maxBytes: 10 })).length, 0)
      const broken = { stream: Stream.fail({ _tag: "HttpClientError", reason: { _tag: "TransportError" } }) }
      const error = yield* Effect.flip(BoundedBody.readAnswer(broken, { maxBytes: 10 }))
      assert.strictEqual("reason" in error && error.reason._tag, "TransportError")
    }))

  it.effect("D3 fails where hardly a byte of what comes is a body, and counts nothing that came before", () =>
    Effect.gen(function*() {
      const answer = (beside: number) => {
        const socket = { bytesRead: 1_000_000 }
        const stream = Stream.mapEffect(Stream.make(1, 2, 3), (byte) =>
          Effect.sync(() => {
            socket.bytesRead += beside + 1
            return Uint8Array.of(byte)
          }))
        return { stream, source: { socket } }
      }
      const bounds = { maxBytes: 10, maxFramingBytes: 300 }
      assert.strictEqual((yield* BoundedBody.readAnswer(answer(100), bounds)).length, 3)
      const error = yield* Effect.flip(BoundedBody.readAnswer(answer(101), bounds))
      assert.strictEqual(ConnectionFailure.fromUnknown(error).text, "the answer was too large")
      assert.strictEqual((yield* BoundedBody.readAnswer(answer(101), { maxBytes: 10 })).length, 3)
    }))
})

describe("BoundedBody.Collector", () => {
  it("D4 keeps no more than the bound, and says when it is reached and when there was more", () => {
    const collected = new BoundedBody.Collector(4)
    assert.strictEqual(collected.add(Uint8Array.of(1, 2, 3)), "room")
    assert.strictEqual(collected.add(new Uint8Array()), "room")
    assert.strictEqual(collected.add(Uint8Array.of(4)), "full")
    assert.strictEqual(collected.add(new Uint8Array()), "full")
    assert.strictEqual(collected.add(Uint8Array.of(5)), "over")
    assert.deepStrictEqual([...collected.bytes()], [1, 2, 3, 4])
  })
})
