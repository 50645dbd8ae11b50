/**
 * Answers pings in the appservice's place.
 *
 * @since 0.1.0
 */
import { hostOf, portOf } from "@appservice-ping/domain/AppserviceUrl"
import type { Registration } from "@appservice-ping/domain/Registration"
import { listen, type ListenError, type Listening } from "@appservice-ping/node/NodeListener"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import { under } from "@appservice-ping/server/Exchange"
import { Effect, type Scope } from "effect"

/**
 * An address to listen on, and the path of the registration's url (A8).
 *
 * @category models
 * @since 0.1.0
 */
export interface Place {
  readonly host: string
  readonly port: number
  readonly path: string
}

/**
 * The place that a url leads to.
 *
 * @category constructors
 * @since 0.1.0
 */
export const placeOf = (url: URL): Place => ({ host: hostOf(url), port: portOf(url), path: url.pathname })

/** The codes of a host that is not this machine: only an attempt to listen shows it. */
const elsewhereCodes: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"])

/**
 * Whether an attempt to listen failed because the address is not one of this machine.
 *
 * @category guards
 * @since 0.1.0
 */
export const isElsewhere = ({ code }: { readonly code: string }): boolean => elsewhereCodes.has(code)

/**
 * Answers pings at a place until the scope closes, and calls `onPing` for each.
 *
 * **Details**
 *
 * Pings arrive under the path of the url, or without it where a proxy in front has taken it off.
 *
 * @category constructors
 * @since 0.1.0
 */
export const listenAs = (
  place: Place,
  registration: Registration,
  onPing: (ping: Appservice.ReceivedPing) => Effect.Effect<void>
): Effect.Effect<Listening, ListenError, Scope.Scope> =>
  Effect.gen(function*() {
    const { handle } = yield* Appservice.Appservice
    return yield* listen(under(place.path, handle, handle), { host: place.host, port: place.port })
  }).pipe(Effect.provide(Appservice.layer({ registration, onPing })))
