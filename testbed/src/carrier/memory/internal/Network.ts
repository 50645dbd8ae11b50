/** The servers that can be reached, and the connections to them: what a client in memory has in place of sockets. */
import { hostOf, portOf } from "@appservice-ping/domain/AppserviceUrl"
import type { Handler } from "@appservice-ping/server/Exchange"
import { Clock, Duration, Effect } from "effect"
import type { Session } from "../../../play/Session.ts"
import type { Leg } from "../../../step/Leg.ts"
import * as ClientError from "../../client/ClientError.ts"
import type * as ClientReading from "../../client/ClientReading.ts"
import { type Arrived, Connection, type Route } from "./Connection.ts"
import { Exchange } from "./Exchange.ts"
import type { OfConnect } from "./play.ts"
import { playConnection, serveArrived } from "./serve.ts"

export interface Server {
  readonly url: URL
  readonly handle: Handler
  readonly leg: Leg
  readonly session?: Session["Service"] | undefined
}

export interface Options {
  readonly flavour: ClientReading.Flavour
  readonly keepAlive: boolean
  readonly connectTimeout: Duration.Duration | undefined
  readonly maxHeaderBytes: number | undefined
  readonly maxInformational: number | undefined
  readonly halfCloseGrace: Duration.Duration
}

/** What broke, and whether the head of an answer was there. */
export class Broken {
  readonly cause: Error
  readonly isInBody: boolean
  readonly defect: ClientReading.Defect | undefined

  constructor(cause: Error, isInBody: boolean, defect?: ClientReading.Defect) {
    this.cause = cause
    this.isInBody = isInBody
    this.defect = defect
  }
}

/** The connections of one leg that are open, of all clients: a crash is the server's, whoever is connected. */
const openByLeg = new WeakMap<Session["Service"], Map<Leg, Set<Connection>>>()

const openOf = ({ leg, session }: Server): Set<Connection> => {
  if (session === undefined) return new Set()
  const legs = openByLeg.get(session) ?? new Map<Leg, Set<Connection>>()
  openByLeg.set(session, legs)
  const open = legs.get(leg) ?? new Set()
  legs.set(leg, open)
  return open
}

const peerOf = (url: URL): ClientError.Peer => ({ host: hostOf(url), port: portOf(url) })

/** As many as the agent of `node:http` keeps. */
const maxIdle = 256

/** What a client sees of bytes that came in place of a handshake: an alert, or no TLS at all. */
const ofPlain = (bytes: Uint8Array): ClientError.ConnectDefect =>
  bytes[0] === 0x15 && bytes[1] === 3 && bytes.length >= 7
    ? ClientError.ConnectDefect.Alert({ number: bytes[6] ?? 0 })
    : ClientError.ConnectDefect.NotTls()

/** A request on its way: the connection it has, and what is read of the answer. */
export interface Sent {
  readonly connection: Connection
  readonly exchange: Exchange
}

export class Network {
  readonly options: Options
  private readonly routes: ReadonlyMap<string, Route>
  private readonly hosts: ReadonlySet<string>
  private readonly idle = new Map<Route, Array<Connection>>()

  constructor(servers: ReadonlyArray<Server>, options: Options) {
    this.options = options
    this.hosts = new Set(servers.map(({ url }) => url.hostname))
    this.routes = new Map(servers.map((server): readonly [string, Route] => [server.url.origin, {
      url: server.url,
      handle: server.handle,
      leg: server.leg,
      session: server.session,
      tls: server.url.protocol === "https:",
      peer: peerOf(server.url),
      halfCloseGraceMillis: Duration.toMillis(options.halfCloseGrace),
      open: openOf(server)
    }]))
  }

  /** Sends a request over a connection that is there, or over a new one. */
  send(url: URL, arrived: Arrived): Effect.Effect<Sent, Broken> {
    return Effect.suspend(() => {
      const route = this.routes.get(url.origin)
      if (route === undefined) {
        const peer = peerOf(url)
        return this.failConnect(
          this.hosts.has(url.hostname) ? ClientError.ConnectDefect.Refused() : ClientError.ConnectDefect.NotFound(),
          peer
        )
      }
      const ofConnect: OfConnect = (defect) => ClientError.ofConnect(this.options.flavour, defect, route.peer)
      return Effect.flatMap(this.connect(route, ofConnect), (connection) => {
        const exchange = new Exchange({
          flavour: this.options.flavour,
          maxHeaderBytes: this.options.maxHeaderBytes,
          maxInformational: this.options.maxInformational,
          isHead: arrived.request.method === "HEAD"
        })
        const sent: Sent = { connection, exchange }
        return connection.submit(arrived, exchange)
          ? Effect.succeed(sent)
          : Effect.as(serveArrived(connection, ofConnect), sent)
      })
    })
  }

  /** The next thing the client sees of an answer; the connection of a broken one is let go. */
  next({ connection, exchange }: Sent, isInBody: boolean): Effect.Effect<ClientReading.Event, Broken> {
    return Effect.flatMap(exchange.next(), (event) => {
      if (event._tag !== "Failure") return Effect.succeed(event)
      const { defect } = event
      const { ending, isOld, route } = connection
      // A connection that was never anything but reset fails as one that did not come about.
      const cause = !isInBody && defect._tag === "Reset" && ending !== undefined && !isOld && connection.exchange === 0
        ? ClientError.ofConnect(this.options.flavour, ClientError.ConnectDefect.ConnectReset(), route.peer)
        : ClientError.ofReading(this.options.flavour, defect, isInBody)
      return Effect.andThen(connection.leave, Effect.fail(new Broken(cause, isInBody, defect)))
    })
  }

