/** The two servers in the test's own process, for tests of a command that asks them: a process less for each. */
import * as RegistrationFile from "@appservice-ping/domain/RegistrationFile"
import { listen } from "@appservice-ping/node/NodeListener"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { Effect, Layer, Result, type Scope } from "effect"
import { registration } from "./files.ts"

const parse = (fields: { readonly [key: string]: unknown }) =>
  Result.getOrThrow(RegistrationFile.fromText(registration(fields), "registration")).registration

/** A server and what came to it. */
export interface InProcess {
  readonly origin: string
  readonly received: ReadonlyArray<Appservice.ReceivedPing>
}

/** An appservice with the usual tokens, on a free port or a given one. */
export const appservice = (port = 0): Effect.Effect<InProcess, never, Scope.Scope> =>
  Effect.suspend(() => {
    const received: Array<Appservice.ReceivedPing> = []
    const onPing = (ping: Appservice.ReceivedPing) => Effect.sync(() => void received.push(ping))
    return Effect.gen(function*() {
      const { handle } = yield* Appservice.Appservice
      const { url } = yield* listen(handle, { port })
      return { origin: url.origin, received }
    }).pipe(Effect.provide(Appservice.layer({ registration: parse({}), onPing })), Effect.orDie)
  })

/** A homeserver that knows one registration with these fields. */
export const homeserver = (
  fields: { readonly [key: string]: unknown }
): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { handle } = yield* Homeserver.Homeserver
    const { url } = yield* listen(handle, { port: 0 })
    return url.origin
  }).pipe(
    Effect.provide(
      Homeserver.layer().pipe(
        Layer.provide([
          AppserviceRegistry.layer([parse(fields)], {}),
          OutgoingPing.layer().pipe(Layer.provide(NodeTransport.layer()))
        ])
      )
    ),
    Effect.orDie
  )
