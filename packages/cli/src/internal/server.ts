/** The parts that both server commands share. */
import { listen, type Listening, type ListenOptions } from "@appservice-ping/node/NodeListener"
import type { Handler } from "@appservice-ping/server/Exchange"
import { Effect } from "effect"
import { makeOutputOptional } from "./output.ts"

/**
 * Serves a handler until the process is asked to stop.
 *
 * A server that was asked to stop has done its job, so from here on a signal is a good end: exit code 0.
 */
export const serve = Effect.fnUntraced(function*(
  handle: Handler,
  options: ListenOptions,
  onReady: (listening: Listening) => Effect.Effect<void>
) {
  const listening = yield* listen(handle, options)
  process.exitCode = 0
  yield* makeOutputOptional
  yield* onReady(listening)
  return yield* Effect.never
}, Effect.scoped)
