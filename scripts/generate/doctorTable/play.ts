/** Plays the doctor against one fault: in this process and on virtual time, with every homeserver that there is a peer of. */
import * as Ping from "@appservice-ping/client/Ping"
import * as Conclusion from "@appservice-ping/doctor/Conclusion"
import * as DirectCall from "@appservice-ping/doctor/DirectCall"
import type { DirectEvidence, Evidence, ListenerEvidence, PingEvidence } from "@appservice-ping/doctor/Evidence"
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as MemoryHttpClient from "@appservice-ping/testbed/carrier/memory/MemoryHttpClient"
import * as MemoryNetwork from "@appservice-ping/testbed/carrier/memory/MemoryNetwork"
import * as MemoryTransport from "@appservice-ping/testbed/carrier/memory/MemoryTransport"
import { ca } from "@appservice-ping/testbed/carrier/tls/Certificates"
import { type Fault, needsTls } from "@appservice-ping/testbed/fault/Fault"
import * as HomeserverHandler from "@appservice-ping/testbed/peer/HomeserverHandler"
import * as HomeserverPeers from "@appservice-ping/testbed/peer/HomeserverPeers"
import * as PeerTransport from "@appservice-ping/testbed/peer/PeerTransport"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { Clock, Duration, Effect, Layer, Redacted, Result } from "effect"
import { HttpClient } from "effect/http"

/** The homeservers: ours, and every peer. */
export const homeservers = ["ours", ...HomeserverPeers.names] as const

/** The name of a homeserver. */
export type Name = typeof homeservers[number]

/** What each calls itself. */
const serverNames: { readonly [N in Name]: string | undefined } = {
  ours: undefined,
  conduit: "Conduit",
  continuwuity: "continuwuity",
  synapse: "Synapse",
  tuwunel: "Tuwunel"
}

const homeserverUrl = new URL("http://homeserver.test")

const elsewhereUrl = new URL("http://elsewhere.test")

const token = (text: string): Redacted.Redacted => Redacted.make(text, { label: "token" })

/** As the doctor reads. */
const maxBodyBytes = 16 * 1024 * 1024

const page: Handler = () =>
  Effect.succeed({
    status: 200,
    headers: { "content-type": "text/html" },
    body: "<!doctype html><title>Welcome</title>"
  })

const registrationOf = (tls: boolean): Registration => ({
  id: AppserviceId.make("bridge"),
  url: `${tls ? "https" : "http"}://appservice.test:29300`,
  as_token: token("as-token-of-the-doctor-table"),
  hs_token: token("hs-token-of-the-doctor-table"),
  sender_localpart: "bridge",
  namespaces: {}
})

/** What listens at the url, as far as the fault lets it be seen. */
const listenerOf = (direct: DirectEvidence): ListenerEvidence => {
  const found: ListenerEvidence = {
    _tag: "Found",
    asked: false,
    peer: { address: "192.0.2.7:29300", isThisMachine: false }
  }
  if (direct._tag === "Answered") return found
  const { failure } = direct
  if (failure.kind === "refused") return { _tag: "Nothing", why: "elsewhere" }
  return failure.kind === "dns" || failure.kind === "unreachable"
    ? { _tag: "Unreachable", phase: failure.kind === "dns" ? "dns" : "connect", failure }
    : found
}

const play = Effect.fnUntraced(function*(fault: Fault, homeserver: Name) {
  const tls = needsTls(fault)
  const registration = registrationOf(tls)
  const faulty = yield* Session.make()
  yield* faulty.inject(Plan.of("to_appservice", fault))
  const appservice = yield* Appservice.Appservice.pipe(
    Effect.provide(Appservice.layer({ registration, onPing: () => Effect.void }))
  )
  const network = yield* MemoryNetwork.make([
    { url: new URL(registration.url ?? ""), leg: "to_appservice", session: faulty, handle: appservice.handle },
    { url: elsewhereUrl, leg: "to_appservice", handle: page }
  ])
  const transport = Layer.succeed(OutgoingTransport, MemoryTransport.make(network))
  const direct = yield* DirectCall.look({
    url: registration.url ?? "",
    registration,
    transactionId: "doctor",
    timeout: Duration.seconds(30),
    speaksTls: () => Effect.succeed(false)
  }).pipe(
    Effect.provide(transport),
    Effect.provideService(HttpClient.HttpClient, yield* MemoryHttpClient.make(network))
  )

  const handle = homeserver === "ours"
    ? (yield* Homeserver.Homeserver.pipe(Effect.provide(
      Homeserver.layer().pipe(
        Layer.provide([
          AppserviceRegistry.layer([registration], {}),
          OutgoingPing.layer().pipe(Layer.provide(transport))
        ])
      )
    ))).handle
    : yield* HomeserverHandler.make(HomeserverPeers.peers[homeserver], {
      registrations: [registration],
      transport: PeerTransport.make({ connect: network.connect, ca })
    })
  const from = yield* Clock.monotonicTimeNanos
  const result = yield* Ping.ping({ homeserver: homeserverUrl, registration, transactionId: "doctor", maxBodyBytes })
    .pipe(
      Effect.provideService(
        HttpClient.HttpClient,
        yield* MemoryHttpClient.make(yield* MemoryNetwork.make([{ url: homeserverUrl, leg: "to_homeserver", handle }]))
      ),
      Effect.result
    )
  const elapsed = Duration.nanos((yield* Clock.monotonicTimeNanos) - from)
  const ping: PingEvidence = Result.isSuccess(result)
    ? { _tag: "Succeeded", millis: result.success.duration_ms, verified: false }
    : { _tag: "Failed", error: result.failure, elapsed }
  const name = serverNames[homeserver]
  const evidence: Evidence = {
    registration: { _tag: "Read", id: "bridge", url: registration.url ?? undefined, oddities: [], differs: undefined },
    homeserver: { _tag: "Reached", peer: { address: "192.0.2.1:80", isThisMachine: false }, tls: false },
    versions: { _tag: "Supported", path: "stable", server: name === undefined ? undefined : { name } },
    token: { _tag: "Known", userId: "@bridge:homeserver.test", isOurs: true },
    listener: listenerOf(direct),
    direct,
    ping
  }
  const subject = { homeserver: homeserverUrl, url: registration.url ?? undefined }
  return { ...Conclusion.conclude(evidence, subject), ping, direct }
}, Effect.scoped)

/** The doctor's conclusion about a fault, with a homeserver. */
export const conclusionOf = (fault: Fault, homeserver: Name) => Virtual.run(play(fault, homeserver))
