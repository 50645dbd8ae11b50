/**
 * `appservice-ping ping`: asks a homeserver to ping an appservice, and explains the answer.
 *
 * @since 0.1.0
 */
import * as Ping from "@appservice-ping/client/Ping"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import * as Diagnosis from "@appservice-ping/domain/Diagnosis"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Console, Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { negative } from "./internal/CommandFailure.ts"
import * as Flags from "./internal/flags.ts"
import { read } from "./internal/registrationFile.ts"
import { plain } from "./internal/text.ts"

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
    timeout: Flags.duration("timeout").pipe(
      Flag.withDescription("How long the homeserver may take to answer (\"90 seconds\")"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the result as one JSON object"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ homeserver, json, registration: file, timeout, transactionId }) {
    const { registration } = yield* read(file)
    const result = yield* Effect.result(Ping.ping({
      homeserver,
      registration,
      transactionId: Option.getOrUndefined(transactionId),
      timeout: Option.getOrUndefined(timeout)
    }))
    const report = Result.isSuccess(result)
      ? { ...nothing, duration_ms: result.success.duration_ms }
      : failed(result.failure, registration, homeserver)
    if (json) yield* Console.log(JSON.stringify(report))
    if (report.duration_ms === null) return yield* negative(...json ? [] : explain(report))
    if (!json) {
      yield* Console.log(`${AppserviceUrl.redact(homeserver)} reached the appservice in ${report.duration_ms} ms`)
    }
  }, Effect.provide(NodeHttpClient.layerNodeHttp))
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

interface Report {
  /** The errcode, or what happened where no homeserver answered: `HomeserverUnreachable`, `NotHomeserver`, `Undecided`. */
  readonly tag: string | null
  readonly errcode: string | null
  /** The HTTP status that the error is about, the start of the body that came with it, and where a redirect leads. */
  readonly status: number | null
  readonly body: string | null
  readonly location: string | null
  readonly error: string | null
  readonly cause: string | null
  readonly advice: string | null
  readonly actor: Diagnosis.Actor | null
  readonly temporary: boolean | null
  readonly duration_ms: number | null
}

const nothing: Report = {
  tag: null,
  errcode: null,
  status: null,
  body: null,
  location: null,
  error: null,
  cause: null,
  advice: null,
  actor: null,
  temporary: null,
  duration_ms: null
}

const errcodeOf = (error: PingError | TransportError): string | null => {
  switch (error._tag) {
    case "HomeserverUnreachable":
    case "NotHomeserver":
    case "Undecided":
      return null
    case "OtherErrcode":
      return error.errcode
    default:
      return error._tag
  }
}

const failed = (error: PingError | TransportError, registration: Registration, homeserver: URL): Report => {
  // One peer writes the hs_token into its errors, and any could echo a token.
  const shown = (text: string) => plain(Token.scrub(text, [registration.as_token, registration.hs_token]))
  const errcode = errcodeOf(error)
  const { actor, advice, cause, temporary } = Diagnosis.diagnose(error, {
    url: registration.url,
    homeserver: homeserver.href
  })
  return {
    ...nothing,
    tag: error._tag,
    status: "status" in error ? error.status ?? null : null,
    body: "body" in error && error.body !== undefined ? shown(error.body) : null,
    location: "location" in error && error.location !== undefined ? shown(error.location) : null,
    errcode: errcode === null ? null : shown(errcode),
    error: shown(error.message),
    cause: shown(cause),
    advice: shown(advice),
    actor,
    temporary
  }
}

const explain = ({ actor, advice, cause, error, temporary }: Report): ReadonlyArray<string> => [
  `${error}`,
  `  What is wrong:  ${cause}`,
  `  What to do:     ${advice}`,
  `  Who must act:   ${actor}`,
  `  Trying again:   ${temporary === true ? "can help" : "does not help until that is done"}`
]
