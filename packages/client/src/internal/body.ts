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
  Effect.map(BoundedBody.readAnswer(response, maxBytes), (bytes) => new TextDecoder().decode(bytes))
