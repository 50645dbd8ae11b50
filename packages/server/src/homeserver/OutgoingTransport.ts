/**
 * One request to an appservice, sent once over a connection of its own.
 *
 * @since 0.1.0
 */
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { Context, Effect, Layer, Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { concat } from "../Exchange.ts"

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
 * has no deadline: the {@link "homeserver/OutgoingLeg"} sets one around it.
 *
 * @category services
 * @since 0.1.0
 */
export class OutgoingTransport extends Context.Service<OutgoingTransport, {
  readonly send: (
    request: OutgoingRequest
  ) => Effect.Effect<OutgoingResponse, ConnectionFailure.ConnectionFailure>
}>()("@appservice-ping/server/homeserver/OutgoingTransport") {
  /**
   * Layer that sends with the app's `HttpClient`: `fetch`, undici, `node:http`, or one in memory.
   */
  static readonly layer: Layer.Layer<OutgoingTransport, never, HttpClient.HttpClient> = Layer.effect(
    OutgoingTransport,
    Effect.map(HttpClient.HttpClient, (client) => OutgoingTransport.of({ send: (request) => send(client, request) }))
  )
}

const send = (
  client: HttpClient.HttpClient,
  request: OutgoingRequest
): Effect.Effect<OutgoingResponse, ConnectionFailure.ConnectionFailure> =>
  Effect.gen(function*() {
    const response = yield* client.execute(
      HttpClientRequest.post(request.url, {
        headers: { ...request.headers, connection: "close" }
      }).pipe(HttpClientRequest.bodyText(request.body, "application/json"))
    )
    const chunks: Array<Uint8Array> = []
    let length = 0
    yield* Stream.runForEachWhile(response.stream, (chunk) =>
      Effect.sync(() => {
        chunks.push(chunk.subarray(0, request.maxBodyBytes - length))
        length += chunk.length
        return length < request.maxBodyBytes
      }))
    return { status: response.status, body: concat(chunks) }
  }).pipe(
    Effect.mapError(ConnectionFailure.fromUnknown),
    // The client's own span would record the URL with its query string (D8); the leg has a span of its own.
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    // `fetch` follows redirects unless told otherwise (D1); other clients do not know this setting.
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
  )
