/**
 * The short way of a request that nothing strikes: its handler is called, and no byte is carried.
 *
 * The journal gets what the interpreter would have written. As soon as anything else is decided, the request takes the
 * long way, over a connection, with what was decided already.
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Handler, ServerRequest } from "@appservice-ping/server/Exchange"
import { Clock, Deferred, Effect, type Exit, Fiber } from "effect"
import type { Decisions } from "../../../play/Interpreter.ts"
import type { Session } from "../../../play/Session.ts"
import { transactionIdOf } from "../../../play/transactionIdOf.ts"
import type { Leg } from "../../../step/Leg.ts"
import { render, type Rendered } from "./answerBytes.ts"
import { answerOf, bodyOf, halfCloseGraceMillis } from "./Application.ts"

/** A request whose body is there as a whole, and that has a connection of its own. */
export interface PlainRequest {
  readonly method: string
  /** By lower-case name. */
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: Uint8Array
}

/** A server, as the short way needs it. */
export interface Place {
  readonly leg: Leg
  readonly tls: boolean
  readonly session: Session["Service"]
  readonly handle: Handler
  /** The requests whose handlers are running. */
  readonly inFlight: Set<InFlight>
}

/** A request whose handler is running. */
interface InFlight {
  /** Resets its connection. The handler goes on as long as one does whose client has left. */
  readonly reset: Effect.Effect<void>
  /** Interrupts the handler. */
  readonly interrupt: Effect.Effect<unknown>
}

/** The answer, or what was decided about a request that has to be carried. */
export type Direct =
  | { readonly _tag: "Answered"; readonly answer: Rendered }
  | { readonly _tag: "Decided"; readonly decisions: Decisions }

/** The connection was reset while the handler was running: what `node:http` raises then. */
export const connectionReset = (): Error =>
  Object.assign(new Error("read ECONNRESET"), { errno: -104, code: "ECONNRESET", syscall: "read" })

/** What `node:http` raises for a head that is longer than it takes. */
const headerOverflow = (): Error =>
  Object.assign(new Error("Parse Error: Header overflow"), { code: "HPE_HEADER_OVERFLOW", reason: "Header overflow" })

/** How long a head of an answer may be that `node:http` reads, in bytes. */
const maxHeaderBytes = 16 * 1024

/** Resets the connections of all requests whose handlers are running. */
export const resetAll = ({ inFlight }: Place): Effect.Effect<void> =>
  Effect.suspend(() => Effect.forEach([...inFlight], ({ reset }) => reset, { discard: true }))

/** Resets them and interrupts their handlers. */
export const endAll = ({ inFlight }: Place): Effect.Effect<void> =>
  Effect.suspend(() =>
    Effect.forEach([...inFlight], ({ interrupt, reset }) => Effect.andThen(reset, interrupt), { discard: true })
  )

/** The request as `node:http` would bring it to a server. */
const requestOf = (url: URL, { body, headers, method }: PlainRequest): ServerRequest => ({
  method,
  target: url.pathname + url.search,
  header: (name) => {
    switch (name) {
      case "host":
        return headers[name] ?? url.host
      case "connection":
        return "close"
      case "content-length":
        return String(body.length)
      default:
        return headers[name]
    }
  },
  body: bodyOf(body)
})

/** Waits for a handler that takes its time. Meanwhile the connection may be reset, or its client leave. */
const awaitHandler = (
  place: Place,
  connection: number,
  fiber: Fiber.Fiber<Answer>
): Effect.Effect<Exit.Exit<Answer>, Error> =>
  Effect.suspend(() => {
    const { inFlight, leg, session } = place
    const isReset = Deferred.makeUnsafe<never, Error>()
    let isConnected = true
    const over = Effect.sync(() => {
      isConnected = false
      inFlight.delete(one)
    })
    const close = (by: "server" | "client", how: "fin" | "rst"): Effect.Effect<void> =>
      Effect.gen(function*() {
        if (!isConnected) return
        isConnected = false
        yield* session.write({ event: "sent", leg, connection, exchange: 1, bytes: 0 })
        yield* session.write({ event: "closed", leg, connection, by, how })
        yield* Effect.forkDetach(
          Effect.raceFirst(Effect.sleep(halfCloseGraceMillis), Fiber.await(fiber)).pipe(
            Effect.andThen(Fiber.interrupt(fiber)),
            Effect.andThen(over)
          ),
          { startImmediately: true }
        )
      })
    const one: InFlight = {
      reset: Effect.andThen(close("server", "rst"), Effect.suspend(() => Deferred.fail(isReset, connectionReset()))),
      interrupt: Effect.andThen(Fiber.interrupt(fiber), over)
    }
    inFlight.add(one)
    return Effect.raceFirst(Deferred.await(isReset), Fiber.await(fiber)).pipe(
      Effect.tap(over),
      Effect.onInterrupt(() => close("client", "fin"))
    )
  })

const ask = (place: Place, url: URL, request: PlainRequest, connection: number): Effect.Effect<Direct, Error> =>
  Effect.gen(function*() {
    const { leg, session } = place
    const here = { leg, connection, exchange: 1 }
    yield* session.write({ event: "asked", ...here })
    const fiber = yield* Effect.forkDetach(Effect.suspend(() => place.handle(requestOf(url, request))), {
      startImmediately: true
    })
    const exit = fiber.pollUnsafe() ?? (yield* awaitHandler(place, connection, fiber))
    const given = answerOf(exit)
    if (given === undefined) {
      yield* session.write({ event: "sent", ...here, bytes: 0 })
      yield* session.write({ event: "closed", leg, connection, by: "server", how: "fin" })
      return yield* Effect.fail(connectionReset())
    }
    const now = yield* Clock.currentTimeMillis
    const answer = render(given, { method: request.method, keepsAlive: false, now })
    yield* session.write({ event: "answered", ...here, status: answer.status })
    yield* session.write({ event: "sent", ...here, bytes: answer.head.length + Buffer.byteLength(answer.body) })
    yield* session.write({ event: "closed", leg, connection, by: "server", how: "fin" })
    return answer.head.length > maxHeaderBytes
      ? yield* Effect.fail(headerOverflow())
      : { _tag: "Answered", answer }
  })

/** Decides about a connection and its request, and asks the handler if nothing strikes. */
export const exchange = (place: Place, url: URL, request: PlainRequest): Effect.Effect<Direct, Error> =>
  Effect.gen(function*() {
    const { leg, session, tls } = place
    const connected = yield* session.connection(leg, tls)
    const { connection } = connected
    if (connected.decision.action._tag !== "Pass") {
      return { _tag: "Decided", decisions: { connection: connected, request: undefined } }
    }
    yield* session.write({ event: "connected", leg, connection })
    if (tls) yield* session.write({ event: "secured", leg, connection, certificate: "good" })
    const decided = yield* session.request({
      leg,
      connection,
      tls,
      exchange: 1,
      method: request.method,
      path: url.pathname,
      transactionId: transactionIdOf(request.body)
    })
    return decided.decision.action._tag === "Pass"
      ? yield* ask(place, url, request, connection)
      : { _tag: "Decided", decisions: { connection: connected, request: decided } }
  })
