/**
 * A homeserver that answers a ping as a real one does; what makes them differ is their `HomeserverPeer`.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Registration } from "@appservice-ping/domain/Registration"
import { type Handler, type ServerRequest, tooLarge } from "@appservice-ping/server/Exchange"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import { Clock, Duration, Effect, Redacted, Result, type Scope } from "effect"
import type { HomeserverPeer, PeerClient, Presented, Subject } from "./HomeserverPeer.ts"
import * as Answers from "./internal/answers.ts"
import { exchange, type Reach } from "./internal/exchange.ts"
import { senderOf } from "./internal/namespaces.ts"
import type { PeerRequest } from "./internal/peerRequest.ts"
import * as Pool from "./internal/pool.ts"
import type { PeerTransport } from "./PeerTransport.ts"

/**
 * Options of the handler.
 *
 * @category options
 * @since 0.1.0
 */
export interface HomeserverHandlerOptions {
  /** The appservices it knows. */
  readonly registrations: ReadonlyArray<Registration>
  /** How it reaches them. */
  readonly transport: PeerTransport
  /** The access token of an ordinary user (C4). Default: there is none. */
  readonly userToken?: Redacted.Redacted | undefined
  /** The name of the homeserver in user ids. Default: `homeserver.test`. */
  readonly serverName?: string | undefined
  /** The localparts of the users that exist. Default: those of the appservices' bots. */
  readonly users?: ReadonlyArray<string> | undefined
  /** Other timeouts than the homeserver's own, for tests on real time. */
  readonly timeouts?: {
    readonly connect?: Duration.Input | undefined
    readonly request?: Duration.Input | undefined
  } | undefined
  /**
   * Whether it keeps its connections to appservices, as the real ones do. Default: false, so that each ping meets what
   * happens to connections.
   */
  readonly keepAlive?: boolean | undefined
  /** How much of a client's request is read, in bytes. Default: 8 MiB. */
  readonly maxRequestBytes?: number | undefined
  /** How much of an appservice's answer is read, in bytes; most of the homeservers have no bound. Default: 8 MiB. */
  readonly maxBodyBytes?: number | undefined
}

const maxBytesDefault = 8 * 1024 * 1024

interface Homeserver {
  readonly peer: HomeserverPeer
  readonly client: PeerClient
  readonly reach: Reach
  readonly options: HomeserverHandlerOptions
  readonly serverName: string
  readonly isRegistered: (userId: string) => boolean
}

const requestOf = (
  { options, peer }: Homeserver,
  registration: Registration,
  endpoint: URL,
  body: string
): PeerRequest => {
  const token = Redacted.value(registration.hs_token)
  const url = new URL(endpoint)
  if (peer.outgoingToken === "header and query") {
    // Appended as it is, as these homeservers do.
    url.search = `${url.search === "" ? "?" : `${url.search}&`}access_token=${token}`
  }
  return {
    method: "POST",
    url,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "user-agent": `${peer.server.name}/${peer.server.version}`,
      ...options.keepAlive === true ? {} : { connection: "close" }
    },
    body
  }
}

const pingAppservice = Effect.fnUntraced(
  function*(homeserver: Homeserver, registration: Registration, transactionId: unknown) {
    const { client, options, peer, reach } = homeserver
    const destination = registration.url ?? ""
    const body = peer.outgoingBody(transactionId)
    if (Result.isFailure(body)) return body.failure
    const endpoint = peer.endpoint(destination)
    if (Result.isFailure(endpoint)) return endpoint.failure
    const request = requestOf(homeserver, registration, endpoint.success, body.success)
    const start = yield* Clock.monotonicTimeNanos
    const outcome = yield* exchange(client, reach, request, options.maxBodyBytes ?? maxBytesDefault)
    const duration = Duration.nanos((yield* Clock.monotonicTimeNanos) - start)
    const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const subject: Subject = { registration, destination, url: request.url, now }
    return peer.conclude(outcome, subject) ??
      Answers.json(200, { duration_ms: Math.floor(Duration.toMillis(duration)) })
  }
)

const ping = Effect.fnUntraced(function*(
  homeserver: Homeserver,
  request: ServerRequest,
  caller: AppserviceRegistry.Caller | undefined,
  presented: Presented | undefined,
  pathId: string
) {
  const { isRegistered, options, peer, serverName } = homeserver
  if (caller === undefined || presented === undefined) return peer.missingToken
  if (caller._tag === "Unknown") return peer.unknownToken(presented.from)
  if (caller._tag === "User") return peer.userToken
  const { registration } = caller
  const refused = peer.asUser(queryOf(request), { registration, serverName, isRegistered })
  if (refused !== undefined) return refused
  const bytes = yield* Effect.result(request.body(options.maxRequestBytes ?? maxBytesDefault))
  if (Result.isFailure(bytes)) return tooLarge
  const transactionId = peer.transactionId(bytes.success)
  const { url } = registration
  const found: { readonly [check in HomeserverPeer["checks"][number]]: Answer | undefined } = {
    body: Result.isFailure(transactionId) ? transactionId.failure : undefined,
    id: registration.id === pathId ? undefined : peer.otherId,
    url: typeof url === "string" && peer.isUrlSet(url) ? undefined : peer.urlNotSet
  }
  const failed = peer.checks.map((check) => found[check]).find((answer) => answer !== undefined)
  if (failed !== undefined || Result.isFailure(transactionId)) return failed ?? peer.urlNotSet
  return yield* pingAppservice(homeserver, registration, transactionId.success)
})

