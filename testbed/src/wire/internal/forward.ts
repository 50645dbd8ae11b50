/** Joins a connection with one to the real appservice: bytes, FIN and RST pass in both directions. */
import { Effect } from "effect"
import * as Net from "node:net"

/** Where the real appservice listens. */
export interface Upstream {
  readonly host: string
  readonly port: number
}

/** Forwards until both sides are closed; `first` is what was already read. */
export const forward = (socket: Net.Socket, upstream: Upstream, first: Uint8Array): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const back = Net.connect({ host: upstream.host, port: upstream.port, allowHalfOpen: true, noDelay: true })
    let open = 2
    const onClose = (): void => {
      if (--open === 0) resume(Effect.void)
    }
    socket.once("close", onClose)
    back.once("close", onClose)
    socket.once("error", () => back.resetAndDestroy())
    back.once("error", () => socket.resetAndDestroy())
    if (first.length > 0) back.write(first)
    socket.pipe(back)
    back.pipe(socket)
    return Effect.sync(() => {
      back.destroy()
      socket.destroy()
    })
  })
