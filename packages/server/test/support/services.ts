import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import type { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import {
  type OutgoingRequest,
  type OutgoingResponse,
  OutgoingTransport
} from "@appservice-ping/server/homeserver/OutgoingTransport"
import { Effect, Layer, Redacted } from "effect"

export const tokens = { as: "as-token-telegram", hs: "hs-token-telegram", user: "token-of-a-user" } as const

export const registration = (
  options: {
    readonly id?: string
    readonly asToken?: string
    readonly hsToken?: string
    readonly url?: string | null
  } = {}
): Registration => ({
  id: AppserviceId.make(options.id ?? "telegram"),
  url: options.url === undefined ? "http://bridge.test:29317" : options.url,
  as_token: Redacted.make(options.asToken ?? tokens.as),
  hs_token: Redacted.make(options.hsToken ?? tokens.hs),
  sender_localpart: "bot",
  namespaces: {}
})

export type Send = (request: OutgoingRequest) => Effect.Effect<OutgoingResponse, ConnectionFailure>

/** What an appservice answers when all is well. */
export const ok: OutgoingResponse = { status: 200, body: new TextEncoder().encode("{}") }

export const layerTransport = (send: Send): Layer.Layer<OutgoingTransport> =>
  Layer.succeed(OutgoingTransport, OutgoingTransport.of({ send }))

/** A homeserver of one registration, over a transport that is a function. */
export const homeserver = <R = never>(
  options: {
    readonly send?: Send
    readonly registration?: Registration
    readonly registry?: Layer.Layer<AppserviceRegistry.AppserviceRegistry>
    readonly homeserver?: Homeserver.HomeserverOptions<R>
    readonly outgoing?: OutgoingPing.OutgoingPingOptions
  } = {}
): Layer.Layer<Homeserver.Homeserver, never, R> =>
  Homeserver.layer(options.homeserver).pipe(
    Layer.provide([
      options.registry ?? Layer.orDie(
        AppserviceRegistry.layer([options.registration ?? registration()], { userTokens: [Redacted.make(tokens.user)] })
      ),
      OutgoingPing.layer(options.outgoing).pipe(
        Layer.provide(layerTransport(options.send ?? (() => Effect.succeed(ok))))
      )
    ])
  )
