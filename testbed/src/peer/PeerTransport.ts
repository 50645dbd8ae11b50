/**
 * A peer's connections to an appservice: bytes in both directions, and how each phase of a connection ended.
 *
 * Real HTTP clients differ in how they read an answer, so there is none here: each peer reads the bytes as its own does.
 *
 * @since 0.1.0
 */
import { hostOf, portOf } from "@appservice-ping/domain/AppserviceUrl"
import { Effect, type Scope } from "effect"
import * as Net from "node:net"
import type { Duplex } from "node:stream"
import * as Tls from "node:tls"
import * as Traffic from "../play/Traffic.ts"
import * as Cause from "./internal/connectionCause.ts"
import { type CertificateFacts, type Ended, PeerFailure } from "./PeerOutcome.ts"

/**
 * What arrives on a connection: bytes, or its end.
 *
 * @category models
 * @since 0.1.0
 */
export type Arrival =
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Ended"; readonly how: Exclude<Ended, "timeout"> }

/**
 * A connection that is open.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerConnection {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void>
  /** Waits for what arrives next; after the end it ends again. Only one reader may wait. */
  readonly read: Effect.Effect<Arrival>
  /** Whether it is open, and nothing has arrived that was not read. */
  readonly isIdle: () => boolean
}

/**
 * A TCP connection, before anything is sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerSocket {
  /** Takes the connection as it is, for plain HTTP. */
  readonly plain: Effect.Effect<PeerConnection>
  /** Goes through a TLS handshake. A bad certificate is reported, and does not fail it. */
  readonly secure: Effect.Effect<
    { readonly connection: PeerConnection; readonly certificate: CertificateFacts },
    PeerFailure
  >
}

/**
 * Opens connections; each ends when its scope closes.
 *
 * **Details**
 *
 * It sends nothing by itself and has no deadline: a peer has its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerTransport {
  readonly open: (url: URL) => Effect.Effect<PeerSocket, PeerFailure, Scope.Scope>
}

/**
 * Opens a connection and calls back with it or with the error; it emits `connect` when it is there. Every `Connect` of
 * the transports is one.
 *
 * @category models
 * @since 0.1.0
 */
export type PeerConnect = (
  place: { readonly host: string; readonly port: number },
  callback: (error: Error | null, socket: Duplex) => void
) => void

/**
 * Options of the transport.
 *
 * @category options
 * @since 0.1.0
 */
export interface PeerTransportOptions {
  /** Opens the TCP connection in place of `net.connect`, such as one that a plan may refuse, or one in this process. */
  readonly connect?: PeerConnect | undefined
  /** Certificates in PEM form to trust instead of the usual ones. */
  readonly ca?: string | ReadonlyArray<string> | undefined
}

const connectDefault: PeerConnect = (place, callback) => callback(null, Net.connect({ ...place, noDelay: true }))

const readerOf = (stream: Duplex): PeerConnection => {
  const arrived: Array<Arrival> = []
  let waiting: ((arrival: Arrival) => void) | undefined
  let ended: Arrival | undefined
  const push = (arrival: Arrival): void => {
    if (ended !== undefined) return
    if (arrival._tag === "Ended") ended = arrival
    if (waiting === undefined) {
      arrived.push(arrival)
      return
    }
    const resume = waiting
    waiting = undefined
    resume(arrival)
  }
  const end = (how: Exclude<Ended, "timeout">) => (): void => push({ _tag: "Ended", how })
  stream.on("data", (bytes: Uint8Array) => push({ _tag: "Bytes", bytes }))
  stream.on("end", end("fin"))
  stream.on("error", (error) => end(Cause.endOf(error))())
  stream.on("close", end("fin"))
  return {
    isIdle: () => ended === undefined && arrived.length === 0 && !stream.destroyed,
    write: (bytes) =>
      Effect.sync(() => {
        if (!stream.destroyed) stream.write(bytes)
      }),
    read: Effect.callback((resume) => {
      const next = arrived.shift() ?? ended
      if (next !== undefined) return resume(Effect.succeed(next))
      waiting = (arrival) => resume(Effect.succeed(arrival))
      return Effect.sync(() => {
        waiting = undefined
      })
    })
  }
}

/** Waits a turn of the event loop, so that a reset that is there already is seen before anything is sent. */
const turn: Effect.Effect<void> = Effect.callback((resume) => {
  Traffic.note()
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

const connected = (connect: PeerConnect, url: URL): Effect.Effect<Duplex, PeerFailure> =>
  Effect.callback((resume) => {
    const fail = (error: unknown): void => resume(Effect.fail(Cause.notConnected(error)))
    connect({ host: hostOf(url), port: portOf(url) }, (error, socket) => {
      if (error !== null) return fail(error)
      socket.once("error", fail)
      socket.once("connect", () => {
        socket.off("error", fail)
        let isReset = false
        // In between nobody else listens for errors, and Node would throw.
        socket.on("error", (error) => {
          isReset = Cause.endOf(error) === "rst"
        })
        resume(Effect.flatMap(turn, () =>
          isReset ? Effect.fail(PeerFailure.NotConnected({ why: "rst" })) : Effect.succeed(socket)))
      })
    })
  })

const secure = (
  socket: Duplex,
  host: string,
  ca: string | Array<string> | undefined
): PeerSocket["secure"] =>
  Effect.callback((resume) => {
    const stream = Tls.connect({
      socket,
      host,
      // What is wrong with the certificate is the peer's to judge, each in its own order.
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      ...Net.isIP(host) === 0 ? { servername: host } : {},
      ...ca === undefined ? {} : { ca }
    })
    const fail = (error: unknown): void => resume(Effect.fail(Cause.notSecured(error)))
    stream.once("error", fail)
    stream.once("secureConnect", () => {
      stream.off("error", fail)
      resume(Effect.succeed({ connection: readerOf(stream), certificate: Cause.certificateFacts(stream) }))
    })
    return Effect.sync(() => stream.destroy())
  })

/**
 * Makes the transport.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: PeerTransportOptions = {}): PeerTransport => {
  const ca = options.ca === undefined || typeof options.ca === "string" ? options.ca : [...options.ca]
  return {
    open: (url) =>
      Effect.gen(function*() {
        const connect = options.connect ?? connectDefault
        let opened: Duplex | undefined
        let isOver = false
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            isOver = true
            opened?.destroy()
          })
        )
        const held: PeerConnect = (place, callback) =>
          connect(place, (error, socket) => {
            opened = socket
            callback(error, socket)
            // It may come about when nobody waits for it any more.
            if (isOver) socket.destroy()
          })
        const socket = yield* connected(held, url)
        return { plain: Effect.sync(() => readerOf(socket)), secure: secure(socket, hostOf(url), ca) }
      })
  }
}
