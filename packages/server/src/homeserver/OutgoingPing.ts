/**
 * The homeserver's call to the appservice: one bounded operation (D1 to D11).
 *
 * @since 0.1.0
 */
import { Ping } from "@appservice-ping/domain/AppserviceApi"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import * as Bound from "@appservice-ping/domain/Bound"
import type { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import * as Deadline from "@appservice-ping/domain/Deadline"
import { BadStatus, ConnectionFailed, ConnectionTimeout } from "@appservice-ping/domain/PingError"
import { PingRequest } from "@appservice-ping/domain/PingRequest"
import * as Token from "@appservice-ping/domain/Token"
import { Clock, Context, Duration, Effect, Layer, Redacted, Schema } from "effect"
import { OutgoingTransport } from "./OutgoingTransport.ts"

/**
 * The appservice to ping, and what the ping carries.
 *
 * @category models
 * @since 0.1.0
 */
export interface PingTarget {
  /** The registration's `url`, neither null nor empty. */
  readonly url: string
  readonly hsToken: Redacted.Redacted
  /** Never sent; taken out of the body of a bad status, because the appservice knows it too (D8). */
  readonly asToken?: Redacted.Redacted | undefined
  /** Passed through as it is (C7); left out when the caller gave none (D9). */
  readonly transactionId: string | undefined
}

/**
 * Bounds of the homeserver's call to an appservice; one that bounds nothing, such as `timeout: NaN`, is a `BoundError`.
 *
 * @category options
 * @since 0.1.0
 */
export interface OutgoingPingOptions {
  /** The one deadline for connect, headers and body (D3). Default: 30 seconds. */
  readonly timeout?: Duration.Input | undefined
  /**
   * How many calls may run on after their deadline, because the transport could not be interrupted; once so many do, a
   * further ping is answered as late without a call. Default: 1024.
   */
  readonly maxOverdue?: number | undefined
  /** How much of the answer is read, in bytes (D4). Default: 65536. */
  readonly maxBodyBytes?: number | undefined
  /** Whether the `hs_token` is sent in the query too, for appservices older than spec v1.4 (A1). Default: false. */
  readonly legacyAuthorization?: boolean | undefined
}

const defaults = { timeout: "30 seconds", maxBodyBytes: 64 * 1024, maxOverdue: 1024 } as const

const encodeRequest = Schema.encodeSync(Schema.fromJsonString(PingRequest))

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/**
 * Service that calls an appservice, and returns how long that took or why it failed.
 *
 * **Details**
 *
 * One request for each ping of a client (A11), to the one path that the ping has (A7).
 *
 * @category services
 * @since 0.1.0
 */
export class OutgoingPing extends Context.Service<OutgoingPing, {
  readonly send: (
    target: PingTarget
  ) => Effect.Effect<Duration.Duration, BadStatus | ConnectionFailed | ConnectionTimeout>
}>()("@appservice-ping/server/homeserver/OutgoingPing") {}

/**
 * Layer that calls appservices over an {@link OutgoingTransport}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: OutgoingPingOptions): Layer.Layer<OutgoingPing, never, OutgoingTransport> =>
  Layer.effect(
    OutgoingPing,
    Effect.map(OutgoingTransport, (transport) => OutgoingPing.of({ send: make(transport, options ?? {}) }))
  )

const make = (transport: OutgoingTransport["Service"], options: OutgoingPingOptions) => {
  const deadline = Deadline.make({
    duration: Bound.durationUnsafe("timeout", options.timeout ?? defaults.timeout),
    maxOverdue: Bound.integerUnsafe("maxOverdue", options.maxOverdue ?? defaults.maxOverdue)
  })
  const maxBodyBytes = Bound.integerUnsafe("maxBodyBytes", options.maxBodyBytes ?? defaults.maxBodyBytes)
  return Effect.fn("OutgoingPing.send")(function*(target: PingTarget) {
    const url = AppserviceUrl.join(target.url, Ping.path)
    if (url === undefined) {
      return yield* new ConnectionFailed({ error: "The url of the registration is not an http or https URL" })
    }
    const endpoint = AppserviceUrl.redact(url)
    if (!Token.isSendable(target.hsToken)) {
      return yield* new ConnectionFailed({ error: "The hs_token has a character that no HTTP header can carry" })
    }
    if (options.legacyAuthorization === true) url.searchParams.set("access_token", Redacted.value(target.hsToken))
    const start = yield* Clock.monotonicTimeNanos
    const sent = Effect.suspend(() =>
      transport.send({
        url,
        headers: {
          authorization: `Bearer ${Redacted.value(target.hsToken)}`,
          // An object, `{}` at least, in UTF-8 (A13).
          "content-type": "application/json",
          accept: "application/json",
          // The body is shown to people as it is, and its size is bounded as it is read.
          "accept-encoding": "identity"
        },
        body: encodeRequest(target.transactionId === undefined ? {} : { transaction_id: target.transactionId }),
        maxBodyBytes
      })
    )
    const response = yield* deadline.within(
      Effect.mapError(sent, (failure) => connectionError(failure, endpoint)),
      Effect.fail(
        new ConnectionTimeout({
          error: `The appservice gave no complete answer within ${Duration.format(deadline.duration)} at ${endpoint}`
        })
      )
    )
    if (response.status < 200) {
      return yield* new ConnectionFailed({
        error: `The appservice switched protocols, which nobody asked for, at ${endpoint}`
      })
    }
    // Whatever the body says: none is mandated of an error (A14).
    if (response.status > 299) {
      return yield* new BadStatus({
        error: `The appservice answered with status ${response.status} at ${endpoint}`,
        status: response.status,
        body: Token.scrub(utf8.decode(response.body), [
          target.hsToken,
          ...target.asToken === undefined ? [] : [target.asToken]
        ])
      })
    }
    return Duration.nanos((yield* Clock.monotonicTimeNanos) - start)
  })
}

const connectionError = (failure: ConnectionFailure, endpoint: string): ConnectionFailed | ConnectionTimeout =>
  failure.kind === "timeout"
    ? new ConnectionTimeout({ error: `The connection to the appservice timed out at ${endpoint}` })
    : new ConnectionFailed({ error: `The homeserver could not ping the appservice at ${endpoint}: ${failure.text}` })
