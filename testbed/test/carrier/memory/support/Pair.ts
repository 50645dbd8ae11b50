/** A homeserver and an appservice in memory, one session, and a client. */
import * as Ping from "@appservice-ping/client/Ping"
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as MemoryHttpClient from "@appservice-ping/testbed/carrier/memory/MemoryHttpClient"
import * as MemoryNetwork from "@appservice-ping/testbed/carrier/memory/MemoryNetwork"
import * as MemoryTransport from "@appservice-ping/testbed/carrier/memory/MemoryTransport"
import * as Session from "@appservice-ping/testbed/play/Session"
import { Context, Deferred, type Duration, Effect, Layer, Redacted } from "effect"
import { HttpClient } from "effect/http"

export const timeouts = { ping: "1 second", client: "4 seconds" } as const

export interface PairOptions extends MemoryHttpClient.MemoryHttpClientOptions {
  readonly session?: Session.SessionOptions | undefined
  readonly tls?: boolean | undefined
  readonly pingTimeout?: Duration.Input | undefined
  readonly clientTimeout?: Duration.Input | undefined
}

export const makePair = Effect.fnUntraced(function*(options: PairOptions = {}) {
  const scheme = options.tls === true ? "https" : "http"
  const homeserver = new URL(`${scheme}://homeserver.test`)
  const registration = {
    id: AppserviceId.make("testbed"),
    url: `${scheme}://appservice.test:29300`,
    as_token: Redacted.make("as-token"),
    hs_token: Redacted.make("hs-token"),
    sender_localpart: "testbed",
    namespaces: { users: [], rooms: [], aliases: [] }
  }
  const session = yield* Session.make(options.session)
  const received: Array<string | undefined> = []
  const appservice = Context.get(
    yield* Layer.build(Appservice.layer({
      registration,
      onPing: ({ transactionId }) =>
        Effect.sync(() => {
          received.push(transactionId)
        })
    })),
    Appservice.Appservice
  )
  const served = yield* Deferred.make<Handler>()
  const network = yield* MemoryNetwork.make([
    { url: new URL(registration.url), handle: appservice.handle, leg: "to_appservice", session },
    {
      url: homeserver,
      handle: (request) => Effect.flatMap(Deferred.await(served), (handle) => handle(request)),
      leg: "to_homeserver",
      session
    }
  ])
  const handle = Context.get(
    yield* Layer.build(
      Homeserver.layer().pipe(Layer.provide([
        Layer.orDie(AppserviceRegistry.layer([registration])),
        OutgoingPing.layer({ timeout: options.pingTimeout ?? timeouts.ping }).pipe(
          Layer.provide(Layer.succeed(OutgoingTransport, MemoryTransport.make(network)))
        )
      ]))
    ),
    Homeserver.Homeserver
  ).handle
  yield* Deferred.succeed(served, handle)
  const client = yield* MemoryHttpClient.make(network, options)
  return {
    session,
    client,
    homeserver,
    received,
    ping: (transactionId?: string) =>
      Effect.provideService(
        Ping.ping({ homeserver, registration, transactionId, timeout: options.clientTimeout ?? timeouts.client }),
        HttpClient.HttpClient,
        client
      )
  }
})
