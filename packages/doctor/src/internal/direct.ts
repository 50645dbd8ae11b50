/** Calls the appservice's url as the homeserver does (D1 to D11), and looks at what answers. */
import * as Homeserver from "@appservice-ping/client/Homeserver"
import * as Answer from "@appservice-ping/domain/Answer"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import type { BadStatus, ConnectionFailed, ConnectionTimeout } from "@appservice-ping/domain/PingError"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { type OutgoingResponse, OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import { Clock, Duration, Effect, Layer, Option, Redacted, Ref, Result, Schema } from "effect"
import type { HttpClient } from "effect/http"
import type { DirectEvidence } from "../Evidence.ts"
import { ask } from "./ask.ts"
import { speaksTls } from "./probe.ts"

/** What to call, and for how long each call may take. */
export interface DirectOptions {
  readonly url: string
  readonly registration: Registration
  readonly transactionId: string
  readonly timeout: Duration.Duration
}

const decodeObject = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

const utf8 = new TextDecoder()

/** Nobody's token: an appservice that takes it takes any. */
const wrongToken = Redacted.make("not-the-hs-token-of-this-appservice")

/** A transport that remembers the last answer: what a success says tells an appservice from another service. */
const remembering = (last: Ref.Ref<OutgoingResponse | undefined>) =>
  Layer.effect(
    OutgoingTransport,
    Effect.map(OutgoingTransport, ({ send }) =>
      OutgoingTransport.of({
        send: (request) => Effect.tap(send(request), (response) => Ref.set(last, response))
      }))
  ).pipe(Layer.provide(NodeTransport.layer()))

const wrongTokenOutcome = Effect.fnUntraced(function*({ transactionId, url }: DirectOptions) {
  const outgoing = yield* OutgoingPing.OutgoingPing
  const result = yield* Effect.result(outgoing.send({ url, hsToken: wrongToken, transactionId }))
  if (Result.isSuccess(result)) return "accepted" as const
  const error = result.failure
  return error._tag === "M_BAD_STATUS" && (error.status === 401 || error.status === 403)
    ? "refused" as const
    : "unclear" as const
})

/** Where a redirect leads; the question goes without a token, because it is none for the eyes of a stranger. */
const locationOf = Effect.fnUntraced(function*({ timeout, url }: DirectOptions) {
  const endpoint = AppserviceUrl.join(url, "/_matrix/app/v1/ping")
  if (endpoint === undefined) return undefined
  const answer = yield* Effect.option(ask({ method: "POST", url: endpoint, timeout }))
  if (Option.isNone(answer) || answer.value.status < 300 || answer.value.status > 399) return undefined
  const error = Answer.decodeError(answer.value, { url: endpoint, now: yield* Clock.currentTimeMillis })
  return error._tag === "NotHomeserver" ? error.location : undefined
})

const isHomeserverAt = ({ timeout, url }: DirectOptions): Effect.Effect<boolean, never, HttpClient.HttpClient> =>
  Effect.match(Homeserver.versions({ homeserver: new URL(url), timeout }), {
    onSuccess: ({ versions }) => versions.length > 0,
    onFailure: () => false
  })

/** What was sent in plain to a port that speaks TLS is answered with a refusal in plain, a TLS alert or nothing. */
const isTlsPort = (
  { timeout, url }: DirectOptions,
  error: BadStatus | ConnectionFailed | ConnectionTimeout
): Effect.Effect<boolean> => {
  const parsed = new URL(url)
  const isOdd = error._tag === "M_BAD_STATUS" ? error.status === 400 : !/refused|resolved/.test(error.error ?? "")
  return parsed.protocol === "http:" && isOdd ? speaksTls(parsed, timeout) : Effect.succeed(false)
}

const call = Effect.fnUntraced(function*(
  options: DirectOptions,
  last: Ref.Ref<OutgoingResponse | undefined>
): Effect.fn.Return<DirectEvidence, never, OutgoingPing.OutgoingPing | HttpClient.HttpClient> {
  const { registration, transactionId, url } = options
  const outgoing = yield* OutgoingPing.OutgoingPing
  const result = yield* Effect.result(
    outgoing.send({ url, hsToken: registration.hs_token, asToken: registration.as_token, transactionId })
  )
  if (Result.isSuccess(result)) {
    const response = yield* Ref.get(last)
    return {
      _tag: "Confirmed",
      millis: Math.round(Duration.toMillis(result.success)),
      isAppservice: Option.isSome(decodeObject(utf8.decode(response?.body))),
      wrongToken: yield* wrongTokenOutcome(options)
    }
  }
  const error = result.failure
  const status = error._tag === "M_BAD_STATUS" ? error.status ?? 0 : 0
  return {
    _tag: "Failed",
    error,
    // One proxy may lead to both by the path, so only what knows no such path can be the homeserver itself.
    isHomeserver: (status === 404 || status === 405) && (yield* isHomeserverAt(options)),
    location: status >= 300 && status < 400 ? yield* locationOf(options) : undefined,
    speaksTls: yield* isTlsPort(options, error)
  }
})

/** Calls the url with the `hs_token`, and with another token to see that it is refused. */
export const direct = (options: DirectOptions): Effect.Effect<DirectEvidence, never, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const last = yield* Ref.make<OutgoingResponse | undefined>(undefined)
    const leg = OutgoingPing.layer({ timeout: options.timeout }).pipe(Layer.provide(remembering(last)))
    return yield* Effect.provide(call(options, last), leg)
  })
