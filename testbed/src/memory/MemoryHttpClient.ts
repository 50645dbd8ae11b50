/**
 * An `HttpClient` that carries requests to handlers in the same process: no sockets, and no time but Effect's clock.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import { BodyError, type Handler, type ServerRequest } from "@appservice-ping/server/Exchange"
import { Duration, Effect, Stream } from "effect"
import { HttpClient, HttpClientError, type HttpClientRequest, type HttpClientResponse } from "effect/http"
import type { Faults } from "../Faults.ts"
import * as NodeError from "../internal/nodeError.ts"
import { type Timed, timeline } from "../Reading.ts"
import type { Step } from "../Verdict.ts"
import { MemoryResponse } from "./internal/MemoryResponse.ts"

/**
 * A server in memory.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryServer {
  /** Where it is; only its scheme, host and port count. */
  readonly url: URL
  readonly handle: Handler
  /** The faults on the way to it. Default: none. */
  readonly faults?: Faults["Service"] | undefined
}

type Failure = HttpClientError.HttpClientError

const transportError = (request: HttpClientRequest.HttpClientRequest, cause: Error): Failure =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })

const portOf = (url: URL): number => url.port === "" ? url.protocol === "https:" ? 443 : 80 : Number(url.port)

const readBody = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<Uint8Array, Failure> => {
  const failed = (cause: unknown): Failure =>
    new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, cause }) })
  switch (request.body._tag) {
    case "Empty":
      return Effect.succeed(new Uint8Array())
    case "Uint8Array":
      return Effect.succeed(request.body.body)
    case "Stream":
      return Effect.mapError(Stream.mkUint8Array(request.body.stream), failed)
    default:
      return Effect.fail(failed(new Error(`A client in memory sends no body of the kind ${request.body._tag}`)))
  }
}

const toServerRequest = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  body: Uint8Array
): ServerRequest => {
  const headers: { readonly [name: string]: string | undefined } = {
    ...request.headers,
    host: url.host,
    "content-length": String(body.length)
  }
  return {
    method: request.method,
    target: url.pathname + url.search,
    header: (name) => headers[name],
    body: (maxBytes) =>
      body.length > maxBytes ? Effect.fail(new BodyError({ reason: "TooLarge" })) : Effect.succeed(body)
  }
}

const encoder = new TextEncoder()

const answered = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  answer: Answer
): HttpClientResponse.HttpClientResponse =>
  new MemoryResponse(request, {
    url,
    status: answer.status,
    headers: answer.headers,
    body: answer.body === "" || request.method === "HEAD" ? Stream.empty : Stream.succeed(encoder.encode(answer.body))
  })

const waitFor = ({ after, event }: Timed): Effect.Effect<Timed["event"]> =>
  Duration.isZero(after) ? Effect.succeed(event) : Effect.as(Effect.sleep(after), event)

/** The body that follows a head, byte for byte when it comes; one that never ends is waited for until interrupted. */
const playBody = (events: ReadonlyArray<Timed>): Stream.Stream<Uint8Array, Error> =>
  Stream.unfold(0, (index) => {
    const next = events[index]
    return next === undefined ? Effect.never : Effect.flatMap(waitFor(next), (event) => {
      switch (event._tag) {
        case "Body":
          return Effect.succeed([event.bytes, index + 1] as const)
        case "Failure":
          return Effect.fail(NodeError.ofDefect(event.defect, true))
        default:
          return Effect.undefined
      }
    })
  })

const play = Effect.fnUntraced(function*(
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  steps: ReadonlyArray<Step>
): Effect.fn.Return<HttpClientResponse.HttpClientResponse, Failure> {
  const [first, ...rest] = timeline(steps)
  if (first === undefined) return yield* Effect.never
  const event = yield* waitFor(first)
  if (event._tag === "Head") {
    return new MemoryResponse(request, { url, status: event.status, headers: event.headers, body: playBody(rest) })
  }
  return yield* transportError(request, NodeError.ofDefect(event._tag === "Failure" ? event.defect : "closed", false))
})

const carry = Effect.fnUntraced(function*(
  server: MemoryServer,
  request: HttpClientRequest.HttpClientRequest,
  url: URL
): Effect.fn.Return<HttpClientResponse.HttpClientResponse, Failure> {
  const body = yield* readBody(request)
  const forward = Effect.map(
    Effect.suspend(() => server.handle(toServerRequest(request, url, body))),
    (answer) => answered(request, url, answer)
  )
  const active = server.faults === undefined ? undefined : yield* server.faults.current
  if (active === undefined) return yield* forward
  yield* active.record
  switch (active.verdict._tag) {
    case "Forward":
      return yield* Effect.delay(forward, active.verdict.delay)
    case "Refuse":
      return yield* transportError(request, NodeError.refused(url.hostname, portOf(url)))
    case "Play":
      return yield* play(request, url, active.verdict.steps)
  }
})

/**
 * Makes an `HttpClient` whose network is these servers.
 *
 * **Details**
 *
 * It fails as a client over `node:http` does: with a `TransportError` before the head of the answer, with a
 * `DecodeError` in its body, both with a cause that carries the code it has on a socket. A host that no server has is
 * not found, a port that none has is refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (servers: ReadonlyArray<MemoryServer>): HttpClient.HttpClient => {
  const byOrigin = new Map(servers.map((server) => [server.url.origin, server]))
  const hosts = new Set(servers.map((server) => server.url.hostname))
  return HttpClient.make((request, url) => {
    const server = byOrigin.get(url.origin)
    if (server !== undefined) return carry(server, request, url)
    return Effect.fail(transportError(
      request,
      hosts.has(url.hostname) ? NodeError.refused(url.hostname, portOf(url)) : NodeError.notFound(url.hostname)
    ))
  })
}
