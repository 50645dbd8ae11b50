import * as Watch from "@appservice-ping/client/Watch"
import * as WatchMetrics from "@appservice-ping/client/WatchMetrics"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Metric, Scope } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"
import { ok, permanent, script, type Scripted, settled, slow, temporary } from "./support/watched.ts"

const exact = { spread: 0, jitter: 0, concurrency: 1000 }

/** A registry of its own, so that tests do not meet each other's metrics. */
const isolated = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

/** What a scraper gets, without comments. */
const scrape = Effect.map(
  PrometheusMetrics.format(),
  (text) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
)

const named = (lines: ReadonlyArray<string>, name: string) => lines.filter((line) => line.startsWith(name))

const took = (duration_ms: number): Scripted => Effect.succeed({ duration_ms })

describe("WatchMetrics", () => {
  it.effect("is what Prometheus expects, from Effect's own exporter", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* WatchMetrics.make(watch, { buckets: [0.1, 1] })
      yield* TestClock.setTime(1_700_000_000_000)
      yield* watch.add({
        key: "irc",
        labels: { homeserver: "example.org" },
        ping: script(took(50), temporary, took(500), took(5000)).ping
      })
      yield* settled
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual(
        yield* PrometheusMetrics.format(),
        `# HELP appservice_ping_watched Watched appservices, by health
# TYPE appservice_ping_watched gauge
appservice_ping_watched{health="unknown"} 0
appservice_ping_watched{health="healthy"} 1
appservice_ping_watched{health="failing"} 0
appservice_ping_watched{health="recovered"} 0
# HELP appservice_ping_backlog Pings that are due and wait for others to end
# TYPE appservice_ping_backlog gauge
appservice_ping_backlog 0
# HELP appservice_ping_health Health of the connection: 0 unknown, 1 healthy, 2 failing
# TYPE appservice_ping_health gauge
appservice_ping_health{appservice="irc",homeserver="example.org"} 1
# HELP appservice_ping_last_success_timestamp_seconds When a ping last succeeded, 0 where none has
# TYPE appservice_ping_last_success_timestamp_seconds gauge
appservice_ping_last_success_timestamp_seconds{appservice="irc",homeserver="example.org"} 1700000180
# HELP appservice_ping_attempts_total Pings of watched appservices, by verdict
# TYPE appservice_ping_attempts_total counter
appservice_ping_attempts_total{appservice="irc",homeserver="example.org",verdict="success"} 3
appservice_ping_attempts_total{appservice="irc",homeserver="example.org",verdict="M_CONNECTION_FAILED"} 1
# HELP appservice_ping_round_trip_seconds How long the homeserver's call to the appservice took
# TYPE appservice_ping_round_trip_seconds histogram
appservice_ping_round_trip_seconds_bucket{appservice="irc",homeserver="example.org",le="0.1"} 1
appservice_ping_round_trip_seconds_bucket{appservice="irc",homeserver="example.org",le="1"} 2
appservice_ping_round_trip_seconds_bucket{appservice="irc",homeserver="example.org",le="+Inf"} 3
appservice_ping_round_trip_seconds_sum{appservice="irc",homeserver="example.org"} 5.55
appservice_ping_round_trip_seconds_count{appservice="irc",homeserver="example.org"} 3
`
      )
    }).pipe(isolated))

  it.effect("shows each health as its number", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* WatchMetrics.make(watch)
      yield* watch.add({ key: "a", ping: slow("1 hour") })
      yield* watch.add({ key: "b", ping: ok })
      yield* watch.add({ key: "c", ping: permanent })
      yield* watch.add({ key: "d", ping: script(permanent, ok).ping, failingInterval: "30 seconds", spread: 0 })
      yield* settled
      yield* TestClock.adjust("30 seconds")
      const lines = yield* scrape
      assert.deepStrictEqual(named(lines, "appservice_ping_health"), [
        "appservice_ping_health{appservice=\"a\"} 0",
        "appservice_ping_health{appservice=\"b\"} 1",
        "appservice_ping_health{appservice=\"c\"} 2",
        "appservice_ping_health{appservice=\"d\"} 1"
      ])
      assert.deepStrictEqual(named(lines, "appservice_ping_watched"), [
        "appservice_ping_watched{health=\"unknown\"} 1",
        "appservice_ping_watched{health=\"healthy\"} 1",
        "appservice_ping_watched{health=\"failing\"} 1",
        "appservice_ping_watched{health=\"recovered\"} 1"
      ])
      assert.include(lines, "appservice_ping_last_success_timestamp_seconds{appservice=\"c\"} 0")
    }).pipe(isolated))

  it.effect("shows the backlog before and after an overload", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make({ spread: 0, concurrency: 1 })
      yield* WatchMetrics.make(watch)
      for (const key of ["a", "b", "c"]) yield* watch.add({ key, ping: slow("10 seconds") })
      yield* settled
      assert.include(yield* scrape, "appservice_ping_backlog 2")
      yield* TestClock.adjust("9999 millis")
      assert.include(yield* scrape, "appservice_ping_backlog 2")
      yield* TestClock.adjust("1 millis")
      assert.include(yield* scrape, "appservice_ping_backlog 1")
    }).pipe(isolated))

  it.effect("forgets a removed appservice, and starts from zero when it comes back", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* WatchMetrics.make(watch)
      yield* watch.add({ key: "irc", ping: script(ok, permanent).ping })
      yield* watch.add({ key: "other", ping: ok })
      yield* settled
      yield* TestClock.adjust("1 minute")
      assert.isNotEmpty((yield* scrape).filter((line) => line.includes("irc")))
      yield* watch.remove("irc")
      assert.isEmpty((yield* scrape).filter((line) => line.includes("irc")))
      assert.isNotEmpty((yield* scrape).filter((line) => line.includes("other")))
      yield* watch.add({ key: "irc", ping: ok })
      yield* settled
      assert.deepStrictEqual(
        named(yield* scrape, "appservice_ping_attempts_total{appservice=\"irc\""),
        ["appservice_ping_attempts_total{appservice=\"irc\",verdict=\"success\"} 1"]
      )
    }).pipe(isolated))

  it.effect("tells no further ones apart beyond the limit", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* watch.add({ key: "early", ping: ok })
      yield* settled
      yield* TestClock.adjust("30 seconds")
      yield* WatchMetrics.make(watch, { maxLabelled: 2, buckets: [1] })
      yield* watch.add({ key: "own", ping: ok })
      yield* watch.add({ key: "x", ping: ok })
      yield* watch.add({ key: "y", ping: permanent })
      yield* watch.add({ key: "z", ping: script(ok, permanent).ping })
      yield* settled
      const lines = yield* scrape
      assert.deepStrictEqual(lines.filter((line) => !/appservice=|watched|backlog/.test(line)), [
        "appservice_ping_health 2",
        "appservice_ping_last_success_timestamp_seconds 0",
        "appservice_ping_attempts_total{verdict=\"success\"} 2",
        "appservice_ping_attempts_total{verdict=\"M_UNKNOWN_TOKEN\"} 1",
        "appservice_ping_round_trip_seconds_bucket{le=\"1\"} 2",
        "appservice_ping_round_trip_seconds_bucket{le=\"+Inf\"} 2",
        "appservice_ping_round_trip_seconds_sum 0.014",
        "appservice_ping_round_trip_seconds_count 2"
      ])
      assert.deepStrictEqual(named(lines, "appservice_ping_health{"), [
        "appservice_ping_health{appservice=\"early\"} 1",
        "appservice_ping_health{appservice=\"own\"} 1"
      ])
      yield* watch.remove("y")
      assert.include(yield* scrape, "appservice_ping_health 1")
      assert.include(yield* scrape, "appservice_ping_last_success_timestamp_seconds 30")
      yield* watch.remove("x")
      yield* watch.remove("z")
      assert.notInclude((yield* scrape).join("\n"), "appservice_ping_health 1")
      assert.isEmpty(named(yield* scrape, "appservice_ping_round_trip_seconds_count "))
    }).pipe(isolated))

  it.effect("gives the place of a removed one to the next", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* WatchMetrics.make(watch, { maxLabelled: 1 })
      yield* watch.add({ key: "a", ping: ok })
      yield* watch.remove("a")
      yield* watch.add({ key: "b", ping: ok })
      assert.deepStrictEqual(named(yield* scrape, "appservice_ping_health"), [
        "appservice_ping_health{appservice=\"b\"} 0"
      ])
    }).pipe(isolated))

  it.effect("keeps labels short, printable and apart", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* WatchMetrics.make(watch)
      const keys = ["k".repeat(128), "k".repeat(129), "k".repeat(130), "a b", "a\nb", "a\rb", "\uD800"]
      for (const key of keys) yield* watch.add({ key, ping: ok, labels: { homeserver: "h".repeat(500) } })
      const lines = named(yield* scrape, "appservice_ping_health")
      const labels = lines.map((line) => /appservice="([^"]*)"/.exec(line)?.[1] ?? "")
      assert.strictEqual(new Set(labels).size, keys.length)
      for (const label of labels) assert.isAtMost(label.length, 128)
      for (const line of lines) {
        assert.isBelow(line.length, 330)
        assert.isTrue(line.isWellFormed())
      }
      assert.strictEqual(labels[0], keys[0])
    }).pipe(isolated))

  it.effect("keeps numbers that are none out of the histogram", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.make(exact)
      yield* WatchMetrics.make(watch)
      yield* watch.add({ key: "irc", ping: script(took(Number.NaN), took(-5), took(Infinity), took(8)).ping })
      yield* settled
      yield* TestClock.adjust("3 minutes")
      const lines = yield* scrape
      assert.include(lines, "appservice_ping_round_trip_seconds_sum{appservice=\"irc\"} 0.008")
      assert.include(lines, "appservice_ping_round_trip_seconds_count{appservice=\"irc\"} 1")
      assert.include(lines, "appservice_ping_attempts_total{appservice=\"irc\",verdict=\"success\"} 4")
    }).pipe(isolated))

  it.effect("ends with its scope", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const watch = yield* Watch.make(exact)
      yield* Scope.provide(WatchMetrics.make(watch, { maxLabelled: 1 }), scope)
      yield* watch.add({ key: "a", ping: ok })
      yield* watch.add({ key: "b", ping: ok })
      yield* settled
      assert.isNotEmpty(yield* scrape)
      yield* Scope.close(scope, Exit.void)
      assert.isEmpty(yield* scrape)
      yield* TestClock.adjust("1 minute")
      assert.isEmpty(yield* scrape)
    }).pipe(isolated))

  it.effect("is a layer on the watch", () =>
    Effect.gen(function*() {
      const watch = yield* Watch.Watch
      yield* watch.add({ key: "a", ping: ok })
      assert.include(yield* scrape, "appservice_ping_health{appservice=\"a\"} 0")
    }).pipe(Effect.provide(Layer.provideMerge(WatchMetrics.layer(), Watch.Watch.layer(exact))), isolated))
})
