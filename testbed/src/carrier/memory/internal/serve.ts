/** The server's side of a connection in memory: the application, and the faults between it and its client. */
import { Effect, Fiber } from "effect"
import type { Decided } from "../../../play/Session.ts"
import type { Step } from "../../../step/Step.ts"
import { ask, renderFor } from "./application.ts"
import type { Arrived, Connection } from "./Connection.ts"
import { type OfConnect, play } from "./play.ts"

/** A request that no fault strikes; succeeds with whether another one can follow. */
const pass = (c: Connection, arrived: Arrived): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    yield* c.write({ event: "asked", ...c.here })
    const answer = yield* ask(c, arrived)
    if (answer === undefined) {
      yield* c.noteSent
      yield* c.endByServer("fin")
      return false
    }
    const rendered = yield* renderFor(arrived, answer)
    yield* c.write({ event: "answered", ...c.here, status: rendered.status })
    c.sendWhole(rendered, rendered.head.length + Buffer.byteLength(rendered.body))
    yield* c.noteSent
    if (rendered.keepsAlive) return true
    yield* c.endByServer("fin")
    return false
  })

/** Every connection of the leg is reset, as by a process that dies. */
const crash = (c: Connection, decided: Decided): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* c.noteSent
    yield* decided.applied
    for (const other of c.route.open) {
      const { fiber } = other
      if (other !== c && fiber !== undefined) yield* Fiber.interrupt(fiber)
      yield* other.noteSent
      yield* other.endByServer("rst")
      if (other !== c) other.wake()
    }
  })

const serveRequest = (c: Connection, arrived: Arrived, ofConnect: OfConnect): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    c.begin()
    const { tls, session } = c.route
    if (session === undefined) return pass(c, arrived)
    return Effect.flatMap(
      session.request({
        ...c.here,
        tls,
        method: arrived.request.method,
        path: arrived.path,
        transactionId: arrived.transactionId
      }),
      (decided) => {
        const { action } = decided.decision
        switch (action._tag) {
          case "Play":
            return play(c, action.steps, decided, ofConnect, arrived)
          case "Crash":
            return Effect.as(crash(c, decided), false)
          // The others are actions about connections, and this one is there.
          default:
            return pass(c, arrived)
        }
      }
    )
  })

/** Serves what is there; the client goes on when all of it is done. */
const run = (c: Connection, first: Effect.Effect<boolean>, ofConnect: OfConnect): Effect.Effect<void> =>
  Effect.gen(function*() {
    let canFollow = yield* first
    while (canFollow) {
      const next = c.takeRequest()
      if (next === undefined) break
      canFollow = yield* serveRequest(c, next, ofConnect)
    }
    c.fiber = undefined
    c.wake()
  })

/** Begins to serve in a fiber of its own, which ends when there is nothing left to do on the connection. */
const start = (c: Connection, first: Effect.Effect<boolean>, ofConnect: OfConnect): Effect.Effect<void> =>
  Effect.map(Effect.forkDetach(run(c, first, ofConnect), { startImmediately: true }), (fiber) => {
    if (fiber.pollUnsafe() === undefined) c.fiber = fiber
  })

/** A request has come on a connection on which the server has nothing else to do. */
export const serveArrived = (c: Connection, ofConnect: OfConnect): Effect.Effect<void> =>
  Effect.suspend(() => {
    const arrived = c.takeRequest()
    return arrived === undefined ? Effect.void : start(c, serveRequest(c, arrived, ofConnect), ofConnect)
  })

/** Plays a whole connection, from its start. */
export const playConnection = (
  c: Connection,
  steps: ReadonlyArray<Step>,
  decided: Decided,
  ofConnect: OfConnect
): Effect.Effect<void> => start(c, play(c, steps, decided, ofConnect, undefined), ofConnect)
