/**
 * A TCP proxy in front of any real homeserver or appservice that makes faults happen on the wire: real refusals, RSTs,
 * FINs, stalls, bad certificates and garbage. What no plan strikes it passes on, byte for byte.
 *
 * @since 0.1.0
 */
import { listeningUrl } from "@appservice-ping/node/ListeningUrl"
import type { ListenError, Listening } from "@appservice-ping/node/NodeListener"
import { type Duration, Effect, FiberSet, Scope } from "effect"
import * as Net from "node:net"
import { Connection } from "../../play/Connection.ts"
import * as Interpreter from "../../play/Interpreter.ts"
import type { Decided, Session } from "../../play/Session.ts"
import type { Leg } from "../../step/Leg.ts"
import { lookupError } from "../lookupError.ts"
import { certificateContext } from "../tls/certificateContext.ts"
import { addressOf } from "./internal/addressOf.ts"
import * as Admission from "./internal/Admission.ts"
import * as BlockedPort from "./internal/BlockedPort.ts"
import * as HeldPort from "./internal/HeldPort.ts"
import { sleepNoLess } from "./internal/sleepNoLess.ts"
import { authorityOf, connectUpstream, type Upstream } from "./internal/upstream.ts"

export type {
  /**
   * The real server behind the proxy.
   *
   * @category options
   * @since 0.1.0
   */
  Upstream
} from "./internal/upstream.ts"

/**
 * Where to listen, in front of what, and the bounds of what either side can make the proxy hold.
 *
 * @category options
 * @since 0.1.0
 */
export interface WireProxyOptions {
  /** The half of a ping that passes here. */
  readonly leg: Leg
  /** Where the real server is. */
  readonly upstream: Upstream
  readonly session: Session["Service"]
  /** The address to listen on; of a name, its first one. Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** The port; 0 picks a free one. Default: 0. */
  readonly port?: number | undefined
  /** Whether clients have to speak TLS. Their certificate authority is `tls/Certificates`. Default: false. */
  readonly tls?: boolean | undefined
  /** How many connections are held at once; one more is closed unanswered. Default: 4096. */
  readonly maxConnections?: number | undefined
  /** How large the head of a message may be until it is passed on unread, in bytes. Default: 64 KiB. */
  readonly maxHeadBytes?: number | undefined
  /** How much of a request is read before something is decided, in bytes; the rest is passed on. Default: 1 MiB. */
  readonly maxRequestBytes?: number | undefined
  /** How much of an answer is kept where a fault needs all of it, in bytes; a longer one is cut. Default: 8 MiB. */
  readonly maxAnswerBytes?: number | undefined
  /** How long connecting to the real server may take. Default: 10 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /** How long a client may say nothing when it is its turn: in a handshake, in a request or before one. Default: 2 minutes. */
  readonly idleTimeout?: Duration.Input | undefined
  /** How long a peer may take to close its side after our FIN; then the connection is dropped. Default: 5 seconds. */
  readonly lingerTimeout?: Duration.Input | undefined
}

const defaults = {
  host: "127.0.0.1",
  port: 0,
  maxConnections: 4096,
  maxHeadBytes: 64 * 1024,
  maxRequestBytes: 1024 * 1024,
  maxAnswerBytes: 8 * 1024 * 1024,
  connectTimeout: "10 seconds",
  idleTimeout: "2 minutes",
  lingerTimeout: "5 seconds"
} as const

/**
 * A connection that is decided and not there yet: it has to be opened with `connect`, once and soon.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prepared {
  /**
   * Opens the connection as it was decided, in place of `net.connect`: it may be refused or time out. `hostname` is what
   * a name that cannot be looked up is called in the error. Default: the address of the proxy.
   */
  readonly connect: (hostname?: string) => Net.Socket
}

/**
 * A proxy that is ready.
 *
 * @category models
 * @since 0.1.0
 */
export interface WireProxy extends Listening {
  /**
   * Decides about the next connection before it is opened. Our own clients run it, through
   * {@link "wire/PreparedAgent"} or `NodeTransport`; others need not.
   */
  readonly prepare: Effect.Effect<Prepared>
}

/** How long a connection that was prepared may take to come about, so that one that is forgotten blocks nothing. */
const enterTimeout = "10 seconds"

/** A listener for both families writes an address of the older one in its own way. */
const keyOf = (address: string | undefined, port: number | undefined): string =>
  `${address?.replace(/^::ffff:/, "")} ${port}`

