/**
 * An `HttpClient` on `node:http` whose connections stay in this process: no sockets, and no time but Effect's clock.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, type Scope } from "effect"
import { HttpClient, HttpClientError, type HttpClientRequest, type HttpClientResponse } from "effect/http"
import * as ConnectAgent from "../ConnectAgent.ts"
import * as Certificates from "../tls/Certificates.ts"
import { MemoryResponse } from "./internal/MemoryResponse.ts"
import { carry, type MemoryNetwork } from "./MemoryNetwork.ts"

/**
 * Options of the client.
 *
 * @category options
 * @since 0.1.0
 */
export interface MemoryHttpClientOptions {
  /** Whether it keeps connections for later requests. Default: false. */
  readonly keepAlive?: boolean | undefined
}

type Response = Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

const noBytes = new Uint8Array()

/** The body, if it is there as a whole. */
const bytesOf = ({ body }: HttpClientRequest.HttpClientRequest): Uint8Array | undefined =>
  body._tag === "Empty" ? noBytes : body._tag === "Uint8Array" ? body.body : undefined

type Send = (request: HttpClientRequest.HttpClientRequest, url: URL) => Response

const clientOn = (agent: NodeHttpClient.HttpAgent["Service"]): Effect.Effect<Send> =>
  Effect.map(
    Effect.provideService(NodeHttpClient.makeNodeHttp, NodeHttpClient.HttpAgent, agent),
    (client) => (request, url) =>
      // The span and its headers are those of the client around it.
      carry(url, Effect.provideService(client.execute(request), HttpClient.TracerDisabledWhen, () => true))
  )

/**
 * Makes an `HttpClient` on a network; the connections that it keeps are closed with the scope.
 *
 * **Details**
 *
 * It is `NodeHttpClient`, and so fails as that does. It trusts the certificates of the testbed. A request that nothing
 * strikes and whose connection is not kept reaches its server without any bytes, which is much faster and makes no other
 * difference.
 *
 * **Gotchas**
 *
 * It does not follow redirects: our clients ask for that. A TLS handshake takes some turns of the event loop, so that a
 * test of one needs `Virtual.run` and not `TestClock.adjust`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  network: MemoryNetwork,
  options: MemoryHttpClientOptions = {}
): Effect.fn.Return<HttpClient.HttpClient, never, Scope.Scope> {
  const keepAlive = options.keepAlive ?? false
  const trust = { ca: Certificates.ca }
  const shared = yield* Effect.flatMap(ConnectAgent.make(network.connect, { ...trust, keepAlive }), clientOn)
  return HttpClient.make((request, url) => {
    const body = bytesOf(request)
    if (keepAlive || body === undefined) return shared(request, url)
    return network.exchange(url, { method: request.method, headers: request.headers, body }).pipe(
      Effect.mapError((cause) =>
        new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
      ),
      Effect.flatMap((exchanged) =>
        exchanged._tag === "Answered"
          ? Effect.succeed(new MemoryResponse(request, url, exchanged.answer))
          : Effect.flatMap(
            clientOn(ConnectAgent.makeUnsafe(exchanged.connect, trust)),
            (send) => send(request, url)
          )
      )
    )
  })
})
