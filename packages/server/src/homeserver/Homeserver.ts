/**
 * The homeserver's side of the ping (rules C and D).
 *
 * @since 0.1.0
 */
import { AccountApi } from "@appservice-ping/domain/AccountApi"
import * as Bound from "@appservice-ping/domain/Bound"
import * as Deadline from "@appservice-ping/domain/Deadline"
import { HomeserverApi } from "@appservice-ping/domain/HomeserverApi"
import { Forbidden, LimitExceeded, UrlNotSet } from "@appservice-ping/domain/PingError"
import { type Registration, urlOf } from "@appservice-ping/domain/Registration"
import type { Versions } from "@appservice-ping/domain/Versions"
import { Context, Duration, Effect, Layer, Option, Semaphore } from "effect"
import type { Handler } from "../Exchange.ts"
import * as Accounts from "../internal/accounts.ts"
import * as Caller from "../internal/caller.ts"
import * as Hook from "../internal/hook.ts"
import * as PingRequestBody from "../internal/pingRequest.ts"
import * as RateLimit from "../internal/rateLimit.ts"
import { type Input, serve } from "../internal/serve.ts"
import { Share } from "../internal/share.ts"
import { AppserviceRegistry } from "./AppserviceRegistry.ts"
import { OutgoingPing } from "./OutgoingPing.ts"

/**
 * Options of the homeserver's side; a bound that bounds nothing, such as `maxBodyBytes: NaN`, is a `BoundError`.
 *
 * @category options
 * @since 0.1.0
 */
export interface HomeserverOptions<R = never> {
  /**
   * Runs in the background after each successful ping, to wake the retry queue of the appservice (C13).
   *
   * It never changes the answer: it is interrupted after `hookTimeout`, and its failure is logged. At most
   * `maxConcurrentPings` hooks run at once; further ones are skipped and logged.
   */
  readonly onPingSucceeded?: ((registration: Registration) => Effect.Effect<void, unknown, R>) | undefined
  /** How long `onPingSucceeded` may take. Default: 30 seconds. */
  readonly hookTimeout?: Duration.Input | undefined
  /** How many pings run at once; one more is answered `429 M_LIMIT_EXCEEDED` (C18). It limits no rate (C28). Default: 1024. */
  readonly maxConcurrentPings?: number | undefined
  /**
   * How many pings of one appservice run at once, so that one whose pings stall leaves room for the others; one more is
   * answered `429 M_LIMIT_EXCEEDED` (C18). Default: 64.
   */
  readonly maxConcurrentPingsPerAppservice?: number | undefined
  /**
   * How many pings an appservice may send in a time; one more is answered `429 M_LIMIT_EXCEEDED`, with the time after
   * which the next one is allowed (C18). They come back evenly: of `{ pings: 60, per: "1 minute" }` one each second.
   * Default: no limit (C28).
   */
  readonly rateLimit?: { readonly pings: number; readonly per: Duration.Input } | undefined
  /**
   * How many bytes the bodies of all pings that run may have together, of one appservice a quarter of it, but one whole
   * body at least; a ping that would have more is answered `429 M_LIMIT_EXCEEDED` (C18). A body that does not say its
   * length counts as `maxBodyBytes`. Default: 64 MiB.
   */
  readonly maxBodyBytesInFlight?: number | undefined
  /** How long the client of a ping too many is asked to wait. Default: 1 second, about what a healthy ping takes. */
  readonly busyRetryAfter?: Duration.Input | undefined
  /** How long the registry may take to identify a token; then the request is answered `500 M_UNKNOWN` (C33). Default: 10 seconds. */
  readonly identifyTimeout?: Duration.Input | undefined
  /** How much of a request's body is read, in bytes; a larger one is answered `413 M_TOO_LARGE`. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** The answer of `GET /_matrix/client/versions` (C21). Default: `v1.7`, and the ping's two unstable features. */
  readonly versions?: Versions | undefined
  /** The name of the homeserver, the part of a user id after the colon (C14, D12). Default: `localhost`. */
  readonly serverName?: string | undefined
  /**
   * How many registered users are remembered, to answer `M_USER_IN_USE` the second time (D12). Of more than that the
   * oldest is forgotten. Default: 10000.
   */
  readonly maxRegisteredUsers?: number | undefined
}

