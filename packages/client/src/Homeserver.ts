/**
 * Asks a homeserver what it supports, and on which path it answers pings (C21).
 *
 * @since 0.1.0
 */
import * as Answer from "@appservice-ping/domain/Answer"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { NotHomeserver, TransportError } from "@appservice-ping/domain/TransportError"
import * as Versions from "@appservice-ping/domain/Versions"
import { type Duration, Effect, Option, Predicate, type Redacted, Result, Schema } from "effect"
import type { HttpClient } from "effect/http/HttpClient"
import { exchange, type Exchanged, homeserver } from "./internal/exchange.ts"
import * as Spans from "./internal/spans.ts"

/**
 * The address of the homeserver, and the bounds of the exchange.
 *
 * @category models
 * @since 0.1.0
 */
export interface HomeserverOptions {
  /** Where the homeserver is, best at https (C35); a path is kept, userinfo, query and fragment are never sent (D8). */
  readonly homeserver: URL
  /** How long the whole exchange may take. Default: 90 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** How much of the answer is read, in bytes. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined
  /**
   * How many bytes of the answer may come beside its body, such as the extensions of chunks. Only an `HttpClient` on
   * `node:http` shows them; with any other the `timeout` is their only bound. Default: 512 KiB.
   */
  readonly maxFramingBytes?: number | undefined
}

/**
 * The address of the homeserver, the bounds of the exchange, and a token for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface VersionsOptions extends HomeserverOptions {
  /**
   * A token, such as the `as_token`: since v1.10 a homeserver may list more for some of them (C30).
   *
   * Default: none, because what answers has yet to show that it is a homeserver (D8).
   */
  readonly token?: Redacted.Redacted | undefined
}

/**
 * Asks the homeserver what it supports: `GET /_matrix/client/versions`, without a token unless one is given.
 *
 * **Details**
 *
 * Entries of the wrong type are left out, because one odd entry must not hide the others. It fails as a ping does: with
 * the homeserver's Matrix error, or with why there was no Matrix answer. A connection that broke is always
 * `HomeserverUnreachable`, because a question without an effect leaves nothing open.
 *
 * @category clients
 * @since 0.1.0
 */
export const versions: (
  options: VersionsOptions
) => Effect.Effect<Versions.Versions, PingError | TransportError, HttpClient> = Effect.fn("appservice_ping.versions")(
  function*(options: VersionsOptions) {
    yield* Effect.annotateCurrentSpan(Spans.server(options.homeserver))
    const exchanged = yield* exchange(options, {
      path: homeserver.paths.getVersions(),
      send: homeserver.client.getVersions({ responseMode: "response-only" }),
      isPing: false,
      token: options.token
    })
    return yield* Effect.fromResult(decode(exchanged))
  },
  Spans.outcome(() => ({}))
)

/**
 * Asks the homeserver on which path it answers pings: the spec's, the one from before spec v1.7, or none (C21).
 *
 * **Example** (Choosing the path by what the homeserver supports)
 *
 * ```ts
 * import { Homeserver, Ping } from "@appservice-ping/client"
 * import { Effect } from "effect"
 *
 * const pingWhereSupported = Effect.fn(function*(options: Ping.PingOptions) {
 *   const path = yield* Homeserver.support(options)
 *   return path === "none" ? undefined : yield* Ping.ping({ ...options, path })
 * })
 * ```
 *
 * @see {@link "Detection"} for asking once and remembering the answer
 * @category clients
 * @since 0.1.0
 */
export const support = (
  options: HomeserverOptions
): Effect.Effect<Versions.PingSupport, PingError | TransportError, HttpClient> =>
  Effect.map(versions(options), Versions.pingSupport)

const parse = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

const isFlag = (entry: readonly [string, unknown]): entry is [string, boolean] => typeof entry[1] === "boolean"

const lenient = (text: string): Versions.Versions | undefined => {
  const body = Option.getOrUndefined(parse(text))
  if (!Predicate.hasProperty(body, "versions") || !Array.isArray(body.versions)) return undefined
  const listed = body.versions.filter(Predicate.isString)
  const features = Predicate.hasProperty(body, "unstable_features") ? body.unstable_features : undefined
  return Predicate.isObject(features)
    ? { versions: listed, unstable_features: Object.fromEntries(Object.entries(features).filter(isFlag)) }
    : { versions: listed }
}

const decode = ({ answer, reading }: Exchanged): Result.Result<Versions.Versions, PingError | NotHomeserver> => {
  const found = answer.status >= 200 && answer.status < 300 ? lenient(answer.body) : undefined
  return found === undefined ? Result.fail(Answer.decodeError(answer, reading)) : Result.succeed(found)
}
