/** A server that answers each request with the bytes that were agreed on for its path. */
import { Effect, type Scope } from "effect"
import { createServer, type Socket } from "node:net"
import type { Input } from "./Corpus.ts"

export interface RawServer {
  /** Agrees on an answer: `done` ends the agreement and gives how many bytes of it were taken. */
  readonly expect: (input: Input) => { readonly url: URL; readonly done: () => number }
}

/** What goes on for ever ends after so many bytes. */
const maxEndlessBytes = 32 * 1024 * 1024

const answer = (socket: Socket, { bytes, cuts, ending }: Input): void => {
  const pieces = [...cuts, bytes.length].map((to, index, all) => bytes.subarray(all[index - 1] ?? 0, to))
  const last = pieces.at(-1) ?? new Uint8Array()
  const finish = (): void => {
    if (socket.destroyed) return
    if (ending === "rst") socket.resetAndDestroy()
    else if (ending === "fin") socket.end()
    else if (ending === "endless" && last.length > 0) {
      const block = Buffer.concat(Array.from({ length: Math.ceil(16_384 / last.length) }, () => last))
      const more = (): void => {
        while (!socket.destroyed && socket.bytesWritten < maxEndlessBytes) {
          if (!socket.write(block)) return void socket.once("drain", more)
        }
      }
      more()
    }
  }
  const next = (index: number): void => {
    const piece = pieces[index]
    if (socket.destroyed) return
    if (piece === undefined) return finish()
    socket.write(piece)
    if (index + 1 === pieces.length) finish()
    else setImmediate(next, index + 1)
  }
  next(0)
}

const isWhole = (text: string): boolean => {
  const end = text.indexOf("\r\n\r\n")
  const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1] ?? 0)
  return end !== -1 && text.length >= end + 4 + length
}

interface Agreement {
  readonly input: Input
  readonly sockets: Set<Socket>
}

/** Listens until the scope closes. */
export const make: Effect.Effect<RawServer, never, Scope.Scope> = Effect.acquireRelease(
  Effect.callback<{ readonly raw: RawServer; readonly close: Effect.Effect<void> }>((resume) => {
    const agreements = new Map<number, Agreement>()
    const open = new Set<Socket>()
    let count = 0
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      let text = ""
      open.add(socket)
      socket.on("close", () => open.delete(socket))
      socket.on("error", () => socket.destroy())
      socket.on("end", () => socket.end())
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1")
        if (!isWhole(text)) return
        const agreement = agreements.get(Number(/^POST \/(\d+)\//.exec(text)?.[1]))
        text = ""
        if (agreement === undefined) {
          socket.destroy()
          return
        }
        agreement.sockets.add(socket)
        answer(socket, agreement.input)
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({
        raw: {
          expect: (input) => {
            const index = count++
            const sockets = new Set<Socket>()
            agreements.set(index, { input, sockets })
            return {
              url: new URL(`http://127.0.0.1:${port}/${index}`),
              done: () => {
                agreements.delete(index)
                let taken = 0
                for (const socket of sockets) {
                  taken += socket.bytesWritten - socket.writableLength
                  socket.resetAndDestroy()
                }
                return taken
              }
            }
          }
        },
        close: Effect.callback<void>((resume) => {
          for (const socket of open) socket.destroy()
          server.close(() => resume(Effect.void))
        })
      }))
    })
  }),
  ({ close }) => close
).pipe(Effect.map(({ raw }) => raw))
