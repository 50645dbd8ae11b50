/**
 * Serves a handler over `node:http`: the fast and robust edge of the two commands and of the testbed.
 *
 * Whatever a socket sends gets the handler's answer or a clean 4xx, and everything that a client can make wait or grow
 * has a bound.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as Bound from "@appservice-ping/domain/Bound"
import { type Handler, total } from "@appservice-ping/server/Exchange"
import { Duration, Effect, Predicate, Schema, type Scope } from "effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { Connection, type Kind, type Shared } from "./internal/Connection.ts"
import { listeningUrl } from "./ListeningUrl.ts"

/**
 * Where to listen, and the bounds of what a client can make the listener hold; one that bounds nothing, such as
 * `maxHeaderBytes: NaN`, is a `BoundError`.
 *
 * @category options
 * @since 0.1.0
 */
export interface ListenOptions {
  /** The address or name to listen on. Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** The port; 0 picks a free one. */
  readonly port: number
  /** Headers of the answers that no handler gives, such as the CORS headers of a homeserver (C17). Default: none. */
  readonly headers?: Answer["headers"] | undefined
  /** How large the head of a request may be, in bytes; a larger one is answered 431. Default: 16 KiB. */
  readonly maxHeaderBytes?: number | undefined
  /**
   * How many connections are held at once, more than pings may run at once. For one more the connection is closed that
   * has been idle the longest: whose client has sent no whole request, or has its answer. If none is idle, the new one is
   * answered `429 M_LIMIT_EXCEEDED` with a `Retry-After` of a second. Default: 4096.
   */
  readonly maxConnections?: number | undefined
  /** How many requests may wait on one connection while an earlier one is answered; it is closed after that many. Default: 128. */
  readonly maxPipelined?: number | undefined
  /** How long the head of a request may take to arrive; then it is answered 408. Default: 10 seconds. */
  readonly headersTimeout?: Duration.Input | undefined
  /** How long a whole request may take to arrive; then it is answered 408. Default: 30 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
  /** How long a connection may stay idle between two requests, announced to the client; Node adds a second. Default: 5 seconds. */
  readonly keepAliveTimeout?: Duration.Input | undefined
  /** How long a client may take to receive an answer. Default: 10 seconds. */
  readonly answerTimeout?: Duration.Input | undefined
  /** How long a request is still worked on after the client has closed its side of the connection. Default: 1 second. */
  readonly halfCloseGrace?: Duration.Input | undefined
  /** How long a client may go on sending after it was answered for good. Default: 5 seconds. */
  readonly lingerTimeout?: Duration.Input | undefined
  /** How much a client may go on sending after it was answered for good, in bytes. Default: 64 MiB. */
  readonly lingerBytes?: number | undefined
  /** How long running requests may take to end once the scope closes. Default: 1 second. */
  readonly shutdownGrace?: Duration.Input | undefined
}

const defaults = {
  host: "127.0.0.1",
  maxHeaderBytes: 16 * 1024,
  maxConnections: 4096,
  maxPipelined: 128,
  headersTimeout: "10 seconds",
  requestTimeout: "30 seconds",
  keepAliveTimeout: "5 seconds",
  answerTimeout: "10 seconds",
  halfCloseGrace: "1 second",
  lingerTimeout: "5 seconds",
  lingerBytes: 64 * 1024 * 1024,
  shutdownGrace: "1 second"
} as const

/**
 * A listener that is ready.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listening {
  /** Where it is reached from this machine. */
  readonly url: URL
  /** The address it listens on. */
  readonly host: string
  /** The port it listens on. */
  readonly port: number
}

/**
 * The listener could not start: the port is taken, not permitted, or the address is not one of this machine.
 *
 * @category errors
 * @since 0.1.0
 */
