/** The places where a handler can be mounted, so that one contract suite runs over all of them. */
import type { Registration } from "@appservice-ping/domain/Registration"
import * as NodeListener from "@appservice-ping/node/NodeListener"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import * as OutgoingTransport from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as HttpMount from "@appservice-ping/server/HttpMount"
import { NodeHttpClient, NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, type Redacted, type Scope } from "effect"
import { FetchHttpClient, HttpRouter, HttpServerResponse } from "effect/http"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as WebBridge from "./WebBridge.ts"

/** What a homeserver under test is made of. */
export interface HomeserverSetup {
  readonly registrations: ReadonlyArray<Registration>
  readonly userTokens?: ReadonlyArray<Redacted.Redacted>
  readonly options?: Homeserver.HomeserverOptions
  readonly outgoing?: OutgoingPing.OutgoingPingOptions
  readonly transport?: Layer.Layer<OutgoingTransport.OutgoingTransport>
}

/** A place where a handler is mounted; both give the port that it listens on. */
export interface Mount {
  readonly name: string
  readonly homeserver: (setup: HomeserverSetup) => Effect.Effect<number, AppserviceRegistry.RegistryError, Scope.Scope>
  readonly appservice: (options: Appservice.AppserviceOptions) => Effect.Effect<number, never, Scope.Scope>
}

/** Sends with `node:http`. */
export const transportNodeHttp: Layer.Layer<OutgoingTransport.OutgoingTransport> = OutgoingTransport.layer.pipe(
  Layer.provide(NodeHttpClient.layerNodeHttp)
)

/** Sends with undici. */
export const transportUndici: Layer.Layer<OutgoingTransport.OutgoingTransport> = OutgoingTransport.layer.pipe(
  Layer.provide(NodeHttpClient.layerUndici)
)

/** Sends with the global `fetch`. */
export const transportFetch: Layer.Layer<OutgoingTransport.OutgoingTransport> = OutgoingTransport.layer.pipe(
  Layer.provide(FetchHttpClient.layer)
)

/** Sends with the testbed's own transport over `node:http`. */
export const transportNode: Layer.Layer<OutgoingTransport.OutgoingTransport> = NodeTransport.layer()

/** The layer of a homeserver, sending with `transport` where the setup names none. */
export const layerHomeserver = (
  setup: HomeserverSetup,
  transport: Layer.Layer<OutgoingTransport.OutgoingTransport>
): Layer.Layer<Homeserver.Homeserver, AppserviceRegistry.RegistryError> =>
  Homeserver.layer(setup.options).pipe(
    Layer.provide([
      AppserviceRegistry.layer(setup.registrations, { userTokens: setup.userTokens ?? [] }),
      OutgoingPing.layer(setup.outgoing).pipe(Layer.provide(setup.transport ?? transport))
    ])
  )

const listen = (server: Server): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )

/** A route that the app had before a handler was mounted beside it. */
const health = HttpRouter.add("GET", "/health", HttpServerResponse.text("healthy"))

const effectApp = <E>(routes: Layer.Layer<never, E, HttpRouter.HttpRouter>): Effect.Effect<number, E, Scope.Scope> =>
  Effect.gen(function*() {
    const server = createServer()
    yield* Layer.build(
      HttpRouter.serve(Layer.merge(health, routes), { disableListenLog: true }).pipe(
        Layer.provide(Layer.orDie(NodeHttpServer.layerServer(() => server, { host: "127.0.0.1", port: 0 })))
      )
    )
    // The server's own release waits for connections that a test left open on purpose.
    yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    return (server.address() as AddressInfo).port
  })

/** Mounted in an Effect HTTP app beside its other routes. */
export const effectHttpApp: Mount = {
  name: "an Effect HTTP app",
  homeserver: (setup) =>
    effectApp(HttpMount.layerHomeserver.pipe(Layer.provide(layerHomeserver(setup, transportNodeHttp)))),
  appservice: (options) => effectApp(HttpMount.layerAppservice.pipe(Layer.provide(Appservice.layer(options))))
}

const webApp = (
  make: (services: Layer.Layer<never>) => HttpMount.WebHandler
): Effect.Effect<number, never, Scope.Scope> =>
  Effect.gen(function*() {
    const services = Layer.succeedContext(yield* Effect.context<never>())
    const { handler } = yield* Effect.acquireRelease(
      Effect.sync(() => make(services)),
      ({ dispose }) => Effect.promise(dispose)
    )
    return yield* listen(createServer(WebBridge.listener(handler)))
  })

/** A web-standard handler behind a bridge to `node:http`. */
export const webHandler: Mount = {
  name: "a web-standard handler",
  homeserver: (setup) =>
    webApp((services) =>
      HttpMount.homeserverWebHandler(Layer.provideMerge(layerHomeserver(setup, transportFetch), services))
    ),
  appservice: (options) =>
    webApp((services) => HttpMount.appserviceWebHandler(Layer.provideMerge(Appservice.layer(options), services)))
}

const listener = (handle: Handler): Effect.Effect<number, never, Scope.Scope> =>
  NodeListener.listen(handle, { port: 0 }).pipe(Effect.map(({ port }) => port), Effect.orDie)

/** The listener of the two commands, straight on `node:http`. */
export const nodeListener: Mount = {
  name: "the listener on node:http",
  homeserver: (setup) =>
    Layer.build(layerHomeserver(setup, transportNode)).pipe(
      Effect.flatMap((context) => listener(Context.get(context, Homeserver.Homeserver).handle))
    ),
  appservice: (options) =>
    Layer.build(Appservice.layer(options)).pipe(
      Effect.flatMap((context) => listener(Context.get(context, Appservice.Appservice).handle))
    )
}

/** Every place where a handler can be mounted. */
export const mounts: ReadonlyArray<Mount> = [effectHttpApp, webHandler, nodeListener]
