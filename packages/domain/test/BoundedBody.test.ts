import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"

const chunks = [Uint8Array.of(1, 2), Uint8Array.of(3, 4), Uint8Array.of(5)]

describe("BoundedBody.read", () => {
  it.effect("D4 reads no more than the bound, in a chunk or between two", () =>
    Effect.gen(function*() {
      for (let maxBytes = 1; maxBytes <= 6; maxBytes++) {
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
})
