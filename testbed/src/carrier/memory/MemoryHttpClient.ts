/**
 * An `HttpClient` that carries requests to handlers in the same process: no sockets, and no time but Effect's clock.
 *
 * @since 0.1.0
 */
import type { Handler } from "@appservice-ping/server/Exchange"
import { Cause, Channel, Duration, Effect, Scope, Stream } from "effect"
import { Headers, HttpClient, HttpClientError, type HttpClientRequest, type HttpClientResponse } from "effect/http"
import * as Zlib from "node:zlib"
import type { Session } from "../../play/Session.ts"
import type { Leg } from "../../step/Leg.ts"
import * as ClientError from "../client/ClientError.ts"
import type * as ClientReading from "../client/ClientReading.ts"
import type { Arrived } from "./internal/Connection.ts"
import { MemoryResponse } from "./internal/MemoryResponse.ts"
import { Broken, Network, type Sent } from "./internal/Network.ts"
import { requestOf } from "./internal/requestOf.ts"

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
  /** The half of a ping that goes to it. */
  readonly leg: Leg
  /** What decides about its connections and requests, and keeps the journal; without one all is well, and unwritten. */
  readonly session?: Session["Service"] | undefined
}

/**
 * Options of the client.
 *
 * @category options
 * @since 0.1.0
 */
export interface MemoryHttpClientOptions {
  /** The client to stand in for. Default: `node`. */
  readonly flavour?: "node" | "undici" | "fetch" | undefined
  /** Whether it keeps connections for later requests. Default: as the client does, and so not for `node`. */
  readonly keepAlive?: boolean | undefined
  /** How long it waits for a connection. Default: 10 seconds for `undici` and `fetch`, and for ever for `node`. */
  readonly connectTimeout?: Duration.Input | undefined
  /** How large the head of an answer may be, in bytes. Default: 16 KiB. */
  readonly maxHeaderBytes?: number | undefined
  /**
   * How long an application goes on when its client has left, as {@link "node/NodeListener"} lets it. Default: 1 second.
   */
  readonly halfCloseGrace?: Duration.Input | undefined
}

type Failure = HttpClientError.HttpClientError

const transportError = (request: HttpClientRequest.HttpClientRequest, cause: Error): Failure =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })

const noBytes = new Uint8Array()

const readBody = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<Uint8Array, Failure> => {
  const failed = (cause: unknown): Failure =>
    new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, cause }) })
  switch (request.body._tag) {
    case "Empty":
      return Effect.succeed(noBytes)
    case "Uint8Array":
      return Effect.succeed(request.body.body)
    case "Stream":
      return Effect.mapError(Stream.mkUint8Array(request.body.stream), failed)
    default:
      return Effect.fail(failed(new Error(`A client in memory sends no body of the kind ${request.body._tag}`)))
  }
}

/** Of these `node:http` keeps the first one; of all others every client joins the values. */
const single: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "from",
  "host",
  "last-modified",
  "location",
  "max-forwards",
  "retry-after",
  "server",
  "user-agent"
])

const headersOf = (
  list: ReadonlyArray<readonly [name: string, value: string]>,
  flavour: ClientReading.Flavour
): Headers.Headers => {
  const headers: Record<string, string> = {}
  for (const [mixed, value] of list) {
    const name = mixed.toLowerCase()
    const known = headers[name]
    if (known === undefined) headers[name] = value
    else if (flavour !== "node" || !single.has(name)) headers[name] = `${known}, ${value}`
  }
  return Headers.fromRecordUnsafe(headers)
}

const lenient = { finishFlush: Zlib.constants.Z_SYNC_FLUSH }

const decoders: { readonly [encoding: string]: (bytes: Uint8Array) => Uint8Array } = {
  gzip: (bytes) => Zlib.gunzipSync(bytes, lenient),
  "x-gzip": (bytes) => Zlib.gunzipSync(bytes, lenient),
  deflate: (bytes) => Zlib.inflateSync(bytes, lenient),
  br: (bytes) => Zlib.brotliDecompressSync(bytes)
}

/** `fetch` takes the encoding off a body, and the others leave it on. */
const decoded = (
  body: Stream.Stream<Uint8Array, Broken>,
  decode: (bytes: Uint8Array) => Uint8Array
): Stream.Stream<Uint8Array, Broken> =>
  Stream.unwrap(Effect.map(Stream.mkUint8Array(body), (bytes) =>
    Stream.fromEffect(Effect.try({
      try: () => decode(bytes),
      catch: (cause) => new Broken(ClientError.ofEncoding(cause), true)
    }))))

