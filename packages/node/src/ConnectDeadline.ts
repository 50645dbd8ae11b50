/**
 * Agents of `node:http` and `node:https` that bound how long a connection may take to be established, TLS included, and
 * how much it may receive.
 *
 * Node itself has no such bounds: a host that swallows packets keeps a request waiting until the kernel gives up, after
 * about two minutes, and a peer that never ends its handshake for ever. A peer that sends informational answers or the
 * extensions of chunks without an end is read as long as the request may take.
 *
 * @since 0.1.0
 */
import * as Bound from "@appservice-ping/domain/Bound"
import { Duration } from "effect"
import * as Http from "node:http"
import * as Https from "node:https"
import type { Duplex } from "node:stream"

/**
 * Options of the agents.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConnectDeadlineOptions {
  /** How long a connection may take until it can carry a request, names and TLS included. Default: 10 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * How many bytes a connection may receive, all of its answer: informational answers, the head, the sizes and extensions
   * of chunks, and the body. It bounds what no `HttpClient` shows. Default: 8 MiB.
   */
  readonly maxAnswerBytes?: number | undefined
}

/**
 * One agent for each scheme, as `NodeHttpClient.HttpAgent` has them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Agents {
  readonly http: Http.Agent
  readonly https: Https.Agent
}

const connectTimeoutDefault = "10 seconds"

const maxAnswerBytesDefault = 8 * 1024 * 1024

/** The largest delay of a timer in Node; a longer one would be none. */
const maxTimerMillis = 2 ** 31 - 1

/** What the kernel says when it gives up, so that nobody takes the request for sent. */
const tooSlow = (millis: number): Error =>
  Object.assign(new Error(`no connection was established within ${millis} ms`), {
    code: "ETIMEDOUT",
    syscall: "connect"
  })

const tooLarge = (maxAnswerBytes: number): Error =>
  Object.assign(new Error(`the answer has more than ${maxAnswerBytes} bytes`), { code: "ERR_ANSWER_TOO_LARGE" })

const bound = <S extends Duplex | null | undefined>(
  socket: S,
  { event, maxAnswerBytes, millis }: {
    readonly event: "connect" | "secureConnect"
    readonly millis: number
    readonly maxAnswerBytes: number
  }
): S => {
  if (socket === null || socket === undefined) return socket
  const timer = setTimeout(() => socket.destroy(tooSlow(millis)), millis)
  const stop = (): void => clearTimeout(timer)
  socket.once(event, stop)
  socket.once("close", stop)
  let received = 0
  // Not before there is a reader of the answer: whoever listens for its bytes sets them in motion.
  socket.once(event, () =>
    socket.on("data", (chunk: Uint8Array) => {
      received += chunk.length
      if (received > maxAnswerBytes) socket.destroy(tooLarge(maxAnswerBytes))
    }))
  return socket
}

/**
 * Makes agents whose requests fail as a connection that timed out when it is not established in time, and as an answer
 * that is malformed when it has too many bytes.
 *
 * **Details**
 *
 * The error has the code `ETIMEDOUT` of the system call `connect`, so that a ping becomes `HomeserverUnreachable` and
 * not `Undecided`. Each request opens its own connection (D11). A bound that is negative or not finite is a defect: a
 * `BoundError`.
 *
 * **Example** (Pinging with a bound on connecting)
 *
 * ```ts
 * import { ConnectDeadline } from "@appservice-ping/node"
 *
 * // Layer.provide(NodeHttpClient.layerNodeHttpNoAgent, Layer.succeed(NodeHttpClient.HttpAgent, agents))
 * const agents = ConnectDeadline.agents({ connectTimeout: "5 seconds" })
 * agents.https.options.keepAlive // => false
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const agents = (options: ConnectDeadlineOptions = {}): Agents => {
  const timeout = Bound.durationUnsafe("connectTimeout", options.connectTimeout ?? connectTimeoutDefault)
  const millis = Math.min(Math.ceil(Duration.toMillis(timeout)), maxTimerMillis)
  const maxAnswerBytes = Bound.integerUnsafe("maxAnswerBytes", options.maxAnswerBytes ?? maxAnswerBytesDefault)
  const http = new Http.Agent({ keepAlive: false })
  const https = new Https.Agent({ keepAlive: false })
  const open = http.createConnection.bind(http)
  const openSecure = https.createConnection.bind(https)
  http.createConnection = (...given) => bound(open(...given), { event: "connect", millis, maxAnswerBytes })
  https.createConnection = (...given) => bound(openSecure(...given), { event: "secureConnect", millis, maxAnswerBytes })
  return { http, https }
}
