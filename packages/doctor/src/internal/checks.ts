/** The single checks of the doctor. */
import * as Ping from "@appservice-ping/client/Ping"
import type { VerifiedPing } from "@appservice-ping/client/VerifiedPing"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import type { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import type { Diagnosable } from "@appservice-ping/domain/Diagnosis"
import type { Registration } from "@appservice-ping/domain/Registration"
import { HomeserverUnreachable } from "@appservice-ping/domain/TransportError"
import { Clock, Duration, Effect, Result, type Scope } from "effect"
import type { HttpClient } from "effect/http"
import type { HomeserverEvidence, ListenerEvidence, Phase, PingEvidence, VersionsEvidence } from "../Evidence.ts"
import { isElsewhere, listenAs, placeOf } from "../StandIn.ts"
import { detect } from "./detect.ts"
import { probe, speaksTls } from "./probe.ts"

/** The answers to one request to the homeserver. */
export interface Contact {
  readonly homeserver: HomeserverEvidence
  /** What it said of its versions; not there where it did not answer at all. */
  readonly versions: VersionsEvidence | undefined
}

/** One request answers both: whether anything answers, and what it says. */
export const contact = Effect.fnUntraced(function*(homeserver: URL, timeout: Duration.Duration) {
  const probed = yield* probe(homeserver, { timeout, tls: homeserver.protocol === "https:" })
  const url = AppserviceUrl.redact(homeserver)
  const unreachable = (
    phase: Phase | "http",
    failure: ConnectionFailure,
    isTlsPort: boolean
  ): Contact => {
    const error = new HomeserverUnreachable({ url, failure })
    return { homeserver: { _tag: "Unreachable", phase, error, speaksTls: isTlsPort }, versions: undefined }
  }
  if (probed._tag === "Failed") return unreachable(probed.phase, probed.failure, false)
  const versions = yield* detect(homeserver, timeout)
  const error = versions._tag === "Failed" ? versions.error : undefined
  const failure = error?._tag === "HomeserverUnreachable" || error?._tag === "Undecided" ? error.failure : undefined
  if (failure !== undefined) {
    const isTlsPort = homeserver.protocol === "http:" && (yield* speaksTls(homeserver, timeout))
    return unreachable("http", failure, isTlsPort)
  }
  if (error?._tag === "Undecided") {
    return { homeserver: { _tag: "Silent", after: error.after }, versions: undefined } satisfies Contact
  }
  const { peer, tls } = probed
  return { homeserver: { _tag: "Reached", peer, tls }, versions } satisfies Contact
})

const standIn = Effect.fnUntraced(function*(
  registration: Registration,
  url: URL,
  asked: boolean,
  received: VerifiedPing["Service"]["received"]
): Effect.fn.Return<ListenerEvidence, never, Scope.Scope> {
  if (url.protocol === "https:") return { _tag: "Nothing", why: "https" }
  const listening = yield* Effect.result(listenAs(placeOf(url), registration, received))
  if (Result.isSuccess(listening)) return { _tag: "StandIn", asked }
  if (listening.failure.code === "EADDRINUSE") {
    return { _tag: "Found", asked, peer: { address: url.host, isThisMachine: true } }
  }
  return { _tag: "Nothing", why: isElsewhere(listening.failure) ? "elsewhere" : "notPermitted" }
})

/** Looks whether anything listens at the url, and stands in for the appservice where nothing does. */
export const findListener = Effect.fnUntraced(function*(
  registration: Registration,
  url: URL,
  options: {
    readonly listen: boolean | undefined
    readonly timeout: Duration.Duration
    readonly received: VerifiedPing["Service"]["received"]
  }
): Effect.fn.Return<ListenerEvidence, never, Scope.Scope> {
  const asked = options.listen === true
  const probed = yield* probe(url, { timeout: options.timeout, tls: false })
  if (probed._tag === "Connected") return { _tag: "Found", asked, peer: probed.peer }
  if (probed.failure.kind !== "refused") return { _tag: "Unreachable", phase: probed.phase, failure: probed.failure }
  return options.listen === false
    ? { _tag: "Nothing", why: "notAsked" }
    : yield* standIn(registration, url, asked, options.received)
})

/** In bytes: some homeservers repeat the whole body of the appservice in their answer, however long it is. */
const maxBodyBytes = 16 * 1024 * 1024

/** Lets the homeserver ping the appservice, and watches for the arrival where we listen ourselves. */
export const pingThrough = (
  options: Ping.PingOptions,
  verified: VerifiedPing["Service"] | undefined
): Effect.Effect<PingEvidence, never, HttpClient.HttpClient> => {
  const ping: Effect.Effect<{ readonly duration_ms: number }, Diagnosable, HttpClient.HttpClient> =
    verified === undefined ? Ping.ping({ ...options, maxBodyBytes }) : verified.ping({ ...options, maxBodyBytes })
  return Effect.flatMap(Clock.monotonicTimeNanos, (from) =>
    Effect.matchEffect(ping, {
      onFailure: (error) =>
        Effect.map(Clock.monotonicTimeNanos, (now): PingEvidence => ({
          _tag: "Failed",
          error,
          elapsed: Duration.nanos(now - from)
        })),
      onSuccess: ({ duration_ms }) =>
        Effect.succeed<PingEvidence>({ _tag: "Succeeded", millis: duration_ms, verified: verified !== undefined })
    }))
}