/** All that the homeserver answers: the ping, and what a bridge asks before it. */
const contract = HomeserverApi.addHttpApi(AccountApi)

const defaults = {
  hookTimeout: Duration.seconds(30),
  maxConcurrentPings: 1024,
  maxConcurrentPingsPerAppservice: 64,
  maxBodyBytesInFlight: 64 * 1024 * 1024,
  busyRetryAfter: Duration.seconds(1),
  identifyTimeout: Duration.seconds(10),
  maxBodyBytes: 1024 * 1024,
  serverName: "localhost",
  maxRegisteredUsers: 10_000,
  versions: {
    versions: ["v1.7"],
    unstable_features: { "fi.mau.msc2659": true, "fi.mau.msc2659.stable": true }
  }
} as const

/**
 * The CORS headers of every answer of a homeserver (C17), for the answers of a listener itself too.
 *
 * @category constants
 * @since 0.1.0
 */
export const corsHeaders = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization"
} as const

/**
 * Service that answers requests as a homeserver does.
 *
 * @see {@link "HttpMount"} for mounting it in an Effect app, and as a web-standard handler
 * @category services
 * @since 0.1.0
 */
export class Homeserver extends Context.Service<Homeserver, {
  readonly handle: Handler
}>()("@appservice-ping/server/homeserver/Homeserver") {}

/**
 * Layer that answers for the appservices of the registry.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <R = never>(
  options?: HomeserverOptions<R>
): Layer.Layer<Homeserver, never, AppserviceRegistry | OutgoingPing | R> =>
  Layer.effect(Homeserver, make(options ?? {}))

const rateLimitOf = (rate: HomeserverOptions["rateLimit"]) =>
  rate === undefined
    ? undefined
    : RateLimit.make({
      pings: Bound.integerUnsafe("rateLimit.pings", rate.pings, { minimum: 1 }),
      per: Bound.durationUnsafe("rateLimit.per", rate.per, { minimum: "1 milli" })
    })

/** How many bytes a body can have; one that is too large is not read at all. */
const bodyBytesOf = ({ request }: Input, maxBodyBytes: number): number => {
  const length = Number(request.header("content-length") ?? maxBodyBytes)
  return length <= maxBodyBytes ? length : 0
}