/**
 * Listens in front of a real server until the scope closes, and lets the faults of the plans in force strike.
 *
 * **Details**
 *
 * A connection is decided when it is opened. If it passes, each request on it is read as a whole, because a connection
 * that is closed with unread bytes is reset, whatever was meant; then the request is decided. Large bodies, pipelined
 * requests, `Expect: 100-continue`, upgrades and what is not HTTP pass as they came.
 *
 * Nobody can refuse a connection that the system has accepted. So the port closes as soon as the next connection would
 * be refused, and ignores connections as soon as the next one would never be accepted (Linux only). That holds for
 * every client, but a client of which nothing is seen counts for nothing: refusals for a time or without end work for
 * everybody, those of a certain connection (`nth`, `first`, `sequence`) only for clients that `prepare`, and so does a
 * name that cannot be looked up. Such a fault does not count as applied unless a client that prepared ran into it.
 *
 * **Gotchas**
 *
 * Times are those of Effect's clock, and sockets know no other than the real one: a test under `TestClock` needs
 * `it.live` here. A client that closes only its own side counts as gone while a fault makes it wait. The connections
 * that a fault made stall are let go when their peers give up or when the scope closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const listen: (options: WireProxyOptions) => Effect.Effect<WireProxy, ListenError, Scope.Scope> = Effect
  .fnUntraced(function*(options: WireProxyOptions) {
    const { leg, session } = options
    const host = yield* addressOf(options.host ?? defaults.host, options.port ?? defaults.port)
    const tls = options.tls ?? false
    const maxRequestBytes = options.maxRequestBytes ?? defaults.maxRequestBytes
    const settings: Interpreter.Settings = {
      leg,
      tls,
      session,
      connect: connectUpstream(options.upstream, options.connectTimeout ?? defaults.connectTimeout),
      authority: authorityOf(options.upstream),
      handshake: certificateContext,
      sleep: sleepNoLess,
      maxHeadBytes: options.maxHeadBytes ?? defaults.maxHeadBytes,
      maxRequestBytes,
      maxAnswerBytes: options.maxAnswerBytes ?? defaults.maxAnswerBytes,
      idleTimeout: options.idleTimeout ?? defaults.idleTimeout,
      lingerTimeout: options.lingerTimeout ?? defaults.lingerTimeout
    }
    const scope = yield* Effect.scope
    /** Decisions about connections that our own clients are opening, by their address and port. */
    const tickets = new Map<string, { readonly decided: Decided; readonly enter: () => void }>()

    const run = yield* FiberSet.makeRuntime()
    const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const client = new Connection(socket, maxRequestBytes)
      const key = keyOf(socket.remoteAddress, socket.remotePort)
      const ticket = tickets.get(key)
      tickets.delete(key)
      run(Effect.gen(function*() {
        const connection = ticket?.decided ?? (yield* session.connection(leg, tls))
        ticket?.enter()
        yield* interpreter.serve(client, { connection, request: undefined })
      }))
    })
    server.maxConnections = options.maxConnections ?? defaults.maxConnections
    const admission = yield* Admission.make({
      server,
      session,
      leg,
      tls,
      host,
      port: options.port ?? defaults.port
    })
    server.on("error", () => {
      run(Effect.logWarning("A connection could not be accepted, or the port could not be opened again"))
    })
    const interpreter = Interpreter.make(settings, { changed: admission.refresh })
    yield* session.onRelease((which) => which === "all" ? interpreter.crash : interpreter.release)

    // Made when the first client needs them, and kept: a port of our own does not disturb who connects meanwhile.
    const refusing = yield* Effect.cached(Scope.provide(Effect.orDie(HeldPort.hold(0, host)), scope))
    const ignoring = yield* Effect.cached(Scope.provide(Effect.orDie(BlockedPort.listen(host, 0)), scope))

    const elsewhere = (port: number): Prepared => ({
      connect: () => Net.connect({ host, port, noDelay: true })
    })

    const prepareAccept = (decided: Decided): Effect.Effect<Prepared> =>
      Effect.map(admission.enter, (release): Prepared => {
        const forgotten = run(Effect.andThen(Effect.sleep(enterTimeout), Effect.sync(release)))
        const enter = (): void => {
          forgotten.interruptUnsafe()
          release()
        }
        return {
          connect: () => {
            const socket = Net.connect({ host, port: admission.port, noDelay: true })
            let key = ""
            socket.once("connectionAttempt", () => {
              // The port of this side is known as soon as the attempt is on its way, and nobody can accept it earlier.
              process.nextTick(() => {
                key = keyOf(socket.localAddress, socket.localPort)
                tickets.set(key, { decided, enter })
              })
            })
            socket.once("close", () => {
              enter()
              tickets.delete(key)
            })
            return socket
          }
        }
      })

    // It has to leave a known state behind, even if its caller loses interest meanwhile.
    const prepare = Effect.uninterruptible(Effect.gen(function*(): Effect.fn.Return<Prepared> {
      const decided = yield* session.connection(leg, tls)
      const { action } = decided.decision
      const where = { leg, connection: decided.connection }
      switch (action._tag) {
        case "Refuse": {
          const port = yield* refusing
          yield* admission.refresh
          yield* session.write({ event: "refused", ...where })
          yield* decided.applied
          return elsewhere(port)
        }
        case "Ignore": {
          if (!BlockedPort.isSupported) return yield* prepareAccept(decided)
          const port = yield* ignoring
          yield* admission.refresh
          yield* session.write({ event: "ignored", ...where })
          yield* decided.applied
          return elsewhere(port)
        }
        case "Resolve":
          yield* admission.refresh
          yield* session.write({ event: "not_resolved", ...where, failure: action.failure })
          yield* decided.applied
          return {
            connect: (hostname = host) =>
              Net.connect({
                host: "not-resolved.test",
                port: admission.port,
                lookup: (_, __, callback) => {
                  if (action.failure !== "hang") callback(lookupError(action.failure, hostname), "")
                }
              })
          }
        default:
          return yield* prepareAccept(decided)
      }
    }))

    return { url: listeningUrl(host, admission.port, tls), host, port: admission.port, prepare }
  })
