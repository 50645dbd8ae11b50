/** Reading the body of an answer within a bound. */
import { Bytes, Effect, Stream } from "effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"

/**
 * Reads at most `maxBytes` of a body as UTF-8, with U+FFFD for what is not; the rest is never asked for, and the
 * connection is released.
 */
export const readBody = Effect.fnUntraced(
  function*(response: HttpClientResponse, maxBytes: number): Effect.fn.Return<string, HttpClientError> {
    const chunks: Array<Uint8Array> = []
    let size = 0
    yield* Stream.runForEachWhile(response.stream, (chunk) =>
      Effect.sync(() => {
        chunks.push(chunk.subarray(0, maxBytes - size))
        size += chunk.length
        return size < maxBytes
      }))
    return new TextDecoder().decode(Bytes.concat(chunks))
  },
  // An answer without a body, a 204 or a browser's opaque redirect, is an answer all the same.
  Effect.catchIf((error) => error.reason._tag === "EmptyBodyError", () => Effect.succeed(""))
)
