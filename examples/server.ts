import type { Registration } from "@appservice-ping/domain"
import {
  Appservice,
  AppserviceRegistry,
  Homeserver,
  HttpMount,
  OutgoingLeg,
  OutgoingTransport
} from "@appservice-ping/server"
import { Effect, Layer } from "effect"
import { FetchHttpClient, HttpRouter, HttpServerResponse } from "effect/http"

export const homeserver = (registrations: ReadonlyArray<Registration.Registration>) =>
  Homeserver.Homeserver.layer().pipe(
    Layer.provide([AppserviceRegistry.AppserviceRegistry.layer(registrations), OutgoingLeg.OutgoingLeg.layer()]),
    Layer.provide(OutgoingTransport.OutgoingTransport.layer),
    Layer.provide(FetchHttpClient.layer)
  )

export const appservice = (registration: Registration.Registration) =>
  Appservice.Appservice.layer({ registration, onPing: () => Effect.logInfo("the homeserver reached us") })

// Both sides in one app, which has another route as well. Serve it with `HttpRouter.serve`.
export const app = (registration: Registration.Registration) =>
  Layer.mergeAll(
    HttpRouter.add("GET", "/health", HttpServerResponse.text("ok")),
    Layer.provide(HttpMount.layerHomeserver, homeserver([registration])),
    Layer.provide(HttpMount.layerAppservice, appservice(registration))
  )
