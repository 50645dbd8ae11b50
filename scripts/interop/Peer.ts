/** What a peer is: a package of a registry, how it is installed, and how it is started. */
import type { Name } from "@appservice-ping/testbed/peer/AppservicePeers"
import type { Command } from "./Lab.ts"

/** What an appservice starts with. */
export interface Surroundings {
  /** Where the peer was installed. */
  readonly folder: string
  /** A folder of this start's own. */
  readonly state: string
  /** The registration, a file in JSON, which YAML readers read as well. */
  readonly registration: string
  readonly fields: Fields
  readonly homeserver: string
  /** The name of the homeserver. */
  readonly domain: string
  readonly port: number
}

/** The fields of a registration. */
export interface Fields {
  readonly id: string
  readonly url: string
  readonly as_token: string
  readonly hs_token: string
  readonly sender_localpart: string
}

/** Files that a start needs, by their names in its own folder, and its command. */
export interface Start extends Command {
  readonly files?: { readonly [name: string]: string }
}

interface Base {
  readonly name: string
  readonly package: string
  readonly version: string
  /** Commands that run one after another in the folder of the peer. */
  readonly install: ReadonlyArray<Command>
}

/** A homeserver. */
export interface HomeserverPeer extends Base {
  readonly kind: "homeserver"
}

/** An appservice. */
export interface AppservicePeer extends Base {
  readonly kind: "appservice"
  readonly start: (surroundings: Surroundings) => Start
  /** What it prints once it listens. */
  readonly listening: RegExp
  /** What it prints once its start-up has succeeded, and how long that may take. */
  readonly up: RegExp
  /** What it prints when its start-up has failed. */
  readonly down: RegExp
  /** Whether it has to have asked for a ping when it is up. */
  readonly pings: boolean
  /** What it needs of a homeserver beyond registering, who it is and the ping, before it is up. */
  readonly needsMore?: string
  /** What `ping` and the doctor have to say of it when all is well. */
  readonly answers: "ping" | "own pings only" | "no ping"
  /** The peer of the testbed that imitates its framework. */
  readonly imitation: Name
}

export type Peer = HomeserverPeer | AppservicePeer