export class ListenError
  extends Schema.TaggedError<ListenError>("@appservice-ping/node/NodeListener/ListenError")("ListenError", {
    host: Schema.String,
    port: Schema.Int,
    code: Schema.String
  })
{
  /** Reads the code of what a server of Node raised; a port that is no whole number becomes -1. */
  static fromUnknown(host: string, port: number, error: unknown): ListenError {
    return new ListenError({
      host,
      port: Number.isInteger(port) ? port : -1,
      code: Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : "unknown error"
    })
  }

  override get message(): string {
    return `cannot listen on ${this.host.includes(":") ? `[${this.host}]` : this.host}:${this.port}: ${
      reasons.get(this.code) ?? `${this.code}; try another host or port`
    }`
  }
}

const notLocal = "this machine has no such address; use one of its own, such as 127.0.0.1, or 0.0.0.0 for all of them"

const reasons = new Map([
  ["EADDRINUSE", "the port is taken; stop the program that uses it, or choose another port"],
  ["EACCES", "not permitted; choose a port above 1023, or give the program the right to use this one"],
  ["EADDRNOTAVAIL", notLocal],
  ["ENOTFOUND", "the host name is not known; use an address of this machine, such as 127.0.0.1"],
  ["EAI_AGAIN", "the host name could not be resolved; use an address of this machine, such as 127.0.0.1"],
  ["ERR_SOCKET_BAD_PORT", "a port is a number from 0 to 65535"]
])

const timerMillisMax = 2 ** 31 - 1

type DurationOption = { [K in keyof typeof defaults]: K extends `${string}${"Timeout" | "Grace"}` ? K : never }[
  keyof typeof defaults
]

type CountOption = { [K in keyof typeof defaults]: (typeof defaults)[K] extends number ? K : never }[
  keyof typeof defaults
]

const millis = (options: ListenOptions, option: DurationOption): number =>
  Math.min(
    Math.ceil(Duration.toMillis(Bound.durationUnsafe(option, options[option] ?? defaults[option], { infinite: true }))),
    timerMillisMax
  )

const count = (options: ListenOptions, option: CountOption, minimum = 0): number =>
  Bound.integerUnsafe(option, options[option] ?? defaults[option], { minimum })

const start = (server: Server, host: string, port: number): Effect.Effect<number, ListenError> =>
  Effect.callback((resume) => {
    const onError = (error: unknown) => resume(Effect.fail(ListenError.fromUnknown(host, port, error)))
    server.once("error", onError)
    try {
      // Node would take an empty one for all addresses.
      if (host === "") return onError({ code: "EADDRNOTAVAIL" })
      server.listen({ host, port }, () => {
        server.off("error", onError)
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
      })
    } catch (error) {
      onError(error)
    }
  })

/** How many connections that were turned away may linger, so that their clients can take the answer. */
const turnedAwayMax = 256

/** How long interrupted requests may take to release what they hold before the listener is closed without them. */
const releaseMillisMax = 500

/** Runs on real time: sockets are real, and a test clock that nobody moves must not hold up the end of a scope. */
const stop = (
  server: Server,
  connections: ReadonlySet<Connection>,
  shared: Shared,
  graceMillis: number
): Effect.Effect<void> =>
  Effect.callback((resume) => {
    let pending = 1
    let timer: NodeJS.Timeout
    const onEnd = () => {
      if (--pending > 0) return
      clearTimeout(timer)
      resume(Effect.void)
    }
    shared.closing = true
    server.close(onEnd)
    for (const connection of connections) connection.close()
    timer = setTimeout(() => {
      for (const connection of connections) {
        const fiber = connection.destroy()
        if (fiber === undefined) continue
        pending++
        fiber.addObserver(onEnd)
      }
      timer = setTimeout(() => resume(Effect.void), releaseMillisMax)
    }, graceMillis)
  })

