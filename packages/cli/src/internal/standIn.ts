/** Listens in the appservice's place. */
import type { Registration } from "@appservice-ping/domain/Registration"
import { listen, type ListenError, type Listening } from "@appservice-ping/node/NodeListener"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import { under } from "@appservice-ping/server/Exchange"
import { Effect, type Scope } from "effect"
import type { Place } from "./place.ts"

/** Answers pings at a place until the scope closes, and tells of each. */
export const standIn = (
  place: Place,
  registration: Registration,
  onPing: (ping: Appservice.ReceivedPing) => Effect.Effect<void>
): Effect.Effect<Listening, ListenError, Scope.Scope> =>
  Effect.gen(function*() {
    const { handle } = yield* Appservice.Appservice
    // Without the path, a proxy in front has taken it off already.
    return yield* listen(under(place.path, handle, handle), { host: place.host, port: place.port })
  }).pipe(Effect.provide(Appservice.layer({ registration, onPing })))
