/**
 * A port on which nobody ever accepts: connecting to it times out.
 *
 * A listener of this thread would accept whatever comes. One in a thread that is blocked does not: the queue of the
 * system, kept as short as possible, is filled up, and from then on Linux drops new connections.
 */
import { ListenError } from "@appservice-ping/node/NodeListener"
import { Effect, type Scope } from "effect"
import * as Net from "node:net"
import { Worker } from "node:worker_threads"

/** Whether this can be done here: other systems refuse, or go on to accept. */
export const isSupported = process.platform === "linux"

const program = `
const { parentPort, workerData } = require("node:worker_threads")
const server = require("node:net").createServer()
server.on("error", (error) => parentPort.postMessage({ code: error.code ?? "unknown error" }))
server.listen({ port: workerData.port, host: workerData.host, backlog: 1 }, () => {
  parentPort.postMessage({ port: server.address().port })
  Atomics.wait(new Int32Array(workerData.gate), 0, 0)
  server.close()
})
`

/** The queue takes one more than it is said to. */
const queueLength = 2

const exitTimeout = "2 seconds"

const isPort = (message: unknown): message is { readonly port: number } =>
  typeof message === "object" && message !== null && "port" in message && typeof message.port === "number"

const codeOf = (message: unknown): string =>
  typeof message === "object" && message !== null && "code" in message && typeof message.code === "string"
    ? message.code
    : "unknown error"

interface Blocked {
  readonly worker: Worker
  readonly gate: Int32Array
  readonly port: number
}

const start = (host: string, port: number): Effect.Effect<Blocked, ListenError> =>
  Effect.callback((resume) => {
    const gate = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(program, { eval: true, workerData: { host, port, gate: gate.buffer } })
    worker.unref()
    // A thread that ends before it listens says so in one of these two ways.
    worker.on("error", (error) => resume(Effect.fail(ListenError.fromUnknown(host, port, error))))
    worker.once("exit", () => resume(Effect.fail(new ListenError({ host, port, code: "the thread ended" }))))
    worker.once("message", (message: unknown) =>
      resume(
        isPort(message)
          ? Effect.succeed({ worker, gate, port: message.port })
          : Effect.andThen(
            Effect.promise(() => worker.terminate()),
            Effect.fail(new ListenError({ host, port, code: codeOf(message) }))
          )
      ))
  })

const stop = ({ gate, worker }: Blocked): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    worker.once("exit", () => resume(Effect.void))
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
  }).pipe(
    Effect.timeoutOrElse({
      duration: exitTimeout,
      orElse: () => Effect.asVoid(Effect.promise(() => worker.terminate()))
    })
  )

/** Opens a connection that takes a place in the queue. */
const fill = (host: string, port: number): Effect.Effect<Net.Socket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Net.Socket>((resume) => {
      const socket = Net.connect({ host, port })
      socket.on("error", () => resume(Effect.succeed(socket)))
      socket.once("connect", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.resetAndDestroy())
  )

/** Lets a port, or a free one for port 0, accept nobody until the scope closes; gives the port. */
export const listen = (host: string, port: number): Effect.Effect<number, ListenError, Scope.Scope> =>
  Effect.gen(function*() {
    const blocked = yield* Effect.acquireRelease(start(host, port), stop)
    yield* Effect.replicateEffect(fill(host, blocked.port), queueLength, { discard: true })
    return blocked.port
  })
