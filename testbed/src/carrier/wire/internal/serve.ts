/** Serves one connection of a client, from the decision about it to its end. */
import { Cause, Effect } from "effect"
import type { Decided } from "../../../play/Session.ts"
import type { Verdict } from "../../../step/Verdict.ts"
import {
  type Conversation,
  end,
  nextExchange,
  noteConnected,
  noteOver,
  noteSent,
  pathOf,
  readRequest,
  shakeHands,
  transactionId
} from "./Conversation.ts"
import { passExchange, passUnreadable, rest } from "./pass.ts"
import { playSteps } from "./play.ts"

/** What the proxy does when a whole leg is concerned. */
export interface Hooks {
  /** Resets every connection. */
  readonly crash: Effect.Effect<void>
  /** Looks at the port again, because the next connection may be decided otherwise. */
  readonly refresh: Effect.Effect<void>
}

/** One request and what is decided about it; succeeds with whether another one can follow. */
const serveRequest = (c: Conversation, hooks: Hooks): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const read = yield* readRequest(c)
    if (read._tag === "Over") return false
    if (read._tag === "Unreadable") {
      yield* passUnreadable(c, read.bytes)
      return false
    }
    const { request } = read
    yield* nextExchange(c)
    const { isSecure, leg, session } = c.settings
    const decided = yield* session.request({
      leg,
      connection: c.connection,
      isSecure,
      exchange: c.exchange,
      method: request.head.method,
      path: pathOf(request.head),
      transactionId: transactionId(request)
    })
    const { verdict } = decided.decision
    switch (verdict._tag) {
      case "Play":
        return yield* playSteps(c, verdict.steps, decided, request)
      case "Crash":
        yield* hooks.refresh
        yield* noteSent(c)
        yield* decided.applied
        yield* hooks.crash
        return false
      // The others are verdicts about connections, and this one is there.
      default:
        return yield* passExchange(c, request)
    }
  })

const serveRequests = (c: Conversation, hooks: Hooks): Effect.Effect<void> =>
  Effect.gen(function*() {
    while (yield* serveRequest(c, hooks)) {
      if (!(yield* rest(c))) return
    }
  })

/**
 * A connection that should never have come about, and did: its client connected between two looks at the port, or its
 * name cannot be made to fail here. It gets what is nearest, and the fault does not count as applied.
 */
const serveUnwanted = (c: Conversation, verdict: Verdict): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (verdict._tag !== "Ignore") return yield* end(c, "rst")
    c.link.discard()
    yield* c.link.gone
  })

const serveVerdict = (c: Conversation, decided: Decided, hooks: Hooks): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { verdict } = decided.decision
    switch (verdict._tag) {
      case "Pass":
        if (c.settings.isSecure && !(yield* shakeHands(c, { step: "secure", certificate: "good" }))) return
        return yield* serveRequests(c, hooks)
      case "Play":
        if ((yield* playSteps(c, verdict.steps, decided, undefined)) && (yield* rest(c))) {
          yield* serveRequests(c, hooks)
        }
        return
      default:
        return yield* serveUnwanted(c, verdict)
    }
  })

/** Lets the client take what was sent and close its side; no longer than the linger timeout. */
const linger = (c: Conversation): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* noteSent(c)
    yield* noteOver(c)
    if (c.link.closed) return
    if (c.link.ours === undefined) c.link.fin()
    c.link.discard()
    const upstream = c.upstream
    if (upstream !== undefined) {
      if (c.link.ending === "rst") upstream.rst()
      else upstream.destroy()
    }
    yield* Effect.raceFirst(c.link.until(() => false), Effect.sleep(c.settings.lingerTimeout))
  })

/** Serves a connection until it is over. */
export const serve = (c: Conversation, decided: Decided, hooks: Hooks): Effect.Effect<void> =>
  noteConnected(c).pipe(
    Effect.andThen(serveVerdict(c, decided, hooks)),
    Effect.andThen(linger(c)),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause)
        : Effect.logError("A connection failed for a reason nobody foresaw", cause)
    ),
    Effect.ensuring(Effect.gen(function*() {
      yield* noteSent(c)
      yield* noteOver(c)
      c.link.destroy()
      c.upstream?.destroy()
    }))
  )
