/** Passes a connection on to the real server and back, byte for byte. */
import { Effect, Fiber } from "effect"
import {
  type Conversation,
  end,
  highWater,
  isWhole,
  noteAnswered,
  noteAsked,
  noteSent,
  passRest,
  reachUpstream,
  type Request
} from "./Conversation.ts"
import type { Link } from "./Link.ts"
import { keepsAlive, MessageReader } from "./MessageReader.ts"

const isOver = (link: Link): boolean => link.size === 0 && link.ending !== undefined

/** Passes one direction on until its end, and the end too. */
const pipe = (from: Link, to: Link, onEnd: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (;;) {
      const chunk = from.take()
      if (chunk !== undefined) {
        to.write(chunk)
        yield* to.drained(highWater)
      } else if (from.ending === undefined) {
        yield* from.until(() => from.size > 0 || from.ending !== undefined)
      } else {
        yield* onEnd
        return
      }
    }
  })

/** Passes on whatever still comes from both sides, until both have ended. */
export const passRaw = (c: Conversation, upstream: Link): Effect.Effect<void> =>
  Effect.gen(function*() {
    const forth = pipe(
      c.link,
      upstream,
      Effect.sync(() => c.link.ending === "rst" ? upstream.rst() : upstream.fin())
    )
    const back = pipe(upstream, c.link, Effect.suspend(() => end(c, upstream.ending ?? "fin")))
    const until = (link: Link) => link.until(() => false)
    yield* Effect.all([
      Effect.raceFirst(forth, until(upstream)),
      Effect.raceFirst(back, until(c.link))
    ], { concurrency: 2, discard: true })
    yield* noteSent(c)
  })

/** Passes on what is not HTTP. */
export const passUnreadable = (c: Conversation, first: Uint8Array): Effect.Effect<void> =>
  Effect.gen(function*() {
    const upstream = yield* reachUpstream(c)
    if (upstream === undefined) return yield* end(c, "rst")
    upstream.write(first)
    yield* passRaw(c, upstream)
  })

/** What the client did to its side goes on to the server: who answers it is the server's business. */
const mirror = (c: Conversation, upstream: Link): void => {
  if (c.link.ending === "rst") upstream.rst()
  else if (isOver(c.link)) upstream.fin()
}

/** Passes an answer back; succeeds with whether another request can follow. */
const passAnswer = (c: Conversation, request: Request, upstream: Link): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const { link, settings } = c
    const { maxHeadBytes } = settings
    const reader = new MessageReader("answer", { method: request.head.method, maxHeadBytes, maxBodyBytes: 0 })
    let isAnswered = false
    for (;;) {
      const chunk = upstream.take()
      if (chunk === undefined) {
        if (link.closed || upstream.closed || upstream.ending !== undefined) break
        mirror(c, upstream)
        const { ours } = upstream
        yield* Effect.raceFirst(
          upstream.until(() => upstream.size > 0 || upstream.ending !== undefined),
          link.until(() => ours === undefined && (link.ending === "rst" || isOver(link)))
        )
        continue
      }
      reader.feed(chunk)
      if (reader.head !== undefined && !isAnswered) {
        isAnswered = true
        yield* noteAnswered(c, reader.head.status)
      }
      if (reader.state === "upgrade" || reader.state === "unreadable") {
        upstream.giveBack(chunk)
        yield* passRaw(c, upstream)
        return false
      }
      if (reader.state !== "done") {
        link.write(chunk)
        yield* link.drained(highWater)
        continue
      }
      // Who sees the whole answer may look into the journal at once.
      yield* noteSent(c, chunk.length)
      link.write(chunk)
      const isLast = reader.head === undefined || !keepsAlive(reader.head) || !keepsAlive(request.head)
      if (isLast) yield* end(c, "fin")
      return !isLast
    }
    if (link.closed) {
      yield* noteSent(c)
      return false
    }
    yield* end(c, upstream.ending === "rst" ? "rst" : "fin")
    return false
  })

/** Passes a request on and its answer back; succeeds with whether another request can follow on the connection. */
export const passExchange = (c: Conversation, request: Request): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const upstream = yield* reachUpstream(c)
    if (upstream === undefined) {
      yield* end(c, "rst")
      return false
    }
    yield* noteAsked(c)
    upstream.write(request.bytes)
    const rest = isWhole(request) ? undefined : yield* Effect.forkChild(passRest(c, request, upstream))
    const canFollow = yield* passAnswer(c, request, upstream)
    if (rest === undefined) return canFollow
    // The server has answered early; it may still want the rest.
    if (canFollow) yield* Effect.raceFirst(Fiber.join(rest), upstream.gone)
    yield* Fiber.interrupt(rest)
    return canFollow && isWhole(request)
  })

/**
 * Waits for the next request between two exchanges. The server may speak or leave meanwhile, which goes on to the
 * client as it is; succeeds with whether the connection is still there.
 */
export const rest = (c: Conversation): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const { link } = c
    for (;;) {
      const upstream = c.upstream
      if (link.size > 0 || link.ending !== undefined || link.closed) return true
      const chunk = upstream?.take()
      if (chunk !== undefined) {
        link.write(chunk)
        yield* link.drained(highWater)
      } else if (upstream?.ending !== undefined) {
        yield* end(c, upstream.ending)
        return false
      }
      const next = link.until(() => link.size > 0 || link.ending !== undefined)
      const isIdle = yield* Effect.raceAllFirst([
        Effect.as(next, false),
        Effect.as(
          upstream === undefined
            ? Effect.never
            : upstream.until(() => upstream.size > 0 || upstream.ending !== undefined),
          false
        ),
        Effect.as(Effect.sleep(c.settings.idleTimeout), true)
      ])
      if (isIdle) {
        yield* end(c, "fin")
        return false
      }
    }
  })
