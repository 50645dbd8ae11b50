/** Connections that a homeserver's client keeps for its next request to the same place. */
import { Clock, Duration, Effect, Exit, Scope } from "effect"
import type { PeerFailure } from "../PeerOutcome.ts"
import type { PeerConnection } from "../PeerTransport.ts"

/** A connection for one request, and what gives it back: kept if it can take another one, and closed if not. */
export interface Lease {
  readonly connection: PeerConnection
  /** Says that the answer was read to its end, and leaves the connection as it was before the request. */
  readonly keep: () => void
}

/** Opens a connection in the current scope. */
export type Open = Effect.Effect<PeerConnection, PeerFailure, Scope.Scope>

export interface Pool {
  /** A connection to this origin until the scope closes: a kept one, or else one that is opened. */
  readonly lease: (origin: string, open: Open) => Effect.Effect<Lease, PeerFailure, Scope.Scope>
}

/** Keeps no connection. */
export const none: Pool = {
  lease: (_, open) => Effect.map(open, (connection) => ({ connection, keep: () => {} }))
}

interface Kept {
  readonly connection: PeerConnection
  readonly scope: Scope.Closeable
  readonly until: number
}

/** Keeps idle connections so long, in the current scope. */
export const make = (idle: Duration.Duration): Effect.Effect<Pool, never, Scope.Scope> =>
  Effect.gen(function*() {
    const kept = new Map<string, Array<Kept>>()
    const close = ({ scope }: Pick<Kept, "scope">): Effect.Effect<void> => Scope.close(scope, Exit.void)
    yield* Effect.addFinalizer(() => Effect.forEach([...kept.values()].flat(), close, { discard: true }))

    /** The newest one that is still good; the others are closed. */
    const take = Effect.fnUntraced(function*(origin: string, now: number) {
      const there = kept.get(origin) ?? []
      for (let one = there.pop(); one !== undefined; one = there.pop()) {
        if (one.until > now && one.connection.isIdle()) return one
        yield* close(one)
      }
      return undefined
    })

    return {
      lease: (origin, open) =>
        Effect.gen(function*(): Effect.fn.Return<Lease, PeerFailure, Scope.Scope> {
          const now = yield* Clock.currentTimeMillis
          const found = yield* take(origin, now)
          const scope = found?.scope ?? (yield* Scope.make())
          let isReusable = false
          let connection = found?.connection
          yield* Effect.addFinalizer(() =>
            Effect.gen(function*() {
              if (!isReusable || connection?.isIdle() !== true) return yield* close({ scope })
              const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(idle)
              kept.set(origin, [...kept.get(origin) ?? [], { connection, scope, until }])
            })
          )
          connection ??= yield* Scope.provide(open, scope)
          return {
            connection,
            keep: () => {
              isReusable = true
            }
          }
        })
    }
  })
