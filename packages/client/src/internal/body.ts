/** Reading the body of an answer within a bound. */
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import { Effect } from "effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"

/**
 * Reads a body within its bounds as UTF-8, with U+FFFD for what is not; the rest is never asked for, and the
 * connection is released.
 */
export const readBody = (
  response: HttpClientResponse,
  bounds: BoundedBody.AnswerBounds
): Effect.Effect<string, HttpClientError | BoundedBody.TooMuchFraming> =>
  Effect.map(BoundedBody.readAnswer(response, bounds), (bytes) => new TextDecoder().decode(bytes))
