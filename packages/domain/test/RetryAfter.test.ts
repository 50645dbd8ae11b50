import * as RetryAfter from "@appservice-ping/domain/RetryAfter"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"

const now = Date.UTC(2026, 0, 15, 12, 0, 0)

const millis = (header: string): number | undefined => {
  const duration = RetryAfter.fromHeader(header, now)
  return duration === undefined ? undefined : Duration.toMillis(duration)
}

describe("RetryAfter.fromHeader", () => {
  it.each([["0", 0], ["2", 2000], ["120", 120_000], [" 7 ", 7000], ["007", 7000], ["9999999999", 9_999_999_999_000]])(
    "C18 reads seconds: %j",
    (header, expected) => {
      assert.strictEqual(millis(header), expected)
    }
  )

  it.each(["Thu, 15 Jan 2026 12:00:30 GMT", "Thursday, 15-Jan-26 12:00:30 GMT", "Thu Jan 15 12:00:30 2026"])(
    "C18 reads an HTTP date: %s",
    (header) => {
      assert.strictEqual(millis(header), 30_000)
    }
  )

  it("C18 reads a zone that is a number, and a date of another day", () => {
    assert.strictEqual(millis("Thu, 15 Jan 2026 13:00:30 +0100"), 30_000)
    assert.strictEqual(millis("Fri, 16 Jan 2026 12:00:00 GMT"), 86_400_000)
  })

  it("C18 reads a date in the past as zero", () => {
    assert.strictEqual(millis("Thu, 15 Jan 2026 11:59:59 GMT"), 0)
    assert.strictEqual(millis("Thu, 01 Jan 1970 00:00:00 GMT"), 0)
  })

  it("C18 rounds up to whole milliseconds for a clock that counts parts of them", () => {
    const duration = RetryAfter.fromHeader("Thu, 15 Jan 2026 12:00:30 GMT", now + 0.25)
    assert.strictEqual(duration === undefined ? undefined : Duration.toMillis(duration), 30_000)
  })

  describe("on a machine far from Greenwich", () => {
    const zone = process.env["TZ"]
    afterEach(() => {
      if (zone === undefined) delete process.env["TZ"]
      else process.env["TZ"] = zone
    })

    it("C18 reads a date without a zone as GMT", () => {
      process.env["TZ"] = "America/New_York"
      assert.notStrictEqual(new Date(now).getTimezoneOffset(), 0)
      assert.strictEqual(millis("Thu Jan 15 12:00:30 2026"), 30_000)
      // The year is no zone.
      assert.strictEqual(millis("Thursday, 15-Jan-2026 12:00:30"), 30_000)
    })
  })

  it("C18 counts no longer than 9999999999 seconds, however many digits there are", () => {
    for (const header of ["9999999999", "10000000000", "99999999999", "9".repeat(400)]) {
      assert.strictEqual(millis(header), 9_999_999_999_000)
    }
  })

  it.each([
    "",
    " ",
    "soon",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "0x10",
    "12 seconds",
    "2026-01-15T12:00:30Z",
    "Mon",
    "Mon 5",
    "on Thu, 15 Jan 2026 12:00:30 GMT",
    "Thu, 15 Foo 2026 12:00:30 GMT",
    "Thu, 45 Jan 2026 12:00:30 GMT",
    "Thu, 15 Jan 2026 99:00:30 GMT"
  ])("C18 reads nothing from %j", (header) => {
    assert.isUndefined(RetryAfter.fromHeader(header, now))
  })

  it.prop("C18 is total: no header throws, none is negative", [Schema.String, Schema.Int], ([text, time]) => {
    for (const header of [text, `Mon ${text}`, `Mon, ${text} 12:00:00 GMT`]) {
      const duration = RetryAfter.fromHeader(header, time)
      if (duration !== undefined) assert.isAtLeast(Duration.toMillis(duration), 0)
    }
  })
})

describe("RetryAfter.toHeader", () => {
  it.each([
    [Duration.zero, "0"],
    [Duration.millis(1), "1"],
    [Duration.millis(999), "1"],
    [Duration.seconds(1), "1"],
    [Duration.millis(1001), "2"],
    [Duration.minutes(2), "120"],
    [Duration.millis(-1500), "0"],
    [Duration.infinity, "9999999999"]
  ])("C18 rounds up to whole seconds: %s", (duration, header) => {
    assert.strictEqual(RetryAfter.toHeader(duration), header)
  })

  it.prop("C18 a client never reads less than was meant, nor a second more", [Schema.Duration], ([duration]) => {
    const meant = Math.min(Math.max(0, Duration.toSeconds(duration)), 9_999_999_999)
    const read = RetryAfter.fromHeader(RetryAfter.toHeader(duration), now)
    const seconds = read === undefined ? Number.NaN : Duration.toSeconds(read)
    assert.isAtLeast(seconds, meant)
    assert.isBelow(seconds - meant, 1)
  })
})
