/**
 * The appservice's side of the ping (rules A).
 *
 * @since 0.1.0
 */
import { AppserviceApi } from "@appservice-ping/domain/AppserviceApi"
import * as Bound from "@appservice-ping/domain/Bound"
import * as Deadline from "@appservice-ping/domain/Deadline"
import { Forbidden, MissingToken } from "@appservice-ping/domain/PingError"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import { Context, Duration, Effect, Layer, type Redacted } from "effect"
import type { Handler } from "../Exchange.ts"
import * as Hook from "../internal/hook.ts"
import * as PingRequestBody from "../internal/pingRequest.ts"
import { type Input, serve } from "../internal/serve.ts"

/**
 * A ping that reached the appservice with the right `hs_token`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceivedPing {
  /** The transaction id as it arrived; `undefined` where there was none (A4). */
  readonly transactionId: string | undefined
}

/**
 * Options of the appservice's side.
 *
 * @category options
 * @since 0.1.0
 */
export interface AppserviceOptions<R = never> {
  /** The registration; only its `hs_token` is used. */
  readonly registration: Pick<Registration, "hs_token">
  /**
   * Runs for each ping received, before it is answered (A5), so that the caller that asked the homeserver for the ping
   * finds it here when the homeserver's answer arrives.
   *
   * It never changes the answer, and never holds it up for longer than `hookTimeout`: then it is interrupted and not
   * waited for. Its failure is logged. While 1024 hooks run on that could not be interrupted, no further one is started.
   */
  readonly onPing?: ((ping: ReceivedPing) => Effect.Effect<void, unknown, R>) | undefined
  /** How long `onPing` may take; the answer waits for it. Default: 5 seconds. */
  readonly hookTimeout?: Duration.Input | undefined
  /** How much of a request's body is read, in bytes; a larger one is answered `413 M_TOO_LARGE`. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined
}

const maxBodyBytesDefault = 1024 * 1024

const hookTimeoutDefault = Duration.seconds(5)

/**
 * Service that answers the homeserver's pings, and does nothing else for them but run `onPing` (A12).
 *
 * @see {@link "HttpMount"} for mounting it in an Effect app, and as a web-standard handler
 * @category services
 * @since 0.1.0
 */
export class Appservice extends Context.Service<Appservice, {
  readonly handle: Handler
}>()("@appservice-ping/server/appservice/Appservice") {}

/**
 * Layer that answers for one registration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <R = never>(options: AppserviceOptions<R>): Layer.Layer<Appservice, never, R> =>
  Layer.effect(Appservice, make(options))

const make = Effect.fnUntraced(function*<R>(options: AppserviceOptions<R>) {
  const context = yield* Effect.context<R>()
  const maxBodyBytes = Bound.integerUnsafe("maxBodyBytes", options.maxBodyBytes ?? maxBodyBytesDefault)
  const deadline = Deadline.make({
    duration: Bound.durationUnsafe("hookTimeout", options.hookTimeout ?? hookTimeoutDefault)
  })

  const { onPing } = options

  const received = (ping: ReceivedPing): Effect.Effect<void> =>
    onPing === undefined
      ? Effect.void
      : Hook.run(() => onPing(ping), { of: "received ping", deadline, context })

  const ping = Effect.fnUntraced(function*(input: Input) {
    yield* authorize(options.registration.hs_token, input)
    const request = yield* Effect.fromResult(PingRequestBody.lenient(yield* input.request.body(maxBodyBytes)))
    yield* received({ transactionId: request.transaction_id })
    return {}
  })

  return Appservice.of({
    handle: serve(AppserviceApi, { ping, pingUnstable: ping }, {
      headers: {},
      preflight: false,
      // Not the text of homeservers, which distinguishes a url that leads to one from a url with a wrong path.
      unrecognized: "The appservice has no such endpoint"
    })
  })
})

/** Every token that came must be the right one: a header and a query that differ are refused (A2). */
const authorize = Effect.fnUntraced(function*(hsToken: Redacted.Redacted, input: Input) {
  const header = Token.fromAuthorization(input.request.header("authorization"))
  const tokens = [...header === undefined ? [] : [header], ...Token.fromQuery(input.query)]
  if (tokens.length === 0) {
    return yield* new MissingToken({ error: "Missing hs_token; send it as an Authorization: Bearer header" })
  }
  if (!tokens.every((token) => Token.equals(token, hsToken))) {
    return yield* new Forbidden({ error: "Wrong hs_token" })
  }
})
