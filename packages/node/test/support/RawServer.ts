/** A server that answers a whole request with any bytes, and says what became of each connection. */
import { Effect, type Scope } from "effect"
import { createServer, type Socket } from "node:net"

/** A listener on a free port. */
export interface RawServer {
  readonly url: URL
  /** The requests that have come, byte by byte, in the order of their connections. */
  readonly requests: ReadonlyArray<string>
  /** Waits until `count` requests have come in full. */
  readonly arrived: (count: number) => Effect.Effect<void>
  /** Waits until the client has let go of `count` connections. */
  readonly left: (count: number) => Effect.Effect<void>
}

const isWhole = (text: string): boolean => {
  const end = text.indexOf("\r\n\r\n")
  const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1] ?? 0)
  return end !== -1 && text.length >= end + 4 + length
}

/** Listens until the scope ends, and hands over each connection once its request is there in full. */
export const serve = (
  answer: (socket: Socket) => void,
  isComplete: (text: string) => boolean = isWhole
): Effect.Effect<RawServer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<{ readonly raw: RawServer; readonly close: Effect.Effect<void> }>((resume) => {
      const sockets = new Set<Socket>()
      const requests: Array<string> = []
      let arrived = 0
      let left = 0
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        const index = requests.push("") - 1
        let whole = false
        let open = true
        const onLeft = () => {
          if (open) left++
          open = false
          server.emit("changed")
        }
        sockets.add(socket)
        socket.on("error", () => socket.destroy())
        socket.on("end", onLeft)
        socket.on("close", () => {
          sockets.delete(socket)
          onLeft()
        })
        socket.on("data", (chunk) => {
          const text = `${requests[index]}${chunk.toString("latin1")}`
          requests[index] = text
          if (whole || !isComplete(text)) return
          whole = true
          arrived++
          server.emit("changed")
          answer(socket)
        })
      })
      const when = (condition: () => boolean): Effect.Effect<void> =>
        Effect.callback((resume) => {
          const check = () => {
            if (!condition()) return
            server.off("changed", check)
            resume(Effect.void)
          }
          server.on("changed", check)
          check()
          return Effect.sync(() => server.off("changed", check))
        })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({
          raw: {
            url: new URL(`http://127.0.0.1:${port}/_matrix/app/v1/ping`),
            requests,
            arrived: (count) => when(() => arrived >= count),
            left: (count) => when(() => left >= count)
          },
          close: Effect.callback<void>((resume) => {
            for (const socket of sockets) socket.destroy()
            server.close(() => resume(Effect.void))
          })
        }))
      })
    }),
    ({ close }) => close
  ).pipe(Effect.map(({ raw }) => raw))

/** Sends these bytes and closes, as a server does that has nothing more to say. */
export const fin = (bytes: string) => (socket: Socket): void => {
  socket.end(bytes, "latin1")
}

/** Sends these bytes and resets the connection. */
export const rst = (bytes: string) => (socket: Socket): void => {
  if (bytes === "") socket.resetAndDestroy()
  else socket.write(bytes, "latin1", () => socket.resetAndDestroy())
}

/** Sends these bytes and nothing more. */
export const stall = (bytes: string) => (socket: Socket): void => {
  socket.write(bytes, "latin1")
}
