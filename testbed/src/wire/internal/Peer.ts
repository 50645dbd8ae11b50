/** The homeserver's end of a connection, as the testbed sees it: what it sent, and whether it is still there. */
import { Bytes, Deferred, Effect } from "effect"
import type { Socket } from "node:net"
import { isWholeRequest } from "./requestEnd.ts"

export interface Peer {
  readonly socket: Socket
  /** Succeeds once a whole request was read. */
  readonly request: Effect.Effect<void>
  /** Succeeds once the peer has closed its side or reset the connection. */
  readonly gone: Effect.Effect<void>
  /** Stops reading, and returns what was read. */
  readonly release: Effect.Effect<Uint8Array>
}

/**
 * Starts to read. A peer that closes only its own side counts as gone: no HTTP client waits for an answer like that,
 * and one that went away altogether looks the same until something is written to it.
 */
export const make = (socket: Socket, maxRequestBytes: number): Peer => {
  const request = Deferred.makeUnsafe<void>()
  const gone = Deferred.makeUnsafe<void>()
  const chunks: Array<Uint8Array> = []
  let length = 0

  const onData = (chunk: Uint8Array): void => {
    chunks.push(chunk)
    length += chunk.length
    // A longer request counts as whole, so that no client can fill the memory.
    if (length > maxRequestBytes) socket.pause()
    if (length > maxRequestBytes || isWholeRequest(Bytes.concat(chunks))) Deferred.doneUnsafe(request, Effect.void)
  }
  const onGone = (): void => {
    Deferred.doneUnsafe(gone, Effect.void)
  }
  socket.on("data", onData)
  socket.once("end", onGone)
  socket.once("close", onGone)

  return {
    socket,
    request: Deferred.await(request),
    gone: Deferred.await(gone),
    release: Effect.sync(() => {
      socket.pause()
      socket.off("data", onData)
      socket.off("end", onGone)
      return Bytes.concat(chunks)
    })
  }
}
