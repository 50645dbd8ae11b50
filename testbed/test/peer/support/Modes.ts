/** The peers in their two forms, in memory and on real sockets, so that one suite runs against both. */
import type { Answer } from "@appservice-ping/domain/Answer"
import { listen } from "@appservice-ping/node/NodeListener"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as HomeserverHandler from "@appservice-ping/testbed/peer/HomeserverHandler"
import * as HomeserverPeers from "@appservice-ping/testbed/peer/HomeserverPeers"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { type Duration, Effect, Redacted, type Scope } from "effect"
import * as Fixture from "../../rules/support/Fixture.ts"
import * as Http from "../../rules/support/Http.ts"
import * as RawClient from "../../rules/support/RawClient.ts"
import { memoryNetwork, type Network, wireNetwork } from "./Network.ts"

/** A request, as the tests write it. */
export interface Asked {
  readonly method: string
  readonly target: string
  readonly headers: Http.RawHeaders
  readonly body: string
}

/** Asks a server. */
export type Ask = (asked: Asked) => Effect.Effect<Answer>

export interface Mode {
  readonly name: "in memory" | "on a socket"
  readonly network: () => Effect.Effect<Network, never, Scope.Scope>
  /** Serves a handler. */
  readonly serve: (handle: Handler) => Effect.Effect<Ask, never, Scope.Scope>
  /** A time that is over soon: virtual in memory, real on a socket. */
  readonly soon: Duration.Input
  /** Runs a test, in memory on virtual time. */
  readonly run: <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.Effect<A, E | Virtual.Stuck>
}

const inMemory = (handle: Handler): Ask => ({ body, headers, method, target }) =>
  handle({
    method,
    target,
    header: (name) => headers.find(([key]) => key.toLowerCase() === name)?.[1],
    body: () => Effect.succeed(new TextEncoder().encode(body))
  })

const onSocket = (port: number): Ask => (asked) =>
  RawClient.send(port, Http.request(asked)).pipe(
    Effect.orDie,
    Effect.map(({ headers, status, text }) => ({
      status,
      headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
      body: text
    }))
  )

export const memory: Mode = {
  name: "in memory",
  network: memoryNetwork,
  serve: (handle) => Effect.succeed(inMemory(handle)),
  soon: "1 second",
  run: (effect) => Virtual.run(Effect.scoped(effect), { limit: "60 days" })
}

export const wire: Mode = {
  name: "on a socket",
  network: wireNetwork,
  serve: (handle) =>
    Effect.map(Effect.orDie(listen(handle, { port: 0, shutdownGrace: 0 })), ({ port }) => onSocket(port)),
  soon: "1 second",
  run: (effect) => Effect.scoped(effect)
}

export const modes: ReadonlyArray<Mode> = [memory, wire]

export interface HomeserverOptions {
  /** The `url` of the registration. Default: null. */
  readonly url?: string | null
  /** The id of the registration. Default: that of the fixture. */
  readonly id?: string
  readonly timeouts?: HomeserverHandler.HomeserverHandlerOptions["timeouts"]
  readonly users?: ReadonlyArray<string>
}

/** Serves a homeserver that knows the registrations of the fixture, and the token of a user. */
export const homeserver = (
  mode: Mode,
  name: HomeserverPeers.Name,
  network: Pick<Network, "transport">,
  { id, timeouts, url = null, users }: HomeserverOptions
): Effect.Effect<Ask, never, Scope.Scope> =>
  Effect.gen(function*() {
    const handle = yield* HomeserverHandler.make(HomeserverPeers.peers[name], {
      registrations: [Fixture.registration({ url, ...id === undefined ? {} : { id } }), Fixture.other],
      transport: yield* network.transport,
      userToken: Redacted.make(Fixture.tokens.user),
      timeouts,
      users
    })
    return yield* mode.serve(handle)
  }).pipe(Effect.orDie)

const jsonHeader = ["Content-Type", "application/json"] as const

/** A ping to a homeserver; what is not said is as it should be. */
export const ping = (
  options: { readonly id?: string; readonly token?: string | null; readonly body?: string; readonly query?: string } =
    {}
): Asked => ({
  method: "POST",
  target: Fixture.path(options.id) + (options.query ?? ""),
  headers: [
    ...options.token === null ? [] : [Fixture.bearer(options.token ?? Fixture.tokens.as)],
    jsonHeader
  ],
  body: options.body ?? "{}"
})

/** A homeserver's ping to an appservice; what is not said is as it should be. */
export const appservicePing = (
  options: {
    readonly method?: string
    readonly target?: string
    readonly token?: string | null
    readonly body?: string
  } = {}
): Asked => ({
  method: options.method ?? "POST",
  target: options.target ?? Fixture.appservicePath,
  headers: [
    ...options.token === null ? [] : [Fixture.bearer(options.token ?? Fixture.tokens.hs)],
    jsonHeader
  ],
  body: options.body ?? "{}"
})

/** An answer in short: its status, and its errcode where it has one. */
export const short = (answer: Answer): string => {
  try {
    const body: unknown = JSON.parse(answer.body)
    return typeof body === "object" && body !== null && "errcode" in body
      ? `${answer.status} ${String(body.errcode)}`
      : String(answer.status)
  } catch {
    return `${answer.status} ${answer.headers["content-type"] ?? ""}`.trim()
  }
}
