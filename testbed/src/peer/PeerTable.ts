/**
 * What this project's client concludes with each homeserver and each framework when something is wrong: one row for each.
 *
 * @since 0.1.0
 */
import * as Ping from "@appservice-ping/client/Ping"
import type { Answer } from "@appservice-ping/domain/Answer"
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import { type Actor, diagnose } from "@appservice-ping/domain/Diagnosis"
import * as Json from "@appservice-ping/domain/Json"
import type { Registration } from "@appservice-ping/domain/Registration"
import type { Handler } from "@appservice-ping/server/Exchange"
import { Deferred, Effect, Predicate, Redacted, Ref, Result } from "effect"
import { HttpClient } from "effect/http"
import * as MemoryHttpClient from "../carrier/memory/MemoryHttpClient.ts"
import * as MemoryNetwork from "../carrier/memory/MemoryNetwork.ts"
import { ca } from "../carrier/tls/Certificates.ts"
import * as Plan from "../plan/Plan.ts"
import * as Session from "../play/Session.ts"
import * as Virtual from "../play/Virtual.ts"
import * as AppserviceHandler from "./AppserviceHandler.ts"
import * as AppservicePeers from "./AppservicePeers.ts"
import * as HomeserverHandler from "./HomeserverHandler.ts"
import * as HomeserverPeers from "./HomeserverPeers.ts"
import { type Case, cases, page } from "./internal/cases.ts"
import * as PeerTransport from "./PeerTransport.ts"

/**
 * One row: what is wrong, what the homeserver answers, and what the client makes of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Row {
  readonly case: string
  readonly homeserver: HomeserverPeers.Name
  /** The framework of the appservice; `undefined` where it makes no difference. */
  readonly appservice: AppservicePeers.Name | undefined
  /** The homeserver's answer: `502 M_BAD_STATUS (401)`, `200`, or `no answer`. */
  readonly answer: string
  /** The `_tag` of the client's error, or `Success`. */
  readonly error: string
  /** The diagnosis of the error. */
  readonly cause: string | undefined
  readonly advice: string | undefined
  readonly actor: Actor | undefined
  readonly temporary: boolean | undefined
}

const homeserverUrl = new URL("http://homeserver.test")

const elsewhereUrl = new URL("http://elsewhere.test")

const token = (text: string): Redacted.Redacted => Redacted.make(text, { label: "token" })

const userToken = token("user-token-of-the-peer-table")

const ours = (one: Case): Registration => ({
  id: AppserviceId.make("bridge"),
  url: one.destination === "homeserver"
    ? homeserverUrl.origin
    : `${one.tls === true ? "https" : "http"}://appservice.test:29300`,
  as_token: token("as-token-of-the-peer-table"),
  hs_token: token("hs-token-of-the-peer-table"),
  sender_localpart: "bridge",
  namespaces: {}
})

const theirs = (registration: Registration, copy: Case["copy"]): Registration => {
  switch (copy) {
    case undefined:
      return registration
    case "other as_token":
      return { ...registration, as_token: token("another-as-token-of-the-table") }
    case "other hs_token":
      return { ...registration, hs_token: token("another-hs-token-of-the-table") }
    case "other id":
      return { ...registration, id: AppserviceId.make("another-bridge") }
    case "no url":
      return { ...registration, url: null }
  }
}

/** An answer in short, as it is on the wire. */
const shortOf = (answer: Answer): string => {
  const body = Json.parse(answer.body)
  const { errcode, status }: { readonly errcode?: unknown; readonly status?: unknown } = Predicate.isObject(body)
    ? body
    : {}
  return [
    String(answer.status),
    ...typeof errcode === "string" ? [errcode] : [],
    ...typeof status === "number" ? [`(${status})`] : []
  ].join(" ")
}

interface Asked {
  readonly one: Case
  readonly homeserver: HomeserverPeers.Name
  readonly appservice: AppservicePeers.Name
}

const play = Effect.fnUntraced(function*({ appservice, homeserver, one }: Asked) {
  const registration = ours(one)
  const session = yield* Session.make()
  if (one.fault !== undefined) yield* session.inject(Plan.of("to_appservice", one.fault))
  const appserviceHandler = yield* AppserviceHandler.make(AppservicePeers.peers[appservice], { registration })
  const answer = yield* Ref.make<Answer | undefined>(undefined)

  // The homeserver is one of the places that it can reach.
  const served = yield* Deferred.make<Handler>()
  const home: MemoryNetwork.MemoryServer = {
    url: homeserverUrl,
    leg: "to_homeserver",
    handle: (request) => Effect.flatMap(Deferred.await(served), (handle) => handle(request))
  }
  const network = yield* MemoryNetwork.make([
    {
      url: new URL(`${one.tls === true ? "https" : "http"}://appservice.test:29300`),
      leg: "to_appservice",
      session,
      handle: (one.between ?? ((handle) => handle))(appserviceHandler.handle)
    },
    { url: elsewhereUrl, leg: "to_appservice", handle: () => Effect.succeed(page) },
    home
  ])
  const handle = yield* Effect.orDie(HomeserverHandler.make(HomeserverPeers.peers[homeserver], {
    registrations: [theirs(registration, one.copy)],
    transport: PeerTransport.make({ connect: network.connect, ca }),
    userToken
  }))
  yield* Deferred.succeed(served, (request) => Effect.tap(handle(request), (given) => Ref.set(answer, given)))

  const result = yield* Ping.ping({
    homeserver: homeserverUrl,
    registration: one.isUser === true ? { ...registration, as_token: userToken } : registration,
    transactionId: one.isAnonymous === true ? undefined : "a-ping-of-ours"
  }).pipe(Effect.provideService(HttpClient.HttpClient, yield* MemoryHttpClient.make(network)), Effect.result)
  return { registration, result, answer: yield* Ref.get(answer) }
}, Effect.scoped)

const row = (asked: Asked): Effect.Effect<Row, Virtual.Stuck> =>
  Effect.map(Virtual.run(play(asked)), ({ answer, registration, result }): Row => {
    const error = Result.isFailure(result) ? result.failure : undefined
    const context = { url: registration.url, homeserver: homeserverUrl.href }
    const diagnosis = error === undefined ? undefined : diagnose(error, context)
    return {
      case: asked.one.name,
      homeserver: asked.homeserver,
      appservice: asked.one.byAppservice ? asked.appservice : undefined,
      answer: answer === undefined ? "no answer" : shortOf(answer),
      error: error?._tag ?? "Success",
      cause: diagnosis?.cause,
      advice: diagnosis?.advice,
      actor: diagnosis?.actor,
      temporary: diagnosis?.temporary
    }
  })

/** The framework of the appservice where it makes no difference. */
const healthy: AppservicePeers.Name = "mautrix_go"

const asked = (one: Case): ReadonlyArray<Asked> =>
  HomeserverPeers.names.flatMap((homeserver) =>
    (one.byAppservice ? AppservicePeers.names : [healthy]).map((appservice) => ({
      one,
      homeserver,
      appservice
    }))
  )

/**
 * The rows, by what is wrong, then by homeserver, then by framework; the same each time.
 *
 * **Details**
 *
 * Each is played in this process and on virtual time, by the peers and this project's client with its own timeout.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rows = (): Effect.Effect<ReadonlyArray<Row>, Virtual.Stuck> => Effect.forEach(cases.flatMap(asked), row)
