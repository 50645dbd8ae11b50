/**
 * `appservice-ping homeserver`: the reference homeserver on its own.
 *
 * @since 0.1.0
 */
import { plain, quoted } from "@appservice-ping/domain/PlainText"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { Console, Effect, Layer, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { type CommandFailure, negative, wrongUsage } from "./internal/CommandFailure.ts"
import * as Flags from "./internal/flags.ts"
import { read, type RegistrationFile } from "./internal/registrationFile.ts"
import { serve } from "./internal/server.ts"

/**
 * The `homeserver` command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "homeserver",
  {
    registration: Flags.registrations,
    host: Flags.host.pipe(Flag.withDescription("Where to listen (127.0.0.1)"), Flag.withDefault("127.0.0.1")),
    port: Flags.port.pipe(Flag.withDescription("The port (8008); 0 picks a free one"), Flag.withDefault(8008)),
    pingTimeout: Flags.duration("ping-timeout").pipe(
      Flag.withDescription("How long an appservice may take to answer (\"30 seconds\")"),
      Flag.optional
    ),
    serverName: Flags.serverName.pipe(
      Flag.withDescription(
        "The name of the homeserver (localhost), the part of a user id after the colon: what the bridge's configuration calls the homeserver's domain"
      ),
      Flag.withDefault("localhost")
    ),
    userTokens: Flags.userTokens
  },
  Effect.fnUntraced(function*({ host, pingTimeout, port, registration, serverName, userTokens }) {
    const files = yield* Effect.forEach(registration, (file) => read(file))
    const registry = AppserviceRegistry.layer(files.map((file) => file.registration), { userTokens })
    const leg = OutgoingPing.layer({ timeout: Option.getOrUndefined(pingTimeout) }).pipe(
      Layer.provide(NodeTransport.layer())
    )
    return yield* run(host, port).pipe(
      Effect.provide(Homeserver.layer({ serverName }).pipe(Layer.provide([registry, leg]))),
      Effect.catchTags({
        ListenError: ({ message }) => negative(message),
        RegistryError: (error) => contradiction(error, files)
      })
    )
  })
).pipe(
  Command.withDescription(
    "Runs the reference homeserver: it answers pings, and what a bridge asks before its first one (/versions, /register and /account/whoami). It is no homeserver to chat on, and remembers nothing. It prints one line with its URL when it is ready; SIGTERM and SIGINT stop it with exit code 0."
  ),
  Command.withShortDescription("Run the reference homeserver"),
  Command.withExamples([
    {
      command: "appservice-ping homeserver --registration registration.yaml",
      description: "Answer the pings of one appservice on http://127.0.0.1:8008"
    },
    {
      command: "appservice-ping homeserver --registration registration.yaml --server-name matrix.example",
      description: "Let a bridge start whose configuration names the homeserver matrix.example"
    }
  ])
)

const run = Effect.fnUntraced(function*(host: string, port: number) {
  const { handle } = yield* Homeserver.Homeserver
  // The CORS headers are on every answer of a homeserver (C17), so also on those that come from below it.
  const options = { host, port, headers: Homeserver.corsHeaders }
  return yield* serve(handle, options, ({ url }) => Console.log(`homeserver ready at ${url.origin}`))
})

/** Names the files of two registrations that conflict, because the registry does not know files (C23). */
const contradiction = (
  error: AppserviceRegistry.RegistryError,
  files: ReadonlyArray<RegistrationFile>
): CommandFailure => {
  const found = files.filter(({ registration }) => error.ids.includes(registration.id))
  const names = [...new Set(found.map(({ file }) => plain(file)))]
  if (names.length === 1 && found.length > 1) return wrongUsage(`${names[0]}: the file is given twice`)
  const both = names.join(" and ")
  if (error.field === "id") {
    return wrongUsage(`${both}: both have the id ${quoted(error.ids[0] ?? "")}; give each appservice its own id`)
  }
  return error.ids.length === 1
    ? wrongUsage(`${both}: its as_token is also a --user-token; a user needs a token of their own`)
    : wrongUsage(`${both}: both have the same as_token; generate a new one for one of them`)
}
