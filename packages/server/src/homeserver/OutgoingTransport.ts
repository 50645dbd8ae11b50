/**
 * One request to an appservice, sent once over a connection of its own.
 *
 * @since 0.1.0
 */
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { Context, Effect, Layer, type Scope } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"

/**
 * A request to an appservice.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutgoingRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** How much of the answer's body is read, in bytes (D4). */
  readonly maxBodyBytes: number
}

/**
 * What an appservice answered: its status and the start of its body.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutgoingResponse {
  readonly status: number
  readonly body: Uint8Array
}

/**
 * Service that sends one request to an appservice.
 *
 * **Details**
 *
 * An implementation opens a connection of its own, never follows a redirect, never sends twice (D1, D11), reads no
 * more than `maxBodyBytes`, fails when the body is cut short (D3), and lets go of the connection when interrupted. It
 * has no deadline: the {@link "homeserver/OutgoingPing"} sets one around it.
 *
 * @category services
 * @since 0.1.0
 */
export class OutgoingTransport extends Context.Service<OutgoingTransport, {
  readonly send: (
    request: OutgoingRequest
  ) => Effect.Effect<OutgoingResponse, ConnectionFailure.ConnectionFailure>
}>()("@appservice-ping/server/homeserver/OutgoingTransport") {}

/**
 * Layer that sends with the app's `HttpClient`: `fetch`, undici, `node:http`, or one in memory.
 *
 * **Gotchas**
 *
 * It asks for a connection of its own with `Connection: close`, but a pool that the client shares with other requests
 * to the same appservice may still lend it an open one, and `fetch` sends again after a 421 (D11). A client whose
 * agent keeps no connections, such as the one on `node:http`, does neither.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<OutgoingTransport, never, HttpClient.HttpClient> = Layer.effect(
  OutgoingTransport,
  Effect.map(HttpClient.HttpClient, (client) => {
    const direct = withoutRedirects(client)
    return OutgoingTransport.of({ send: (request) => Effect.scoped(send(direct, request)) })
  })
)

/**
 * Of all HTTP clients only `fetch` follows redirects by itself (D1). Wrapping `fetch` where the client looks it up
 * keeps the app's own `fetch` and `RequestInit`.
 */
const withoutRedirects = <E, R>(
  client: HttpClient.HttpClient.With<E, R>
): HttpClient.HttpClient.With<E, R | Scope.Scope> =>
  HttpClient.mapRequestEffect(client, (request) =>
    Effect.as(
      Effect.updateServiceScoped(
        FetchHttpClient.Fetch,
        (fetch): typeof globalThis.fetch => (input, init) => fetch(input, { ...init, redirect: "manual" })
      ),
      request
    ))

const send = <E>(
  client: HttpClient.HttpClient.With<E, Scope.Scope>,
  request: OutgoingRequest
): Effect.Effect<OutgoingResponse, ConnectionFailure.ConnectionFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const response = yield* client.execute(
      HttpClientRequest.post(request.url, {
        headers: { ...request.headers, connection: "close" }
      }).pipe(HttpClientRequest.bodyText(request.body, "application/json"))
    )
    return {
      status: response.status,
      body: yield* BoundedBody.readAnswer(response, { maxBytes: request.maxBodyBytes })
    }
  }).pipe(
    Effect.mapError(ConnectionFailure.fromUnknown),
    // The client's own span would record the URL with its query string (D8); the leg has a span of its own.
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )
