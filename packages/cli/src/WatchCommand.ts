/**
 * `appservice-ping watch`: pings again and again, and reports every change.
 *
 * @since 0.1.0
 */
import * as Detection from "@appservice-ping/client/Detection"
import * as Ping from "@appservice-ping/client/Ping"
import * as Watch from "@appservice-ping/client/Watch"
import * as WatchMetrics from "@appservice-ping/client/WatchMetrics"
import type { WatchEvent } from "@appservice-ping/client/WatchStatus"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import * as Diagnosis from "@appservice-ping/domain/Diagnosis"
import { plain, quoted } from "@appservice-ping/domain/PlainText"
import { listen, type Listening } from "@appservice-ping/node/NodeListener"
import { Clock, Console, Duration, Effect, Option, type Scope, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { type CommandFailure, negative, wrongUsage } from "./internal/CommandFailure.ts"
import * as Flags from "./internal/flags.ts"
import * as HttpClientLayer from "./internal/httpClient.ts"
import { liveTable } from "./internal/liveTable.ts"
import { handler } from "./internal/probes.ts"
import { read, type RegistrationFile } from "./internal/registrationFile.ts"
import { lookOfStdout } from "./internal/terminal.ts"
import * as WatchLine from "./watch/WatchLine.ts"

/**
 * The `watch` command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "watch",
  {
    registration: Flags.registrations,
    homeserver: Flags.homeserver,
    interval: Flags.duration("interval").pipe(
      Flag.withDescription("The time between two pings of an appservice (\"60 seconds\")"),
      Flag.withDefault(Duration.seconds(60))
    ),
    timeout: Flags.duration("timeout").pipe(
      Flag.withDescription("How long the homeserver may take to answer (\"90 seconds\")"),
      Flag.withDefault(Duration.seconds(90))
    ),
    metrics: Flags.portOf("metrics").pipe(
      Flag.withDescription(
        "Serve /metrics for Prometheus, /ready and /healthz on this port of 127.0.0.1; 0 picks a free one"
      ),
      Flag.optional
    ),
    json: Flags.json.pipe(Flag.withDescription("Print each ping as a line of JSON"))
  },
  Effect.fnUntraced(
    function*({ homeserver, interval, json, metrics, registration, timeout }) {
      const files = yield* Effect.forEach(registration, (file) => read(file))
      const watch = yield* Watch.make({
        interval,
        // So many appservices do not start at once, and one alone starts now.
        spread: Duration.min(interval, Duration.millis(100 * (files.length - 1))),
        pingTimeout: Duration.sum(timeout, Duration.seconds(30))
      })
      const served = Option.isNone(metrics) ? undefined : yield* serve(watch, metrics.value)
      const look = lookOfStdout()
      const isLive = look.live && !json
      if (served !== undefined && !isLive) {
        yield* Console.log(json ? JSON.stringify(servedEvent(served)) : servedLine(served))
      }
      // Before the first ping, or its event would be lost.
      if (!isLive) {
        yield* Effect.forkScoped(printed(watch, json ? WatchLine.json : WatchLine.text), { startImmediately: true })
      }
      yield* addAll(watch, files, { homeserver, timeout })
      // A watch that was asked to stop has done its job: from here on a signal is a good end.
      process.exitCode = 0
      return yield* isLive ? liveTable(watch, { title: titleOf(homeserver, served), look }) : Effect.never
    },
    (effect, { timeout }) =>
      Effect.provide(Effect.scoped(effect), HttpClientLayer.layer({ timeout: Option.some(timeout) }))
  )
).pipe(
  Command.withDescription(
    "Pings again and again and reports every change: a table on a terminal, a line for each change elsewhere. SIGTERM and SIGINT stop it with exit code 0."
  ),
  Command.withShortDescription("Watch the health of appservices"),
  Command.withExamples([
    {
      command:
        "appservice-ping watch --registration telegram.yaml --registration signal.yaml --homeserver https://matrix.example --metrics 9464",
      description: "Watch two bridges, and let Prometheus know"
    }
  ])
)

const printed = (watch: Watch.Watch["Service"], line: (event: WatchEvent, now: number) => string | undefined) =>
  Stream.runForEach(watch.changes, (event) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const shown = line(event, now)
      return shown === undefined ? Effect.void : Console.log(shown)
    }))

const serve = Effect.fnUntraced(function*(
  watch: Watch.Watch["Service"],
  port: number
): Effect.fn.Return<Listening, CommandFailure, Scope.Scope> {
  yield* WatchMetrics.make(watch)
  return yield* Effect.catchTag(
    listen(handler(watch), { host: "127.0.0.1", port }),
    "ListenError",
    (error) => negative(error.message)
  )
})

const metricsUrl = ({ url }: Listening): string => `${url.origin}/metrics`

const servedLine = (listening: Listening): string => `metrics ready at ${metricsUrl(listening)}`

const servedEvent = (listening: Listening) => ({ event: "metrics", url: metricsUrl(listening) })

const titleOf = (homeserver: URL, served: Listening | undefined): string =>
  `${plain(AppserviceUrl.redact(homeserver))}${served === undefined ? "" : ` (${metricsUrl(served)})`}`

const addAll = Effect.fnUntraced(function*(
  watch: Watch.Watch["Service"],
  files: ReadonlyArray<RegistrationFile>,
  options: { readonly homeserver: URL; readonly timeout: Duration.Duration }
) {
  const { homeserver } = options
  const { detect, forget } = yield* Detection.make({ ...options, describe: false })
  for (const { file, registration } of files) {
    yield* watch.add({
      key: registration.id,
      labels: { homeserver: homeserver.host },
      ping: Effect.flatMap(detect, ({ path }) => Ping.ping({ ...options, registration, path })).pipe(
        // An update of the homeserver may have moved the path.
        Effect.tapError(({ _tag }) => _tag === "M_UNRECOGNIZED" ? forget : Effect.void)
      ),
      diagnose: (error: Diagnosis.Diagnosable) =>
        Diagnosis.diagnose(error, {
          url: registration.url,
          homeserver: homeserver.href,
          id: registration.id
        })
    }).pipe(
      Effect.catchTag("CannotWatch", ({ reason }) => {
        switch (reason) {
          case "key in use":
            return wrongUsage(`${plain(file)}: there is another registration with the id ${quoted(registration.id)}`)
          case "watch is full":
            return wrongUsage(`${plain(file)}: that is one registration more than can be watched`)
          case "watch has ended":
            return negative(`${plain(file)}: the watch has ended`)
        }
      })
    )
  }
})
