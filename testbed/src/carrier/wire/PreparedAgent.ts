/**
 * Lets our own HTTP clients prepare their connections to a {@link "wire/WireProxy"}, so that faults before there is a
 * connection strike the very connection that a plan means.
 *
 * @since 0.1.0
 */
import { type Connect, connectSecure } from "@appservice-ping/node/Connect"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Cause, Effect, Layer, type Scope } from "effect"
import type { AgentOptions } from "node:https"
import * as Net from "node:net"
import type * as Tls from "node:tls"
import * as ConnectAgent from "../ConnectAgent.ts"
import type { WireProxy } from "./WireProxy.ts"

const isHostOf = (host: string, proxy: WireProxy): boolean =>
  host === proxy.host || host === proxy.url.hostname || host === "localhost" || host.endsWith(".test")

/**
 * Opens TCP connections: those to one of the proxies prepared, and all others as ever.
 *
 * **Details**
 *
 * A connection is one to a proxy if its port is that of the proxy and its host the proxy's address, `localhost` or a
 * name under `.test`, which nobody looks up then. It fits `connect` of `NodeTransport`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const connector = (proxies: ReadonlyArray<WireProxy>): Effect.Effect<Connect<Net.Socket>> =>
  Effect.map(Effect.context<never>(), (context): Connect<Net.Socket> => {
    const run = Effect.runForkWith(context)
    return (place, callback) => {
      const proxy = proxies.find((proxy) => proxy.port === place.port && isHostOf(place.host, proxy))
      if (proxy === undefined) return callback(null, Net.connect({ ...place, noDelay: true }))
      run(Effect.matchCause(proxy.prepare, {
        onSuccess: (prepared) => callback(null, prepared.connect(place.host)),
        // The request that waits for the connection would wait for ever.
        onFailure: (cause) =>
          callback(new Error("The connection could not be prepared", { cause: Cause.squash(cause) }), new Net.Socket())
      }))
    }
  })

/**
 * Makes the agents of a client on `node:http` that prepares its connections.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  proxies: ReadonlyArray<WireProxy>,
  options: AgentOptions = {}
): Effect.Effect<NodeHttpClient.HttpAgent["Service"], never, Scope.Scope> =>
  Effect.flatMap(connector(proxies), (connect) => ConnectAgent.make(connect, options))

/**
 * Layer with these agents, for `NodeHttpClient.layerNodeHttpNoAgent`; `keepAlive` and `ca` are options.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  proxies: ReadonlyArray<WireProxy>,
  options?: AgentOptions
): Layer.Layer<NodeHttpClient.HttpAgent> => Layer.effect(NodeHttpClient.HttpAgent, make(proxies, options))

/**
 * What an undici `Agent` takes as its `connect`.
 *
 * @category models
 * @since 0.1.0
 */
export type UndiciConnect = (
  options: {
    readonly hostname: string
    readonly port: string
    readonly protocol: string
    readonly servername?: string | undefined
  },
  callback: (...result: [error: null, socket: Net.Socket] | [error: Error, socket: null]) => void
) => void

/**
 * Makes the `connect` of an undici `Agent` that prepares its connections. It has no timeout of its own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const undiciConnect = (
  proxies: ReadonlyArray<WireProxy>,
  options: Tls.ConnectionOptions = {}
): Effect.Effect<UndiciConnect> =>
  Effect.map(connector(proxies), (connect): UndiciConnect => ({ hostname, port, protocol, servername }, callback) => {
    const tls = protocol === "https:"
    const host = hostname.replace(/^\[(.*)\]$/, "$1")
    const place = { host, port: ConnectAgent.portOf(port, tls) }
    const onSocket = (event: "connect" | "secureConnect") => (error: Error | null, socket: Net.Socket): void => {
      if (error !== null) return callback(error, null)
      const fail = (error: Error): void => callback(error, null)
      socket.once("error", fail)
      socket.once(event, () => {
        socket.off("error", fail)
        callback(null, socket)
      })
    }
    if (!tls) return connect(place, onSocket("connect"))
    const name = servername ?? (Net.isIP(host) === 0 ? host : undefined)
    const secure = { ALPNProtocols: ["http/1.1"], host, ...options, ...name === undefined ? {} : { servername: name } }
    connectSecure(connect, place, secure, onSocket("secureConnect"))
  })
