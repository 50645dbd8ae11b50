/**
 * A homeserver's connection to an appservice in three phases, because real homeservers treat them differently: it
 * connects, then the head of the answer comes, then its body.
 *
 * @since 0.1.0
 */
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { Effect, type Scope } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"

/**
 * A request to an appservice.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerRequest {
  readonly method: "POST" | "GET"
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Empty for a request without a body. */
  readonly body: string
}

/**
 * The head of an answer, and its body still unread.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerResponse {
  readonly status: number
  /** The headers, by lower-case name. */
  readonly headers: { readonly [name: string]: string | undefined }
  /** Reads the body to its end, at most `maxBytes` of it. */
  readonly body: (maxBytes: number) => Effect.Effect<Uint8Array, ConnectionFailure.ConnectionFailure>
}

/**
 * A connection that stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerConnection {
  /** Sends the only request of the connection, and waits for the head of its answer. */
  readonly send: (
    request: PeerRequest
  ) => Effect.Effect<PeerResponse, ConnectionFailure.ConnectionFailure, Scope.Scope>
}

/**
 * Opens connections; each is let go when its scope closes.
 *
 * **Details**
 *
 * It follows no redirect, sends nothing twice and has no deadline: whatever a homeserver does of that is its profile's.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerTransport {
  readonly open: (url: URL) => Effect.Effect<PeerConnection, ConnectionFailure.ConnectionFailure, Scope.Scope>
}

/**
 * Opens connections with an `HttpClient`, such as one in memory.
 *
 * **Gotchas**
 *
 * An `HttpClient` connects and sends in one: connecting takes as long as it allows, so give it the `timeouts.connect` of
 * the profile. One that follows redirects by itself, as `fetch` does, hides what the profile would do.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromHttpClient = (client: HttpClient.HttpClient): PeerTransport => ({
  open: () =>
    Effect.succeed({
      send: ({ body, headers, method, url }) =>
        client.execute(
          method === "GET"
            ? HttpClientRequest.get(url, { headers: { ...headers, connection: "close" } })
            : HttpClientRequest.post(url, { headers: { ...headers, connection: "close" } }).pipe(
              HttpClientRequest.bodyText(body, "application/json")
            )
        ).pipe(
          Effect.map((response): PeerResponse => ({
            status: response.status,
            headers: response.headers,
            body: (maxBytes) =>
              Effect.mapError(BoundedBody.read(response.stream, maxBytes), ConnectionFailure.fromUnknown)
          })),
          Effect.mapError(ConnectionFailure.fromUnknown),
          // A span of the client would record the hs_token in the query (D8).
          Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
        )
    })
})
