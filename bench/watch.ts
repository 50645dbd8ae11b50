/**
 * What a watch costs: memory for each appservice and processor time for each ping, from 100 to 10,000 appservices in one
 * process, with a ping in memory. Run it with `node --expose-gc bench/watch.ts`, after a build.
 */
import * as Watch from "@appservice-ping/client/Watch"
import * as WatchMetrics from "@appservice-ping/client/WatchMetrics"
import { ConnectionFailed } from "@appservice-ping/domain/PingError"
import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"

const sizes = [100, 1000, 10_000]

interface Variant {
  readonly name: string
  /** How many appservices have series of their own; nothing for no metrics at all. */
  readonly maxLabelled?: number
  readonly ping: Effect.Effect<{ readonly duration_ms: number }, ConnectionFailed>
}

const answer = Effect.as(Effect.sleep("2 millis"), { duration_ms: 2 })

const variants: ReadonlyArray<Variant> = [
  { name: "no metrics", ping: answer },
  { name: "aggregate metrics", maxLabelled: 0, ping: answer },
  { name: "1,000 with series", maxLabelled: 1000, ping: answer },
  { name: "all with series", maxLabelled: Infinity, ping: answer },
  { name: "all failing", ping: Effect.andThen(answer, Effect.fail(new ConnectionFailed({ error: "refused" }))) }
]

const collect = globalThis.gc

const heap = Effect.gen(function*() {
  if (collect === undefined) return yield* Effect.die("run it with node --expose-gc")
  // Finished fibers are let go of in the turns after their end.
  for (let turn = 0; turn < 3; turn++) {
    yield* Effect.sleep("20 millis")
    collect()
  }
  return process.memoryUsage().heapUsed
})

const measure = ({ maxLabelled, ping }: Variant, size: number) =>
  Effect.gen(function*() {
    const before = yield* heap
    const interval = 2000 * (size / 1000)
    // The buffer for slow readers costs the same for every size, so it is left out.
    const watch = yield* Watch.make({ interval: Math.max(200, interval), bufferSize: 1, concurrency: 64 })
    if (maxLabelled !== undefined) yield* WatchMetrics.make(watch, { maxLabelled })
    const count = { pings: 0 }
    yield* watch.listen({ added: () => {}, observed: () => void count.pings++, removed: () => {} })
    for (let nth = 0; nth < size; nth++) {
      yield* watch.add({ key: `appservice-${nth}`, labels: { homeserver: `matrix-${nth % 50}.example` }, ping })
    }

    // Until each appservice has been pinged: its state is complete, and code is compiled.
    yield* Effect.repeat(Effect.sleep("20 millis"), { while: () => count.pings < 1.2 * size })
    const windows: Array<{ readonly micros: number; readonly perSecond: number }> = []
    for (let nth = 0; nth < (size === 0 ? 0 : 3); nth++) {
      const started = performance.now()
      const usedBefore = process.cpuUsage()
      const pingsBefore = count.pings
      yield* Effect.sleep("1500 millis")
      const { system, user } = process.cpuUsage(usedBefore)
      const pings = count.pings - pingsBefore
      windows.push({ micros: (user + system) / pings, perSecond: 1000 * pings / (performance.now() - started) })
    }
    // The least disturbed of the three: other work on the machine only ever adds.
    const [{ micros, perSecond } = { micros: Number.NaN, perSecond: Number.NaN }] = windows.toSorted((a, b) =>
      a.micros - b.micros
    )
    const { backlog, skipped } = yield* watch.load
    yield* watch.pause()
    yield* Effect.sleep("50 millis")
    const kept = (yield* heap) - before
    const scraped = maxLabelled === undefined ? 0 : (yield* PrometheusMetrics.format()).length
    return { kept, micros, perSecond, backlog, skipped, scraped }
  }).pipe(Effect.scoped, Effect.provideService(Metric.MetricRegistry, new Map()))

const row = (...cells: ReadonlyArray<string>) =>
  console.log(cells.map((cell, nth) => nth === 0 ? cell.padEnd(20) : cell.padStart(13)).join(""))

const number = (value: number, digits = 0) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })

const program = Effect.gen(function*() {
  // Once without measuring, so that the first size does not pay for what all share.
  for (const variant of variants) yield* measure(variant, 100)
  row("", "appservices", "heap KB", "bytes each", "CPU µs/ping", "of smallest", "pings/s", "left out", "scrape KB")
  for (const variant of variants) {
    // What each costs beyond the watch itself.
    const { kept: fixed } = yield* measure(variant, 0)
    let smallest: number | undefined
    for (const size of sizes) {
      const result = yield* measure(variant, size)
      smallest ??= result.micros
      row(
        variant.name,
        number(size),
        number(result.kept / 1024),
        number((result.kept - fixed) / size),
        number(result.micros, 1),
        number(result.micros / smallest, 2),
        number(result.perSecond),
        number(result.skipped),
        number(result.scraped / 1024)
      )
    }
  }
})

await Effect.runPromise(program)
