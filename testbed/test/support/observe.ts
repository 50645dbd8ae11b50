/** A raw TCP client: what really is on the wire, told from the socket and not from a client's error text. */
import { Clock, Effect } from "effect"
import * as Net from "node:net"

/** How a connection came to its end, as the peer's segments say it; `open` is one that did not. */
export type Ending = "refused" | "fin" | "rst" | "open"

export interface Observation {
  readonly text: string
  /** When each piece came, in milliseconds from the start. */
  readonly pieces: ReadonlyArray<{ readonly text: string; readonly atMillis: number }>
  readonly ending: Ending
}

export interface ObserveOptions {
  /** What is sent. Default: a ping. */
  readonly request?: string
  /**
   * A connection on which nothing else comes for 100 ms after this many bytes is called open. Before that it is waited
   * for as long as the test may take, so that a busy machine makes no difference. Default: no connection is.
   */
  readonly silentAfter?: number
}

const silenceMillis = 100

/** The request of a ping, without a token. */
export const pingRequest: string = [
  "POST /_matrix/app/v1/ping HTTP/1.1",
  "Host: appservice",
  "Content-Length: 2",
  "Connection: close",
  "",
  "{}"
].join("\r\n")

const endingOf = (code: string | undefined): Ending => code === "ECONNREFUSED" ? "refused" : "rst"

/** Sends a request and watches until the connection ends or falls silent. */
export const observe = (url: URL, options?: ObserveOptions): Effect.Effect<Observation> =>
  Effect.flatMap(Clock.Clock, (clock) =>
    Effect.callback((resume) => {
      const start = clock.monotonicTimeNanosUnsafe()
      const pieces: Array<{ readonly text: string; readonly atMillis: number }> = []
      let length = 0
      const socket = Net.connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true, noDelay: true })
      const done = (ending: Ending): void => {
        socket.destroy()
        resume(Effect.succeed({ text: pieces.map((piece) => piece.text).join(""), pieces, ending }))
      }
      const watch = (): void => {
        if (length >= (options?.silentAfter ?? Infinity)) socket.setTimeout(silenceMillis, () => done("open"))
      }
      socket.on("connect", () => {
        socket.write(options?.request ?? pingRequest)
        watch()
      })
      socket.on("data", (bytes: Uint8Array) => {
        const atMillis = Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6
        pieces.push({ text: new TextDecoder("latin1").decode(bytes), atMillis })
        length += bytes.length
        watch()
      })
      socket.on("end", () => done("fin"))
      socket.on("error", (error: NodeJS.ErrnoException) => done(endingOf(error.code)))
      return Effect.sync(() => socket.destroy())
    }))

/** Waits until an effect gives this value, for as long as the test may take. */
export const until = <A>(effect: Effect.Effect<A>, wanted: A): Effect.Effect<void> =>
  Effect.flatMap(
    effect,
    (value) => value === wanted ? Effect.void : Effect.andThen(Effect.yieldNow, until(effect, wanted))
  )
