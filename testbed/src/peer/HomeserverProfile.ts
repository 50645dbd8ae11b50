/**
 * Homeservers that answer a ping like Synapse, Tuwunel, continuwuity and Conduit.
 *
 * One interpreter for all of them; what makes them differ is data (`HomeserverPeer`).
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import { type Registration, urlOf } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import { type Handler, type ServerRequest, tooLarge } from "@appservice-ping/server/Exchange"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import { Clock, Duration, Effect, type Redacted, Result } from "effect"
import { type HomeserverPeer, type Name, peers, type Refusal, type Timeouts } from "./HomeserverPeer.ts"
import * as Answers from "./internal/answers.ts"
import * as Body from "./internal/body.ts"
import * as Outgoing from "./internal/outgoing.ts"
import * as PeerTexts from "./internal/peerTexts.ts"
import * as PingRequest from "./internal/pingRequest.ts"
import type { PeerTransport } from "./PeerTransport.ts"

/**
 * Options of a profile.
 *
 * @category options
 * @since 0.1.0
 */
export interface HomeserverProfileOptions {
  /** The appservices it knows. */
  readonly registrations: ReadonlyArray<Registration>
  /** How it reaches them. */
  readonly transport: PeerTransport
  /** The access token of an ordinary user (C4). Default: there is none. */
  readonly userToken?: Redacted.Redacted | undefined
  /** The name of the homeserver in user ids. Default: `homeserver.test`. */
  readonly serverName?: string | undefined
  /** Other timeouts than the homeserver's own, for tests on real time. */
  readonly timeouts?: {
    readonly connect?: Duration.Input | undefined
    readonly request?: Duration.Input | undefined
  } | undefined
  /** How much of an appservice's answer is read, in bytes; most of the homeservers have no bound. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined
}

const defaults = { serverName: "homeserver.test", maxBodyBytes: 1024 * 1024 } as const

const maxRequestBytes = 1024 * 1024

interface Call {
  readonly name: Name
  readonly peer: HomeserverPeer
  readonly options: HomeserverProfileOptions
  readonly request: ServerRequest
}

const timeoutsOf = ({ timeouts }: HomeserverPeer, options: HomeserverProfileOptions): Timeouts => ({
  connect: Duration.fromInputUnsafe(options.timeouts?.connect ?? timeouts.connect),
  request: Duration.fromInputUnsafe(options.timeouts?.request ?? timeouts.request),
  covers: timeouts.covers
})

/**
 * What makes the ping fail, if it does. A connection that ends without an answer is a timeout to some, in status and
 * text; and a good status is no success where the body has to be JSON and is not.
 */
const failingOf = (peer: HomeserverPeer, outcome: Outgoing.Outcome): PeerTexts.Failing | undefined => {
  if (outcome._tag === "Failed" && outcome.phase === "head" && peer.unanswered === "timeout") {
    const isUnanswered = outcome.kind === "reset" || outcome.kind === "closed" || outcome.kind === "tls"
    return isUnanswered ? Outgoing.Outcome.TimedOut({ phase: "head" }) : outcome
  }
  if (outcome._tag !== "Answered" || !Outgoing.isSuccess(peer, outcome.status)) return outcome
  if (peer.goodBody !== "json") return undefined
  const body = outcome.body ?? new Uint8Array()
  return Body.jsonOf(body) === undefined ? { _tag: "NotJson", isText: Body.textOf(body) !== undefined } : undefined
}

const failureAnswer = (peer: HomeserverPeer, failing: PeerTexts.Failing, error: string): Answer => {
  if (failing._tag !== "Answered") {
    const { errcode, status } = failing._tag === "TimedOut" ? peer.timedOut : peer.failed
    return Answers.refusal({ status, errcode, error })
  }
  const { details, errcode, status } = peer.badStatus
  const body = failing.body === undefined ? undefined : Body.textOf(failing.body)
  return Answers.json(status, {
    errcode,
    error,
    ...details ? { status: failing.status } : {},
    ...details && body !== undefined ? { body } : {}
  })
}

const pingAppservice = Effect.fnUntraced(
  function*({ name, options, peer }: Call, registration: Registration, destination: string, transactionId: unknown) {
    const endpoint = AppserviceUrl.join(destination, "/_matrix/app/v1/ping")
    if (endpoint === undefined) {
      return Answers.refusal({ ...peer.failed, error: "The url of the appservice is not an http or https URL" })
    }
    const request = PingRequest.outgoing(peer, registration, endpoint, transactionId)
    const start = yield* Clock.monotonicTimeNanos
    const maxBodyBytes = options.maxBodyBytes ?? defaults.maxBodyBytes
    const failing = failingOf(peer, yield* Outgoing.exchange(peer, options.transport, request, maxBodyBytes))
    if (failing === undefined) {
      const duration = Duration.nanos((yield* Clock.monotonicTimeNanos) - start)
      return Answers.json(200, { duration_ms: Math.floor(Duration.toMillis(duration)) })
    }
    const error = PeerTexts.texts[name](failing, { id: registration.id, destination, url: request.url })
    return failureAnswer(peer, failing, error)
  }
)

const refusalOf = (
  peer: HomeserverPeer,
  found: { readonly [check in HomeserverPeer["checks"][number]]: Refusal | undefined }
): Refusal | undefined => peer.checks.map((check) => found[check]).find((refusal) => refusal !== undefined)

const ping = Effect.fnUntraced(function*(call: Call, caller: AppserviceRegistry.Caller | undefined, pathId: string) {
  const { peer, request } = call
  if (caller === undefined) return Answers.refusal(peer.missingToken)
  if (caller._tag === "Unknown") return Answers.refusal(peer.unknownToken)
  if (caller._tag === "User") return Answers.refusal(peer.userToken)
  const { registration } = caller
  const bytes = yield* Effect.result(request.body(maxRequestBytes))
  if (Result.isFailure(bytes)) {
    return bytes.failure.reason === "TooLarge" ? tooLarge : Answers.refusal(peer.requestBody.notJson)
  }
  const transactionId = PingRequest.transactionIdOf(peer, bytes.success)
  const url = urlOf(registration)
  const refusal = refusalOf(peer, {
    body: Result.isFailure(transactionId) ? transactionId.failure : undefined,
    id: registration.id === pathId ? undefined : peer.otherId,
    url: url === undefined ? peer.urlNotSet : undefined
  })
  return refusal === undefined && url !== undefined && Result.isSuccess(transactionId)
    ? yield* pingAppservice(call, registration, url, transactionId.success)
    : Answers.refusal(refusal ?? peer.urlNotSet)
})

const whoami = ({ options, peer }: Call, caller: AppserviceRegistry.Caller | undefined): Answer => {
  if (caller === undefined) return Answers.refusal(peer.whoami.missingToken)
  const serverName = options.serverName ?? defaults.serverName
  switch (caller._tag) {
    case "Unknown":
      return Answers.refusal(peer.whoami.unknownToken)
    case "User":
      return Answers.json(200, { user_id: `@user:${serverName}`, device_id: "TESTBED", is_guest: false })
    case "Appservice":
      return Answers.json(200, { user_id: `@${caller.registration.sender_localpart}:${serverName}`, is_guest: false })
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

const decodeSegment = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const endpointOf = (path: string): Endpoint | undefined => {
  const [, id] = /^\/_matrix\/client\/v1\/appservice\/([^/]*)\/ping$/.exec(path) ?? []
  return id === undefined ? gets.get(path) : { method: "POST", name: "ping", id: decodeSegment(id) }
}

const originOnly = { "access-control-allow-origin": "*" } as const

const corsHeaders = {
  ...originOnly,
  "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization, Date"
} as const

const preflight: Answer = { status: 200, headers: corsHeaders, body: "" }

const credential = (request: ServerRequest, query: string): Redacted.Redacted | undefined =>
  Token.fromAuthorization(request.header("authorization")) ?? Token.fromQuery(new URLSearchParams(query))[0]

/**
 * Makes a homeserver that answers like the one of that name.
 *
 * **Details**
 *
 * It answers pings, `GET /_matrix/client/versions`, `GET /_matrix/federation/v1/version` and
 * `GET /_matrix/client/v3/account/whoami`. Everything else is unknown to it (C16), the unstable path of the ping too,
 * which none of these homeservers has any more. It fails where registrations cannot stand side by side (C23).
 *
 * **Gotchas**
 *
 * Synapse waits for the end of a body for ever, and so does its profile, until its client goes away. Tuwunel and
 * continuwuity write the `hs_token` into some of their texts, and their profiles do the same: use invented tokens.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  name: Name,
  options: HomeserverProfileOptions
): Effect.Effect<Handler, AppserviceRegistry.RegistryError> =>
  Effect.gen(function*() {
    const own = peers[name]
    const peer: HomeserverPeer = { ...own, timeouts: timeoutsOf(own, options) }
    const registry = yield* AppserviceRegistry.AppserviceRegistry
    const everywhere = peer.cors === "everywhere" ? corsHeaders : originOnly

    const answer = Effect.fnUntraced(function*(request: ServerRequest) {
      const [path = "", ...query] = request.target.split("?")
      const endpoint = endpointOf(path)
      if (endpoint === undefined) return Answers.refusal(peer.notFound)
      if (endpoint.method !== request.method) return Answers.refusal(peer.wrongMethod)
      const call: Call = { name, peer, options, request }
      const token = credential(request, query.join("?"))
      const caller = token === undefined ? undefined : yield* registry.identify(token)
      switch (endpoint.name) {
        case "versions":
          return Answers.json(200, peer.versions)
        case "server":
          return Answers.json(200, { server: peer.server })
        case "whoami":
          return whoami(call, caller)
        case "ping":
          return yield* ping(call, caller, endpoint.id)
      }
    })

    return (request: ServerRequest): Effect.Effect<Answer> =>
      request.method === "OPTIONS"
        ? Effect.succeed(preflight)
        : Effect.map(answer(request), (answered) => Answers.withHeaders(answered, everywhere))
  }).pipe(
    Effect.provide(
      AppserviceRegistry.layer(options.registrations, {
        userTokens: options.userToken === undefined ? [] : [options.userToken]
      })
    )
  )
