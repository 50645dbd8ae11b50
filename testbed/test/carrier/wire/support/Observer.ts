/** A client that is nothing but a socket: what was on the wire, told from the socket and not from an error's text. */
import { Clock, Effect } from "effect"
import * as Net from "node:net"
import * as Tls from "node:tls"

/** How a connection ended, as its segments say; `silent` is one that had not ended when nothing more was waited for. */
export type Ending = "refused" | "fin" | "rst" | "silent"

export interface Seen {
  /** Everything that came, one character for each byte. */
  readonly text: string
  readonly pieces: ReadonlyArray<{ readonly bytes: number; readonly atMillis: number }>
  readonly ending: Ending
  /** When it ended. */
  readonly atMillis: number
  readonly code: string | undefined
}

export interface ObserveOptions {
  /** What is sent, one after the other; each after the first as soon as so many bytes have come. */
  readonly send?: ReadonlyArray<{ readonly text: string; readonly after?: number }>
  /** The connection is looked at no longer once so many bytes have come and the effect has ended. */
  readonly silentAfter?: { readonly bytes: number; readonly effect: Effect.Effect<unknown> }
  readonly tls?: Tls.ConnectionOptions | undefined
  /** Opens the connection. Default: to the address of the URL. */
  readonly connect?: (() => Net.Socket) | undefined
  /** What to do once everything came: nothing, or to close. Default: nothing. */
  readonly closeAfter?: number
}

const endingOf = (code: string | undefined): Ending =>
  code === "ECONNREFUSED" ? "refused" : code === "ECONNRESET" || code === "EPIPE" ? "rst" : "fin"

/** The request of a ping, without a token. */
export const ping = (
  options?: { readonly keepAlive?: boolean; readonly id?: string; readonly path?: string }
): string => {
  const body = JSON.stringify({ transaction_id: options?.id ?? "ping" })
  return [
    `POST ${options?.path ?? "/_matrix/app/v1/ping"} HTTP/1.1`,
    "Host: appservice",
    `Content-Length: ${body.length}`,
    ...options?.keepAlive === true ? [] : ["Connection: close"],
    "",
    body
  ].join("\r\n")
}

/** Talks, and watches until the connection ends or is silent. */
export const observe = (url: URL, options: ObserveOptions = {}): Effect.Effect<Seen> =>
  Effect.flatMap(Clock.Clock, (clock) =>
    Effect.callback((resume) => {
      const start = clock.monotonicTimeNanosUnsafe()
      const now = (): number => Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6
      const pieces: Array<{ readonly bytes: number; readonly atMillis: number }> = []
      const left = [...options.send ?? [{ text: ping() }]]
      let text = ""
      let isDone = false
      let silence = options.silentAfter
      const raw = options.connect?.() ??
        Net.connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true, noDelay: true })
      const socket = options.tls === undefined
        ? raw
        : Tls.connect({ rejectUnauthorized: false, ...options.tls, socket: raw })
      const done = (ending: Ending, code?: string): void => {
        if (isDone) return
        isDone = true
        resume(Effect.succeed({ text, pieces, ending, atMillis: now(), code }))
        socket.destroy()
        raw.destroy()
      }
      const go = (): void => {
        for (let next = left[0]; next !== undefined && text.length >= (next.after ?? 0); next = left[0]) {
          socket.write(next.text, "latin1")
          left.shift()
        }
        if (options.closeAfter !== undefined && text.length >= options.closeAfter) socket.end()
        listen()
      }
      const listen = (): void => {
        if (silence !== undefined && text.length >= silence.bytes) {
          const { effect } = silence
          silence = undefined
          Effect.runFork(effect).addObserver(() => setImmediate(() => setImmediate(() => done("silent"))))
        }
      }
      raw.on("connect", () => {
        if (options.tls === undefined) go()
        else listen()
      })
      if (options.tls !== undefined) socket.on("secureConnect", go)
      socket.on("data", (bytes: Uint8Array) => {
        pieces.push({ bytes: bytes.length, atMillis: now() })
        text += Buffer.from(bytes).toString("latin1")
        go()
      })
      socket.on("end", () => done("fin"))
      const onError = (error: NodeJS.ErrnoException): void => done(endingOf(error.code), error.code)
      raw.on("error", onError)
      if (socket !== raw) socket.on("error", onError)
      socket.on("close", () => done("fin"))
      return Effect.sync(() => {
        socket.destroy()
        raw.destroy()
      })
    }))