const whoami = (
  { isRegistered, peer, serverName }: Homeserver,
  caller: AppserviceRegistry.Caller | undefined,
  presented: Presented | undefined
): Answer => {
  if (caller === undefined || presented === undefined) return peer.whoami.missingToken
  switch (caller._tag) {
    case "Unknown":
      return peer.whoami.unknownToken(presented.from)
    case "User":
      return Answers.json(200, { user_id: `@user:${serverName}`, device_id: "TESTBED", is_guest: false })
    case "Appservice": {
      const user_id = senderOf(caller.registration, serverName)
      return isRegistered(user_id)
        ? Answers.json(200, { user_id, is_guest: false })
        : peer.whoami.notRegistered ?? Answers.json(200, { user_id, is_guest: false })
    }
  }
}

type Endpoint =
  | { readonly method: "POST"; readonly name: "ping"; readonly id: string }
  | { readonly method: "GET"; readonly name: "versions" | "server" | "whoami" }

const gets: ReadonlyMap<string, Endpoint> = new Map([
  ["/_matrix/client/versions", { method: "GET", name: "versions" }],
  ["/_matrix/federation/v1/version", { method: "GET", name: "server" }],
  ["/_matrix/client/v3/account/whoami", { method: "GET", name: "whoami" }]
])

const stable = /^\/_matrix\/client\/v1\/appservice\/([^/]*)\/ping$/
const unstable = /^\/_matrix\/client\/unstable\/fi\.mau\.msc2659\/appservice\/([^/]*)\/ping$/

const decodeSegment = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const endpointOf = (peer: HomeserverPeer, path: string): Endpoint | undefined => {
  const [, id] = stable.exec(path) ?? (peer.hasUnstablePath ? unstable.exec(path) : null) ?? []
  return id === undefined ? gets.get(path) : { method: "POST", name: "ping", id: decodeSegment(id) }
}

type Target = Pick<ServerRequest, "target">

const pathOf = ({ target }: Target): string => target.split("?", 1)[0] ?? ""

const queryOf = (request: Target): URLSearchParams => new URLSearchParams(request.target.slice(pathOf(request).length))

const clientOf = ({ client }: HomeserverPeer, { timeouts }: HomeserverHandlerOptions): PeerClient => ({
  ...client,
  timeouts: {
    ...client.timeouts,
    connect: Duration.fromInputUnsafe(timeouts?.connect ?? client.timeouts.connect),
    request: Duration.fromInputUnsafe(timeouts?.request ?? client.timeouts.request)
  }
})

const isAnswer = (presented: Presented | Answer | undefined): presented is Answer =>
  presented !== undefined && "status" in presented

/**
 * Makes a handler that answers as the homeserver does, with connections that end with the scope.
 *
 * **Details**
 *
 * It answers pings, `GET /_matrix/client/versions`, `GET /_matrix/federation/v1/version` and
 * `GET /_matrix/client/v3/account/whoami`. Every other path is unknown to it (C16). It fails if two registrations have the
 * same id or token (C23).
 *
 * **Gotchas**
 *
 * Synapse waits for the end of a body for ever, and so does its peer, until its client goes away. Tuwunel and
 * continuwuity write the `hs_token` into some of their texts, and so do their peers: use invented tokens.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  peer: HomeserverPeer,
  options: HomeserverHandlerOptions
): Effect.Effect<Handler, AppserviceRegistry.RegistryError, Scope.Scope> =>
  Effect.gen(function*() {
    const registry = yield* AppserviceRegistry.AppserviceRegistry
    const serverName = options.serverName ?? "homeserver.test"
    const users = options.users ?? options.registrations.map(({ sender_localpart }) => sender_localpart)
    const ids = new Set(users.map((localpart) => `@${localpart}:${serverName}`))
    const pool = options.keepAlive === true ? yield* Pool.make(peer.client.idle) : Pool.none
    const homeserver: Homeserver = {
      peer,
      reach: { transport: options.transport, pool },
      client: clientOf(peer, options),
      options,
      serverName,
      isRegistered: (userId) => ids.has(userId)
    }

    const answer = Effect.fnUntraced(function*(request: ServerRequest, path: string) {
      const endpoint = endpointOf(peer, path)
      if (endpoint === undefined) return peer.notFound(path)
      if (endpoint.method !== request.method) return peer.wrongMethod
      if (endpoint.name === "versions") return Answers.json(200, peer.versions)
      if (endpoint.name === "server") return Answers.json(200, { server: peer.server })
      const presented = peer.presented(request.header("authorization"), queryOf(request))
      if (isAnswer(presented)) return presented
      const caller = presented === undefined ? undefined : yield* registry.identify(Redacted.make(presented.token))
      return endpoint.name === "ping"
        ? yield* ping(homeserver, request, caller, presented, endpoint.id)
        : whoami(homeserver, caller, presented)
    })

    return (request: ServerRequest): Effect.Effect<Answer> => {
      if (request.method === "OPTIONS") return Effect.succeed(peer.preflight)
      const path = pathOf(request)
      return Effect.map(
        answer(request, path),
        (answered) => Answers.withHeaders(answered, peer.cors(answered.status, path))
      )
    }
  }).pipe(
    Effect.provide(
      AppserviceRegistry.layer(options.registrations, {
        userTokens: options.userToken === undefined ? [] : [options.userToken]
      })
    )
  )
