/**
 * Agents of `node:http` that open their connections with a `Connect`, over either carrier.
 *
 * @since 0.1.0
 */
import { type Connect, connectSecure } from "@appservice-ping/node/Connect"
import type { NodeHttpClient } from "@effect/platform-node"
import { Effect, type Scope } from "effect"
import { Agent as HttpAgent } from "node:http"
import { Agent as HttpsAgent, type AgentOptions } from "node:https"
import type { Duplex } from "node:stream"
import type * as Tls from "node:tls"

/**
 * The port of a place as an agent has it: that of the scheme where nothing is said.
 *
 * @category getters
 * @since 0.1.0
 */
export const portOf = (port: unknown, tls: boolean): number =>
  port === undefined || port === null || port === "" ? (tls ? 443 : 80) : Number(port)

interface Place {
  readonly host?: string | null | undefined
  readonly port?: number | string | null | undefined
}

type Callback = (error: Error | null, stream: Duplex) => void

class PlainAgent extends HttpAgent {
  private readonly connect: Connect

  constructor(connect: Connect, options: AgentOptions) {
    super(options)
    this.connect = connect
  }

  override createConnection(options: Place, callback?: Callback): undefined {
    this.connect(
      { host: options.host ?? "localhost", port: portOf(options.port, false) },
      (error, stream) => callback?.(error, stream)
    )
  }
}

class TlsAgent extends HttpsAgent {
  private readonly connect: Connect

  constructor(connect: Connect, options: AgentOptions) {
    super(options)
    this.connect = connect
  }

  override createConnection(options: Place & Tls.ConnectionOptions, callback?: Callback): undefined {
    const place = { host: options.host ?? "localhost", port: portOf(options.port, true) }
    connectSecure(this.connect, place, options, (error, stream) => callback?.(error, stream))
  }
}

/**
 * The agents of a client on `node:http`, which nobody closes: for one request on a connection that is not kept.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = (connect: Connect, options: AgentOptions = {}): NodeHttpClient.HttpAgent["Service"] => ({
  http: new PlainAgent(connect, options),
  https: new TlsAgent(connect, options)
})

/**
 * Makes the agents of a client on `node:http`; the connections that they keep are closed with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  connect: Connect,
  options?: AgentOptions
): Effect.Effect<NodeHttpClient.HttpAgent["Service"], never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => makeUnsafe(connect, options)),
    ({ http, https }) =>
      Effect.sync(() => {
        http.destroy()
        https.destroy()
      })
  )
