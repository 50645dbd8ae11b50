/** A homeserver with small limits, in a process of its own; prints its port as one line of JSON. */
import * as Registration from "@appservice-ping/domain/Registration"
import * as NodeListener from "@appservice-ping/node/NodeListener"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Context, Effect, Layer, Result } from "effect"
import { limits } from "./limits.ts"

const appservices: Readonly<Record<string, string>> = JSON.parse(process.argv[2] ?? "{}")

const registrations = Object.entries(appservices).map(([id, url]) =>
  Result.getOrThrow(Registration.fromUnknown({
    id,
    url,
    as_token: `as_${id}`,
    hs_token: `hs_${id}`,
    sender_localpart: id,
    namespaces: {}
  }))
)

const homeserver = Homeserver.layer({
  maxConcurrentPings: limits.maxConcurrentPings,
  maxConcurrentPingsPerAppservice: limits.maxConcurrentPingsPerAppservice,
  maxBodyBytesInFlight: limits.maxBodyBytesInFlight
}).pipe(
  Layer.provide(AppserviceRegistry.layer(registrations)),
  Layer.provide(OutgoingPing.layer({ timeout: limits.timeout })),
  Layer.provide(NodeTransport.layer()),
  Layer.orDie
)

NodeRuntime.runMain(Effect.scoped(Effect.gen(function*() {
  const { handle } = Context.get(yield* Layer.build(homeserver), Homeserver.Homeserver)
  const { port } = yield* NodeListener.listen(handle, { port: 0, maxConnections: limits.maxConnections })
  yield* Console.log(JSON.stringify({ port }))
  return yield* Effect.never
})))
