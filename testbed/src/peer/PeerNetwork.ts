/** Connections in this process between a peer and a handler, with the faults of a session in between. */
import { lastAnswer } from "@appservice-ping/node/AnswerBytes"
import { BodyError, type Handler } from "@appservice-ping/server/Exchange"
import { Bytes, Effect } from "effect"
import { Duplex } from "node:stream"
import { lookupError } from "../carrier/lookupError.ts"
import { certificateContext } from "../carrier/tls/certificateContext.ts"
import { type Carrier, Connection } from "../play/Connection.ts"
import * as Interpreter from "../play/Interpreter.ts"
import type { Session } from "../play/Session.ts"
import * as Traffic from "../play/Traffic.ts"
import type { Leg } from "../step/Leg.ts"
import type { PeerConnect } from "./PeerTransport.ts"

const failure = (code: string): Error => Object.assign(new Error(code), { code })

class End extends Duplex implements Carrier {
  connecting = false
  other: End | undefined
  private waiting: (() => void) | undefined
  private inFlight = false

  override _read(): void {
    const go = this.waiting
    this.waiting = undefined
    go?.()
  }

  override _write(chunk: Uint8Array, _: string, done: () => void): void {
    const { other } = this
    Traffic.note()
    if (other === undefined || other.destroyed || other.readableEnded) return done()
    this.inFlight = true
    const finish = (): void => {
      this.inFlight = false
      done()
    }
    if (other.push(chunk)) process.nextTick(finish)
    else other.waiting = finish
  }

  override _final(done: () => void): void {
    Traffic.note()
    if (this.other?.destroyed === false) this.other.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    Traffic.note()
    const { other } = this
    if (other !== undefined && !other.destroyed && !this.writableFinished && error === null) {
      process.nextTick(() => {
        if (!other.destroyed && !other.readableEnded) other.push(null)
      })
    }
    this._read()
    done(error)
  }

  resetAndDestroy(): void {
    const { other } = this
    const reset = (): void => {
      Traffic.note()
      if (other !== undefined && !other.destroyed) other.destroy(failure("ECONNRESET"))
      this.destroy()
    }
    if (this.inFlight || this.writableLength > 0) this.once("drain", () => setImmediate(reset))
    else process.nextTick(reset)
  }
}

const pair = (): readonly [End, End] => {
  const [a, b] = [new End(), new End()]
  a.other = b
  b.other = a
  return [a, b]
}

/** Answers one request that comes on a connection, and closes it. */
const answer = (connection: Connection, handle: Handler): Effect.Effect<void> =>
  Effect.gen(function*() {
    let received: Uint8Array = new Uint8Array()
    for (;;) {
      yield* connection.readable
      const bytes = connection.take()
      if (bytes === undefined) return
      received = Bytes.concat([received, bytes])
      const text = Buffer.from(received).toString("latin1")
      const end = text.indexOf("\r\n\r\n")
      if (end === -1) continue
      const [requestLine = "", ...lines] = text.slice(0, end).split("\r\n")
      const headers = new Map(lines.map((line) => {
        const colon = line.indexOf(":")
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }))
      const body = received.subarray(end + 4)
      if (body.length < Number(headers.get("content-length") ?? 0)) continue
      const [method = "", target = ""] = requestLine.split(" ")
      const answered = yield* handle({
        method,
        target,
        header: (name) => headers.get(name),
        body: (maxBytes) =>
          body.length > maxBytes ? Effect.fail(new BodyError({ reason: "TooLarge" })) : Effect.succeed(body)
      })
      connection.write(Buffer.from(lastAnswer(answered, method)))
      connection.fin()
      return yield* connection.over
    }
  })

/** A place that can be connected to. */
export interface InProcessPlace {
  readonly host: string
  readonly port: number
  readonly tls?: boolean
  readonly leg: Leg
  readonly session: Session["Service"]
  readonly handle: Handler
}

const bounds = {
  maxHeadBytes: 64 * 1024,
  maxRequestBytes: 1024 * 1024,
  maxAnswerBytes: 8 * 1024 * 1024,
  idleTimeout: "1 day",
  lingerTimeout: "5 seconds"
} as const

/** Connects to these places, in the current scope; elsewhere no name is found. */
export const connector = (places: ReadonlyArray<InProcessPlace>) =>
  Effect.gen(function*() {
    const context = yield* Effect.context<never>()
    const scope = yield* Effect.scope
    const run = (effect: Effect.Effect<void>): void => void Effect.runForkWith(context)(Effect.forkIn(effect, scope))
    const known = places.map((place) => ({
      place,
      interpreter: Interpreter.make({
        ...bounds,
        leg: place.leg,
        tls: place.tls ?? false,
        session: place.session,
        connect: Effect.sync(() => {
          const [near, far] = pair()
          run(answer(new Connection(far, 64 * 1024), place.handle))
          return new Connection(near, 64 * 1024)
        }),
        handshake: certificateContext,
        sleep: Effect.sleep
      }, { changed: Effect.void })
    }))
    const connect: PeerConnect = ({ host, port }, callback) => {
      const [near, far] = pair()
      const there = known.filter(({ place }) => place.host === host)
      const found = there.find(({ place }) => place.port === port)
      Traffic.note()
      if (found === undefined) return callback(failure(there.length === 0 ? "ENOTFOUND" : "ECONNREFUSED"), near)
      const { interpreter, place } = found
      near.connecting = true
      callback(null, near)
      run(Effect.gen(function*() {
        const connection = yield* place.session.connection(place.leg, place.tls ?? false)
        const { action } = connection.decision
        switch (action._tag) {
          case "Refuse":
            yield* connection.applied
            near.destroy(failure("ECONNREFUSED"))
            return
          case "Ignore":
            return yield* connection.applied
          case "Resolve":
            yield* connection.applied
            if (action.failure !== "hang") near.destroy(lookupError(action.failure, host))
            return
          default:
            near.connecting = false
            near.emit("connect")
            yield* interpreter.serve(new Connection(far, bounds.maxRequestBytes), { connection, request: undefined })
        }
      }))
    }
    return connect
  })
