/**
 * Connections of a homeserver's profile over `node:http`: each phase is what really happened on the socket.
 *
 * @since 0.1.0
 */
import { hostOf, portOf } from "@appservice-ping/domain/AppserviceUrl"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { type Connect, connectSecure, holding } from "@appservice-ping/node/Connect"
import { Bytes, Effect, type Scope } from "effect"
import { type IncomingMessage, request as httpRequest } from "node:http"
import * as Net from "node:net"
import type { PeerRequest, PeerResponse, PeerTransport } from "./PeerTransport.ts"

/**
 * Options of the transport.
 *
 * @category options
 * @since 0.1.0
 */
export interface NodePeerTransportOptions {
  /** Certificates in PEM form to trust instead of the usual ones. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** Looks up host names. Default: as the machine does. */
  readonly lookup?: Net.LookupFunction | undefined
  /** Opens the TCP connection in place of `net.connect` and `lookup`, such as one that a plan may refuse. */
  readonly connect?: Connect | undefined
  /** How large the head of an answer may be, in bytes. Default: 64 KiB. */
  readonly maxHeaderBytes?: number | undefined
}

const maxHeaderBytesDefault = 64 * 1024

type Failure = ConnectionFailure.ConnectionFailure

const closed = new ConnectionFailure.ConnectionFailure({ kind: "closed", text: "the connection was closed early" })

const openerOf = ({ connect, lookup }: NodePeerTransportOptions): Connect =>
  connect ??
    ((place, callback) =>
      callback(null, Net.connect({ ...place, noDelay: true, ...lookup === undefined ? {} : { lookup } })))

const open = (url: URL, { ca }: NodePeerTransportOptions, connect: Connect, callback: Parameters<Connect>[1]): void => {
  const host = hostOf(url)
  const place = { host, port: portOf(url) }
  if (url.protocol !== "https:") return connect(place, callback)
  const secure = {
    host,
    ...Net.isIP(host) === 0 ? { servername: host } : {},
    ...ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }
  }
  connectSecure(connect, place, secure, callback)
}

const connect = (url: URL, options: NodePeerTransportOptions): Effect.Effect<Net.Socket, Failure> =>
  Effect.callback((resume) => {
    const held = holding(openerOf(options))
    const onError = (error: unknown) => resume(Effect.fail(ConnectionFailure.fromUnknown(error)))
    open(url, options, held.connect, (error, socket) => {
      if (error !== null) return onError(error)
      socket.once("error", onError)
      socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => {
        // The request listens for errors from now on; in between nobody would, and Node would throw.
        socket.off("error", onError)
        socket.on("error", () => {})
        resume(Effect.succeed(socket))
      })
    })
    return Effect.sync(held.letGo)
  })

/** Whatever happens to a body before it is read is kept for the one who reads it. */
const responseOf = (incoming: IncomingMessage): PeerResponse => {
  let failure: Failure | undefined
  incoming.on("error", (error) => {
    failure ??= ConnectionFailure.fromUnknown(error)
  })
  const headers: { [name: string]: string | undefined } = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value
  }
  return {
    status: incoming.statusCode ?? 0,
    headers,
    body: (maxBytes) =>
      Effect.callback((resume) => {
        if (failure !== undefined) return resume(Effect.fail(failure))
        const chunks: Array<Uint8Array> = []
        let length = 0
        const succeed = () => resume(Effect.succeed(Bytes.concat(chunks)))
        if (incoming.readableEnded) return succeed()
        incoming.on("error", () => resume(Effect.fail(failure ?? closed)))
        incoming.on("end", succeed)
        incoming.on("close", () => resume(Effect.fail(failure ?? closed)))
        incoming.on("data", (chunk: Uint8Array) => {
          chunks.push(chunk.subarray(0, maxBytes - length))
          length += chunk.length
          if (length >= maxBytes) succeed()
        })
      })
  }
}

const send = (
  socket: Net.Socket,
  { body, headers, method, url }: PeerRequest,
  options: NodePeerTransportOptions
): Effect.Effect<PeerResponse, Failure> =>
  Effect.callback((resume) => {
    let isAnswered = false
    const fail = (failure: Failure) => {
      if (!isAnswered) resume(Effect.fail(failure))
    }
    try {
      const bytes = Buffer.from(body)
      // A connection of its own and no agent: the request says `Connection: close`.
      const sent = httpRequest({
        method,
        path: url.pathname + url.search,
        headers: { host: url.host, ...headers, ...method === "GET" ? {} : { "content-length": bytes.length } },
        maxHeaderSize: options.maxHeaderBytes ?? maxHeaderBytesDefault,
        createConnection: () => socket
      })
      sent.on("error", (error) => fail(ConnectionFailure.fromUnknown(error)))
      sent.on("close", () => fail(closed))
      sent.on("upgrade", (_, upgraded) => {
        upgraded.destroy()
        fail(new ConnectionFailure.ConnectionFailure({ kind: "malformed", text: "the answer switched protocols" }))
      })
      sent.on("response", (incoming) => {
        isAnswered = true
        resume(Effect.succeed(responseOf(incoming)))
      })
      sent.end(bytes)
    } catch (error) {
      // `node:http` throws what it finds wrong with a header.
      fail(ConnectionFailure.fromUnknown(error))
    }
  })

/**
 * Makes the transport.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: NodePeerTransportOptions = {}): PeerTransport => ({
  open: (url) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*(): Effect.fn.Return<Net.Socket, Failure, Scope.Scope> {
        const socket = yield* restore(connect(url, options))
        yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
        return socket
      })
    ).pipe(Effect.map((socket) => ({ send: (request) => send(socket, request, options) })))
})
