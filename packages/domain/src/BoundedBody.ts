/**
 * Reading the body of a message within a bound.
 *
 * @since 0.1.0
 */
import { Bytes, Effect, Stream } from "effect"

/**
 * Reads at most `maxBytes` of a body (D4).
 *
 * **Details**
 *
 * What is beyond the bound is never asked for, and the stream is let go of. Fails as the stream does.
 *
 * **Example** (Reading the start of an answer)
 *
 * ```ts
 * import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
 * import { Effect, Stream } from "effect"
 *
 * const body = Stream.make(Uint8Array.of(1, 2), Uint8Array.of(3, 4))
 *
 * const read = await Effect.runPromise(BoundedBody.read(body, 3))
 *
 * Array.from(read) // => [1, 2, 3]
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const read = <E, R>(
  body: Stream.Stream<Uint8Array, E, R>,
  maxBytes: number
): Effect.Effect<Uint8Array, E, R> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let length = 0
    return Effect.map(
      Stream.runForEachWhile(body, (chunk) =>
        Effect.sync(() => {
          chunks.push(chunk.subarray(0, maxBytes - length))
          length += chunk.length
          return length < maxBytes
        })),
      () => Bytes.concat(chunks)
    )
  })