  /** The answer was read to its end: the connection is kept, or closed. */
  finish({ connection, exchange }: Sent, arrived: Arrived): Effect.Effect<void> {
    connection.release()
    const { options } = this
    // undici sees a FIN that comes with the answer; whatever else comes at that moment is seen too late.
    const isNoticed = options.flavour !== "node" && connection.ending?.how === "fin"
    if (!options.keepAlive || !arrived.keepsAlive || !exchange.isReusable || isNoticed) return connection.leave
    const idle = this.idle.get(connection.route) ?? []
    this.idle.set(connection.route, idle)
    if (idle.length >= maxIdle) return connection.leave
    idle.push(connection)
    return Effect.void
  }

  private failConnect(defect: ClientError.ConnectDefect, peer: ClientError.Peer): Effect.Effect<never, Broken> {
    return Effect.suspend(() =>
      Effect.fail(new Broken(ClientError.ofConnect(this.options.flavour, defect, peer), false))
    )
  }

  private connect(route: Route, ofConnect: OfConnect): Effect.Effect<Connection, Broken> {
    const idle = this.idle.get(route)
    if (idle === undefined || idle.length === 0) return this.open(route, ofConnect)
    return Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
      for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
        // As soon as time has passed the client has seen that the server closed it.
        if (!kept.isClosed || kept.ending?.atNanos === now) return Effect.succeed(kept)
      }
      return this.open(route, ofConnect)
    })
  }

  private open(route: Route, ofConnect: OfConnect): Effect.Effect<Connection, Broken> {
    const { leg, peer, session } = route
    if (session === undefined) {
      const connection = new Connection(route, 0)
      connection.handshake = "done"
      return Effect.succeed(connection)
    }
    return Effect.flatMap(session.connection(leg, route.tls), (decided): Effect.Effect<Connection, Broken> => {
      const { action } = decided.decision
      const where = { leg, connection: decided.connection }
      switch (action._tag) {
        case "Resolve":
          return session.write({ event: "not_resolved", ...where, failure: action.failure }).pipe(
            Effect.andThen(decided.applied),
            Effect.andThen(
              action.failure === "hang"
                ? this.noConnection(ofConnect)
                : this.failConnect(
                  action.failure === "not_found"
                    ? ClientError.ConnectDefect.NotFound()
                    : ClientError.ConnectDefect.TryAgain(),
                  peer
                )
            )
          )
        case "Refuse":
          return session.write({ event: "refused", ...where }).pipe(
            Effect.andThen(decided.applied),
            Effect.andThen(this.failConnect(ClientError.ConnectDefect.Refused(), peer))
          )
        case "Ignore":
          return session.write({ event: "ignored", ...where }).pipe(
            Effect.andThen(decided.applied),
            Effect.andThen(this.noConnection(ofConnect))
          )
        case "Play": {
          const connection = new Connection(route, decided.connection)
          return session.write({ event: "connected", ...where }).pipe(
            Effect.andThen(playConnection(connection, action.steps, decided, ofConnect)),
            Effect.andThen(this.shakeHands(connection, ofConnect))
          )
        }
        // A crash is decided for a request, never for a connection.
        default: {
          const connection = new Connection(route, decided.connection)
          connection.handshake = "done"
          const connected = session.write({ event: "connected", ...where })
          return Effect.as(
            route.tls
              ? Effect.andThen(connected, session.write({ event: "secured", ...where, certificate: "good" }))
              : connected,
            connection
          )
        }
      }
    })
  }

  /** Nobody ever answers; some clients have a bound for that. */
  private noConnection(ofConnect: OfConnect): Effect.Effect<never, Broken> {
    const { connectTimeout } = this.options
    if (connectTimeout === undefined) return Effect.never
    const millis = Duration.toMillis(connectTimeout)
    return Effect.andThen(
      Effect.sleep(connectTimeout),
      Effect.suspend(() => Effect.fail(new Broken(ofConnect(ClientError.ConnectDefect.Timeout({ millis })), false)))
    )
  }

  private shakeHands(connection: Connection, ofConnect: OfConnect): Effect.Effect<Connection, Broken> {
    if (!connection.route.tls) return Effect.succeed(connection)
    const over = Effect.raceFirst(connection.awaitHandshake, this.noConnection(ofConnect)).pipe(
      Effect.onInterrupt(() => connection.leave),
      Effect.tapError(() => connection.leave)
    )
    return Effect.flatMap(over, () => {
      if (connection.handshake === "done") return Effect.succeed(connection)
      const { ending, handshakeError, isOld, plain } = connection
      const error = handshakeError ?? ofConnect(
        plain !== undefined
          ? ofPlain(plain)
          : ending?.how === "fin"
          ? ClientError.ConnectDefect.HandshakeClosed()
          : isOld
          ? ClientError.ConnectDefect.HandshakeReset()
          : ClientError.ConnectDefect.ConnectReset()
      )
      return Effect.andThen(connection.leave, Effect.fail(new Broken(error, false)))
    })
  }
}
