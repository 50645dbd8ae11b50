/** Starts every server of the comparison in one process and prints their ports as one line of JSON. */
import * as Registration from "@appservice-ping/domain/Registration"
import * as NodeListener from "@appservice-ping/node/NodeListener"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import * as OutgoingTransport from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as HttpMount from "@appservice-ping/server/HttpMount"
import { NodeHttpClient, NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Result } from "effect"
import { HttpRouter } from "effect/http"
import * as http from "node:http"
import * as bare from "./bare.ts"
import { fixture } from "./fixture.ts"

const value = fixture(Number(process.argv[2]))

const registration = Result.getOrThrow(Registration.fromUnknown({
  id: value.id,
  url: new URL(value.appserviceUrl).origin,
  as_token: value.asToken,
  hs_token: value.hsToken,
  sender_localpart: "bench",
  namespaces: {}
}))

const portOf = (server: http.Server): number => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

const listenBare = (server: http.Server): Effect.Effect<number> =>
  Effect.callback((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(portOf(server))))
  })

const homeserver = (transport: Layer.Layer<OutgoingTransport.OutgoingTransport>): Layer.Layer<Homeserver.Homeserver> =>
  Homeserver.layer().pipe(
    Layer.provide(AppserviceRegistry.layer([registration])),
    Layer.provide(OutgoingPing.layer()),
    Layer.provide(transport),
    Layer.orDie
  )

const httpClientTransport = OutgoingTransport.layer.pipe(Layer.provide(NodeHttpClient.layerNodeHttp))

const appservice = Appservice.layer({ registration })

/** Mounts routes in an Effect HTTP app on a port of its own. */
const listenEffect = (routes: Layer.Layer<never, never, HttpRouter.HttpRouter>) =>
  Effect.gen(function*() {
    const server = http.createServer()
    yield* Layer.build(
      HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
        Layer.provide(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" }))
      )
    )
    return portOf(server)
  })

const main = Effect.gen(function*() {
  const { handle: homeserverHandle } = yield* Effect.provide(Homeserver.Homeserver, homeserver(NodeTransport.layer()))
  const { handle: appserviceHandle } = yield* Effect.provide(Appservice.Appservice, appservice)
  yield* Console.log(JSON.stringify({
    homeserver: {
      bare: yield* listenBare(bare.homeserver(value)),
      "NodeListener and NodeTransport": (yield* NodeListener.listen(homeserverHandle, { port: 0 })).port,
      "Effect HTTP app": yield* listenEffect(
        HttpMount.layerHomeserver.pipe(Layer.provide(homeserver(httpClientTransport)))
      )
    },
    appservice: {
      bare: yield* listenBare(bare.appservice(value)),
      NodeListener: (yield* NodeListener.listen(appserviceHandle, { port: 0 })).port,
      "Effect HTTP app": yield* listenEffect(HttpMount.layerAppservice.pipe(Layer.provide(appservice)))
    }
  }))
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.scoped(main))
