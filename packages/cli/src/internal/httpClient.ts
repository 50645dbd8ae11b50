/** The HTTP client of the commands. */
import * as ConnectDeadline from "@appservice-ping/node/ConnectDeadline"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Duration, Layer, Option } from "effect"
import type { HttpClient } from "effect/http/HttpClient"

const maxConnectTimeout = Duration.seconds(8)

/**
 * How long connecting may take: shorter than the answer is waited for, so that a homeserver that nobody reached is never
 * undecided.
 */
export const connectTimeoutOf = (timeout: Duration.Duration | undefined): Duration.Duration =>
  timeout === undefined ? maxConnectTimeout : Duration.min(maxConnectTimeout, Duration.times(timeout, 0.8))

/** Opens a connection for each request, and bounds how long that may take. */
export const layer = (
  { timeout }: { readonly timeout: Option.Option<Duration.Duration> }
): Layer.Layer<HttpClient> =>
  Layer.provide(
    NodeHttpClient.layerNodeHttpNoAgent,
    Layer.sync(
      NodeHttpClient.HttpAgent,
      () => ConnectDeadline.agents({ connectTimeout: connectTimeoutOf(Option.getOrUndefined(timeout)) })
    )
  )
