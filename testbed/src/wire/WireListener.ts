/**
 * A TCP listener in front of an appservice that makes faults happen on the wire: real refusals, RSTs, FINs, stalls and
 * garbage. Without a fault in force it passes everything on, byte for byte.
 *
 * @since 0.1.0
 */
import { type Duration, Effect, FiberSet, type Scope } from "effect"
import * as Net from "node:net"
import type { Active, Faults } from "../Faults.ts"
import type { ListenError, Listening } from "../node/NodeListener.ts"
import type { Step } from "../Verdict.ts"
import { forward, type Upstream } from "./internal/forward.ts"
import * as HeldPort from "./internal/HeldPort.ts"
import * as Peer from "./internal/Peer.ts"

/**
 * Where to listen, and in front of what.
 *
 * @category options
 * @since 0.1.0
 */
export interface WireOptions {
  /** Where the real appservice listens. */
  readonly upstream: Upstream
  readonly faults: Faults["Service"]
  /** The address to listen on. Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** The port; 0 picks a free one. Default: 0. */
  readonly port?: number | undefined
  /** How many connections are held at once; one more is closed unanswered. Default: 4096. */
  readonly maxConnections?: number | undefined
  /** How much of a request is kept until a fault strikes, in bytes; a longer one counts as read. Default: 1 MiB. */
  readonly maxRequestBytes?: number | undefined
  /** How long a peer may take to close its side after our FIN; then the connection is dropped. Default: 5 seconds. */
  readonly lingerTimeout?: Duration.Input | undefined
}

const defaults = {
  host: "127.0.0.1",
  port: 0,
  maxConnections: 4096,
  maxRequestBytes: 1024 * 1024,
  lingerTimeout: "5 seconds"
} as const

const playStep = (step: Step, peer: Peer.Peer, lingerTimeout: Duration.Input): Effect.Effect<void> => {
  switch (step._tag) {
    case "Write":
      return Effect.sync(() => void peer.socket.write(step.bytes))
    case "Wait":
      return Effect.sleep(step.duration)
    case "Hang":
      return Effect.never
    case "Close":
      if (step.how === "rst") return Effect.sync(() => void peer.socket.resetAndDestroy())
      // Only `end` sends a FIN for sure; what else ends a connection may send an RST. The peer closes its side next.
      return Effect.andThen(Effect.sync(() => void peer.socket.end()), Effect.sleep(lingerTimeout))
  }
}

/** Reads the whole request, then lets the fault strike; ends early once the peer is gone. */
const strike = Effect.fnUntraced(function*(socket: Net.Socket, active: Active, options: WireOptions) {
  const peer = Peer.make(socket, options.maxRequestBytes ?? defaults.maxRequestBytes)
  const lingerTimeout = options.lingerTimeout ?? defaults.lingerTimeout
  const { verdict } = active
  const whilePresent = <A>(effect: Effect.Effect<A>): Effect.Effect<boolean> =>
    Effect.raceFirst(Effect.as(effect, true), Effect.as(peer.gone, false))

  if (!(yield* whilePresent(peer.request))) return
  yield* active.record
  if (verdict._tag === "Forward" && (yield* whilePresent(Effect.sleep(verdict.delay)))) {
    yield* forward(socket, options.upstream, yield* peer.release)
  }
  if (verdict._tag === "Play") {
    yield* whilePresent(Effect.forEach(verdict.steps, (step) => playStep(step, peer, lingerTimeout), { discard: true }))
  }
})

const serve = Effect.fnUntraced(function*(socket: Net.Socket, options: WireOptions) {
  const active = yield* options.faults.current
  // A connection that is there although connections are refused was there before that.
  yield* active === undefined || active.verdict._tag === "Refuse"
    ? forward(socket, options.upstream, new Uint8Array())
    : strike(socket, active, options)
})

/**
 * Listens in front of an appservice until the scope closes, and lets the faults that are in force strike.
 *
 * **Details**
 *
 * A connection is under the fault that is in force when it is opened. The fault strikes when the whole request was
 * read, because a connection that is closed with unread bytes is reset, whatever was meant. A request counts as struck
 * then; a refused connection is seen by nobody but its client, so it does not count here.
 *
 * **Gotchas**
 *
 * Times are those of Effect's clock, and sockets know no other than the real one: a test under `TestClock` needs
 * `it.live` here. The connections that a fault made stall are let go when their peers give up or when the scope closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const listen: (options: WireOptions) => Effect.Effect<Listening, ListenError, Scope.Scope> = Effect.fnUntraced(
  function*(options: WireOptions) {
    const host = options.host ?? defaults.host
    const run = yield* FiberSet.makeRuntime()
    const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      // What the peer does to its connection is its own business; the `close` event tells that it is over.
      socket.on("error", () => {})
      run(Effect.ensuring(serve(socket, options), Effect.sync(() => socket.destroy())))
    })
    server.maxConnections = options.maxConnections ?? defaults.maxConnections
    const { close, open, port } = yield* HeldPort.make(server, {
      host,
      port: options.port ?? defaults.port,
      isHeld: process.platform === "linux"
    })
    server.on("error", () => {
      run(Effect.logWarning("A connection could not be accepted, or the port could not be opened again"))
    })
    yield* options.faults.onChange((active) => active?.verdict._tag === "Refuse" ? close : open)
    return { url: new URL(`http://${host.includes(":") ? `[${host}]` : host}:${port}`), host, port }
  }
)
