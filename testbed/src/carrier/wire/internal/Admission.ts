/**
 * A port that is open, refuses or ignores connections, as the plans in force would decide about the next
 * connection.
 *
 * A listener cannot refuse a connection that it sees: the system has accepted it already. So the port is closed
 * before, as soon as the next connection would be refused.
 */
import type { ListenError } from "@appservice-ping/node/NodeListener"
import { Effect, Exit, Latch, Scope, Semaphore } from "effect"
import type * as Net from "node:net"
import type { Session } from "../../../play/Session.ts"
import type { Leg } from "../../../step/Leg.ts"
import * as BlockedPort from "./BlockedPort.ts"
import * as HeldPort from "./HeldPort.ts"

type Mode = "open" | "refuse" | "ignore"

export interface Admission {
  readonly port: number
  /** Brings the port into the state that the plans ask for; to be run after whatever may have changed it. */
  readonly refresh: Effect.Effect<void>
  /** Keeps the port open for a client of ours until it is released, whatever the one behind it will get. */
  readonly enter: Effect.Effect<() => void>
}

interface AdmissionOptions {
  readonly server: Net.Server
  readonly session: Session["Service"]
  readonly leg: Leg
  readonly tls: boolean
  readonly host: string
  readonly port: number
}

/** No timer waits longer than some weeks, and nothing is lost by looking again. */
const restMillisMax = 3_600_000

export const make = Effect.fnUntraced(function*(
  options: AdmissionOptions
): Effect.fn.Return<Admission, ListenError, Scope.Scope> {
  const { host, tls, leg, session } = options
  const isHeld = process.platform === "linux"
  const held = yield* HeldPort.make(options.server, { host, port: options.port, isHeld })
  const turn = Semaphore.makeUnsafe(1)
  const changed = Latch.makeUnsafe(false)
  let entered = 0
  let mode: Mode = "open"
  let ignoring: Scope.Closeable | undefined

  const wanted = Effect.map(session.peek(leg, tls), ({ _tag }): Mode => {
    if (entered > 0) return "open"
    if (_tag === "Refuse") return "refuse"
    return _tag === "Ignore" && BlockedPort.isSupported ? "ignore" : "open"
  })

  const leave = Effect.suspend(() => {
    if (ignoring === undefined) return Effect.void
    const scope = ignoring
    ignoring = undefined
    return Scope.close(scope, Exit.void)
  })

  const enterMode = (next: Mode): Effect.Effect<void> => {
    switch (next) {
      case "open":
        return Effect.andThen(leave, held.open)
      case "refuse":
        return Effect.andThen(leave, held.close)
      case "ignore":
        return Effect.gen(function*() {
          yield* held.close
          ignoring = yield* Scope.make()
          // The port refuses then; as that is not what the plan asks for, it does not count as applied either.
          yield* Effect.catch(
            Scope.provide(BlockedPort.listen(host, held.port), ignoring),
            (error) => Effect.logWarning(`A port cannot ignore connections: ${error.code}`)
          )
        })
    }
  }

  const reconcile: Effect.Effect<void> = Effect.uninterruptible(turn.withPermit(Effect.gen(function*() {
    const next = yield* wanted
    if (next === mode) return
    mode = next
    yield* enterMode(next)
  })))

  const refresh = Effect.andThen(reconcile, Effect.sync(() => void changed.openUnsafe()))

  const watch = Effect.gen(function*() {
    changed.closeUnsafe()
    // The edge is asked for first: one that passes between the two is seen by the look at the port, or still to come.
    const edge = yield* session.nextEdge
    yield* reconcile
    yield* edge === undefined
      ? changed.await
      : Effect.raceFirst(changed.await, Effect.sleep(Math.min(edge, restMillisMax)))
  })

  yield* Effect.addFinalizer(() => turn.withPermit(leave))
  yield* session.onChange(refresh)
  yield* Effect.forkScoped(Effect.forever(watch))

  return {
    port: held.port,
    refresh,
    enter: Effect.suspend(() => {
      entered++
      let isInside = true
      const release = (): void => {
        if (!isInside) return
        isInside = false
        entered--
        changed.openUnsafe()
      }
      return Effect.as(reconcile, release)
    })
  }
})
