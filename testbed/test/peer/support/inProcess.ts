/** Places in this process, each behind a session that may strike its connections. */
import type { Connect } from "@appservice-ping/node/Connect"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as MemoryNetwork from "@appservice-ping/testbed/carrier/memory/MemoryNetwork"
import type * as Session from "@appservice-ping/testbed/play/Session"
import { Effect, type Scope } from "effect"

export interface Place {
  readonly url: URL
  readonly session: Session.Session["Service"]
  readonly handle: Handler
}

export const inProcess = (places: ReadonlyArray<Place>): Effect.Effect<Connect, never, Scope.Scope> =>
  Effect.map(
    MemoryNetwork.make(places.map((place) => ({ ...place, leg: "to_appservice" }))),
    ({ connect }) => connect
  )
