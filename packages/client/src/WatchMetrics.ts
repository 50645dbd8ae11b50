/**
 * The metrics of a watch, through Effect's `Metric`, so that every exporter has them: Prometheus, OTLP.
 *
 * @since 0.1.0
 */
import * as Bound from "@appservice-ping/domain/Bound"
import { type Context, Effect, Hash, Layer, Metric, type Scope } from "effect"
import * as Health from "./Health.ts"
import { Watch } from "./Watch.ts"
import type { Listener, Watched } from "./WatchStatus.ts"

/**
 * The resolution of the metrics: labels and buckets.
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchMetricsOptions {
  /**
   * How many appservices have series of their own, labelled `appservice` and `homeserver`; all others share series
   * without these labels, and 0 gives nothing but those. Default: 1,000.
   */
  readonly maxLabelled?: number | undefined
  /** The buckets of `appservice_ping_round_trip_seconds`. Default: {@link roundTripBuckets}. */
  readonly buckets?: ReadonlyArray<number> | undefined
}

/**
 * The default buckets of the round trip, in seconds: from a call inside one machine to one that nearly timed out.
 *
 * @category constants
 * @since 0.1.0
 */
export const roundTripBuckets: ReadonlyArray<number> = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/**
 * Reports a watch in the metric registry, until the scope closes.
 *
 * **Details**
 *
 * - `appservice_ping_attempts_total{appservice, homeserver, verdict}` counts pings; the verdict is `success`, an errcode
 *   or the tag of another error.
 * - `appservice_ping_round_trip_seconds{appservice, homeserver}` is a histogram of what homeservers measured.
 * - `appservice_ping_last_success_timestamp_seconds{appservice, homeserver}` is 0 before the first success.
 * - `appservice_ping_health{appservice, homeserver}` is 0 for unknown, 1 for healthy and recovered, 2 for failing.
 * - `appservice_ping_watched{health}` counts the watched appservices by health.
 * - `appservice_ping_backlog` counts the pings that are due and have to wait; it is 0 in a watch that keeps up.
 *
 * The series of an appservice end when it is removed. Shared series have the oldest last success and the
 * worst health, so that the same alert works for both. A label has at most 128 characters; one that is longer or holds
 * control characters ends in a hash.
 *
 * **Gotchas**
 *
 * Series of its own cost an appservice about 4 KB of memory and 20 lines of each scrape, which is why there is a limit.
 * Two watches in one registry need different `Metric.CurrentMetricAttributes`.
 *
 * **Example** (Serving a watch's metrics to Prometheus)
 *
 * ```ts
 * import { Watch, WatchMetrics } from "@appservice-ping/client"
 * import { Layer } from "effect"
 * import { PrometheusMetrics } from "effect/observability"
 *
 * const routes = Layer.mergeAll(WatchMetrics.layer(), PrometheusMetrics.layerHttp()).pipe(
 *   Layer.provideMerge(Watch.Watch.layer())
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  watch: Watch["Service"],
  options: WatchMetricsOptions = {}
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<never>()
    const maxLabelled = Bound.integerUnsafe("maxLabelled", options.maxLabelled ?? 1000)
    const buckets = options.buckets ?? roundTripBuckets
    const own = new Map<Watched, Series>()
    const others = new Set<Watched>()
    let shared: Series | undefined

    const listener: Listener = {
      added: (watched) => {
        if (own.size < maxLabelled) {
          own.set(watched, new Series(context, labelsOf(watched), buckets, () => [watched]))
        } else {
          others.add(watched)
          shared ??= new Series(context, {}, buckets, () => others)
        }
      },
      observed: (watched, { observation }) => {
        const series = own.get(watched) ?? shared
        if (observation._tag === "Success") series?.succeeded(observation.durationMs)
        else series?.count(observation.error.verdict)
      },
      removed: (watched) => {
        own.get(watched)?.remove()
        own.delete(watched)
        others.delete(watched)
        if (others.size > 0) return
        shared?.remove()
        shared = undefined
      }
    }

    yield* watch.listen(listener)
    yield* Effect.acquireRelease(
      Effect.sync(() => [
        ...healths.map((health) =>
          gauge(context, "watched", { health: health.toLowerCase() }, () => watch.loadUnsafe().byHealth[health])
        ),
        gauge(context, "backlog", {}, () => watch.loadUnsafe().backlog)
      ]),
      (registrations) =>
        Effect.sync(() => {
          for (const registration of registrations) registration.remove()
          for (const series of own.values()) series.remove()
          shared?.remove()
        })
    )
  })

/**
 * Layer that reports the watch.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: WatchMetricsOptions): Layer.Layer<never, never, Watch> =>
  Layer.effectDiscard(Effect.flatMap(Watch, (watch) => make(watch, options)))

const healths = ["Unknown", "Healthy", "Failing", "Recovered"] as const

const descriptions = {
  attempts_total: "Pings of watched appservices, by verdict",
  backlog: "Pings that are due and wait for others to end",
  health: "Health of the connection: 0 unknown, 1 healthy, 2 failing",
  last_success_timestamp_seconds: "When a ping last succeeded, 0 where none has",
  round_trip_seconds: "How long the homeserver's call to the appservice took",
  watched: "Watched appservices, by health"
}

type Labels = Readonly<Record<string, string>>

/** A gauge that is read when metrics are collected, so that it costs nothing in between. */
const gauge = (
  context: Context.Context<never>,
  name: "backlog" | "health" | "last_success_timestamp_seconds" | "watched",
  attributes: Labels,
  read: () => number
): Metric.Registration =>
  Metric.registerUnsafe(
    Metric.gauge(`appservice_ping_${name}`, { description: descriptions[name], attributes }),
    context,
    { get: () => ({ value: read() }), update: () => {}, modify: () => {} }
  )

