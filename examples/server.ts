import type { Registration } from "@appservice-ping/domain/Registration"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import * as OutgoingTransport from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as HttpMount from "@appservice-ping/server/HttpMount"
import { NodeHttpClient } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"

// #region
// The homeserver's side answers for these registrations, the appservice's side for its own.
export const homeserver = (registrations: ReadonlyArray<Registration>) =>
  Homeserver.layer().pipe(
    Layer.provide([AppserviceRegistry.layer(registrations), OutgoingPing.layer()]),
    Layer.provide(OutgoingTransport.layer.pipe(Layer.provide(NodeHttpClient.layerNodeHttp)))
  )

export const appservice = (registration: Registration) =>
  Appservice.layer({ registration, onPing: () => Effect.logInfo("the homeserver reached us") })

// Both in one app, which has another route as well. Serve it with `HttpRouter.serve`.
export const app = (registration: Registration) =>
  Layer.mergeAll(
    HttpRouter.add("GET", "/health", HttpServerResponse.text("ok")),
    HttpMount.layerHomeserver.pipe(Layer.provide(homeserver([registration]))),
    HttpMount.layerAppservice.pipe(Layer.provide(appservice(registration)))
  )
// #endregion
