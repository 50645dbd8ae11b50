/** Places in this process, each behind a session that may strike its connections. */
import type { Handler } from "@appservice-ping/server/Exchange"
import { connector } from "@appservice-ping/testbed/peer/PeerNetwork"
import type { PeerConnect } from "@appservice-ping/testbed/peer/PeerTransport"
import type * as Session from "@appservice-ping/testbed/play/Session"
import type { Effect, Scope } from "effect"

export interface Place {
  readonly url: URL
  readonly session: Session.Session["Service"]
  readonly handle: Handler
}

export const inProcess = (places: ReadonlyArray<Place>): Effect.Effect<PeerConnect, never, Scope.Scope> =>
  connector(places.map(({ handle, session, url }) => ({
    host: url.hostname,
    port: Number(url.port),
    tls: url.protocol === "https:",
    session,
    leg: "to_appservice",
    handle
  })))
