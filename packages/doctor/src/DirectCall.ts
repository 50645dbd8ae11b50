/**
 * Calls the appservice's url as the homeserver does (D1 to D11), and looks at what answers.
 *
 * @since 0.1.0
 */
import * as HomeserverUrl from "@appservice-ping/client/Homeserver"
import * as Answer from "@appservice-ping/domain/Answer"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { type OutgoingResponse, OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import { Clock, Duration, Effect, Layer, Option, Redacted, Ref, Result } from "effect"
import type { HttpClient } from "effect/http"
import type { Answered, DirectEvidence, NoAnswer, WrongToken } from "./Evidence.ts"
import { ask } from "./internal/ask.ts"
import { speaksTls } from "./internal/probe.ts"

/**
 * The url to call, and how long each call may take.
 *
 * @category options
 * @since 0.1.0
 */
export interface DirectCallOptions {
  readonly url: string
  readonly registration: Registration
  readonly transactionId: string
  readonly timeout: Duration.Duration
  /** Whether a port speaks TLS. Default: a connection that tries it. */
  readonly speaksTls?: ((url: URL, timeout: Duration.Duration) => Effect.Effect<boolean>) | undefined
}

/** Nobody's token: an appservice that takes it takes any. */
const wrongToken = Redacted.make("not-the-hs-token-of-this-appservice")

const utf8 = new TextDecoder()

/** How the call itself ended: with an answer, or with what broke the connection. */
type Sent = Result.Result<OutgoingResponse, ConnectionFailure>

const tooSlow = new ConnectionFailure({ kind: "timeout", text: "no complete answer came in time" })

/** A transport that remembers how its last request ended: the errors of the ping keep less. */
const remembering = (last: Ref.Ref<Sent | undefined>) =>
  Layer.effect(
    OutgoingTransport,
    Effect.map(OutgoingTransport, ({ send }) =>
      OutgoingTransport.of({
        send: (request) =>
          send(request).pipe(
            Effect.tap((response) => Ref.set(last, Result.succeed(response))),
            Effect.tapError((failure) => Ref.set(last, Result.fail(failure)))
          )
      }))
  )

const refusesToken = (status: number): boolean => status === 401 || status === 403

const outcomeOf = (status: number): WrongToken =>
  refusesToken(status) ? "refused" : status >= 200 && status < 300 ? "accepted" : "unclear"

/** An answer that leaves open what gave it, so that only the right token decides. */
const needsToken = (status: number): boolean => status >= 400 && status !== 404 && status !== 405 && status !== 410

/** What a strange path or a transaction of nothing is answered, with a token that nobody has. */
const probeRoute = Effect.fnUntraced(function*(
  { timeout, url }: DirectCallOptions,
  method: "POST" | "PUT",
  path: `/${string}`,
  json: string
) {
  const endpoint = AppserviceUrl.join(url, path)
  if (endpoint === undefined) return undefined
  const answer = yield* Effect.option(ask({ method, url: endpoint, token: wrongToken, json, timeout }))
  if (Option.isNone(answer)) return "unclear" as const
  const { status } = answer.value
  // A path that is not there is refused as well as a token that is wrong (A6).
  return method === "POST" && (status === 404 || status === 405) ? "refused" as const : outcomeOf(status)
})

const unknownPath = (options: DirectCallOptions) =>
  probeRoute(options, "POST", "/_matrix/app/v1/appservice-ping-doctor", "{}")

const transaction = (options: DirectCallOptions) =>
  probeRoute(options, "PUT", "/_matrix/app/v1/transactions/appservice-ping-doctor", "{\"events\":[]}")

/** Where a redirect leads; the question goes without a token, because it is none for the eyes of a stranger. */
const locationOf = Effect.fnUntraced(function*({ timeout, url }: DirectCallOptions) {
  const endpoint = AppserviceUrl.join(url, "/_matrix/app/v1/ping")
  if (endpoint === undefined) return undefined
  const answer = yield* Effect.option(ask({ method: "POST", url: endpoint, json: "{}", timeout }))
  if (Option.isNone(answer) || answer.value.status < 300 || answer.value.status > 399) return undefined
  const error = Answer.decodeError(answer.value, { url: endpoint, now: yield* Clock.currentTimeMillis })
  return error._tag === "NotHomeserver" ? error.location : undefined
})

const isHomeserverAt = ({ timeout, url }: DirectCallOptions): Effect.Effect<boolean, never, HttpClient.HttpClient> =>
  Effect.match(HomeserverUrl.versions({ homeserver: new URL(url), timeout }), {
    onSuccess: ({ versions }) => versions.length > 0,
    onFailure: () => false
  })

/** What was sent in plain to a port that speaks TLS is answered with a refusal in plain, a TLS alert or nothing. */
const isTlsPort = (options: DirectCallOptions, isOdd: boolean): Effect.Effect<boolean> => {
  const url = new URL(options.url)
  const ask = options.speaksTls ?? speaksTls
  return url.protocol === "http:" && isOdd ? ask(url, options.timeout) : Effect.succeed(false)
}

const openingKinds: ReadonlySet<ConnectionFailure["kind"]> = new Set(["dns", "refused", "unreachable"])

const noAnswer = (options: DirectCallOptions, failure: ConnectionFailure): Effect.Effect<NoAnswer> =>
  Effect.map(isTlsPort(options, !openingKinds.has(failure.kind)), (speaksTls) => ({
    _tag: "NoAnswer",
    failure,
    speaksTls
  }))

const answered = Effect.fnUntraced(function*(
  options: DirectCallOptions,
  response: OutgoingResponse,
  about: { readonly millis: number; readonly wrongToken: WrongToken }
): Effect.fn.Return<Answered, never, HttpClient.HttpClient> {
  const { registration } = options
  const { status } = response
  const body = Token.scrub(utf8.decode(response.body), [registration.hs_token, registration.as_token])
  const isMissing = status === 404 || status === 405 || status === 410
  const isRedirect = status >= 300 && status < 400
  return {
    _tag: "Answered",
    ...about,
    status,
    body,
    unknownPath: about.wrongToken === "accepted" ? yield* unknownPath(options) : undefined,
    transaction: isMissing ? yield* transaction(options) : undefined,
    // One proxy may lead to both by the path, so only what knows no such path can be the homeserver itself.
    isHomeserver: isMissing && (yield* isHomeserverAt(options)),
    location: isRedirect ? yield* locationOf(options) : undefined,
    speaksTls: yield* isTlsPort(options, status === 400)
  }
})

interface Call {
  readonly sent: Sent
  readonly millis: number
}

/**
 * Calls the url with a token that must be refused, and with the `hs_token` where that leaves open what answers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const look: (
  options: DirectCallOptions
) => Effect.Effect<DirectEvidence, never, HttpClient.HttpClient | OutgoingTransport> = Effect.fnUntraced(
  function*(options) {
    const { registration, timeout, transactionId, url } = options
    const last = yield* Ref.make<Sent | undefined>(undefined)
    const leg = OutgoingPing.layer({ timeout }).pipe(Layer.provide(remembering(last)))
    const call = Effect.fnUntraced(function*(hsToken: Redacted.Redacted): Effect.fn.Return<
      Call,
      never,
      OutgoingPing.OutgoingPing
    > {
      const outgoing = yield* OutgoingPing.OutgoingPing
      yield* Ref.set(last, undefined)
      const from = yield* Clock.monotonicTimeNanos
      yield* Effect.result(outgoing.send({ url, hsToken, transactionId }))
      const millis = Math.round(Duration.toMillis(Duration.nanos((yield* Clock.monotonicTimeNanos) - from)))
      return { sent: (yield* Ref.get(last)) ?? Result.fail(tooSlow), millis }
    })
    const calls = Effect.gen(function*() {
      const stranger = yield* call(wrongToken)
      if (Result.isFailure(stranger.sent)) return yield* noAnswer(options, stranger.sent.failure)
      const { status } = stranger.sent.success
      const outcome = outcomeOf(status)
      if (!needsToken(status)) {
        return yield* answered(options, stranger.sent.success, { millis: stranger.millis, wrongToken: outcome })
      }
      const ours = yield* call(registration.hs_token)
      return Result.isFailure(ours.sent)
        ? yield* noAnswer(options, ours.sent.failure)
        : yield* answered(options, ours.sent.success, { millis: ours.millis, wrongToken: outcome })
    })
    return yield* Effect.provide(calls, leg)
  }
)
