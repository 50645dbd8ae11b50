/**
 * Plays what the plans in force decide on the connections of one leg: it reads requests, passes them on to the real
 * server, and plays the steps of faults. It is the same on sockets and in this process; what carries the bytes, and what
 * happens before there is a connection, is the carrier's.
 *
 * @since 0.1.0
 */
import { Deferred, Effect } from "effect"
import type { Connection } from "./Connection.ts"
import { crash, type PlayedConnection, release, type Settings } from "./internal/PlayedConnection.ts"
import { type Decisions, serve } from "./internal/serve.ts"

export type {
  /**
   * What an interpreter needs to know of its leg and its carrier.
   *
   * @category options
   * @since 0.1.0
   */
  Settings
} from "./internal/PlayedConnection.ts"

export type {
  /**
   * The decisions that were taken before a connection came about.
   *
   * @category models
   * @since 0.1.0
   */
  Decisions
} from "./internal/serve.ts"

/**
 * Plays the connections of one leg.
 *
 * @category models
 * @since 0.1.0
 */
export interface Interpreter {
  /** Plays a connection to its end. The connection is destroyed then, also by interruption. */
  readonly serve: (client: Connection, decisions: Decisions) => Effect.Effect<void>
  /** Resets every connection that is played, as a process that dies does. */
  readonly crash: Effect.Effect<void>
  /** Ends the connections that nothing holds, or whose fault has healed; others end after their exchange. */
  readonly release: Effect.Effect<void>
}

/**
 * Makes an interpreter; `changed` runs when the next connection may be decided otherwise, and `crash` beside the reset
 * of all connections.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  settings: Settings,
  hooks: { readonly changed: Effect.Effect<void>; readonly crash?: Effect.Effect<void> }
): Interpreter => {
  const played = new Set<PlayedConnection>()
  const crashAll = Effect.andThen(
    hooks.crash ?? Effect.void,
    Effect.suspend(() => Effect.forEach([...played], crash, { discard: true }))
  )
  return {
    crash: crashAll,
    release: Effect.suspend(() => Effect.forEach([...played], release, { concurrency: "unbounded", discard: true })),
    serve: (client, decisions) =>
      Effect.suspend(() => {
        const c: PlayedConnection = {
          settings,
          client,
          connection: decisions.connection.connection,
          server: undefined,
          exchange: 0,
          isExchangeOpen: false,
          sentBefore: 0,
          isClosedWritten: false,
          playing: undefined,
          isAtRest: false,
          released: Deferred.makeUnsafe()
        }
        played.add(c)
        return Effect.ensuring(
          Effect.andThen(hooks.changed, serve(c, decisions, { changed: hooks.changed, crash: crashAll })),
          Effect.sync(() => played.delete(c))
        )
      })
  }
}
