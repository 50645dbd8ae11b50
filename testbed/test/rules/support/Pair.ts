/** A homeserver on a mount, and the appservice it pings: a socket that records what it gets. */
import type { RegistryError } from "@appservice-ping/server/homeserver/AppserviceRegistry"
import { Effect, Redacted, type Scope } from "effect"
import * as Fixture from "./Fixture.ts"
import * as Http from "./Http.ts"
import type { HomeserverSetup, Mount } from "./Mounts.ts"
import * as RecordingServer from "./RecordingServer.ts"

export interface Pair {
  /** The port of the homeserver. */
  readonly port: number
  readonly appservice: RecordingServer.RecordingServer
}

export interface PairOptions extends Partial<HomeserverSetup> {
  /** What the appservice does once it has a request. Default: answer `200 {}`. */
  readonly steps?: ReadonlyArray<RecordingServer.Step>
  /** What the appservice does at the first bytes, whatever they are. */
  readonly onData?: ReadonlyArray<RecordingServer.Step>
  readonly id?: string
  readonly asToken?: string
  readonly hsToken?: string
  readonly users?: ReadonlyArray<string>
  /** The registration's `url`, from the origin of the appservice. Default: the origin. */
  readonly url?: (origin: string) => string | null
}

/** Starts both; a second appservice and an ordinary user are known to the homeserver as well. */
export const start = (mount: Mount, options: PairOptions = {}): Effect.Effect<Pair, RegistryError, Scope.Scope> =>
  Effect.gen(function*() {
    const appservice = yield* RecordingServer.make(options.steps ?? [Http.response(200)], { onData: options.onData })
    const url = options.url === undefined ? appservice.url : options.url(appservice.url)
    const port = yield* mount.homeserver({
      registrations: [Fixture.registration({ ...options, url }), Fixture.other],
      userTokens: [Redacted.make(Fixture.tokens.user)],
      ...options
    })
    return { port, appservice }
  })