const make = Effect.fnUntraced(function*<R>(options: HomeserverOptions<R>) {
  const registry = yield* AppserviceRegistry
  const outgoing = yield* OutgoingPing
  const context = yield* Effect.context<R>()
  const scope = yield* Effect.scope
  const maxConcurrentPings = Bound.integerUnsafe(
    "maxConcurrentPings",
    options.maxConcurrentPings ?? defaults.maxConcurrentPings
  )
  const places = new Share({
    max: maxConcurrentPings,
    maxEach: Bound.integerUnsafe(
      "maxConcurrentPingsPerAppservice",
      options.maxConcurrentPingsPerAppservice ?? defaults.maxConcurrentPingsPerAppservice
    )
  })
  const hookSlots = yield* Semaphore.make(maxConcurrentPings)
  const hookDeadline = Deadline.make({
    duration: Bound.durationUnsafe("hookTimeout", options.hookTimeout ?? defaults.hookTimeout),
    maxOverdue: maxConcurrentPings
  })
  const busyRetryAfter = Bound.durationUnsafe("busyRetryAfter", options.busyRetryAfter ?? defaults.busyRetryAfter)
  const maxBodyBytes = Bound.integerUnsafe("maxBodyBytes", options.maxBodyBytes ?? defaults.maxBodyBytes)
  const maxBodyBytesInFlight = Bound.integerUnsafe(
    "maxBodyBytesInFlight",
    options.maxBodyBytesInFlight ?? defaults.maxBodyBytesInFlight
  )
  const bodyBytes = new Share({
    max: maxBodyBytesInFlight,
    maxEach: Math.max(Math.floor(maxBodyBytesInFlight / 4), maxBodyBytes)
  })
  const rateLimit = rateLimitOf(options.rateLimit)
  const versions = options.versions ?? defaults.versions
  const serverName = options.serverName ?? defaults.serverName
  const caller = Caller.make({
    registry,
    serverName,
    versions,
    deadline: Deadline.make({
      duration: Bound.durationUnsafe("identifyTimeout", options.identifyTimeout ?? defaults.identifyTimeout)
    })
  })
  const accounts = Accounts.make({
    caller,
    serverName,
    maxBodyBytes,
    maxRegisteredUsers: Bound.integerUnsafe(
      "maxRegisteredUsers",
      options.maxRegisteredUsers ?? defaults.maxRegisteredUsers
    )
  })

  const { onPingSucceeded } = options

  const succeeded = (registration: Registration): Effect.Effect<void> =>
    onPingSucceeded === undefined
      ? Effect.void
      : Hook.run(() => onPingSucceeded(registration), {
        of: "successful ping",
        deadline: hookDeadline,
        context
      }).pipe(
        hookSlots.withPermitsIfAvailable(1),
        Effect.tap((ran) => Option.isSome(ran) ? Effect.void : Effect.logWarning("Too many onPingSucceeded hooks run")),
        Effect.forkIn(scope),
        Effect.asVoid
      )

  const busy = (what: string) => (isOwnShare: boolean) =>
    new LimitExceeded({
      error: `Too many ${what} at once${isOwnShare ? " of this appservice" : ""}`,
      retryAfter: busyRetryAfter
    })

  const checkRate = Effect.fnUntraced(function*(id: string, waitOf: ReturnType<typeof RateLimit.make>) {
    const wait = yield* waitOf(id)
    if (wait !== undefined) {
      return yield* new LimitExceeded({ error: "This appservice pings too often", retryAfter: wait })
    }
  })

  const answerPing = Effect.fnUntraced(function*({ request }: Input, registration: Registration) {
    const { transaction_id } = yield* Effect.fromResult(PingRequestBody.strict(yield* request.body(maxBodyBytes)))
    const url = urlOf(registration)
    if (url === undefined) {
      return yield* new UrlNotSet({ error: "The registration of the appservice has no url" })
    }
    const duration = yield* places.hold(
      { by: registration.id, amount: 1 },
      outgoing.send({
        url,
        hsToken: registration.hs_token,
        asToken: registration.as_token,
        transactionId: transaction_id
      }),
      busy("pings")
    )
    yield* succeeded(registration)
    return { duration_ms: Math.round(Duration.toMillis(duration)) }
  })

  // The order of the checks is D5: 401, 403, the body's 400, and only then M_URL_NOT_SET.
  const ping = Effect.fnUntraced(function*(input: Input) {
    const { registration } = yield* caller.authenticateAs(input)
    // An appservice may ask for itself alone (C5).
    if (registration.id !== input.params["appserviceId"]) {
      return yield* new Forbidden({ error: "The access token belongs to another appservice than the one in the path" })
    }
    if (rateLimit !== undefined) yield* checkRate(registration.id, rateLimit)
    return yield* bodyBytes.hold(
      { by: registration.id, amount: bodyBytesOf(input, maxBodyBytes) },
      answerPing(input, registration),
      busy("bytes of pings")
    )
  })

  return Homeserver.of({
    handle: serve(contract, {
      pingAppservice: ping,
      pingAppserviceUnstable: ping,
      getVersions: () => Effect.succeed(versions),
      ...accounts
    }, { headers: corsHeaders, preflight: true, unrecognized: "Unrecognized request" })
  })
})
