/**
 * How often an appservice may ping.
 *
 * The generic cell rate algorithm: one time for each appservice says when all its pings would be back. It counts in
 * whole nanoseconds, so that no rounding adds up.
 */
import { Clock, Duration, Effect } from "effect"

/** A limit, checked: so many pings in so long, which come back one after the other. */
export interface Rate {
  readonly pings: number
  readonly per: Duration.Duration
}

/** In nanoseconds. */
interface Cell {
  /** How long it takes until one ping comes back. */
  readonly interval: bigint
  /** How far all pings but one may be from being back. */
  readonly tolerance: bigint
}

const cellOf = ({ per, pings }: Rate): Cell => {
  const interval = BigInt(Math.max(1, Math.ceil((Duration.toMillis(per) * 1e6) / pings)))
  return { interval, tolerance: interval * BigInt(pings - 1) }
}

/** Takes a ping: gives the new time at which all are back, or how long to wait, in nanoseconds. */
const take = (
  back: bigint,
  now: bigint,
  { interval, tolerance }: Cell
): { readonly back: bigint } | { readonly wait: bigint } => {
  const from = back > now ? back : now
  return from - now > tolerance ? { wait: from - tolerance - now } : { back: from + interval }
}

/** More than this are looked through for appservices whose pings are all back, which need not be remembered. */
const rememberedMax = 10_000

/** Makes the check of one ping of an appservice: after how long it may ask again, or `undefined` if it may ping. */
export const make = (rate: Rate): (id: string) => Effect.Effect<Duration.Duration | undefined> => {
  const cell = cellOf(rate)
  const backAt = new Map<string, bigint>()
  let lookAt = rememberedMax
  const forget = (now: bigint): void => {
    for (const [id, back] of backAt) if (back <= now) backAt.delete(id)
    lookAt = Math.max(rememberedMax, backAt.size * 2)
  }
  return (id) =>
    Effect.map(Clock.monotonicTimeNanos, (now) => {
      if (backAt.size >= lookAt) forget(now)
      const taken = take(backAt.get(id) ?? now, now, cell)
      if ("wait" in taken) return Duration.nanos(taken.wait)
      backAt.set(id, taken.back)
      return undefined
    })
}
