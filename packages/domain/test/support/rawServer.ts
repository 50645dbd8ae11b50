import { Effect, type Scope } from "effect"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port))
  })

/** A TCP server on loopback that does one thing with each connection; gives its port. */
export const rawServer = (onConnection: (socket: Socket) => void): Effect.Effect<number, never, Scope.Scope> =>
  Effect.gen(function*() {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      // The faults below make the other side reset or close while we still write.
      socket.on("error", () => socket.destroy())
      socket.on("close", () => sockets.delete(socket))
      onConnection(socket)
    })
    return yield* Effect.acquireRelease(
      Effect.promise(() => listen(server)),
      () =>
        Effect.promise(() => {
          for (const socket of sockets) socket.destroy()
          return new Promise((resolve) => server.close(resolve))
        })
    )
  })

/** Calls back once the head of a request has arrived, so that what follows is no race with it. */
const onRequest = (answer: (socket: Socket) => void) => (socket: Socket): void => {
  socket.once("data", () => answer(socket))
}

const head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"

/** What a server can do to a connection, each as the real thing on the wire. */
export const faults = {
  "FIN before the head": onRequest((socket) => socket.end()),
  "FIN in the head": onRequest((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Le")),
  "FIN in the body": onRequest((socket) => socket.end(`${head}half`)),
  "RST before the head": onRequest((socket) => socket.resetAndDestroy()),
  "RST in the body": onRequest((socket) => socket.write(`${head}half`, () => socket.resetAndDestroy())),
  "garbage": onRequest((socket) => socket.end("\0\0 no HTTP at all\r\n\r\n")),
  "SSH": onRequest((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n")),
  "a bad chunk": onRequest((socket) => socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n")),
  "headers of 200 KB": onRequest((socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(200_000)}\r\n\r\n`)),
  "two lengths": onRequest((socket) =>
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx")
  ),
  "silence": onRequest(() => {})
} as const
