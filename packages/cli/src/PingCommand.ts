/**
 * `appservice-ping ping`: asks a homeserver to ping an appservice, and explains the answer.
 *
 * @since 0.1.0
 */
import * as Detection from "@appservice-ping/client/Detection"
import * as Ping from "@appservice-ping/client/Ping"
import * as VerifiedPing from "@appservice-ping/client/VerifiedPing"
import { isElsewhere, listenAs } from "@appservice-ping/doctor/StandIn"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import type * as Diagnosis from "@appservice-ping/domain/Diagnosis"
import { Console, type Duration, Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import type { HttpClient } from "effect/http/HttpClient"
import { negative, wrongUsage } from "./internal/CommandFailure.ts"
import * as Flags from "./internal/flags.ts"
import * as HttpClientLayer from "./internal/httpClient.ts"
import { explain, failed, nothing, type Report } from "./internal/pingReport.ts"
import { notHere, type Override, placeOf } from "./internal/place.ts"
import { read, type RegistrationFile } from "./internal/registrationFile.ts"

/**
 * The `ping` command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "ping",
  {
    registration: Flags.registration,
    homeserver: Flags.homeserver,
    transactionId: Flag.String("transaction-id").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("Any text, handed on to the appservice"),
      Flag.optional
    ),
    verify: Flag.Boolean("verify").pipe(
      Flag.withDescription("Listen in the appservice's place, and see whether the ping arrives here"),
      Flag.withDefault(false)
    ),
    host: Flags.host.pipe(
      Flag.withDescription("Where to listen with --verify (the host of the registration's url)"),
      Flag.optional
    ),
    port: Flags.port.pipe(
      Flag.withDescription("The port to listen on with --verify (the one of the registration's url)"),
      Flag.optional
    ),
    timeout: Flags.duration("timeout").pipe(
      Flag.withDescription("How long the homeserver may take to answer (\"90 seconds\")"),
      Flag.optional
    ),
    json: Flags.json.pipe(Flag.withDescription("Print the result as one JSON object"))
  },
  Effect.fnUntraced(function*({ homeserver, host, json, port, registration: name, timeout, transactionId, verify }) {
    if (!verify && (Option.isSome(host) || Option.isSome(port))) {
      return yield* wrongUsage("--host and --port say where to listen, which only --verify does")
    }
    if (verify && Option.isSome(transactionId)) {
      return yield* wrongUsage("--transaction-id and --verify do not go together: a verified ping has an id of its own")
    }
    const file = yield* read(name)
    const options = { homeserver, registration: file.registration, timeout: Option.getOrUndefined(timeout) }
    const override = { host: Option.getOrUndefined(host), port: Option.getOrUndefined(port) }
    const listener = verify ? yield* listening(file, override) : undefined
    const id = Option.getOrUndefined(transactionId)
    const ping = (path: Path): Effect.Effect<Answered, Diagnosis.Diagnosable, HttpClient> =>
      listener === undefined
        ? Ping.ping({ ...options, path, transactionId: id })
        : listener.ping({ ...options, path, registration: file.registration })
    const [took, result] = yield* Effect.timed(Effect.result(onKnownPath(ping, options)))
    const report = Result.isSuccess(result)
      ? { ...nothing, verified: verify ? true : null, duration_ms: result.success.duration_ms }
      : failed(result.failure, file.registration, { homeserver: homeserver.href, elapsed: took })
    if (json) yield* Console.log(JSON.stringify(report))
    if (!report.ok) return yield* negative(...json ? [] : explain(report))
    if (!json) yield* Console.log(success(AppserviceUrl.redact(homeserver), report, verify))
  }, (effect, { timeout }) => Effect.provide(Effect.scoped(effect), HttpClientLayer.layer({ timeout })))
).pipe(
  Command.withDescription(
    "Asks the homeserver to ping the appservice. Exit code 0 and the duration, or 1 and what is wrong, who must act and what to do."
  ),
  Command.withShortDescription("Ask a homeserver to ping an appservice"),
  Command.withExamples([
    {
      command: "appservice-ping ping --registration registration.yaml --homeserver https://matrix.example",
      description: "Find out whether the homeserver reaches the bridge"
    }
  ])
)

interface Answered {
  readonly duration_ms: number
}

type Path = "stable" | "unstable"

/** Asks for the path of the ping only where the usual one is not there (C21): what detection says then is better. */
const onKnownPath = (
  ping: (path: Path) => Effect.Effect<Answered, Diagnosis.Diagnosable, HttpClient>,
  options: { readonly homeserver: URL; readonly timeout: Duration.Duration | undefined }
): Effect.Effect<Answered, Diagnosis.Diagnosable, HttpClient> =>
  Effect.catchTag(ping("stable"), "M_UNRECOGNIZED", (unrecognized) =>
    Effect.gen(function*() {
      const { detect } = yield* Detection.make(options)
      const detected = yield* Effect.result(detect)
      if (Result.isFailure(detected)) {
        return yield* detected.failure._tag === "PingUnsupported" ? detected.failure : unrecognized
      }
      return yield* detected.success.path === "unstable" ? ping("unstable") : Effect.fail(unrecognized)
    }))

/** Listens in the appservice's place, for pings that are seen to arrive. */
const listening = Effect.fnUntraced(function*(file: RegistrationFile, override: Override) {
  const place = yield* Effect.fromResult(placeOf(file, override))
  const service = yield* VerifiedPing.make()
  yield* listenAs(place, file.registration, service.received).pipe(
    Effect.catchTag("ListenError", (error) => {
      if (isElsewhere(error) && override.host === undefined) return notHere(file.file, place)
      return error.code === "EADDRINUSE"
        ? negative(
          `cannot listen on ${urlHost(place.host)}:${place.port}: the port is taken, probably by the appservice itself`,
          "Stop it while the ping is verified, or ping without --verify, which believes the homeserver."
        )
        : negative(error.message)
    })
  )
  return service
})

const urlHost = (host: string): string => host.includes(":") ? `[${host}]` : host

const success = (homeserver: string, { cause, duration_ms }: Report, isVerified: boolean): string => {
  if (duration_ms === null) return `${cause}`
  return isVerified
    ? `${homeserver} reached this machine in ${duration_ms} ms: the ping arrived here, and the homeserver confirms it`
    : `${homeserver} reached the appservice in ${duration_ms} ms`
}