/**
 * Serves a handler until the scope closes.
 *
 * **Details**
 *
 * What the handler gives that is no answer is answered `500 M_UNKNOWN`, and of its headers those that frame a message
 * are the listener's own. A request whose client goes away is interrupted. When the scope closes, no new connection is accepted, running
 * requests have `shutdownGrace` to end, and the rest is interrupted and closed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const listen: (
  handle: Handler,
  options: ListenOptions
) => Effect.Effect<Listening, ListenError, Scope.Scope> = Effect.fnUntraced(function*(handle, options) {
  const host = options.host ?? defaults.host
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const shared: Shared = {
    handle: total(handle, options.headers),
    run,
    maxPipelined: count(options, "maxPipelined"),
    halfCloseGraceMillis: millis(options, "halfCloseGrace"),
    answerTimeoutMillis: millis(options, "answerTimeout"),
    lingerMillis: millis(options, "lingerTimeout"),
    lingerBytes: count(options, "lingerBytes"),
    headers: options.headers ?? {},
    idle: new Set(),
    closing: false
  }
  const connections = new Set<Connection>()
  const shutdownGrace = millis(options, "shutdownGrace")
  const server = makeServer(shared, connections, options)
  const port = yield* Effect.acquireRelease(
    start(server, host, options.port),
    () => stop(server, connections, shared, shutdownGrace)
  )
  // After a good start only `accept` fails, for want of file descriptors; the connections that are there live on.
  server.on("error", (error) => {
    run(Effect.logWarning(`A connection could not be accepted: ${ListenError.fromUnknown(host, port, error).code}`))
  })
  return { url: listeningUrl(host, port), host, port }
})

const makeServer = (shared: Shared, connections: Set<Connection>, options: ListenOptions): Server => {
  const headersTimeout = millis(options, "headersTimeout")
  const server = createServer({
    maxHeaderSize: count(options, "maxHeaderBytes"),
    headersTimeout,
    requestTimeout: Math.max(headersTimeout, millis(options, "requestTimeout")),
    keepAliveTimeout: millis(options, "keepAliveTimeout"),
    // The parser looks for late requests this often.
    connectionsCheckingInterval: Math.min(1000, Math.max(20, Math.ceil(headersTimeout / 10))),
    // Two Authorization headers must not become the first of them.
    joinDuplicateHeaders: true,
    // The server's own answer to a missing Host is empty; ours is not.
    requireHostHeader: false
  })
  // Else a client that closes its side after its request would never see the answer.
  Object.assign(server, { httpAllowHalfOpen: true })

  const maxConnections = count(options, "maxConnections")
  const bySocket = new WeakMap<Duplex, Connection>()
  const turnedAway = new Set<Connection>()
  const close = (connection: Connection | undefined): void => {
    if (connection === undefined) return
    shared.idle.delete(connection)
    connections.delete(connection)
    turnedAway.delete(connection)
    connection.destroy()
  }
  const makeRoom = (newest: Connection): void => {
    if (connections.size - turnedAway.size <= maxConnections) return
    const [oldest] = shared.idle
    if (oldest !== undefined && oldest !== newest) return close(oldest)
    newest.turnAway()
    turnedAway.add(newest)
    const [longest] = turnedAway
    if (turnedAway.size > turnedAwayMax) close(longest)
  }
  server.on("connection", (socket: Socket) => {
    const connection = new Connection(socket, shared)
    bySocket.set(socket, connection)
    connections.add(connection)
    socket.once("close", () => {
      connections.delete(connection)
      turnedAway.delete(connection)
    })
    makeRoom(connection)
  })
  const onRequest = (kind: Kind) => (request: IncomingMessage, response: ServerResponse) =>
    bySocket.get(request.socket)?.onRequest(request, response, kind)
  server.on("request", onRequest("plain"))
  server.on("checkContinue", onRequest("continue"))
  server.on("checkExpectation", onRequest("unknownExpectation"))
  server.on("clientError", (error, socket) => bySocket.get(socket)?.onParserError(error))
  server.on("connect", (request, socket) => bySocket.get(socket)?.onConnect(request))
  return server
}
