/**
 * The homeserver's call to an appservice in the same process: {@link "node/NodeTransport"} without sockets, and with no
 * time but Effect's clock.
 *
 * @since 0.1.0
 */
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import {
  type OutgoingRequest,
  type OutgoingResponse,
  OutgoingTransport
} from "@appservice-ping/server/homeserver/OutgoingTransport"
import { Bytes, Duration, Effect, Layer } from "effect"
import { type Broken, Network, type Sent } from "./internal/Network.ts"
import { requestOf } from "./internal/requestOf.ts"
import type { MemoryServer } from "./MemoryHttpClient.ts"

/**
 * Options of the transport.
 *
 * @category options
 * @since 0.1.0
 */
export interface MemoryTransportOptions {
  /** How large the head of the answer may be, in bytes. Default: 16 KiB. */
  readonly maxHeaderBytes?: number | undefined
  /** How many informational answers (1xx) may come before the answer. Default: 16. */
  readonly maxInformational?: number | undefined
  /** How long an application goes on when the homeserver has given up. Default: 1 second. */
  readonly halfCloseGrace?: Duration.Input | undefined
}

const malformed = (text: string) => new ConnectionFailure.ConnectionFailure({ kind: "malformed", text })

const failureOf = ({ cause, defect }: Broken): ConnectionFailure.ConnectionFailure => {
  switch (defect?._tag) {
    case "TooManyInformational":
    case "SwitchedProtocols":
    case "InvalidStatus":
      return malformed(cause.message)
    default:
      return ConnectionFailure.fromUnknown(cause)
  }
}

const encoder = new TextEncoder()

/** Reads the answer; the rest of a body that is longer than is wanted is left unread. */
const receive = Effect.fnUntraced(function*(
  network: Network,
  sent: Sent,
  maxBodyBytes: number
): Effect.fn.Return<OutgoingResponse, Broken> {
  let event = yield* network.next(sent, false)
  while (event._tag === "Informational") event = yield* network.next(sent, false)
  const status = event._tag === "Head" ? event.status : 0
  const chunks: Array<Uint8Array> = []
  let length = 0
  for (;;) {
    event = yield* network.next(sent, true)
    if (event._tag !== "Body") break
    chunks.push(event.bytes.subarray(0, maxBodyBytes - length))
    length += event.bytes.length
    if (length >= maxBodyBytes) break
  }
  yield* sent.connection.leave
  return { status, body: Bytes.concat(chunks) }
})

const send = (
  network: Network,
  request: OutgoingRequest
): Effect.Effect<OutgoingResponse, ConnectionFailure.ConnectionFailure> => {
  const headers = { ...request.headers, connection: "close" }
  const arrived = requestOf(request.url, "POST", headers, encoder.encode(request.body), false)
  return network.send(request.url, arrived).pipe(
    Effect.flatMap((sent) =>
      Effect.onInterrupt(receive(network, sent, request.maxBodyBytes), () => sent.connection.leave)
    ),
    Effect.mapError(failureOf)
  )
}

/**
 * Makes the transport, whose network is these servers.
 *
 * **Details**
 *
 * Each request has a connection of its own. It sees what a transport over sockets sees: of a body that broke off
 * whether it was closed or reset, and of one that ends with its connection whether that was the end or a cut.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  servers: ReadonlyArray<MemoryServer>,
  options: MemoryTransportOptions = {}
): OutgoingTransport["Service"] => {
  const network = new Network(servers, {
    flavour: "transport",
    keepAlive: false,
    connectTimeout: undefined,
    maxHeaderBytes: options.maxHeaderBytes,
    maxInformational: options.maxInformational,
    halfCloseGrace: Duration.fromInputUnsafe(options.halfCloseGrace ?? "1 second")
  })
  return OutgoingTransport.of({ send: (request) => send(network, request) })
}

/**
 * Layer of the transport.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  servers: ReadonlyArray<MemoryServer>,
  options?: MemoryTransportOptions
): Layer.Layer<OutgoingTransport> => Layer.succeed(OutgoingTransport, make(servers, options))
