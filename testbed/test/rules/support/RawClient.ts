/** A client that is nothing but a TCP socket. */
import { Data, Effect, type Scope } from "effect"
import { connect, type Socket } from "node:net"
import * as Http from "./Http.ts"

/** The connection ended before a whole answer had arrived; `bytes` is what did. */
export class ClosedEarly extends Data.TaggedError("ClosedEarly")<{ readonly bytes: Buffer }> {}

/** An answer, taken apart and as it came. */
export interface Answer extends Http.Message {
  readonly status: number
  /** Every byte of the connection so far. */
  readonly bytes: Buffer
  /** The body as text. */
  readonly text: string
  /** The body as JSON; a body that is none fails the test. */
  readonly json: unknown
}

const toAnswer = (message: Http.Message, bytes: Buffer): Answer => ({
  ...message,
  status: Number(/^HTTP\/1\.1 (\d{3})/.exec(message.startLine)?.[1]),
  bytes,
  text: message.body.toString("utf8"),
  get json(): unknown {
    return JSON.parse(message.body.toString("utf8"))
  }
})

/** An open connection. */
export interface Connection {
  readonly socket: Socket
  /** Writes bytes, and does not wait for them to arrive. */
  readonly write: (bytes: string | Uint8Array) => Effect.Effect<void>
  /** Waits for the next answer; informational ones are skipped. */
  readonly answer: Effect.Effect<Answer, ClosedEarly>
  /** Waits until the server has closed its side, and gives all that has not been read as an answer. */
  readonly closed: Effect.Effect<Buffer>
}

/** Opens a connection that is gone when the scope ends. */
export const open = (port: number): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly socket: Socket; buffer: Buffer; ended: boolean; watch: () => void }>((resume) => {
        const socket = connect(port, "127.0.0.1")
        const state = { socket, buffer: Buffer.alloc(0), ended: false, watch: () => {} }
        const end = () => {
          state.ended = true
          state.watch()
        }
        socket.on("data", (chunk) => {
          state.buffer = Buffer.concat([state.buffer, chunk])
          state.watch()
        })
        socket.on("end", end)
        socket.on("close", end)
        socket.on("error", end)
        socket.once("connect", () => resume(Effect.succeed(state)))
      }),
      ({ socket }) =>
        Effect.sync(() => {
          socket.destroy()
        })
    ),
    (state) => {
      const until = <A, E>(poll: () => Effect.Effect<A, E> | undefined): Effect.Effect<A, E> =>
        Effect.callback((resume) => {
          state.watch = () => {
            const found = poll()
            if (found === undefined) return
            state.watch = () => {}
            resume(found)
          }
          state.watch()
        })
      return {
        socket: state.socket,
        write: (bytes) =>
          Effect.sync(() => {
            state.socket.write(bytes)
          }),
        answer: until(() => {
          for (;;) {
            const bytes = state.buffer
            const message = Http.parse(bytes)
            if (message?.complete !== true) return state.ended ? Effect.fail(new ClosedEarly({ bytes })) : undefined
            state.buffer = message.rest
            const answer = toAnswer(message, bytes.subarray(0, bytes.length - message.rest.length))
            if (answer.status >= 200) return Effect.succeed(answer)
          }
        }),
        closed: until(() => state.ended ? Effect.succeed(state.buffer) : undefined)
      }
    }
  )

/** Writes bytes over a connection of their own, and waits for the answer. */
export const send = (port: number, bytes: string | Uint8Array): Effect.Effect<Answer, ClosedEarly> =>
  Effect.scoped(Effect.gen(function*() {
    const connection = yield* open(port)
    yield* connection.write(bytes)
    return yield* connection.answer
  }))
