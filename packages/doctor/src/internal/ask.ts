/** One bounded request, with whatever answer comes: no redirect is followed, and none is sent again. */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { type Duration, Effect, type Redacted } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"

/** What to ask, and for how long. */
export interface Question {
  readonly method: "GET" | "POST"
  readonly url: URL
  readonly token?: Redacted.Redacted | undefined
  readonly timeout: Duration.Input
}

const maxBodyBytes = 64 * 1024

const timedOut = new ConnectionFailure.ConnectionFailure({ kind: "timeout", text: "no answer came in time" })

/** Sends the request and reads the start of the answer. */
export const ask = ({ method, timeout, token, url }: Question): Effect.Effect<
  Answer,
  ConnectionFailure.ConnectionFailure,
  HttpClient.HttpClient
> =>
  Effect.gen(function*() {
    const request = HttpClientRequest.make(method)(url, {
      headers: { accept: "application/json", "accept-encoding": "identity", connection: "close" }
    })
    const response = yield* HttpClient.execute(
      token === undefined ? request : HttpClientRequest.bearerToken(request, token)
    )
    const body = yield* BoundedBody.read(response.stream, maxBodyBytes).pipe(
      Effect.catchIf((error) => error.reason._tag === "EmptyBodyError", () => Effect.succeed(new Uint8Array()))
    )
    return { status: response.status, headers: response.headers, body: new TextDecoder().decode(body) }
  }).pipe(
    Effect.mapError(ConnectionFailure.fromUnknown),
    Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(timedOut) }),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )
