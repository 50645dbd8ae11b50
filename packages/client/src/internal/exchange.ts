/** One bounded exchange with a homeserver: what the endpoints of the contract have in common on the client's side. */
import type { Answer, ReadingOptions } from "@appservice-ping/domain/Answer"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import * as Bound from "@appservice-ping/domain/Bound"
import type { TooMuchFraming } from "@appservice-ping/domain/BoundedBody"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { FederationApi } from "@appservice-ping/domain/FederationApi"
import { HomeserverApi } from "@appservice-ping/domain/HomeserverApi"
import type { PingError } from "@appservice-ping/domain/PingError"
import * as Token from "@appservice-ping/domain/Token"
import { HomeserverUnreachable, type TransportError, Undecided } from "@appservice-ping/domain/TransportError"
import { Clock, Context, Duration, Effect, type Redacted, type Scope } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { readBody } from "./body.ts"
import * as Phase from "./phase.ts"

/** The address of the homeserver, and the bounds of the exchange. */
export interface Options {
  readonly homeserver: URL
  readonly timeout?: Duration.Input | undefined
  readonly maxBodyBytes?: number | undefined
  readonly maxFramingBytes?: number | undefined
}

/** An answer, and what reading it needs. */
export interface Exchanged {
  readonly answer: Answer
  readonly reading: ReadingOptions
}

/** One request of a contract: its path, how to send it, and what it carries. */
export interface Request {
  readonly path: string
  readonly send: Effect.Effect<HttpClientResponse, HttpClientError | PingError, Call | Scope.Scope>
  /**
   * Whether it has an effect, so that a connection that breaks under it leaves open what became of it. A question
   * without one has only failed.
   */
  readonly isPing: boolean
  readonly token?: Redacted.Redacted | undefined
  /** Other tokens that a peer may know, and must not write into our errors (D8). */
  readonly secrets?: ReadonlyArray<Redacted.Redacted> | undefined
}

/** Longer than the slowest known homeserver takes (Synapse: 15 s to connect and 60 s for the headers). */
const timeoutDefault = Duration.seconds(90)

const maxBodyBytesDefault = 1024 * 1024

/** The homeserver's URL without what must not reach the wire or an error: userinfo, query string and fragment (D8). */
const baseOf = (homeserver: URL): string =>
  `${homeserver.protocol}//${homeserver.host}${homeserver.pathname.replace(/\/+$/, "")}`

/** Refuses a request that cannot be sent: the HTTP clients disagree on such ones, and some of them throw. */
const unsendable = (homeserver: URL, token: Redacted.Redacted | undefined): string | undefined => {
  if (homeserver.protocol !== "http:" && homeserver.protocol !== "https:") {
    return "the homeserver's URL is neither http nor https"
  }
  return token === undefined || Token.isSendable(token)
    ? undefined
    : "the as_token has a character that no HTTP header can carry"
}

/**
 * Of all HTTP clients only `fetch` follows redirects by itself, and a POST it turned into a GET would look like a
 * success (D1). Wrapping `fetch` where the client looks it up keeps the app's own `fetch` and `RequestInit`.
 */
const withoutRedirects = <E, R>(
  client: HttpClient.HttpClient.With<E, R>
): HttpClient.HttpClient.With<E, R | Scope.Scope> =>
  HttpClient.mapRequestEffect(client, (request) =>
    Effect.as(
      Effect.updateServiceScoped(
        FetchHttpClient.Fetch,
        (fetch): typeof globalThis.fetch => (input, init) => fetch(input, { ...init, redirect: "manual" })
      ),
      request
    ))

/** The parts that differ from call to call: the app's HTTP client, the homeserver, and the token. */
export class Call extends Context.Service<Call, {
  readonly httpClient: HttpClient.HttpClient
  readonly baseUrl: string
  readonly token: Redacted.Redacted | undefined
}>()("@appservice-ping/client/internal/exchange/Call") {}

const lateBound: HttpClient.HttpClient.With<HttpClientError, Call | Scope.Scope> = HttpClient.makeWith(
  (request: Effect.Effect<HttpClientRequest.HttpClientRequest>) =>
    Effect.flatMap(request, (request) =>
      Effect.flatMap(Call, ({ baseUrl, httpClient, token }) => {
        const located = HttpClientRequest.prependUrl(request, baseUrl)
        return withoutRedirects(httpClient).execute(
          token === undefined ? located : HttpClientRequest.bearerToken(located, token)
        )
      })),
  Effect.succeed
)

