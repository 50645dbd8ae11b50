/** A TCP server that records every byte it gets, and answers exactly the bytes it is told to. */
import { Deferred, Effect, Queue, type Scope } from "effect"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import * as Http from "./Http.ts"

/** A connection that the server accepted. */
export interface Call {
  /** Every byte received so far. */
  readonly bytes: () => Buffer
  /** The first request received, taken apart. */
  readonly request: () => Http.Message
  /** Sends bytes as they are. */
  readonly write: (bytes: string | Uint8Array) => Effect.Effect<void>
  /** Ends the server's side with a FIN, everything the client sent having been read. */
  readonly fin: Effect.Effect<void>
  /** Resets the connection with an RST. */
  readonly reset: Effect.Effect<void>
  /** Waits until the client has let go of the connection. */
  readonly released: Effect.Effect<void>
  readonly socket: Socket
}

/** Ends the server's side of a connection. */
export const FIN = Symbol("FIN")

/** Resets a connection. */
export const RST = Symbol("RST")

/** One thing to do to a connection: write bytes, send a FIN, or send an RST. */
export type Step = string | Uint8Array | typeof FIN | typeof RST

/** A running server. */
export interface RecordingServer {
  readonly port: number
  /** `http://127.0.0.1:{port}` */
  readonly url: string
  /** Every connection so far. */
  readonly calls: ReadonlyArray<Call>
  /** Those connections that anything has come over. */
  readonly requests: () => ReadonlyArray<Call>
  /** Waits for the next connection over which a whole request has come. */
  readonly next: Effect.Effect<Call>
}

const run = (call: Call, steps: ReadonlyArray<Step>): void => {
  for (const step of steps) {
    Effect.runSync(step === FIN ? call.fin : step === RST ? call.reset : call.write(step))
  }
}

/**
 * Starts a server that does `steps` once a whole request has come, or nothing: then a test answers by hand.
 */
export const make = (
  steps: ReadonlyArray<Step> = [],
  options: {
    readonly host?: string | undefined
    /** What to do at the first bytes, whatever they are. */
    readonly onData?: ReadonlyArray<Step> | undefined
  } = {}
): Effect.Effect<RecordingServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<Call>()
    const calls: Array<Call> = []
    const accept = (socket: Socket) => {
      let bytes = Buffer.alloc(0)
      let whole = false
      const released = Deferred.makeUnsafe<void>()
      const call: Call = {
        socket,
        bytes: () => bytes,
        request: () => {
          const message = Http.parse(bytes)
          if (message === undefined) throw new Error("no request has come over this connection")
          return message
        },
        write: (data) =>
          Effect.sync(() => {
            socket.write(data)
          }),
        fin: Effect.sync(() => {
          socket.end()
        }),
        reset: Effect.sync(() => {
          socket.resetAndDestroy()
        }),
        released: Deferred.await(released)
      }
      calls.push(call)
      // What the client does to the connection is what the tests look at, so no way it ends is an error here.
      socket.on("error", () => {})
      socket.on("end", () => Deferred.doneUnsafe(released, Effect.void))
      socket.on("close", () => Deferred.doneUnsafe(released, Effect.void))
      socket.on("data", (chunk) => {
        if (bytes.length === 0) run(call, options.onData ?? [])
        bytes = Buffer.concat([bytes, chunk])
        if (whole || Http.parse(bytes)?.complete !== true) return
        whole = true
        run(call, steps)
        Queue.offerUnsafe(queue, call)
      })
    }
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer(accept)
        server.listen(0, options.host ?? "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          for (const call of calls) call.socket.destroy()
          server.close(() => resume(Effect.void))
        })
    )
    const { port } = server.address() as AddressInfo
    const host = options.host ?? "127.0.0.1"
    return {
      port,
      url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
      calls,
      requests: () => calls.filter((call) => call.bytes().length > 0),
      next: Queue.take(queue)
    }
  })

/**
 * A port that refuses connections for as long as the scope lives: it is the local end of an open connection, so nobody
 * listens on it and nobody else can.
 */
export const refusingPort: Effect.Effect<number, never, Scope.Scope> = Effect.gen(function*() {
  const server = yield* make()
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect(server.port, "127.0.0.1", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  return socket.localPort ?? 0
})
