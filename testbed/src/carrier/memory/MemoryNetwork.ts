/**
 * The network of one process: servers that are reached by name and port over connections without sockets, on which the
 * real HTTP and TLS of Node run, and no time but Effect's clock passes.
 *
 * @since 0.1.0
 */
import { hostOf, portOf } from "@appservice-ping/domain/AppserviceUrl"
import type { Connect } from "@appservice-ping/node/Connect"
import { type Handler, total } from "@appservice-ping/server/Exchange"
import { Effect, FiberSet, Scheduler, type Scope } from "effect"
import { Connection } from "../../play/Connection.ts"
import * as Interpreter from "../../play/Interpreter.ts"
import * as Session from "../../play/Session.ts"
import type { Leg } from "../../step/Leg.ts"
import { lookupError } from "../lookupError.ts"
import { certificateContext } from "../tls/certificateContext.ts"
import type { Rendered } from "./internal/answerBytes.ts"
import * as Application from "./internal/Application.ts"
import * as Direct from "./internal/direct.ts"
import { type Delivery, InProcessSocket, pair } from "./internal/InProcessSocket.ts"
import { settled } from "./internal/settled.ts"

/**
 * A server in memory.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryServer {
  /** Where it is; only its scheme, host and port count. */
  readonly url: URL
  readonly handle: Handler
  /** The half of a ping that goes to it. */
  readonly leg: Leg
  /** What decides about its connections and requests, and keeps the journal. Default: all is well, and unwritten. */
  readonly session?: Session.Session["Service"] | undefined
}

/**
 * A network that is open until its scope closes.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryNetwork {
  /** Opens connections; it fits `connect` of `NodeTransport` and `ConnectAgent`. */
  readonly connect: Connect
  /**
   * Takes a request that has a connection of its own to its server and back, if nothing strikes it: no byte is carried.
   * Otherwise it gives the one connection that the request has to be sent over.
   */
  readonly exchange: (url: URL, request: Direct.PlainRequest) => Effect.Effect<Exchanged, Error>
}

/**
 * An answer, or a `connect` for the connection that was decided about.
 *
 * @category models
 * @since 0.1.0
 */
export type Exchanged =
  | { readonly _tag: "Answered"; readonly answer: Rendered }
  | { readonly _tag: "Decided"; readonly connect: Connect }

const refusal = (host: string, port: number): Error =>
  Object.assign(new Error(`connect ECONNREFUSED ${host}:${port}`), {
    errno: -111,
    code: "ECONNREFUSED",
    syscall: "connect",
    address: host,
    port
  })

/** A connection that does not come about: for a reason, or, without one, because nothing ever answers. */
const unconnected = (error?: Error): InProcessSocket => {
  const socket = new InProcessSocket({ allowHalfOpen: false })
  if (error !== undefined) process.nextTick(() => socket.destroy(error))
  return socket
}

const bounds = {
  maxHeadBytes: 64 * 1024,
  maxRequestBytes: 1024 * 1024,
  maxAnswerBytes: 8 * 1024 * 1024,
  idleTimeout: "2 minutes",
  lingerTimeout: "5 seconds"
} as const

/**
 * Runs what the carrier itself has to do in the turn of the event loop in which it has become possible: between two
 * looks of a test at its clock, everything has happened that needs no time.
 */
const atOnce = new Scheduler.MixedScheduler("async", (f) => {
  let isWanted = true
  queueMicrotask(() => {
    if (isWanted) f()
  })
  return () => {
    isWanted = false
  }
})

const runAtOnce = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Scheduler.Scheduler, atOnce)

const deliveryTo = (url: URL): Delivery => url.protocol === "https:" ? "next turn" : "this turn"

/**
 * Runs a request of a client on `node:http`, so that it takes no turn of the event loop that it need not take. When it is
 * over, the journal has what became of its connection.
 *
 * @category combinators
 * @since 0.1.0
 */