// Deriving a client from a contract costs more than a ping does, so it is done once, and each call binds it late.

/** The contract of the ping: its requests and their paths. */
export const homeserver = {
  client: Effect.runSync(HttpApiClient.makeWith(HomeserverApi, { httpClient: lateBound })),
  paths: HttpApiClient.urlBuilder(HomeserverApi)
}

/** The contract of the requests beside the ping. */
export const federation = {
  client: Effect.runSync(HttpApiClient.makeWith(FederationApi, { httpClient: lateBound })),
  paths: HttpApiClient.urlBuilder(FederationApi)
}

/** Whether nobody can have acted on the request; in doubt somebody did. */
const isUnreached = (error: HttpClientError | TooMuchFraming, kind: ConnectionFailure.Kind): boolean => {
  if (error._tag === "TooMuchFraming" || Phase.hasAnswered(error)) return false
  switch (kind) {
    case "dns":
    case "refused":
    case "unreachable":
    case "tls":
      return true
    case "malformed":
      return Phase.isTlsAlert(error)
    default:
      return !Phase.isSendable(error) || Phase.isConnecting(error)
  }
}

/** Maps a failed exchange to its error: the HTTP client's timer may be faster than ours, and a connection may break. */
const toTransportError = (
  error: HttpClientError | TooMuchFraming,
  { after, isPing, url }: { readonly url: string; readonly after: Duration.Duration; readonly isPing: boolean }
): TransportError => {
  const failure = ConnectionFailure.fromUnknown(error)
  if (isUnreached(error, failure.kind)) return new HomeserverUnreachable({ url, failure })
  if (failure.kind === "timeout") return new Undecided({ url, after })
  return isPing ? new Undecided({ url, after, failure }) : new HomeserverUnreachable({ url, failure })
}

/**
 * Sends one request of a contract and reads its answer, at most `maxBodyBytes` of it, within one deadline for all
 * of it, and without a redirect.
 */
export const exchange = Effect.fnUntraced(function*(
  options: Options,
  request: Request
): Effect.fn.Return<Exchanged, PingError | TransportError, HttpClient.HttpClient> {
  const timeout = Bound.durationUnsafe("timeout", options.timeout ?? timeoutDefault)
  const maxBodyBytes = Bound.integerUnsafe("maxBodyBytes", options.maxBodyBytes ?? maxBodyBytesDefault)
  const baseUrl = baseOf(options.homeserver)
  const url = new URL(baseUrl + request.path)
  const shown = AppserviceUrl.redact(url)
  const { token } = request

  const problem = unsendable(options.homeserver, token)
  if (problem !== undefined) {
    const failure = new ConnectionFailure.ConnectionFailure({ kind: "malformed", text: problem })
    return yield* new HomeserverUnreachable({ url: shown, failure })
  }

  const httpClient = yield* HttpClient.HttpClient
  const started = yield* Clock.monotonicTimeNanos

  const answer = request.send.pipe(
    Effect.flatMap((response) =>
      Effect.map(
        readBody(response, { maxBytes: maxBodyBytes, maxFramingBytes: options.maxFramingBytes }),
        (body): Answer => ({
          status: response.status,
          headers: response.headers,
          body
        })
      )
    ),
    Effect.scoped,
    Effect.provideService(Call, { httpClient, baseUrl, token }),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () => Effect.fail(new Undecided({ url: shown, after: timeout }))
    }),
    Effect.catchTag(
      ["HttpClientError", "TooMuchFraming"],
      (error) =>
        Effect.flatMap(Clock.monotonicTimeNanos, (now): Effect.Effect<never, TransportError> =>
          Effect.fail(
            toTransportError(error, { url: shown, after: Duration.nanos(now - started), isPing: request.isPing })
          ))
    )
  )
  return {
    answer: yield* answer,
    reading: {
      url,
      now: yield* Clock.currentTimeMillis,
      elapsed: Duration.nanos((yield* Clock.monotonicTimeNanos) - started),
      tokens: [...token === undefined ? [] : [token], ...request.secrets ?? []]
    }
  }
})
