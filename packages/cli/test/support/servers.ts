/** Servers that a test needs around the command. */
import { Effect, type Scope } from "effect"
import { createServer, type Server, type Socket } from "node:net"

/** A listener on a free port. */
export interface RawServer {
  readonly port: number
  readonly url: string
  /** How many connections have been made. */
  readonly connections: () => number
  /** Waits until that many connections are open. */
  readonly opened: (count: number) => Effect.Effect<void>
  /** Waits until no connection is open any more. */
  readonly left: Effect.Effect<void>
}

/** Listens, and lets `onData` answer what comes. */
export const listen = (
  onData: (socket: Socket, text: string) => void
): Effect.Effect<RawServer, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: Server; readonly sockets: Set<Socket>; readonly made: { count: number } }>(
        (resume) => {
          const sockets = new Set<Socket>()
          const made = { count: 0 }
          const server = createServer((socket) => {
            made.count++
            sockets.add(socket)
            server.emit("changed")
            socket.on("error", () => socket.destroy())
            socket.setEncoding("utf8").on("data", (text: string) => onData(socket, text))
            socket.on("close", () => {
              sockets.delete(socket)
              server.emit("changed")
            })
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets, made })))
        }
      ),
      ({ server, sockets }) =>
        Effect.callback<void>((resume) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    ),
    ({ made, server, sockets }) => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const when = (condition: () => boolean): Effect.Effect<void> =>
        Effect.callback((resume) => {
          const check = () => {
            if (!condition()) return
            server.off("changed", check)
            resume(Effect.void)
          }
          server.on("changed", check)
          check()
        })
      return {
        port,
        url: `http://127.0.0.1:${port}`,
        connections: () => made.count,
        opened: (count) => when(() => sockets.size >= count),
        left: when(() => sockets.size === 0)
      }
    }
  )

/** Answers every request with this, and closes. */
export const answering = (status: number, body: string, headers = "content-type: application/json\r\n") =>
  listen((socket) =>
    socket.end(
      `HTTP/1.1 ${status} X\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
    )
  )

/** Takes every request and never answers. */
export const silent = listen(() => {})

/** Takes a port for the scope, and closes whatever connects to it. */
export const taken = listen((socket) => socket.destroy())
