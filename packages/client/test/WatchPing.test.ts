import * as Ping from "@appservice-ping/client/Ping"
import * as Watch from "@appservice-ping/client/Watch"
import * as WatchMetrics from "@appservice-ping/client/WatchMetrics"
import type { Observed } from "@appservice-ping/client/WatchStatus"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Metric, Random } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"
import { asToken, homeserver, memory, type Reaction, registration } from "./support/memory.ts"
import { ok, script, settled } from "./support/watched.ts"

const exact = { spread: 0, jitter: 0 }

describe("a watched ping", () => {
  it.effect("C18 is postponed by the Retry-After of a homeserver", () =>
    Effect.gen(function*() {
      const answers: ReadonlyArray<() => Reaction> = [
        () => Response.json({ duration_ms: 3 }),
        () => Response.json({ errcode: "M_LIMIT_EXCEEDED" }, { status: 429, headers: { "retry-after": "150" } }),
        () => Response.json({ duration_ms: 4 })
      ]
      const stub = memory((_, nth) => Effect.sync(() => answers[Math.min(nth, 2)]?.() ?? new Response()))
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: Ping.ping({ homeserver, registration }) }).pipe(stub.provide)
      yield* settled
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(stub.received, 2)
      assert.strictEqual((yield* watch.status("irc"))?.health._tag, "Healthy")
      yield* TestClock.adjust("179999 millis")
      assert.lengthOf(stub.received, 2)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(stub.received, 3)
      const last = (yield* watch.status("irc"))?.last
      assert.strictEqual(last?._tag === "Success" ? last.durationMs : undefined, 4)
    }))

  it.effect("that is refused by a framework which answers only its own pings finds the appservice healthy", () =>
    Effect.gen(function*() {
      const body = JSON.stringify({ errcode: "BAD_REQUEST", error: "No ping request expected" })
      const stub = memory(() =>
        Effect.delay(
          Effect.sync(() => Response.json({ errcode: "M_BAD_STATUS", status: 400, body }, { status: 502 })),
          "20 millis"
        )
      )
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "irc", ping: Ping.ping({ homeserver, registration }) }).pipe(stub.provide)
      yield* settled
      yield* TestClock.adjust("20 millis")
      const status = yield* watch.status("irc")
      assert.strictEqual(status?.health._tag, "Healthy")
      assert.strictEqual(status?.last?._tag === "Success" ? status.last.durationMs : undefined, 20)
    }))

  const leaks: ReadonlyArray<readonly [string, () => Reaction]> = [
    ["an error", () => Response.json({ errcode: "M_FORBIDDEN", error: `${asToken} is not yours` }, { status: 403 })],
    ["a page", () => new Response(`<html>${asToken}`, { status: 502 })],
    [
      "a redirect",
      () =>
        new Response(null, { status: 302, headers: { location: `https://a:${asToken}@b.example/?token=${asToken}` } })
    ],
    ["an exception", () => ({ raises: new Error(`connect to ${asToken}`) })]
  ]
  for (const [name, answer] of leaks) {
    it.effect(`D8 shows no token that ${name} holds, in health, events, readiness or metrics`, () =>
      Effect.gen(function*() {
        const stub = memory(() => Effect.sync(answer))
        const watch = yield* Watch.make({ ...exact, policy: { failAfter: 1 } })
        yield* WatchMetrics.make(watch)
        const events: Array<Observed> = []
        yield* watch.listen({ added: () => {}, observed: (_, event) => events.push(event), removed: () => {} })
        yield* watch.add({ key: "irc", ping: Ping.ping({ homeserver, registration }) }).pipe(stub.provide)
        yield* settled
        assert.include(stub.received[0]?.headers["authorization"], asToken, "the canary was on the way")
        assert.lengthOf(events, 1)
        const shown = JSON.stringify([events, yield* watch.all, yield* watch.ready, yield* PrometheusMetrics.format()])
        assert.include(shown, "Failing")
        assert.notInclude(shown, asToken)
        assert.notInclude(shown, "token=")
      }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
  }
})

describe("ten thousand appservices", () => {
  it.effect("are all pinged once a minute, sixteen at once and none late", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make().pipe(Random.withSeed("ten thousand"))
      const { ping, state } = script(Effect.delay(ok, "50 millis"))
      for (let nth = 0; nth < 10_000; nth++) yield* watch.add({ key: String(nth), ping })
      yield* TestClock.adjust("1 minute")
      yield* TestClock.adjust("1 second")
      const { backlog, byHealth, late, skipped } = yield* watch.load
      assert.deepStrictEqual(byHealth, { Unknown: 0, Healthy: 10_000, Failing: 0, Recovered: 0 })
      assert.strictEqual(skipped, 0)
      assert.isBelow(backlog, 10)
      assert.isTrue((yield* watch.ready).ready)
      assert.isAtMost(state.most, 16)
      assert.isBelow(Duration.toMillis(late), 100)
    }), 30_000)
})
