/**
 * `appservice-ping appservice`: the reference appservice on its own.
 *
 * @since 0.1.0
 */
import { isElsewhere, type Place } from "@appservice-ping/doctor/StandIn"
import { quoted } from "@appservice-ping/domain/PlainText"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import { under } from "@appservice-ping/server/Exchange"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { negative } from "./internal/CommandFailure.ts"
import * as Flags from "./internal/flags.ts"
import { notHere, placeOf } from "./internal/place.ts"
import { read } from "./internal/registrationFile.ts"
import { serve } from "./internal/server.ts"

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
    const place = yield* Effect.fromResult(
      placeOf(file, { host: Option.getOrUndefined(host), port: Option.getOrUndefined(port) })
    )
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
      Effect.catchTag(
        "ListenError",
        (error) => isElsewhere(error) && Option.isNone(host) ? notHere(file.file, place) : negative(error.message)
      )
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

const run = Effect.fnUntraced(function*({ host, path, port }: Place) {
  const { handle } = yield* Appservice.Appservice
  return yield* serve(
    // Without the path, a proxy in front has taken it off already.
    under(path, handle, handle),
    { host, port },
    ({ url }) => Console.log(`appservice ready at ${url.origin}${path.replace(/\/+$/, "")}`)
  )
})
