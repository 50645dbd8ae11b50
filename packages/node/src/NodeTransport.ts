/**
 * The homeserver's call to an appservice over `node:http` itself.
 *
 * It reports what really happened on the connection: no pool, no redirect and no second attempt hide it (D1, D11).
 *
 * @since 0.1.0
 */
import { hostOf, portOf } from "@appservice-ping/domain/AppserviceUrl"
import * as Bound from "@appservice-ping/domain/Bound"
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import {
  type OutgoingRequest,
  type OutgoingResponse,
  OutgoingTransport
} from "@appservice-ping/server/homeserver/OutgoingTransport"
import { Effect, Layer } from "effect"
import { type ClientRequest, type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http"
import { request as httpsRequest } from "node:https"
import { connect, isIP, type LookupFunction } from "node:net"
import { type Connect, connectSecure, holding } from "./Connect.ts"

/**
 * Options of the transport.
 *
 * @category options
 * @since 0.1.0
 */
export interface NodeTransportOptions {
  /** Certificates in PEM form to trust instead of the usual ones, for an appservice with a certificate of its own. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** How large the head of the answer may be, in bytes. Default: 16 KiB. */
  readonly maxHeaderBytes?: number | undefined
  /** How many informational answers (1xx) may come before the answer. Default: 16. */
  readonly maxInformational?: number | undefined
  /**
   * How many bytes of the answer may be other than its body: heads, the sizes and extensions of chunks, trailers.
   * Default: 512 KiB, which allows a body of 64 KiB in chunks of one byte.
   */
  readonly maxFramingBytes?: number | undefined
  /** Looks host names up in place of the system. */
  readonly lookup?: LookupFunction | undefined
  /** Opens the connection in place of `net.connect`, such as one that a plan may refuse. */
  readonly connect?: Connect | undefined
}

const defaults = { maxHeaderBytes: 16 * 1024, maxInformational: 16, maxFramingBytes: 512 * 1024 } as const

const malformed = (text: string) => new ConnectionFailure.ConnectionFailure({ kind: "malformed", text })

const tooManyInformational = malformed("too many informational answers came, and no final one")

const tooMuchFraming = malformed("the answer has too many bytes beside its body")

const switchedProtocols = malformed("the answer switched to another protocol, which nobody asked for")

const noStatus = malformed("the answer has no valid status")

const closed = new ConnectionFailure.ConnectionFailure({ kind: "closed", text: "the connection was closed early" })

/**
 * Makes the transport, for a caller that needs no layer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: NodeTransportOptions = {}): OutgoingTransport["Service"] =>
  OutgoingTransport.of({ send: (request) => send(request, options) })

/**
 * Layer that sends each request once over a connection of its own, and closes it.
 *
 * **Details**
 *
 * A body that ends with the connection, without `Content-Length` and chunks, is complete when the connection ends:
 * it looks the same as a cut. A reset is distinguished from it.
 *
 * **Gotchas**
 *
 * Node 22 reports a reset that follows data at once as a close; Node 24 reports it as what it is.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: NodeTransportOptions): Layer.Layer<OutgoingTransport> =>
  Layer.succeed(OutgoingTransport, make(options))

const open = (request: OutgoingRequest, options: NodeTransportOptions): ClientRequest => {
  const { body, headers, url } = request
  const shared: RequestOptions = {
    method: "POST",
    maxHeaderSize: options.maxHeaderBytes ?? defaults.maxHeaderBytes,
    headers: { ...headers, "content-length": Buffer.byteLength(body) }
  }
  const isSecure = url.protocol === "https:"
  const place = {
    host: hostOf(url),
    port: portOf(url),
    ...options.lookup === undefined ? {} : { lookup: options.lookup }
  }
  if (isSecure) {
    const ca = options.ca === undefined || typeof options.ca === "string" ? options.ca : [...options.ca]
    const trust = ca === undefined ? {} : { ca }
    const connect = options.connect
    if (connect !== undefined) {
      const secure = { ...trust, host: place.host, ...(isIP(place.host) === 0 ? { servername: place.host } : {}) }
      return httpsRequest(url, {
        ...shared,
        createConnection: (_, callback) => {
          connectSecure(connect, place, secure, callback)
          return undefined
        }
      })
    }
    const lookup = options.lookup === undefined ? {} : { lookup: options.lookup }
    // A one-off agent keeps no connection, and says `Connection: close`.
    return httpsRequest(url, { ...shared, ...lookup, agent: false, ...trust })
  }
  const open = options.connect
  // No agent at all does the same, and costs less.
  return httpRequest(url, {
    ...shared,
    createConnection: open === undefined
      ? () => connect({ ...place, noDelay: true })
      : (_, callback) => {
        open(place, callback)
        return undefined
      }
  })
}

const send = (
  request: OutgoingRequest,
  options: NodeTransportOptions
): Effect.Effect<OutgoingResponse, ConnectionFailure.ConnectionFailure> =>
  Effect.callback((resume) => {
    const maxInformational = options.maxInformational ?? defaults.maxInformational
    const maxFramingBytes = Bound.integerUnsafe("maxFramingBytes", options.maxFramingBytes ?? defaults.maxFramingBytes)
    const collected = new BoundedBody.Collector(request.maxBodyBytes)
    let received = 0
    let informational = 0
    let response: IncomingMessage | undefined
    let sent: ClientRequest
    const held = options.connect === undefined ? undefined : holding(options.connect)
    // A request that is given up before its handshake does not know of the connection below.
    const stop = () => {
      sent.destroy()
      held?.letGo()
    }

    const fail = (failure: ConnectionFailure.ConnectionFailure) => {
      resume(Effect.fail(failure))
      stop()
    }
    const checkFraming = (): void => {
      if (received - collected.length > maxFramingBytes) fail(tooMuchFraming)
    }
    const onError = (error: unknown) => {
      // What comes after a complete answer does not change it: its `end` is still to come.
      if (response?.complete !== true) fail(ConnectionFailure.fromUnknown(error))
    }
    const onResponse = (incoming: IncomingMessage) => {
      response = incoming
      if (incoming.statusCode === undefined || incoming.statusCode < 100) return fail(noStatus)
      const status = incoming.statusCode
      const succeed = () => {
        resume(Effect.succeed({ status, body: collected.bytes() }))
        stop()
      }
      incoming.on("error", onError)
      incoming.on("end", () => {
        checkFraming()
        succeed()
      })
      incoming.on("data", (chunk: Uint8Array) => {
        if (collected.add(chunk) !== "room") succeed()
      })
    }

    try {
      sent = open(request, { ...options, connect: held?.connect })
    } catch (error) {
      // `node:http` throws what it finds wrong before it connects, such as a header value.
      return resume(Effect.fail(ConnectionFailure.fromUnknown(error)))
    }
    sent.on("error", onError)
    sent.on("information", () => {
      informational++
      if (informational > maxInformational) fail(tooManyInformational)
    })
    // An answer can go on for ever without an end of its head, and with hardly a byte of a body.
    sent.on("socket", (socket) => {
      socket.on("data", (chunk: Uint8Array) => {
        // The parser has not seen this chunk yet, so it counts when that has handed on what is a body of it.
        checkFraming()
        received += chunk.length
        setImmediate(checkFraming)
      })
    })
    sent.on("upgrade", (_, socket) => {
      socket.destroy()
      fail(switchedProtocols)
    })
    sent.on("response", onResponse)
    sent.on("close", () => {
      if (response === undefined) fail(closed)
    })
    // Bytes, because text would go out in one piece with the head, and turn its Latin-1 into UTF-8.
    sent.end(Buffer.from(request.body))
    return Effect.sync(stop)
  })
