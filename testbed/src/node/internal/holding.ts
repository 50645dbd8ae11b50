/** Keeps hold of connections that are on their way, below TLS too, so that they can be let go of at any time. */
import type { Socket } from "node:net"
import type { Connect } from "../NodeTransport.ts"

export interface Holding {
  readonly connect: Connect
  /** Ends what was opened, and what is still to come. */
  readonly letGo: () => void
}

export const holding = (connect: Connect): Holding => {
  const sockets = new Set<Socket>()
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
