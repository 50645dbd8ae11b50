/**
 * Lengths of time in a word, as a table has room for.
 *
 * @since 0.1.0
 */

const units = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "m"], [1000, "s"]] as const

/**
 * Says how long something took: `250ms`, `12s`, `3m`, `2h`, `5d`.
 *
 * @category rendering
 * @since 0.1.0
 */
export const words = (millis: number): string => {
  const length = Math.max(0, millis)
  const unit = units.find(([size]) => length >= size)
  return unit === undefined ? `${Math.round(length)}ms` : `${Math.floor(length / unit[0])}${unit[1]}`
}
