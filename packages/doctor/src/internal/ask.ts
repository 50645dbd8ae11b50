/** One bounded request, with whatever answer comes: no redirect is followed, and none is sent again. */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { type Duration, Effect, type Redacted } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"

/** The request, and how long it may take. */
export interface Question {
  readonly method: "GET" | "POST" | "PUT"
  readonly url: URL
  readonly token?: Redacted.Redacted | undefined
  /** A body in JSON. */
  readonly json?: string | undefined
  readonly timeout: Duration.Input
}

const maxBodyBytes = 64 * 1024

const timedOut = new ConnectionFailure.ConnectionFailure({ kind: "timeout", text: "no answer came in time" })

const requestOf = ({ json, method, token, url }: Question): HttpClientRequest.HttpClientRequest => {
  const bare = HttpClientRequest.make(method)(url, {
    headers: { accept: "application/json", "accept-encoding": "identity", connection: "close" }
  })
  const signed = token === undefined ? bare : HttpClientRequest.bearerToken(bare, token)
  return json === undefined ? signed : HttpClientRequest.bodyText(signed, json, "application/json")
}

/** Sends the request and reads the start of the answer. */
export const ask = (question: Question): Effect.Effect<
  Answer,
  ConnectionFailure.ConnectionFailure,
  HttpClient.HttpClient
> =>
  Effect.gen(function*() {
    const response = yield* HttpClient.execute(requestOf(question))
    const body = yield* BoundedBody.readAnswer(response, { maxBytes: maxBodyBytes })
    return { status: response.status, headers: response.headers, body: new TextDecoder().decode(body) }
  }).pipe(
    Effect.mapError(ConnectionFailure.fromUnknown),
    Effect.timeoutOrElse({ duration: question.timeout, orElse: () => Effect.fail(timedOut) }),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )
