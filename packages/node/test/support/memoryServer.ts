/** A process of its own with a homeserver in it, which says how much memory it has needed at most. */
import * as Registration from "@appservice-ping/domain/Registration"
import { listen } from "@appservice-ping/node/NodeListener"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { Effect, Layer } from "effect"

const program = Effect.gen(function*() {
  const registration = yield* Effect.fromResult(Registration.fromUnknown({
    id: "irc",
    url: null,
    as_token: "as_token_of_the_pair",
    hs_token: "hs_token_of_the_pair",
    sender_localpart: "irc",
    namespaces: {}
  }))
  const { handle } = yield* Effect.provide(
    Homeserver.Homeserver,
    Homeserver.layer().pipe(Layer.provide([
      AppserviceRegistry.layer([registration]),
      OutgoingPing.layer().pipe(Layer.provide(NodeTransport.layer()))
    ]))
  )
  const { port } = yield* listen(handle, { port: 0 })
  process.on("message", () => process.send?.({ maxRssBytes: process.resourceUsage().maxRSS * 1024 }))
  process.on("disconnect", () => process.exit(0))
  process.send?.({ port })
  return yield* Effect.never
})

Effect.runFork(Effect.scoped(program))
