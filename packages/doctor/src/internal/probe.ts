/** Connects to where a URL leads and goes again, to see how far a connection comes. */
import { hostOf, portOf } from "@appservice-ping/domain/AppserviceUrl"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { type Duration, Effect } from "effect"
import { connect as connectTcp, isIP, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import type { Peer, Phase } from "../Evidence.ts"
import { isThisMachine } from "./thisMachine.ts"

/** How far the connection came. */
export type Probe =
  | { readonly _tag: "Connected"; readonly peer: Peer; readonly tls: boolean }
  | {
    readonly _tag: "Failed"
    readonly phase: Phase
    readonly failure: ConnectionFailure.ConnectionFailure
  }

const tooSlow: { readonly [P in Phase]: ConnectionFailure.ConnectionFailure } = {
  dns: new ConnectionFailure.ConnectionFailure({
    kind: "dns",
    text: "the host name could not be resolved in time"
  }),
  connect: new ConnectionFailure.ConnectionFailure({ kind: "timeout", text: "the connection timed out" }),
  tls: new ConnectionFailure.ConnectionFailure({ kind: "tls", text: "the TLS handshake did not end in time" })
}

const open = (url: URL, tls: boolean): Socket => {
  const host = hostOf(url)
  const place = { host, port: portOf(url) }
  if (!tls) return connectTcp(place)
  return connectTls({ ...place, ALPNProtocols: ["http/1.1"], ...(isIP(host) === 0 ? { servername: host } : {}) })
}

const peerOf = (socket: Socket): Peer => {
  const { remoteAddress = "", remotePort = 0 } = socket
  return {
    address: `${remoteAddress.includes(":") ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`,
    isThisMachine: isThisMachine(remoteAddress)
  }
}

/** Distinguishes failures of DNS, of the connection and, if asked, of TLS: one attempt, closed once it is open. */
export const probe = (
  url: URL,
  { timeout, tls }: { readonly timeout: Duration.Input; readonly tls: boolean }
): Effect.Effect<Probe> =>
  Effect.suspend(() => {
    let phase: Phase = isIP(hostOf(url)) === 0 ? "dns" : "connect"
    return Effect.callback<Probe>((resume) => {
      const socket = open(url, tls)
      const end = (probe: Probe) => {
        resume(Effect.succeed(probe))
        socket.destroy()
      }
      const done = () => end({ _tag: "Connected", peer: peerOf(socket), tls })
      socket.on("lookup", (error: unknown) => {
        if (error === null || error === undefined) phase = "connect"
      })
      socket.on("connect", () => {
        phase = "tls"
        if (!tls) done()
      })
      socket.on("secureConnect", done)
      socket.on("error", (error) => end({ _tag: "Failed", phase, failure: ConnectionFailure.fromUnknown(error) }))
      return Effect.sync(() => socket.destroy())
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () => Effect.sync((): Probe => ({ _tag: "Failed", phase, failure: tooSlow[phase] }))
      })
    )
  })

/** Checks whether a port speaks TLS, whatever its certificate is worth. */
export const speaksTls = (url: URL, timeout: Duration.Input): Effect.Effect<boolean> =>
  Effect.map(
    probe(url, { timeout, tls: true }),
    (probed) => probed._tag === "Connected" || (probed.phase === "tls" && /certificate/.test(probed.failure.text))
  )
