import type { Health } from "@appservice-ping/client/Health"
import type { Observed, Status } from "@appservice-ping/client/WatchStatus"
import { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { assert, describe, it } from "@effect/vitest"
import * as WatchLine from "appservice-ping/watch/WatchLine"
import * as WatchTable from "appservice-ping/watch/WatchTable"
import { words } from "appservice-ping/watch/WatchTime"
import { Duration } from "effect"
import { widthOf } from "../../src/internal/terminal.ts"

const look = { live: true, colour: false, unicode: true }

const now = Date.UTC(2026, 10, 22, 12, 0, 0)

const diagnosis = new Diagnosis({
  actor: "operator",
  cause: "Nothing listens there.",
  advice: "Start the appservice.",
  temporary: true
})

const healthy: Health = {
  _tag: "Healthy",
  since: now - 3_600_000,
  lastSuccess: now - 5000,
  durationMs: 12,
  against: undefined
}

const failing: Health = {
  _tag: "Failing",
  since: now - 120_000,
  sinceMonotonic: 0,
  failures: 3,
  error: { verdict: "M_CONNECTION_FAILED", text: "M_CONNECTION_FAILED: refused" },
  diagnosis,
  lastSuccess: undefined,
  against: undefined
}

const unknown: Health = { _tag: "Unknown", against: undefined }

const status = (key: string, health: Health): Status => ({
  key,
  labels: {},
  health,
  last: undefined,
  isRunning: false,
  isPaused: false,
  nextIn: undefined
})

const draw = (statuses: ReadonlyArray<Status>, columns = 120, rows = 24) => {
  const byHealth = { Unknown: 0, Healthy: 0, Failing: 0, Recovered: 0 }
  for (const { health } of statuses) byHealth[health._tag]++
  return WatchTable.draw(
    { title: "https://matrix.example/", statuses, now, load: { watched: statuses.length, backlog: 0, byHealth } },
    { columns, rows, look }
  )
}

describe("the table of a watch", () => {
  it("has a row for each appservice", () => {
    assert.deepStrictEqual(draw([status("telegram", healthy), status("irc", failing), status("x", unknown)]), [
      "https://matrix.example/: 3 watched, 1 failing, 1 unknown",
      "APPSERVICE  HEALTH   SINCE  LAST OK  TOOK  WHAT IS WRONG",
      "telegram    healthy  1h     5s       12ms",
      "irc         failing  2m     -        -     Nothing listens there. Start the appservice.",
      "x           unknown  -      -        -"
    ])
  })

  it("is never wider or longer than the terminal", () => {
    const many = Array.from(
      { length: 50 },
      (_, i) => status(`漢字-${i}-${"x".repeat(i)}`, i % 7 === 0 ? failing : healthy)
    )
    for (const columns of [1, 2, 20, 40, 80, 200]) {
      for (const rows of [1, 5, 24, 60]) {
        const lines = draw(many, columns, rows)
        assert.isAtMost(lines.length, Math.max(rows - 1, 4))
        for (const line of lines) assert.isBelow(widthOf(line), Math.max(columns, 1) + (columns === 1 ? 1 : 0))
      }
    }
  })

  it("shows what fails first where not all have room", () => {
    const lines = draw([status("a", healthy), status("b", healthy), status("c", failing), status("d", healthy)], 80, 6)
    assert.match(lines[2] ?? "", /^c /)
    assert.match(lines[3] ?? "", /^a /)
    assert.strictEqual(lines[4], "and 2 more")
    assert.lengthOf(lines, 5)
  })

  it("a key cannot steer the terminal", () => {
    const lines = draw([status("a\u001b[2J\nb", healthy)])
    assert.lengthOf(lines, 3)
    assert.match(lines[2] ?? "", /^a\\u\{1b\}\[2J b /)
  })

  it("says how many pings are late", () => {
    const [one, seven] = [1, 7].map((backlog) =>
      WatchTable.draw(
        {
          title: "t",
          statuses: [],
          now,
          load: { watched: 0, backlog, byHealth: { Unknown: 0, Healthy: 0, Failing: 0, Recovered: 0 } }
        },
        { columns: 80, rows: 24, look }
      )[0]
    )
    assert.strictEqual(one, "t: 0 watched, 0 failing, 0 unknown, 1 ping late")
    assert.strictEqual(seven, "t: 0 watched, 0 failing, 0 unknown, 7 pings late")
  })
})

describe("the lines of a watch", () => {
  const observed = (health: Health, from: Health | undefined): Observed => ({
    _tag: "Observed",
    key: "telegram",
    labels: { homeserver: "matrix.example" },
    observation: health._tag === "Failing"
      ? { _tag: "Failure", at: now, monotonic: 0, error: health.error, diagnosis: health.diagnosis }
      : { _tag: "Success", at: now, monotonic: 0, durationMs: 12 },
    health,
    transition: from === undefined ? undefined : { from, to: health }
  })

  it("a person gets one for each change, with its time", () => {
    assert.strictEqual(WatchLine.text(observed(healthy, undefined), now), undefined)
    assert.strictEqual(
      WatchLine.text(observed(healthy, unknown), now),
      "2026-11-22T12:00:00.000Z telegram healthy: the homeserver reached the appservice in 12 ms"
    )
    assert.strictEqual(
      WatchLine.text(observed(failing, healthy), now),
      "2026-11-22T12:00:00.000Z telegram failing: M_CONNECTION_FAILED: Nothing listens there. Start the appservice. Who must act: operator."
    )
    assert.strictEqual(
      WatchLine.text(
        observed(
          { ...healthy, _tag: "Recovered", after: Duration.minutes(3), lastSuccess: now, durationMs: 4 },
          failing
        ),
        now
      ),
      "2026-11-22T12:00:00.000Z telegram recovered: after 3m, the homeserver reached the appservice in 4 ms"
    )
  })

  it("a machine gets one for each ping", () => {
    assert.deepStrictEqual(JSON.parse(WatchLine.json(observed(healthy, undefined), now)), {
      event: "ping",
      time: "2026-11-22T12:00:00.000Z",
      appservice: "telegram",
      homeserver: "matrix.example",
      health: "healthy",
      changed: false,
      verdict: "success",
      duration_ms: 12,
      error: null,
      cause: null,
      advice: null,
      actor: null,
      temporary: null
    })
    assert.deepInclude(JSON.parse(WatchLine.json(observed(failing, unknown), now)), {
      changed: true,
      verdict: "M_CONNECTION_FAILED",
      duration_ms: null,
      cause: "Nothing listens there.",
      actor: "operator",
      temporary: true
    })
  })

  it("both learn what they missed", () => {
    const missed = { _tag: "Missed", count: 4 } as const
    assert.match(WatchLine.text(missed, now) ?? "", /^2026-11-22T12:00:00\.000Z 4 events were lost/)
    assert.deepStrictEqual(JSON.parse(WatchLine.json(missed, now)), {
      event: "missed",
      time: "2026-11-22T12:00:00.000Z",
      count: 4
    })
  })
})

describe("lengths of time", () => {
  const rows = [
    [-5, "0ms"],
    [0, "0ms"],
    [999, "999ms"],
    [1000, "1s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [
      3_599_999,
      "59m"
    ],
    [3_600_000, "1h"],
    [86_400_000, "1d"]
  ] as const
  for (const [millis, expected] of rows) {
    it(`${millis} ms is ${expected}`, () => {
      assert.strictEqual(words(millis), expected)
    })
  }
})
