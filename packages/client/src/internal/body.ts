/** Reading the body of an answer within a bound. */
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import { Effect } from "effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"

/**
 * Reads at most `maxBytes` of a body as UTF-8, with U+FFFD for what is not; the rest is never asked for, and the
 * connection is released.
 */
export const readBody = (response: HttpClientResponse, maxBytes: number): Effect.Effect<string, HttpClientError> =>
  BoundedBody.read(response.stream, maxBytes).pipe(
    Effect.map((bytes) => new TextDecoder().decode(bytes)),
    // An answer without a body, a 204 or a browser's opaque redirect, is an answer all the same.
    Effect.catchIf((error) => error.reason._tag === "EmptyBodyError", () => Effect.succeed(""))
  )
