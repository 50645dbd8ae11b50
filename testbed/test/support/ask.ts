/** Asks the testbed's homeserver for a ping, and shows its answer as it is on the wire. */
import { Testbed } from "@appservice-ping/testbed/Testbed"
import { Clock, type Duration, Effect, Fiber } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { TestClock } from "effect/testing"

export interface RawAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string
  /** How long the exchange took, by the monotonic clock. */
  readonly millis: number
}

export const ask: Effect.Effect<RawAnswer, never, Testbed | HttpClient.HttpClient> = Effect.gen(function*() {
  const { homeserver, registration } = yield* Testbed
  const client = yield* HttpClient.HttpClient
  const url = new URL(`/_matrix/client/v1/appservice/${encodeURIComponent(registration.id)}/ping`, homeserver)
  const start = yield* Clock.monotonicTimeNanos
  const response = yield* client.execute(
    HttpClientRequest.post(url).pipe(
      HttpClientRequest.bearerToken(registration.as_token),
      HttpClientRequest.bodyText("{}", "application/json")
    )
  )
  const body = yield* response.text
  const millis = Number((yield* Clock.monotonicTimeNanos) - start) / 1e6
  return { status: response.status, headers: response.headers, body, millis }
}).pipe(Effect.orDie)

/** Runs an effect on virtual time, and lets more of it pass than the effect can take. */
export const onVirtualTime = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  enough: Duration.Input
): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust(enough)
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(TestClock.layer()))
