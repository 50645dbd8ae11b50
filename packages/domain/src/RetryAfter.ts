/**
 * How long a server asks a client to wait (C18).
 *
 * @since 0.1.0
 */
import { Duration } from "effect"

const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d\d:\d\d:\d\d/

/** The oldest form of an HTTP date names no zone, and `Date.parse` would take it for local time. */
const withZone = (date: string): string => /(?:GMT|UTC|[+-]\d{4})$/.test(date) ? date : `${date} GMT`

const maxSeconds = 9_999_999_999

/**
 * Reads a `Retry-After` header: seconds or an HTTP date; `undefined` when it is neither.
 *
 * **Details**
 *
 * `now` is the time in milliseconds since the epoch that a date is measured from; a date in the past is zero, and
 * nothing is longer than 9999999999 seconds.
 *
 * @category parsing
 * @since 0.1.0
 */
export const fromHeader = (header: string, now: number): Duration.Duration | undefined => {
  const text = header.trim()
  if (/^\d+$/.test(text)) return Duration.seconds(Math.min(maxSeconds, Number(text)))
  if (!httpDate.test(text)) return undefined
  const at = Date.parse(withZone(text))
  return Number.isNaN(at) ? undefined : Duration.millis(Math.min(maxSeconds * 1000, Math.max(0, Math.ceil(at - now))))
}

/**
 * Renders a duration as a `Retry-After` header: whole seconds, rounded up, because a client must not come too early.
 *
 * **Details**
 *
 * A negative duration is 0, and none is longer than {@link fromHeader} reads: 9999999999 seconds.
 *
 * @category rendering
 * @since 0.1.0
 */
export const toHeader = (duration: Duration.Duration): string =>
  String(Math.min(maxSeconds, Math.max(0, Math.ceil(Duration.toSeconds(duration)))))