/** The series of one appservice, or of all that share theirs. */
class Series {
  readonly #context: Context.Context<never>
  readonly #labels: Labels
  readonly #roundTrip: Metric.Histogram<number>
  readonly #attempts = new Map<string, Metric.Counter<number>>()
  readonly #gauges: ReadonlyArray<Metric.Registration>

  constructor(
    context: Context.Context<never>,
    labels: Labels,
    buckets: ReadonlyArray<number>,
    members: () => Iterable<Watched>
  ) {
    this.#context = context
    this.#labels = labels
    this.#roundTrip = Metric.histogram("appservice_ping_round_trip_seconds", {
      description: descriptions.round_trip_seconds,
      attributes: labels,
      boundaries: buckets
    })
    this.#gauges = [
      gauge(context, "health", labels, () => worst(members())),
      gauge(context, "last_success_timestamp_seconds", labels, () => oldest(members()) / 1000)
    ]
  }

  succeeded(durationMs: number): void {
    this.count("success")
    // A homeserver can say anything, and one such number would spoil the sum for ever.
    if (durationMs >= 0 && Number.isFinite(durationMs)) this.#roundTrip.updateUnsafe(durationMs / 1000, this.#context)
  }

  count(verdict: string): void {
    let counter = this.#attempts.get(verdict)
    if (counter === undefined) {
      counter = Metric.counter("appservice_ping_attempts_total", {
        description: descriptions.attempts_total,
        attributes: { ...this.#labels, verdict },
        incremental: true
      })
      this.#attempts.set(verdict, counter)
    }
    counter.updateUnsafe(1, this.#context)
  }

  remove(): void {
    Metric.removeUnsafe(this.#roundTrip, this.#context)
    for (const counter of this.#attempts.values()) Metric.removeUnsafe(counter, this.#context)
    for (const registration of this.#gauges) registration.remove()
  }
}

const worst = (members: Iterable<Watched>): number => {
  let isUnknown = false
  for (const { health } of members) {
    if (health._tag === "Failing") return 2
    isUnknown ||= health._tag === "Unknown"
  }
  return isUnknown ? 0 : 1
}

const oldest = (members: Iterable<Watched>): number => {
  let oldest = Infinity
  for (const { health } of members) oldest = Math.min(oldest, Health.lastSuccess(health) ?? 0)
  return Number.isFinite(oldest) ? oldest : 0
}

const labelMax = 128

const label = (text: string): string => {
  const clean = text.replace(/\p{Cc}/gu, " ").toWellFormed()
  if (clean === text && text.length <= labelMax) return text
  // Two keys that differ only in what is lost must not share a series.
  const hash = (Hash.string(text) >>> 0).toString(16)
  return `${clean.slice(0, labelMax - hash.length - 1).toWellFormed()}~${hash}`
}

const labelsOf = ({ key, labels }: Watched): Labels => ({
  appservice: label(key),
  ...(labels.homeserver === undefined ? {} : { homeserver: label(labels.homeserver) })
})
