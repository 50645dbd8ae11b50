/** The request of a homeserver's profile to an appservice: what came of it, by the profile's bounds and redirects. */
import type { ConnectionFailure, Kind } from "@appservice-ping/domain/ConnectionFailure"
import { Clock, Data, Duration, Effect } from "effect"
import type { HomeserverPeer } from "../HomeserverPeer.ts"
import type { PeerRequest, PeerResponse, PeerTransport } from "../PeerTransport.ts"
import * as Redirect from "./redirect.ts"

/** What is wrong with TLS, where that is what failed. */
export type TlsDefect = "untrusted" | "expired" | "early" | "other host" | "plain" | "handshake"

/** The texts are this project's own. */
const tlsDefects: ReadonlyArray<readonly [RegExp, TlsDefect]> = [
  [/not speak TLS/, "plain"],
  [/expired/, "expired"],
  [/not valid yet/, "early"],
  [/another host/, "other host"],
  [/handshake|could not be established/, "handshake"]
]

const tlsDefectOf = ({ text }: ConnectionFailure): TlsDefect =>
  tlsDefects.find(([pattern]) => pattern.test(text))?.[1] ?? "untrusted"

/** What came of it. */
export type Outcome = Data.TaggedEnum<{
  /** An answer; its body is missing where it was not read, or broke off and that does not matter. */
  Answered: { readonly status: number; readonly body: Uint8Array | undefined }
  /** The connection failed, before the head was there or in the body. */
  Failed: { readonly phase: "head" | "body"; readonly kind: Kind; readonly tls: TlsDefect }
  TimedOut: { readonly phase: "connect" | "head" | "body" }
  /** A redirect that is not followed. */
  Redirected: { readonly status: number }
  TooManyRedirects: {}
}>

export const Outcome = Data.taggedEnum<Outcome>()

/** The other outcomes, on their way out of the request. */
type Stopped = Exclude<Outcome, { readonly _tag: "Answered" }>

const connectTimedOut: Stopped = Outcome.TimedOut({ phase: "connect" })

/** Nobody but the transport's own connect timer can have told a timeout before the head came. */
const failedHead = (failure: ConnectionFailure): Stopped =>
  failure.kind === "timeout"
    ? connectTimedOut
    : Outcome.Failed({ phase: "head", kind: failure.kind, tls: tlsDefectOf(failure) })

const failedBody = (failure: ConnectionFailure): Stopped =>
  failure.kind === "timeout"
    ? Outcome.TimedOut({ phase: "body" })
    : Outcome.Failed({ phase: "body", kind: failure.kind, tls: tlsDefectOf(failure) })

/** Sends the request until an answer comes that is not followed. */
const headOf = Effect.fnUntraced(function*(peer: HomeserverPeer, transport: PeerTransport, first: PeerRequest) {
  let request = first
  for (let hops = 0;; hops++) {
    const connection = yield* transport.open(request.url).pipe(
      Effect.mapError(failedHead),
      Effect.timeoutOrElse({ duration: peer.timeouts.connect, orElse: () => Effect.fail(connectTimedOut) })
    )
    const response = yield* Effect.mapError(connection.send(request), failedHead)
    const decision = Redirect.decide(peer.redirects, request, response)
    if (decision._tag === "Answer") return response
    if (decision._tag === "Refuse") return yield* Effect.fail(Outcome.Redirected({ status: response.status }))
    if (hops >= peer.redirects.maxHops) return yield* Effect.fail(Outcome.TooManyRedirects())
    request = decision.request
  }
})

export const isSuccess = (peer: HomeserverPeer, status: number): boolean =>
  status >= 200 && status < (peer.success === "2xx" ? 300 : 400)

/** How the body of an answer is read: that of a bad status is only shown, except where it has to come to its end. */
const readingOf = (peer: HomeserverPeer, status: number): HomeserverPeer["goodBody"] =>
  peer.goodBody === "unread" && !isSuccess(peer, status) ? "best effort" : peer.goodBody

const bodyOf = (
  peer: HomeserverPeer,
  response: PeerResponse,
  options: { readonly left: Duration.Duration | undefined; readonly maxBodyBytes: number }
): Effect.Effect<Uint8Array | undefined, Stopped> => {
  const reading = readingOf(peer, response.status)
  if (reading === "unread") return Effect.undefined
  const read = Effect.mapError(response.body(options.maxBodyBytes), failedBody)
  const bounded = options.left === undefined ? read : Effect.timeoutOrElse(read, {
    duration: options.left,
    orElse: () => Effect.fail<Stopped>(Outcome.TimedOut({ phase: "body" }))
  })
  return reading === "best effort" ? Effect.catch(bounded, () => Effect.undefined) : bounded
}

/** Sends a request as the homeserver does; it never fails, because whatever happens is an outcome. */
export const exchange = (
  peer: HomeserverPeer,
  transport: PeerTransport,
  request: PeerRequest,
  maxBodyBytes: number
): Effect.Effect<Outcome> =>
  Effect.gen(function*() {
    const { covers, request: limit } = peer.timeouts
    const start = yield* Clock.monotonicTimeNanos
    const response = yield* headOf(peer, transport, request).pipe(
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () => Effect.fail<Stopped>(Outcome.TimedOut({ phase: "head" }))
      })
    )
    const elapsed = Duration.nanos((yield* Clock.monotonicTimeNanos) - start)
    const left = covers === "head" ? undefined : Duration.subtract(limit, elapsed)
    const body = yield* bodyOf(peer, response, { left, maxBodyBytes })
    return Outcome.Answered({ status: response.status, body })
  }).pipe(Effect.scoped, Effect.catch((stopped) => Effect.succeed(stopped)))
