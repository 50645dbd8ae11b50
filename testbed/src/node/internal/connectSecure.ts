/** TLS over a connection that something else opens. */
import type { Socket } from "node:net"
import * as Tls from "node:tls"
import type { Connect } from "../NodeTransport.ts"

/** Calls back with the connection once its handshake has begun, or with why there is none. */
export const connectSecure = (
  connect: Connect,
  place: Parameters<Connect>[0],
  options: Tls.ConnectionOptions,
  callback: Parameters<Connect>[1]
): void =>
  connect(place, (error, socket) => {
    if (error !== null) return callback(error, socket)
    const fail = (error: Error): void => callback(error, socket)
    const onConnect = (socket: Socket): void => {
      socket.off("error", fail)
      callback(null, Tls.connect({ ...options, socket }))
    }
    // TLS over a connection that is not there yet would hide why it does not come about.
    socket.once("error", fail)
    socket.once("connect", () => onConnect(socket))
  })
