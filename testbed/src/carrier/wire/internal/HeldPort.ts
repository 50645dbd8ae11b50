/**
 * A port that can stop listening for a while, so that the system refuses connections, without losing the port.
 *
 * A port that nobody listens on is free, and the system may give it to any other program before it is needed again. So
 * a connection of our own is bound to the port all the time: Linux then gives the port to nobody who asks for a free
 * one, neither to listen nor to connect from, refuses connections to it, and lets us listen on it again. Other
 * systems do not allow a listener beside such a connection; there the port is held only while it listens.
 */
import { ListenError } from "@appservice-ping/node/NodeListener"
import { Effect, type Scope } from "effect"
import * as Net from "node:net"

/** A port, and its listener, which is open at first. */
export interface HeldPort {
  readonly port: number
  /** Listens again. */
  readonly open: Effect.Effect<void>
  /** Stops listening; connections that are there already stay. */
  readonly close: Effect.Effect<void>
}

const portOf = (address: ReturnType<Net.Server["address"]>): number =>
  typeof address === "object" && address !== null ? address.port : 0

const listen = (server: Net.Server, port: number, host: string): Effect.Effect<number, ListenError> =>
  Effect.callback((resume) => {
    const onError = (error: unknown): void => resume(Effect.fail(ListenError.fromUnknown(host, port, error)))
    const onListening = (): void => {
      server.off("error", onError)
      resume(Effect.succeed(portOf(server.address())))
    }
    server.once("error", onError)
    server.listen({ port, host }, onListening)
  })

const close = (server: Net.Server): Effect.Effect<void> => Effect.sync(() => void server.close())

/** Binds a connection to the port, or to a free one for port 0, and returns the port: who connects there is refused. */
export const hold = Effect.fnUntraced(function*(
  port: number,
  host: string
): Effect.fn.Return<number, ListenError, Scope.Scope> {
  const sink = Net.createServer((socket) => {
    socket.on("error", () => {})
    socket.resume()
  })
  const sinkPort = yield* Effect.acquireRelease(listen(sink, 0, host), () => close(sink))
  const holder = yield* Effect.acquireRelease(
    Effect.callback<Net.Socket, ListenError>((resume) => {
      const socket = Net.connect({ port: sinkPort, host, localAddress: host, localPort: port })
      socket.once("connect", () => resume(Effect.succeed(socket)))
      socket.on("error", (error) => resume(Effect.fail(ListenError.fromUnknown(host, port, error))))
    }),
    // An RST, because after a FIN the port would be taken for another minute.
    (socket) => Effect.sync(() => socket.resetAndDestroy())
  )
  return holder.localPort ?? 0
})

/** Listens on a port, or on a free one for port 0, until the scope closes. */
export const make = Effect.fnUntraced(function*(
  server: Net.Server,
  options: { readonly port: number; readonly host: string; readonly isHeld: boolean }
): Effect.fn.Return<HeldPort, ListenError, Scope.Scope> {
  const { host } = options
  if (!Number.isInteger(options.port) || options.port < 0 || options.port > 65535) {
    return yield* ListenError.fromUnknown(host, options.port, { code: "ERR_SOCKET_BAD_PORT" })
  }
  const held = options.isHeld ? yield* hold(options.port, host) : options.port
  const port = yield* Effect.acquireRelease(listen(server, held, host), () => close(server))
  return {
    port,
    // Only possible where the port is not held; a testbed without its port is of no use to anyone.
    open: Effect.suspend(() =>
      server.listening ? Effect.void : Effect.asVoid(Effect.orDie(listen(server, port, host)))
    ),
    close: close(server)
  }
})