/** What `fetch` gives no body for. */
const bodiless: ReadonlySet<number> = new Set([101, 204, 205, 304])

const bodyOf = (network: Network, sent: Sent, arrived: Arrived): Stream.Stream<Uint8Array, Broken> => {
  let isOver = false
  const over = (effect: Effect.Effect<void>) =>
    Effect.andThen(
      Effect.sync(() => {
        isOver = true
      }),
      effect
    )
  const pull = Effect.flatMap(
    Effect.tapError(network.next(sent, true), () => over(Effect.void)),
    (event) =>
      event._tag === "Body"
        ? Effect.succeed([event.bytes] as const)
        : Effect.andThen(over(network.finish(sent, arrived)), Cause.done())
  )
  // Who stops to read has done with the connection. The finalizer costs less this way than `Stream.ensuring` does.
  const leave = Effect.suspend(() => isOver ? Effect.void : sent.connection.leave)
  return Stream.fromChannel(
    Channel.fromTransform((_, scope) => Effect.as(Scope.addFinalizer(scope, leave), pull))
  )
}

const respond = (
  network: Network,
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  sent: Sent,
  arrived: Arrived
): Effect.Effect<MemoryResponse, Broken> =>
  Effect.flatMap(network.next(sent, false), (event) => {
    if (event._tag !== "Head") return respond(network, request, url, sent, arrived)
    const { flavour } = network.options
    const { status } = event
    const headers = headersOf(event.headers, flavour)
    const response = (body: Stream.Stream<Uint8Array, Broken> | undefined): MemoryResponse =>
      new MemoryResponse(request, { url, status, headers, body })
    const body = bodyOf(network, sent, arrived)
    if (flavour !== "fetch") return Effect.succeed(response(body))
    // Nobody reads what is not there, so that nobody else would let go of the connection.
    if (bodiless.has(status)) return Effect.as(network.finish(sent, arrived), response(undefined))
    const decode = decoders[headers["content-encoding"]?.toLowerCase() ?? ""]
    return Effect.succeed(response(decode === undefined ? body : decoded(body, decode)))
  })

const carry = (
  network: Network,
  request: HttpClientRequest.HttpClientRequest,
  url: URL
): Effect.Effect<HttpClientResponse.HttpClientResponse, Failure> =>
  Effect.flatMap(readBody(request), (bytes) => {
    const arrived = requestOf(url, request.method, request.headers, bytes, network.options.keepAlive)
    return network.send(url, arrived).pipe(
      Effect.flatMap((sent) =>
        Effect.onInterrupt(respond(network, request, url, sent, arrived), () => sent.connection.leave)
      ),
      Effect.mapError((broken) => transportError(request, broken.cause))
    )
  })

/**
 * Makes an `HttpClient` whose network is these servers.
 *
 * **Details**
 *
 * It does what the client it stands in for does on a socket: it opens connections and keeps them, reads answers byte
 * by byte, and fails with the same errors, a `TransportError` before the head of an answer and a `DecodeError` in its
 * body. What the plans of a session decide is played on its connections, and written into the session's journal. A
 * host that no server has is not found, a port that none has is refused.
 *
 * **Gotchas**
 *
 * As `fetch` it does not follow redirects, whatever its `RequestInit` says: our clients ask for that.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  servers: ReadonlyArray<MemoryServer>,
  options: MemoryHttpClientOptions = {}
): HttpClient.HttpClient => {
  const flavour = options.flavour ?? "node"
  const connectTimeout = options.connectTimeout ?? (flavour === "node" ? undefined : "10 seconds")
  const network = new Network(servers, {
    flavour,
    keepAlive: options.keepAlive ?? flavour !== "node",
    connectTimeout: connectTimeout === undefined ? undefined : Duration.fromInputUnsafe(connectTimeout),
    maxHeaderBytes: options.maxHeaderBytes,
    maxInformational: undefined,
    halfCloseGrace: Duration.fromInputUnsafe(options.halfCloseGrace ?? "1 second")
  })
  return HttpClient.make((request, url) => carry(network, request, url))
}
