/** The transports of the outgoing leg, and where one of them cannot do what the others do. */
import type { OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import type { Layer } from "effect"
import type { RawHeaders } from "./Http.ts"
import * as Mounts from "./Mounts.ts"

export interface Transport {
  readonly name: string
  readonly layer: Layer.Layer<OutgoingTransport>
  /** The headers that the client adds of its own accord. */
  readonly ownHeaders: RawHeaders
  /** Whether it may send over a connection that other requests of the process have left open. */
  readonly pools: boolean
  /** Statuses that never arrive as answers: the Fetch Standard sends again after a 421, and makes an error of a 407. */
  readonly ownStatuses: ReadonlyArray<number>
  /** Whether it takes a `100 Continue` that it did not ask for as RFC 9110 says; undici ends the connection there. */
  readonly takesContinue: boolean
  /** Whether it opens one connection and no more; after an abort, Node's `fetch` opens one that it never uses. */
  readonly oneConnection: boolean
}

export const transports: ReadonlyArray<Transport> = [
  {
    name: "the testbed's transport",
    layer: Mounts.transportNode,
    ownHeaders: [],
    pools: false,
    ownStatuses: [],
    takesContinue: true,
    oneConnection: true
  },
  {
    name: "Effect's client on node:http",
    layer: Mounts.transportNodeHttp,
    ownHeaders: [],
    pools: false,
    ownStatuses: [],
    takesContinue: true,
    oneConnection: true
  },
  {
    name: "Effect's client on undici",
    layer: Mounts.transportUndici,
    ownHeaders: [],
    // Its pool is its own, so that nothing else in these tests leaves a connection there.
    pools: false,
    ownStatuses: [],
    takesContinue: false,
    oneConnection: true
  },
  {
    name: "fetch",
    layer: Mounts.transportFetch,
    ownHeaders: [["accept-language", "*"], ["sec-fetch-mode", "cors"], ["user-agent", "node"]],
    pools: true,
    ownStatuses: [407, 421],
    takesContinue: false,
    oneConnection: false
  }
]
