/** Opens connections to the real server behind a proxy. */
import { type Duration, Effect } from "effect"
import * as Net from "node:net"
import { Connection } from "../../../play/Connection.ts"

export interface Upstream {
  readonly host: string
  readonly port: number
  /** Whether it speaks TLS. Default: false. */
  readonly tls?: boolean | undefined
  /**
   * The name to ask it for, in `Host` and in TLS, where one address serves several. Default: with TLS, `host`; without,
   * what the client asked for.
   */
  readonly name?: string | undefined
  /** Certificates in PEM form to trust instead of the usual ones. Default: those that Node trusts. */
  readonly ca?: string | ReadonlyArray<string> | undefined
}

/** How many bytes of the server wait to be read before no more are taken from the system. */
const maxWaitingBytes = 64 * 1024

/** What `Host` says to the real server; `undefined` if it says what the client said. */
export const authorityOf = ({ host, name, port, tls }: Upstream): string | undefined => {
  const asked = name ?? (tls === true ? host : undefined)
  if (asked === undefined) return undefined
  const bare = Net.isIPv6(asked) ? `[${asked}]` : asked
  return port === (tls === true ? 443 : 80) ? bare : `${bare}:${port}`
}

const connect = ({ ca, host, name, tls }: Upstream, server: Connection): Effect.Effect<boolean> =>
  Effect.flatMap(server.established, (isThere) =>
    isThere && tls === true
      ? server.secureAsClient({
        host: name ?? host,
        ...Net.isIP(name ?? host) === 0 ? { servername: name ?? host } : {},
        ...ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }
      })
      : Effect.succeed(isThere))

/** Opens a connection; `undefined` after a warning if there can be none, because its client only sees a reset then. */
export const connectUpstream = (
  upstream: Upstream,
  connectTimeout: Duration.Input
): Effect.Effect<Connection | undefined> => {
  const { host, port } = upstream
  const warn = (why: string): Effect.Effect<void> =>
    Effect.logWarning(`The real server at ${host}:${port} cannot be reached: ${why}`)
  return Effect.suspend(() => {
    const server = new Connection(Net.connect({ host, port, allowHalfOpen: true, noDelay: true }), maxWaitingBytes)
    return connect(upstream, server).pipe(
      Effect.tap((isThere) => isThere ? Effect.void : warn(server.code ?? "the connection was closed early")),
      Effect.timeoutOrElse({
        duration: connectTimeout,
        orElse: () => Effect.as(warn("connecting took too long"), false)
      }),
      Effect.onInterrupt(() => Effect.sync(() => server.destroy())),
      Effect.map((isThere) => {
        if (isThere) return server
        server.destroy()
        return undefined
      })
    )
  })
}
