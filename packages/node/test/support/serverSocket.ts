/** Watches the server's ends of connections, which live in the same process. */
import { Effect, type Scope } from "effect"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { Socket } from "node:net"

const hasSocket = (message: unknown): message is { readonly socket: Socket } =>
  typeof message === "object" && message !== null && "socket" in message && message.socket instanceof Socket

/** The connections that listeners of this process have accepted since. */
export interface Accepted {
  /** Waits until `count` connections have been accepted on the port and are closed again. */
  readonly closed: (port: number, count: number) => Effect.Effect<void>
}

/** Starts to watch, until the scope ends. */
export const watch: Effect.Effect<Accepted, never, Scope.Scope> = Effect.gen(function*() {
  const closed = new Map<number, number>()
  const listeners = new Set<() => void>()
  const onSocket = (message: unknown) => {
    if (!hasSocket(message)) return
    const port = message.socket.localPort ?? 0
    message.socket.once("close", () => {
      closed.set(port, (closed.get(port) ?? 0) + 1)
      for (const listener of listeners) listener()
    })
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => subscribe("net.server.socket", onSocket)),
    () => Effect.sync(() => unsubscribe("net.server.socket", onSocket))
  )
  return {
    closed: (port, count) =>
      Effect.callback((resume) => {
        const listener = () => {
          if ((closed.get(port) ?? 0) < count) return
          listeners.delete(listener)
          resume(Effect.void)
        }
        listeners.add(listener)
        listener()
        return Effect.sync(() => listeners.delete(listener))
      })
  }
})
