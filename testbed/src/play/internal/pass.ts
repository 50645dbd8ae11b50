/** Passes a connection on to the real server and back, byte for byte. */
import { Deferred, Effect, Fiber } from "effect"
import type { Connection } from "../Connection.ts"
import { keepsAlive, MessageReader } from "../MessageReader.ts"
import {
  end,
  highWater,
  noteAnswered,
  noteAsked,
  noteSent,
  type PlayedConnection,
  reachServer
} from "./PlayedConnection.ts"
import { bytesForServer, isWhole, passRemainder, type Request } from "./request.ts"

const isOver = (connection: Connection): boolean => connection.size === 0 && connection.theirs !== undefined

/** Passes one direction on until its end, and the end too. */
const pipe = (from: Connection, to: Connection, onEnd: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (;;) {
      const chunk = from.take()
      if (chunk !== undefined) {
        to.write(chunk)
        yield* to.drained(highWater)
      } else if (from.theirs === undefined) {
        yield* from.readable
      } else {
        yield* onEnd
        return
      }
    }
  })

/** Passes on whatever still comes from both sides, until both have ended. */
const passRaw = (c: PlayedConnection, server: Connection): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { client } = c
    const forth = pipe(client, server, Effect.sync(() => client.theirs === "rst" ? server.rst() : server.fin()))
    const back = pipe(server, client, Effect.suspend(() => end(c, server.theirs ?? "fin")))
    yield* Effect.all([
      Effect.raceFirst(forth, server.over),
      Effect.raceFirst(back, client.over)
    ], { concurrency: 2, discard: true })
    yield* noteSent(c)
  })

/** Passes on what is not HTTP. */
export const passUnreadable = (c: PlayedConnection, first: Uint8Array): Effect.Effect<void> =>
  Effect.gen(function*() {
    const server = yield* reachServer(c)
    if (server === undefined) return yield* end(c, "rst")
    server.write(first)
    yield* passRaw(c, server)
  })

/** What the client did to its side goes on to the server: whether it still answers is the server's business. */
const mirror = ({ client }: PlayedConnection, server: Connection): void => {
  if (client.theirs === "rst") server.rst()
  else if (isOver(client)) server.fin()
}

/** Passes an answer back; succeeds with whether another request can follow. */
const passAnswer = (c: PlayedConnection, request: Request, server: Connection): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const { client, settings } = c
    const { maxHeadBytes } = settings
    const reader = new MessageReader("answer", { method: request.head.method, maxHeadBytes, maxBodyBytes: 0 })
    let isAnswered = false
    for (;;) {
      const chunk = server.take()
      if (chunk === undefined) {
        if (client.closed || server.closed || server.theirs !== undefined) break
        mirror(c, server)
        const { ours } = server
        yield* Effect.raceFirst(
          server.readable,
          client.until(() => ours === undefined && (client.theirs === "rst" || isOver(client)))
        )
        continue
      }
      reader.feed(chunk)
      if (reader.head !== undefined && !isAnswered) {
        isAnswered = true
        yield* noteAnswered(c, reader.head.status)
      }
      if (reader.state === "upgrade" || reader.state === "unreadable") {
        server.giveBack(chunk)
        yield* passRaw(c, server)
        return false
      }
      if (reader.state !== "done") {
        client.write(chunk)
        yield* client.drained(highWater)
        continue
      }
      // A client that sees the whole answer may look into the journal at once.
      yield* noteSent(c, chunk.length)
      client.write(chunk)
      const isLast = reader.head === undefined || !keepsAlive(reader.head) || !keepsAlive(request.head)
      if (isLast) yield* end(c, "fin")
      return !isLast
    }
    if (client.closed) {
      yield* noteSent(c)
      return false
    }
    yield* end(c, server.theirs === "rst" ? "rst" : "fin")
    return false
  })

/** Passes a request on and its answer back; succeeds with whether another request can follow on the connection. */
export const passExchange = (c: PlayedConnection, request: Request): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const server = yield* reachServer(c)
    if (server === undefined) {
      yield* end(c, "rst")
      return false
    }
    yield* noteAsked(c)
    server.write(bytesForServer(c, request))
    if (isWhole(request)) return yield* passAnswer(c, request, server)
    const remainder = yield* Effect.forkChild(passRemainder(c, request, server))
    const canFollow = yield* passAnswer(c, request, server)
    // The server has answered early; it may still want the rest.
    if (canFollow) yield* Effect.raceFirst(Fiber.join(remainder), server.gone)
    yield* Fiber.interrupt(remainder)
    return canFollow && isWhole(request)
  })

/**
 * Waits for the next request between two exchanges. The server may speak or leave meanwhile, which goes on to the
 * client as it is; succeeds with whether the connection is still there.
 */
export const awaitRequest = (c: PlayedConnection): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const { client, settings } = c
    for (;;) {
      const { server } = c
      if (client.size > 0 || client.theirs !== undefined || client.closed) return true
      const chunk = server?.take()
      if (chunk !== undefined) {
        client.write(chunk)
        yield* client.drained(highWater)
      } else if (server?.theirs !== undefined) {
        yield* end(c, server.theirs)
        return false
      }
      c.isAtRest = true
      const isIdle = yield* Effect.timeoutOrElse(
        Effect.raceFirst(
          Effect.as(Effect.raceFirst(client.readable, server === undefined ? Effect.never : server.readable), false),
          Effect.as(Deferred.await(c.released), true)
        ),
        { duration: settings.idleTimeout, orElse: () => Effect.succeed(true) }
      )
      c.isAtRest = false
      if (isIdle) {
        yield* end(c, "fin")
        return false
      }
    }
  })
