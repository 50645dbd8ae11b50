/** When the next ping is due: whole milliseconds on the watch's own clock. */

/** How often one appservice is pinged. */
export interface Pace {
  readonly interval: number
  /** The interval after a failed ping. */
  readonly failingInterval: number
  /** The share of the interval that is left to chance. */
  readonly jitter: number
  /** The time over which first pings are spread. */
  readonly spread: number
}

/** A point on an appservice's grid, and when its ping is due. */
export interface Slot {
  readonly slot: number
  readonly due: number
}

/** The first slot: somewhere within the spread. */
export const first = (pace: Pace, now: number, random: number): Slot => {
  const slot = now + Math.floor(random * pace.spread)
  return { slot, due: slot }
}

/** How many slots lie between the given one and the next that is not before `earliest`; at least 1. */
export const distance = (slot: number, interval: number, earliest: number): number =>
  Math.max(1, Math.ceil((earliest - slot) / interval))

/**
 * The next slot on the grid that is not before `earliest`. The grid does not move with late or slow pings, so that the
 * mean interval stays what it is; chance only delays a ping after its slot.
 */
export const next = (
  pace: Pace,
  last: { readonly slot: number; readonly isFailed: boolean },
  earliest: number,
  random: number
): Slot => {
  const interval = last.isFailed ? pace.failingInterval : pace.interval
  const slot = last.slot + distance(last.slot, interval, earliest) * interval
  return { slot, due: slot + Math.floor(random * pace.jitter * interval) }
}
