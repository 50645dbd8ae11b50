/** Serves one connection of a client, from the decision about it to its end. */
import { Cause, Effect } from "effect"
import type { Action } from "../../step/Action.ts"
import type { Step } from "../../step/Step.ts"
import type { Decided } from "../Session.ts"
import { awaitRequest, passExchange, passUnreadable } from "./pass.ts"
import {
  end,
  nextExchange,
  noteConnected,
  noteOver,
  noteSecured,
  noteSent,
  type PlayedConnection,
  shakeHands
} from "./PlayedConnection.ts"
import { playSteps } from "./playSteps.ts"
import { readRequest, type Request, toReadRequest } from "./request.ts"

/** What is done when a whole leg is concerned. */
export interface Hooks {
  /** Resets every connection. */
  readonly crash: Effect.Effect<void>
  /** Runs when the next connection may be decided otherwise. */
  readonly changed: Effect.Effect<void>
}

/** What is decided about a connection, and about its first request if that was known before it was sent. */
export interface Decisions {
  readonly connection: Decided
  /** With it, the journal has the connection, its handshake and the request already. */
  readonly request: Decided | undefined
}

const decideRequest = (c: PlayedConnection, decisions: Decisions, request: Request): Effect.Effect<Decided> =>
  decisions.request !== undefined && c.exchange === 1
    ? Effect.succeed(decisions.request)
    : c.settings.session.request(toReadRequest(c, request))

/** Notes what is played, so that the player can check whether it has healed meanwhile. */
const whilePlaying = <A>(c: PlayedConnection, decided: Decided, play: Effect.Effect<A>): Effect.Effect<A> =>
  Effect.suspend(() => {
    c.playing = decided
    return Effect.ensuring(
      play,
      Effect.sync(() => {
        c.playing = undefined
      })
    )
  })

/** One request and what is decided about it; succeeds with whether another one can follow. */
const serveRequest = (c: PlayedConnection, decisions: Decisions, hooks: Hooks): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const read = yield* readRequest(c)
    if (read._tag === "Over") return false
    if (read._tag === "Unreadable") {
      yield* passUnreadable(c, read.bytes)
      return false
    }
    const { request } = read
    yield* nextExchange(c)
    const decided = yield* decideRequest(c, decisions, request)
    const { action } = decided.decision
    switch (action._tag) {
      case "Play":
        return yield* whilePlaying(c, decided, playSteps(c, action.steps, decided, request))
      case "Crash":
        yield* hooks.changed
        yield* noteSent(c)
        yield* decided.applied
        yield* hooks.crash
        return false
      // The others are decided about connections, and this one is there.
      default:
        return yield* passExchange(c, request)
    }
  })

const serveRequests = (c: PlayedConnection, decisions: Decisions, hooks: Hooks): Effect.Effect<void> =>
  Effect.gen(function*() {
    while (yield* serveRequest(c, decisions, hooks)) {
      if (!(yield* awaitRequest(c))) return
    }
  })

/**
 * A connection that should never have come about, and did: its client connected between two looks at the port, or its
 * name cannot be made to fail here. It gets what is nearest, and the fault does not count as applied.
 */
const serveUnwanted = (c: PlayedConnection, action: Action): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (action._tag !== "Ignore") return yield* end(c, "rst")
    c.client.discard()
    yield* c.client.gone
  })

const good: Extract<Step, { step: "secure" }> = { step: "secure", certificate: "good" }

const serveDecided = (c: PlayedConnection, decisions: Decisions, hooks: Hooks): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { action } = decisions.connection.decision
    switch (action._tag) {
      case "Pass":
        if (c.settings.tls) {
          if (decisions.request === undefined) yield* noteSecured(c, good)
          if (!(yield* shakeHands(c, good))) return
        }
        return yield* serveRequests(c, decisions, hooks)
      case "Play":
        if (
          (yield* whilePlaying(
            c,
            decisions.connection,
            playSteps(c, action.steps, decisions.connection, undefined)
          )) && (yield* awaitRequest(c))
        ) {
          yield* serveRequests(c, decisions, hooks)
        }
        return
      default:
        return yield* whilePlaying(c, decisions.connection, serveUnwanted(c, action))
    }
  })

/** Lets the client take what was sent and close its side; no longer than the linger timeout. */
const linger = (c: PlayedConnection): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { client, server } = c
    yield* noteSent(c)
    yield* noteOver(c)
    if (client.closed) return
    if (client.ours === undefined) client.fin()
    client.discard()
    if (server !== undefined) {
      if (client.theirs === "rst") server.rst()
      else server.destroy()
    }
    yield* Effect.raceFirst(client.over, Effect.sleep(c.settings.lingerTimeout))
  })

/** Serves a connection until it is over. */
export const serve = (c: PlayedConnection, decisions: Decisions, hooks: Hooks): Effect.Effect<void> =>
  Effect.suspend(() => decisions.request === undefined ? noteConnected(c) : Effect.void).pipe(
    Effect.andThen(serveDecided(c, decisions, hooks)),
    Effect.andThen(linger(c)),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause)
        : Effect.logError("A connection failed for a reason nobody foresaw", cause)
    ),
    Effect.ensuring(Effect.gen(function*() {
      yield* noteSent(c)
      yield* noteOver(c)
      c.client.destroy()
      c.server?.destroy()
    }))
  )
