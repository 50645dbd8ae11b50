/** The HTTP client of the commands. */
import * as ConnectDeadline from "@appservice-ping/node/ConnectDeadline"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Layer } from "effect"
import type { HttpClient } from "effect/http/HttpClient"

/** Shorter than any answer is waited for, so that a homeserver that nobody reached is never undecided. */
const connectTimeout = "8 seconds"

/** Opens a connection for each request, and bounds how long that may take. */
export const layer: Layer.Layer<HttpClient> = Layer.provide(
  NodeHttpClient.layerNodeHttpNoAgent,
  Layer.sync(NodeHttpClient.HttpAgent, () => ConnectDeadline.agents({ connectTimeout }))
)
