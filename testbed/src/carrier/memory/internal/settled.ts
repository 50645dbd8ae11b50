/** Lets what is on its way in this process arrive, so that the journal knows what a client knows. */
import { Effect } from "effect"
import * as Traffic from "../../../play/Traffic.ts"
import type { Delivery } from "./InProcessSocket.ts"

/** How often all that can be done without a turn of the event loop is done: an end passes through no more hands. */
const rounds = 4

const endOfTurn: Effect.Effect<void> = Effect.callback((resume) => {
  let left = rounds
  const round = (): void => {
    if (left-- === 0) resume(Effect.void)
    else process.nextTick(() => queueMicrotask(round))
  }
  round()
})

/**
 * How many turns pass without any traffic before nothing is on its way any more: fewer than those that virtual time
 * waits for.
 */
const quietTurns = 3

/** However much is on its way, a client waits no longer for the journal: somebody may send without end. */
const maxTurns = 200

const quiet: Effect.Effect<void> = Effect.callback((resume) => {
  // Virtual time waits for this as it does for bytes.
  Traffic.note()
  let before = Traffic.count()
  let quiet = 0
  let turns = 0
  const turn = (): void => {
    const now = Traffic.count()
    quiet = now === before ? quiet + 1 : 0
    before = now
    if (quiet >= quietTurns || ++turns >= maxTurns) resume(Effect.void)
    else setImmediate(turn)
  }
  setImmediate(turn)
})

export const settled = (delivery: Delivery): Effect.Effect<void> => delivery === "next turn" ? quiet : endOfTurn
