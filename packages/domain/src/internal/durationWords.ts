/** Durations as a person says them. */
import { Duration } from "effect"

const units = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]] as const

const secondsMax = 30 * 86_400

const counted = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? "" : "s"}`

/** Nobody waits three days and eleven seconds: what is smaller than the second unit only gets in the way. */
const stepOf = (seconds: number): number => seconds >= 86_400 ? 3600 : seconds >= 3600 ? 60 : 1

/**
 * Renders a duration in at most two units, rounded up, because a person who waits must not come too early; one that is
 * longer than anybody waits is "more than a month".
 */
export const inWords = (duration: Duration.Duration): string => {
  const millis = Math.max(1, Math.ceil(Duration.toMillis(duration)))
  if (millis < 1000) return counted(millis, "millisecond")
  const seconds = Math.ceil(millis / 1000)
  if (seconds > secondsMax) return "more than a month"
  let rest = Math.ceil(seconds / stepOf(seconds)) * stepOf(seconds)
  const words: Array<string> = []
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) words.push(counted(count, unit))
  }
  return words.join(" ")
}
