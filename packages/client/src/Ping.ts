/**
 * The ping: an appservice asks its homeserver whether it can be reached.
 *
 * See https://spec.matrix.org/v1.7/application-service-api/#post_matrixclientv1appserviceappserviceidping
 *
 * @since 0.1.0
 */
import * as Answer from "@appservice-ping/domain/Answer"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { Registration } from "@appservice-ping/domain/Registration"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { type Duration, Effect, type Redacted } from "effect"
import type { HttpClient } from "effect/http/HttpClient"
import { exchange, homeserver } from "./internal/exchange.ts"
import * as Spans from "./internal/spans.ts"

/**
 * The homeserver to ask, the appservice to ping, and the bounds of the exchange.
 *
 * @category models
 * @since 0.1.0
 */
export interface PingOptions {
  /** Where the homeserver is; a path is kept, userinfo, query string and fragment never leave the process (D8). */
  readonly homeserver: URL
  /**
   * The appservice's own registration, or the two fields of it that a ping carries (C1, C20). A given `hs_token` is
   * never sent; it is taken out of errors, because peers have been seen to write it there (D8).
   */
  readonly registration: Pick<Registration, "id" | "as_token"> & { readonly hs_token?: Redacted.Redacted | undefined }
  /** Any string, passed through to the appservice as it is, the empty one too; left out when absent (C6, C7). */
  readonly transactionId?: string | undefined
  /** The path of the spec, or the one from before spec v1.7 (C22). Default: `"stable"`. */
  readonly path?: "stable" | "unstable" | undefined
  /** How long the whole exchange may take. Default: 90 seconds, longer than the slowest homeserver takes itself. */
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
 * Asks the homeserver to call the appservice, and returns how long that call took, or fails with why it did.
 *
 * **Details**
 *
 * Every answer of every homeserver becomes a typed error: an errcode becomes a `PingError`, and what is no Matrix
 * answer becomes a `TransportError`: `HomeserverUnreachable` where nobody can have had the request, `NotHomeserver` (a
 * proxy's page, a redirect, which is never followed (D1)), or `Undecided` where the homeserver may have had it and its
 * verdict did not come: the deadline passed, or the connection broke. The `as_token` is taken out of whatever comes
 * back (D8).
 *
 * The span `appservice_ping` has the appservice's id, the homeserver's address and the outcome. Its trace context is
 * sent to the homeserver with the request, unless `HttpClient.TracerPropagationEnabled` is false.
 *
 * **Gotchas**
 *
 * A `timeout` shorter than the homeserver's own hides its verdict behind `Undecided`. An `HttpClient` that was made
 * with `HttpClient.followRedirects` or a retry still does that, because it is outside of this function's reach.
 *
 * **Example** (Asking for a ping)
 *
 * ```ts
 * import { Ping } from "@appservice-ping/client"
 * import { Registration } from "@appservice-ping/domain"
 * import { Effect } from "effect"
 * import { FetchHttpClient } from "effect/http"
 *
 * const program = Effect.fn(function*(registration: Registration.Registration) {
 *   const homeserver = new URL("https://matrix.example")
 *   const { duration_ms } = yield* Ping.ping({ homeserver, registration })
 *   yield* Effect.logInfo(`the homeserver reached us in ${duration_ms} ms`)
 * }, Effect.provide(FetchHttpClient.layer))
 * ```
 *
 * @category clients
 * @since 0.1.0
 */
export const ping: (
  options: PingOptions
) => Effect.Effect<Answer.PingSuccess, PingError | TransportError, HttpClient> = Effect.fn("appservice_ping")(
  function*(options: PingOptions) {
    const { registration, transactionId } = options
    const endpoint = options.path === "unstable" ? "pingAppserviceUnstable" : "pingAppservice"
    // The contract's path throws for `.` and `..` and for lone surrogates, none of which is an `AppserviceId`.
    const params = { appserviceId: registration.id }
    yield* Effect.annotateCurrentSpan({
      "matrix.appservice.id": registration.id,
      "appservice_ping.path": options.path ?? "stable",
      ...Spans.server(options.homeserver)
    })

    const { answer, reading } = yield* exchange(options, {
      path: homeserver.paths[endpoint]({ params }),
      send: homeserver.client[endpoint]({
        params,
        payload: transactionId === undefined ? {} : { transaction_id: transactionId },
        responseMode: "response-only"
      }),
      isPing: true,
      token: registration.as_token,
      secrets: registration.hs_token === undefined ? [] : [registration.hs_token]
    })
    return yield* Effect.fromResult(Answer.decode(answer, reading))
  },
  Spans.outcome(({ duration_ms }) => ({ "appservice_ping.duration_ms": duration_ms }))
)
