/** A client's connection as the interpreter plays it: its state, what the journal says of it, and how it is ended. */
import { Deferred, type Duration, Effect } from "effect"
import type { TLSSocketOptions } from "node:tls"
import type { Leg } from "../../step/Leg.ts"
import type { Step } from "../../step/Step.ts"
import type { Connection, HowEnded } from "../Connection.ts"
import type { Decided, Session } from "../Session.ts"

/** What all connections that one interpreter plays share. */
export interface Settings {
  readonly leg: Leg
  readonly tls: boolean
  readonly session: Session["Service"]
  /** Opens a connection to the real server; `undefined` if there can be none, after a warning that says why. */
  readonly connect: Effect.Effect<Connection | undefined>
  /** What `Host` says to the real server. Default: what the client said. */
  readonly authority?: string | undefined
  /** The options of a handshake. */
  readonly handshake: (step: Extract<Step, { step: "secure" }>) => TLSSocketOptions
  /** Lets the time of a step pass. */
  readonly sleep: (duration: Duration.Duration) => Effect.Effect<void>
  readonly maxHeadBytes: number
  readonly maxRequestBytes: number
  readonly maxAnswerBytes: number
  readonly idleTimeout: Duration.Input
  readonly lingerTimeout: Duration.Input
}

export interface PlayedConnection {
  readonly settings: Settings
  readonly client: Connection
  readonly connection: number
  /** The connection to the real server, once there is one. */
  server: Connection | undefined
  /** The number of the newest request. */
  exchange: number
  /** Whether the journal still has to say what was sent to it. */
  isExchangeOpen: boolean
  /** What had been sent before it. */
  sentBefore: number
  isClosedWritten: boolean
  /** What is being played. */
  playing: Decided | undefined
  /** Whether nothing is asked now, between two exchanges. */
  isAtRest: boolean
  /** Done once the connection has to end after the exchange that it is in. */
  readonly released: Deferred.Deferred<void>
}

/** How much may wait to be sent before no more is read from the other side, in bytes. */
export const highWater = 64 * 1024

const where = ({ connection, settings }: PlayedConnection) => ({ leg: settings.leg, connection })

const here = (c: PlayedConnection) => ({ ...where(c), exchange: c.exchange })

export const noteConnected = (c: PlayedConnection): Effect.Effect<void> =>
  c.settings.session.write({ event: "connected", ...where(c) })

export const noteAsked = (c: PlayedConnection): Effect.Effect<void> =>
  Effect.suspend(() => c.settings.session.write({ event: "asked", ...here(c) }))

export const noteAnswered = (c: PlayedConnection, status: number): Effect.Effect<void> =>
  Effect.suspend(() => c.settings.session.write({ event: "answered", ...here(c), status }))

/** Writes how much was sent, with so many bytes that are about to be; once for each exchange. */
export const noteSent = (c: PlayedConnection, more = 0): Effect.Effect<void> =>
  Effect.suspend(() => {
    const bytes = c.client.sent - c.sentBefore + more
    if (!c.isExchangeOpen && bytes <= 0) return Effect.void
    const what = c.isExchangeOpen ? here(c) : where(c)
    c.isExchangeOpen = false
    c.sentBefore = c.client.sent + more
    return c.settings.session.write({ event: "sent", ...what, bytes })
  })

const noteClosed = (c: PlayedConnection, by: "server" | "client", how: HowEnded | "gone"): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (c.isClosedWritten) return Effect.void
    c.isClosedWritten = true
    return c.settings.session.write({ event: "closed", ...where(c), by, how })
  })

/** Writes how the connection ended: by the side that ended it first, or by ours, which let go of it. */
export const noteOver = (c: PlayedConnection): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { first, ours, theirs } = c.client
    return first === "theirs"
      ? noteClosed(c, "client", theirs ?? "gone")
      : noteClosed(c, "server", ours ?? "gone")
  })

const noteEnd = (c: PlayedConnection, how: HowEnded): Effect.Effect<void> =>
  Effect.andThen(
    noteSent(c),
    Effect.suspend(() => c.client.first === "theirs" ? noteOver(c) : noteClosed(c, "server", how))
  )

/** Shakes hands with this certificate; succeeds with whether the client went along, in time. */
export const shakeHands = (c: PlayedConnection, step: Extract<Step, { step: "secure" }>): Effect.Effect<boolean> =>
  Effect.timeoutOrElse(c.client.secure(c.settings.handshake(step)), {
    duration: c.settings.idleTimeout,
    orElse: () => Effect.succeed(false)
  })

export const noteSecured = (c: PlayedConnection, { certificate }: Extract<Step, { step: "secure" }>) =>
  c.settings.session.write({ event: "secured", ...where(c), certificate })

/** Begins the next exchange. */
export const nextExchange = (c: PlayedConnection): Effect.Effect<void> =>
  Effect.andThen(
    noteSent(c),
    Effect.sync(() => {
      c.exchange++
      c.isExchangeOpen = true
      c.sentBefore = c.client.sent
    })
  )

/**
 * Closes or resets the connection; the journal has it before the client can.
 *
 * A reset overtakes what still waits to be sent, so it waits for that, and no longer than the linger timeout.
 */
export const end = (c: PlayedConnection, how: HowEnded): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { client, settings } = c
    if (how === "rst") yield* Effect.raceFirst(client.drained(0), Effect.sleep(settings.lingerTimeout))
    yield* noteEnd(c, how)
    if (how === "rst") client.rst()
    else client.fin()
  })

/** Resets a connection as a process that dies does: at once. */
export const crash = (c: PlayedConnection): Effect.Effect<void> =>
  Effect.andThen(noteEnd(c, "rst"), Effect.sync(() => c.client.rst()))

/**
 * Lets go of a client that keeps its connection: at once where a fault holds it whose plan has healed, and otherwise
 * after the exchange. Waits until the connection is over if nothing was asked on it.
 */
export const release = (c: PlayedConnection): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { isAtRest } = c
    yield* Deferred.succeed(c.released, undefined)
    if (c.playing !== undefined && !(yield* c.playing.inForce)) return yield* crash(c)
    if (isAtRest) yield* Effect.raceFirst(c.client.over, Effect.sleep(c.settings.lingerTimeout))
  })

const isUsable = (server: Connection): boolean =>
  !server.closed && server.theirs === undefined && server.ours === undefined

/** Closes the connection to the real server, so that the next request is not written to it. */
export const letGo = (c: PlayedConnection, server: Connection): void => {
  server.destroy()
  c.server = undefined
}

/** The connection to the real server: the one that is there, or a new one; `undefined` if there can be none. */
export const reachServer = (c: PlayedConnection): Effect.Effect<Connection | undefined> =>
  Effect.suspend(() => {
    const known = c.server
    if (known !== undefined && isUsable(known)) return Effect.succeed(known)
    known?.destroy()
    return c.settings.connect.pipe(
      // A client that resets meanwhile waits for nothing.
      Effect.raceFirst(Effect.as(c.client.over, undefined)),
      Effect.tap((server) =>
        Effect.sync(() => {
          c.server = server
        })
      )
    )
  })
