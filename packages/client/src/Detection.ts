/**
 * Asks a homeserver once what it supports and remembers it: the path of its pings, its name and its version (C21, C22).
 *
 * @since 0.1.0
 */
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import * as Bound from "@appservice-ping/domain/Bound"
import { serverVersion } from "@appservice-ping/domain/FederationApi"
import type { PingError } from "@appservice-ping/domain/PingError"
import { PingUnsupported, type ServerVersion } from "@appservice-ping/domain/PingUnsupported"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import * as Versions from "@appservice-ping/domain/Versions"
import { Clock, Context, Duration, Effect, Exit, Layer } from "effect"
import { HttpClient } from "effect/http/HttpClient"
import { type HomeserverOptions, versions as getVersions, type VersionsOptions } from "./Homeserver.ts"
import { exchange, federation } from "./internal/exchange.ts"
import * as Spans from "./internal/spans.ts"

/**
 * Where the homeserver is, the bounds of the question, and how long its answer is remembered.
 *
 * @category models
 * @since 0.1.0
 */
export interface DetectionOptions extends VersionsOptions {
  /** How long an answer is remembered; `"Infinity"` for ever. Default: 1 hour. A failure never is. */
  readonly timeToLive?: Duration.Input | undefined
  /** Whether to ask the homeserver for the name and version of its software too. Default: true. */
  readonly describe?: boolean | undefined
}

/**
 * The path of a homeserver's pings, the versions of the spec that it supports, and its software.
 *
 * @category models
 * @since 0.1.0
 */
export interface Detected {
  /** The path of its pings, for the option `path` of `Ping.ping`. */
  readonly path: "stable" | "unstable"
  /** The versions of the spec that it lists. */
  readonly versions: ReadonlyArray<string>
  /** The name and version of its software, if it gives them. */
  readonly server?: ServerVersion
}

/**
 * Why it is not known what the homeserver supports, or that it does not support the ping.
 *
 * @category errors
 * @since 0.1.0
 */
export type DetectionError = PingError | PingUnsupported | TransportError

/**
 * Service that knows what one homeserver supports.
 *
 * @category services
 * @since 0.1.0
 */
export class Detection extends Context.Service<Detection, {
  /** Asks the homeserver once and remembers the answer; simultaneous callers share one request. */
  readonly detect: Effect.Effect<Detected, DetectionError>
  /** Forgets the answer, so that the next call asks again, such as after an update of the homeserver. */
  readonly forget: Effect.Effect<void>
}>()("@appservice-ping/client/Detection") {
  /**
   * Layer that asks one homeserver.
   */
  static readonly layer = (options: DetectionOptions): Layer.Layer<Detection, never, HttpClient> =>
    Layer.effect(Detection, make(options))
}

const timeToLiveDefault = Duration.hours(1)

/** The name is a courtesy, so it is not worth waiting for. */
const describeBounds = { timeout: Duration.seconds(3), maxBodyBytes: 16 * 1024 } as const

/** An error names what the homeserver lists, which could be anything. */
const shownVersions = (versions: ReadonlyArray<string>): ReadonlyArray<string> =>
  versions.filter((version) => /^[\w.+-]{1,32}$/.test(version)).slice(-8)

const describe = (options: HomeserverOptions): Effect.Effect<ServerVersion | undefined, never, HttpClient> =>
  exchange({ homeserver: options.homeserver, ...describeBounds }, {
    path: federation.paths.getServerVersion(),
    send: federation.client.getServerVersion({ responseMode: "response-only" }),
    isPing: false
  }).pipe(
    Effect.map(({ answer }) => answer.status === 200 ? serverVersion(answer.body) : undefined),
    Effect.catch(() => Effect.undefined)
  )

const detect = Effect.fn("appservice_ping.detect")(
  function*(options: DetectionOptions): Effect.fn.Return<Detected, DetectionError, HttpClient> {
    yield* Effect.annotateCurrentSpan(Spans.server(options.homeserver))
    const found = yield* getVersions(options)
    const name = options.describe === false ? undefined : yield* describe(options)
    const server = name === undefined ? {} : { server: name }
    const path = Versions.pingSupport(found)
    if (path !== "none") return { path, versions: found.versions, ...server }
    return yield* new PingUnsupported({
      url: AppserviceUrl.redact(options.homeserver),
      versions: shownVersions(found.versions),
      ...server
    })
  },
  Spans.outcome(({ path }) => ({ "appservice_ping.path": path }))
)

/**
 * Makes the service for one homeserver; nothing is asked before the first `detect`.
 *
 * **Details**
 *
 * `GET /_matrix/client/versions` decides; `GET /_matrix/federation/v1/version` only adds the name, where it answers
 * within 3 seconds, and is never an error. A caller who is interrupted does not take the answer from the others.
 *
 * **Gotchas**
 *
 * An old proxy may answer `/versions` on its own, without v1.7, in front of a homeserver that has the ping; then a plain
 * `Ping.ping` works although `detect` fails with `PingUnsupported`.
 *
 * **Example** (Pinging on the path that the homeserver has)
 *
 * ```ts
 * import { Detection, Ping } from "@appservice-ping/client"
 * import { Effect } from "effect"
 *
 * const ping = Effect.fn(function*(options: Ping.PingOptions) {
 *   const detection = yield* Detection.make({ homeserver: options.homeserver })
 *   const { path } = yield* detection.detect
 *   return yield* Ping.ping({ ...options, path })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: DetectionOptions
): Effect.fn.Return<Detection["Service"], never, HttpClient> {
  const httpClient = yield* HttpClient
  const timeToLive = Bound.durationUnsafe("timeToLive", options.timeToLive ?? timeToLiveDefault, { infinite: true })
  const ask = Effect.all({
    detected: Effect.provideService(detect(options), HttpClient, httpClient),
    at: Clock.monotonicTimeNanos
  })
  // The cache would measure its time to live with the wall clock, which may be set back (D10).
  const [cached, forget] = yield* Effect.cachedInvalidateWithTTL(
    ask,
    (exit) => Exit.isSuccess(exit) ? Duration.infinity : Duration.negativeInfinity
  )
  const remembered = Effect.flatMap(Clock.monotonicTimeNanos, (now) =>
    Effect.flatMap(cached, (found) =>
      // What came after the question is the answer to it, however short answers are remembered.
      found.at < now && Duration.isGreaterThanOrEqualTo(Duration.nanos(now - found.at), timeToLive)
        ? Effect.andThen(forget, cached)
        : Effect.succeed(found)))
  return Detection.of({ detect: Effect.map(remembered, ({ detected }) => detected), forget })
})
