/** A TCP listener that records the bytes of each request and answers with bytes, or with what happens below HTTP. */
import { Deferred, Effect } from "effect"
import * as Net from "node:net"

/** The bytes of one whole request, as latin1, or nothing as long as it is not complete. */
const wholeRequest = (bytes: string): string | undefined => {
  const end = bytes.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(bytes.slice(0, end))?.[1] ?? 0)
  return bytes.length >= end + 4 + length ? bytes.slice(0, end + 4 + length) : undefined
}

/** Listens on a free port of loopback until the scope closes; `answer` is called once for each whole request. */
export const listen = Effect.fnUntraced(function*(answer: (socket: Net.Socket) => void) {
  const requests: Array<string> = []
  const sockets = new Set<Net.Socket>()
  const received = yield* Deferred.make<Net.Socket>()
  const closed = yield* Deferred.make<void>()

  const server = Net.createServer((socket) => {
    let bytes = ""
    sockets.add(socket)
    // A reset by the client is what some of the tests provoke.
    socket.on("error", () => {})
    socket.on("close", () => {
      sockets.delete(socket)
      Deferred.doneUnsafe(closed, Effect.void)
    })
    socket.on("data", (chunk) => {
      bytes += chunk.toString("latin1")
      const request = wholeRequest(bytes)
      if (request === undefined) return
      bytes = bytes.slice(request.length)
      requests.push(request)
      Deferred.doneUnsafe(received, Effect.succeed(socket))
      answer(socket)
    })
  })

  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(
          address !== null && typeof address === "object"
            ? Effect.succeed(address.port)
            : Effect.die("no port")
        )
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )

  return {
    port,
    homeserver: new URL(`http://127.0.0.1:${port}`),
    requests,
    /** The socket of the first request, as soon as that is whole. */
    received: Deferred.await(received),
    /** Returns as soon as one connection is closed. */
    closed: Deferred.await(closed)
  }
})