export const carry = <A, E, R>(url: URL, request: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.ensuring(runAtOnce(request), settled(deliveryTo(url)))

interface Place extends Direct.Place {
  readonly url: URL
  readonly open: (decisions: Interpreter.Decisions) => InProcessSocket
}

/**
 * Opens a network of these servers until the scope closes. Then its connections are reset, and further ones refused.
 *
 * **Details**
 *
 * A host that no server has is not found, a port that none has is refused. What the plans of a session decide is played
 * by the same interpreter as on sockets, and written into the session's journal.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  servers: ReadonlyArray<MemoryServer>
): Effect.fn.Return<MemoryNetwork, never, Scope.Scope> {
  const scheduler = yield* Scheduler.Scheduler
  const silent = yield* Session.make({ maxEntries: 0, maxTransactionIds: 0 })
  const run = yield* runAtOnce(FiberSet.makeRuntime())

  const makePlace = (server: MemoryServer): Place => {
    const { leg, session = silent, url } = server
    const tls = url.protocol === "https:"
    const answer = total(server.handle)
    // The application has nothing to do with how its bytes come.
    const handle: Handler = (request) => Effect.provideService(answer(request), Scheduler.Scheduler, scheduler)
    const interpreter = Interpreter.make({
      ...bounds,
      leg,
      tls,
      session,
      connect: Effect.sync(() => {
        const { far, near } = pair()
        run(Application.serve(new Connection(far, bounds.maxRequestBytes), handle))
        return new Connection(near, bounds.maxRequestBytes)
      }),
      handshake: certificateContext,
      sleep: Effect.sleep
    }, { changed: Effect.void, crash: Effect.suspend(() => Direct.resetAll(place)) })
    const place: Place = {
      url,
      leg,
      tls,
      session,
      handle: answer,
      inFlight: new Set(),
      open: (decisions) => {
        // A handshake of Node takes some turns of the event loop in any case, and expects that its peer needs some too.
        const { far, near } = pair(deliveryTo(url))
        run(interpreter.serve(new Connection(far, bounds.maxRequestBytes), decisions))
        return near
      }
    }
    return place
  }

  const places = servers.map(makePlace)

  /** Opens the connection that was decided about, or fails as the decision says. */
  const open = (place: Place, host: string, decisions: Interpreter.Decisions): Effect.Effect<InProcessSocket> => {
    const { applied, connection, decision: { action } } = decisions.connection
    const where = { leg: place.leg, connection }
    switch (action._tag) {
      case "Resolve":
        return place.session.write({ event: "not_resolved", ...where, failure: action.failure }).pipe(
          Effect.andThen(applied),
          Effect.map(() => unconnected(action.failure === "hang" ? undefined : lookupError(action.failure, host)))
        )
      case "Refuse":
        return place.session.write({ event: "refused", ...where }).pipe(
          Effect.andThen(applied),
          Effect.map(() => unconnected(refusal(host, portOf(place.url))))
        )
      case "Ignore":
        return place.session.write({ event: "ignored", ...where }).pipe(
          Effect.andThen(applied),
          Effect.map(() => unconnected())
        )
      default:
        return Effect.sync(() => place.open(decisions))
    }
  }

  let isOpen = true
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isOpen = false
      return Effect.forEach(places, Direct.endAll, { discard: true })
    })
  )

  const connectTo = (decided: Interpreter.Decisions | undefined): Connect => ({ host, port }, callback) => {
    const place = places.find(({ url }) => hostOf(url) === host && portOf(url) === port)
    if (place === undefined || !isOpen) {
      const isKnown = places.some(({ url }) => hostOf(url) === host)
      return callback(null, unconnected(isKnown ? refusal(host, port) : lookupError("not_found", host)))
    }
    const decisions = decided === undefined
      ? Effect.map(place.session.connection(place.leg, place.tls), (connection) => ({ connection, request: undefined }))
      : Effect.succeed(decided)
    run(
      Effect.map(
        Effect.flatMap(decisions, (decisions) => open(place, host, decisions)),
        (socket) => callback(null, socket)
      )
    )
  }

  return {
    connect: connectTo(undefined),
    exchange: (url, request) => {
      const place = places.find((place) => place.url.origin === url.origin)
      if (place === undefined || !isOpen) return Effect.succeed({ _tag: "Decided", connect: connectTo(undefined) })
      return Effect.map(
        Direct.exchange(place, url, request),
        (direct): Exchanged =>
          direct._tag === "Answered" ? direct : { _tag: "Decided", connect: connectTo(direct.decisions) }
      )
    }
  }
})
