/**
 * Opens connections: what the transports use in place of `net.connect`, so that a plan may refuse one, and so that a
 * connection may stay in this process.
 *
 * @since 0.1.0
 */
import type { Duplex } from "node:stream"
import * as Tls from "node:tls"

/**
 * Opens a connection and calls back with it or with the error.
 *
 * **Details**
 *
 * It calls back once, at once or later. The connection may still be on its way then: it emits `connect` when it is there,
 * never before the turn in which it was handed over is over, and `error` if it does not come about.
 *
 * @category models
 * @since 0.1.0
 */
export type Connect<S extends Duplex = Duplex> = (
  place: { readonly host: string; readonly port: number },
  callback: (error: Error | null, socket: S) => void
) => void

/**
 * Opens a connection, starts TLS on it, and calls back once the handshake has begun or with why there is none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const connectSecure = <S extends Duplex>(
  connect: Connect<S>,
  place: Parameters<Connect>[0],
  options: Tls.ConnectionOptions,
  callback: (error: Error | null, socket: S | Tls.TLSSocket) => void
): void =>
  connect(place, (error, socket) => {
    if (error !== null) return callback(error, socket)
    const fail = (error: Error): void => callback(error, socket)
    const onConnect = (socket: S): void => {
      socket.off("error", fail)
      callback(null, Tls.connect({ ...options, socket }))
    }
    // TLS over a connection that is not there yet would hide why it does not come about.
    socket.once("error", fail)
    socket.once("connect", () => onConnect(socket))
  })

/**
 * The connections that were opened, below TLS too.
 *
 * @category models
 * @since 0.1.0
 */
export interface Holding {
  readonly connect: Connect
  /** Ends what was opened, and what is still to come. */
  readonly letGo: () => void
}

/**
 * Keeps hold of the connections that are opened, so that they can be ended at any time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const holding = (connect: Connect): Holding => {
  const sockets = new Set<Duplex>()
  let isWanted = true
  return {
    connect: (place, callback) =>
      connect(place, (error, socket) => {
        sockets.add(socket)
        callback(error, socket)
        if (!isWanted) socket.destroy()
      }),
    letGo: () => {
      isWanted = false
      for (const socket of sockets) socket.destroy()
    }
  }
}
