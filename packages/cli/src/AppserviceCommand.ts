/**
 * `appservice-ping appservice`: the reference appservice on its own.
 *
 * @since 0.1.0
 */
import { urlOf } from "@appservice-ping/domain/Registration"
import { Appservice } from "@appservice-ping/server/appservice/Appservice"
import { under } from "@appservice-ping/server/Exchange"
import { Console, Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { type CommandFailure, negative, wrongUsage } from "./internal/CommandFailure.ts"
import * as Flags from "./internal/flags.ts"
import { read, type RegistrationFile } from "./internal/registrationFile.ts"
import { serve } from "./internal/server.ts"
import { plain, quoted } from "./internal/text.ts"

/**
 * The `appservice` command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "appservice",
  {
    registration: Flags.registration,
    host: Flags.host.pipe(Flag.withDescription("Where to listen (the host of the registration's url)"), Flag.optional),
    port: Flags.port.pipe(
      Flag.withDescription("The port (the one of the registration's url); 0 picks a free one"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function*({ host, port, registration }) {
    const file = yield* read(registration)
    const place = yield* Effect.fromResult(placeOf(file, Option.getOrUndefined(host), Option.getOrUndefined(port)))
    return yield* run(place).pipe(
      Effect.provide(Appservice.layer({
        registration: file.registration,
        onPing: ({ transactionId }) =>
          Console.log(
            transactionId === undefined
              ? "ping received without a transaction id"
              : `ping received with transaction id ${quoted(transactionId)}`
          )
      })),
      Effect.catchTag("ListenError", (error) =>
        isElsewhere.has(error.code) && Option.isNone(host)
          ? wrongUsage(
            `${plain(file.file)}: url leads to ${
              plain(place.host)
            }, which is no address of this machine; pass --host and --port to say where to listen`
          )
          : negative(error.message))
    )
  })
).pipe(
  Command.withDescription(
    "Runs the reference appservice, by default where the registration's url says. It prints one line when it is ready and one for each ping; SIGTERM and SIGINT stop it with exit code 0."
  ),
  Command.withShortDescription("Run the reference appservice"),
  Command.withExamples([
    {
      command: "appservice-ping appservice --registration registration.yaml",
      description: "Answer the homeserver's pings in the place of a bridge"
    }
  ])
)

/** The codes of a host that is not this machine: only an attempt to listen tells. */
const isElsewhere: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"])

interface Place {
  readonly host: string
  readonly port: number
  /** The path of the registration's url (A8). */
  readonly path: string
}

const placeOf = (
  { file, registration }: RegistrationFile,
  host: string | undefined,
  port: number | undefined
): Result.Result<Place, CommandFailure> => {
  const text = urlOf(registration)
  const url = text === undefined ? null : URL.parse(text)
  if (url === null) {
    return port === undefined
      ? Result.fail(wrongUsage(`${plain(file)}: url is empty; pass --port to say where to listen`))
      : Result.succeed({ host: host ?? "127.0.0.1", port, path: "" })
  }
  if (port === undefined && url.protocol === "https:") {
    return Result.fail(
      wrongUsage(
        `${
          plain(file)
        }: url is https, and this appservice speaks plain http behind a proxy; pass --host and --port to say where`
      )
    )
  }
  return Result.succeed({
    host: host ?? url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port ?? Number(url.port === "" ? 80 : url.port),
    path: url.pathname
  })
}

const run = Effect.fnUntraced(function*({ host, path, port }: Place) {
  const { handle } = yield* Appservice
  return yield* serve(
    // Without the path, a proxy in front has taken it off already.
    under(path, handle, handle),
    { host, port },
    ({ url }) => Console.log(`appservice ready at ${url.origin}${path.replace(/\/+$/, "")}`)
  )
})
