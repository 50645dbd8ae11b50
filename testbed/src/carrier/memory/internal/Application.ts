/** A handler behind a connection in this process: what `NodeListener` is on a socket, on Effect's clock. */
import { type Answer, fromError } from "@appservice-ping/domain/Answer"
import { Unrecognized } from "@appservice-ping/domain/PingError"
import { BodyError, type Handler, type ServerRequest } from "@appservice-ping/server/Exchange"
import { Bytes, Clock, Effect, Exit, Fiber } from "effect"
import type { Connection } from "../../../play/Connection.ts"
import { type Head, keepsAlive, MessageReader } from "../../../play/MessageReader.ts"
import { render, toBytes } from "./answerBytes.ts"

/** How long an application goes on when its client has closed its side, in milliseconds; as `NodeListener` does. */
export const halfCloseGraceMillis = 1000

const maxHeadBytes = 64 * 1024

const maxBodyBytes = 16 * 1024 * 1024

const unreadable = fromError(new Unrecognized({ error: "The request is not valid HTTP" }))

const malformed: Answer = {
  ...unreadable,
  status: 400,
  headers: { ...unreadable.headers, connection: "close" }
}

/** What a total handler gave: nothing if it was interrupted. */
export const answerOf = (exit: Exit.Exit<Answer>): Answer | undefined => Exit.isSuccess(exit) ? exit.value : undefined

/** A body that is there as a whole, as a handler reads it. */
export const bodyOf = (body: Uint8Array): ServerRequest["body"] => (maxBytes) =>
  body.length > maxBytes || body.length >= maxBodyBytes
    ? Effect.fail(new BodyError({ reason: "TooLarge" }))
    : Effect.succeed(body)

interface Asked {
  readonly head: Head
  readonly request: ServerRequest
}

const isExpecting = (head: Head): boolean => /^100-continue$/i.test(head.header("expect") ?? "")

const continues = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n")

/** Reads a request; `undefined` if there is none. */
const read = (connection: Connection): Effect.Effect<Asked | "malformed" | undefined> =>
  Effect.gen(function*() {
    const reader = new MessageReader("request", { maxHeadBytes, maxBodyBytes })
    let isContinued = false
    for (;;) {
      const chunk = connection.take()
      if (chunk === undefined) {
        if (connection.theirs !== undefined || connection.closed) return undefined
        yield* connection.readable
        continue
      }
      connection.giveBack(chunk.subarray(reader.feed(chunk)))
      const { head, state } = reader
      if (state === "unreadable") return "malformed"
      if (head === undefined) continue
      if (state === "done") {
        const body = Bytes.concat(reader.body)
        const request = { method: head.method, target: head.target, header: head.header, body: bodyOf(body) }
        return { head, request }
      }
      if (isExpecting(head) && !isContinued) {
        isContinued = true
        connection.write(continues)
      }
    }
  })

/** Waits until a client that has closed its side is not waited for any longer. */
const leaving = (connection: Connection): Effect.Effect<void> =>
  Effect.andThen(
    connection.gone,
    Effect.suspend(() =>
      connection.theirs === "rst" || connection.closed
        ? Effect.void
        : Effect.raceFirst(connection.over, Effect.sleep(halfCloseGraceMillis))
    )
  )

const answer = (connection: Connection, asked: Asked, handle: Handler): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.suspend(() => handle(asked.request)), { startImmediately: true })
    const exit = fiber.pollUnsafe() ??
      (yield* Effect.raceFirst(Fiber.await(fiber), Effect.as(leaving(connection), undefined)))
    if (exit === undefined) {
      yield* Fiber.interrupt(fiber)
      return false
    }
    const given = answerOf(exit)
    if (given === undefined) return false
    return yield* send(connection, given, asked.head.method, keepsAlive(asked.head))
  })

const send = (connection: Connection, given: Answer, method: string, keepsAlive: boolean): Effect.Effect<boolean> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const rendered = render(given, { method, keepsAlive, now })
    connection.write(toBytes(rendered).bytes)
    return rendered.keepsAlive
  })

/** Answers the requests of a connection, one after the other, until it is over. */
export const serve = (connection: Connection, handle: Handler): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (;;) {
      const asked = yield* read(connection)
      if (asked === undefined) break
      const canFollow = asked === "malformed"
        ? yield* send(connection, malformed, "", false)
        : yield* answer(connection, asked, handle)
      if (!canFollow) break
    }
    connection.fin()
    connection.discard()
    yield* connection.over
  }).pipe(Effect.ensuring(Effect.sync(() => connection.destroy())))
