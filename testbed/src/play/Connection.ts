/**
 * One end of a connection: the bytes that came, in a buffer of bounded size, the bytes to send, and how it ended.
 *
 * It wraps a stream, so that it is the same on a socket and in this process.
 *
 * @since 0.1.0
 */
import { Bytes, Effect } from "effect"
import type { Duplex } from "node:stream"
import * as Tls from "node:tls"

/**
 * How a side of a connection ended.
 *
 * @category models
 * @since 0.1.0
 */
export type HowEnded = "fin" | "rst"

/**
 * The carrier of the bytes: a socket, or a duplex stream in this process that can be reset like one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Carrier extends Duplex {
  /** Ends the connection with an RST. */
  resetAndDestroy(): unknown
  /** Whether the connection has still to come about. */
  readonly connecting: boolean
}

const codeOf = (error: Error): string => "code" in error && typeof error.code === "string" ? error.code : ""

/** Whether a handshake failed because of what this side asked for, and not by an alert of the other one. */
const isOurRefusal = (code: string): boolean => code.startsWith("ERR_SSL_") && !code.includes("ALERT")

/**
 * One end of a connection.
 *
 * @category models
 * @since 0.1.0
 */
export class Connection {
  /** The stream below TLS: only that can be reset. */
  readonly carrier: Carrier
  /** How the other side ended, once it did. */
  theirs: HowEnded | undefined
  /** How this side ended, once it did. */
  ours: HowEnded | undefined
  /** Which side ended first. */
  first: "ours" | "theirs" | undefined
  /** The code of the first error, where there was one. */
  code: string | undefined
  /** Whether the connection is over in both directions. */
  closed = false
  /** How many bytes were sent. */
  sent = 0
  /** How many bytes wait to be read. */
  size = 0
  private stream: Duplex
  private readonly maxWaitingBytes: number
  private chunks: Array<Uint8Array> = []
  private discarding = false
  private isFull = false
  private isEstablished = false
  private isSecured = false
  private readonly waiting = new Set<() => void>()

  /** `maxWaitingBytes` is how many bytes wait to be read before no more are taken from the carrier. */
  constructor(carrier: Carrier, maxWaitingBytes: number) {
    this.carrier = carrier
    this.stream = carrier
    this.maxWaitingBytes = maxWaitingBytes
    this.attach(carrier)
    if (!carrier.connecting) this.isEstablished = true
  }

  /** Waits until something is the case, or the connection is over. */
  until(isSo: () => boolean): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.closed || isSo()) return resume(Effect.void)
      const check = (): void => {
        if (!this.closed && !isSo()) return
        this.waiting.delete(check)
        resume(Effect.void)
      }
      this.waiting.add(check)
      return Effect.sync(() => void this.waiting.delete(check))
    })
  }

  /** Waits until there are bytes to take, or the other side has ended. */
  get readable(): Effect.Effect<void> {
    return this.until(() => this.size > 0 || this.theirs !== undefined)
  }

  /** Waits until the other side has ended. */
  get gone(): Effect.Effect<void> {
    return this.until(() => this.theirs !== undefined)
  }

  /** Waits until the connection is over in both directions. */
  get over(): Effect.Effect<void> {
    return this.until(() => false)
  }

  /** Waits until a connection that this side opened is there; `false` if it did not come about. */
  get established(): Effect.Effect<boolean> {
    return Effect.map(this.until(() => this.isEstablished), () => this.isEstablished && !this.closed)
  }

  /** Waits until the carrier has taken all but so many of the bytes to send. */
  drained(left: number): Effect.Effect<void> {
    return this.until(() => this.stream.writableLength <= left)
  }

  /** Takes the next bytes. */
  take(): Uint8Array | undefined {
    const chunk = this.chunks.shift()
    if (chunk === undefined) return undefined
    this.size -= chunk.length
    this.resume()
    return chunk
  }

  /** Gives bytes back that were taken. */
  giveBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.chunks.unshift(bytes)
    this.size += bytes.length
  }

  /** From now on whatever comes is thrown away, so that the end behind it is seen. */
  discard(): void {
    this.discarding = true
    this.chunks = []
    this.size = 0
    this.resume()
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.closed || this.ours !== undefined) return
    this.sent += bytes.length
    this.stream.write(bytes, () => this.notify())
  }

  /** Closes this side after all that was written; the other one goes on. */
  fin(): void {
    if (this.ours !== undefined) return
    this.end("fin")
    this.stream.end(() => this.notify())
  }

  /** Resets the connection. */
  rst(): void {
    if (this.ours === "rst" || this.closed) return
    this.end("rst")
    this.carrier.resetAndDestroy()
    if (this.stream !== this.carrier) this.stream.destroy()
  }

  /** Lets go of the connection, however far it came. */
  destroy(): void {
    this.stream.destroy()
    this.carrier.destroy()
  }

  /** Shakes hands as the server; succeeds with whether that worked. */
  secure(options: Tls.TLSSocketOptions): Effect.Effect<boolean> {
    return this.wrap("secure", (carrier) => new Tls.TLSSocket(carrier, { ...options, isServer: true }))
  }

  /** Shakes hands as the client. */
  secureAsClient(options: Tls.ConnectionOptions): Effect.Effect<boolean> {
    return this.wrap("secureConnect", (socket) => Tls.connect({ ...options, socket }))
  }

  private wrap(event: "secure" | "secureConnect", make: (carrier: Carrier) => Tls.TLSSocket): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      if (this.closed || this.ours !== undefined) return Effect.succeed(false)
      this.carrier.off("data", this.onData).off("end", this.onEnd).pause()
      // The handshake takes what came before it out of the buffer below.
      if (this.size > 0) this.carrier.unshift(Bytes.concat(this.chunks))
      this.chunks = []
      this.size = 0
      const secured = make(this.carrier)
      secured.once(event, () => {
        this.isSecured = true
        this.notify()
      })
      this.stream = secured
      this.attach(secured)
      return Effect.map(this.until(() => this.isSecured || this.theirs !== undefined), () => this.isSecured)
    })
  }

  private end(how: HowEnded): void {
    this.ours = how
    this.first ??= "ours"
  }

  private onTheirEnd(how: HowEnded): void {
    if (this.theirs !== undefined) return
    this.theirs = how
    this.first ??= "theirs"
  }

  private readonly onData = (chunk: Uint8Array): void => {
    if (this.discarding) return
    this.chunks.push(chunk)
    this.size += chunk.length
    if (this.size >= this.maxWaitingBytes && !this.isFull) {
      this.isFull = true
      this.stream.pause()
    }
    this.notify()
  }

  private readonly onEnd = (): void => {
    this.onTheirEnd("fin")
    this.notify()
  }

  private attach(stream: Duplex): void {
    stream.on("data", this.onData)
    stream.on("end", this.onEnd)
    stream.on("connect", () => {
      this.isEstablished = true
      this.notify()
    })
    stream.on("error", (error) => {
      const code = codeOf(error)
      this.code ??= code
      if (isOurRefusal(code) && this.first === undefined) this.end("fin")
      this.onTheirEnd(code === "ECONNRESET" || code === "EPIPE" ? "rst" : "fin")
      this.notify()
    })
    stream.on("close", () => {
      this.onTheirEnd("fin")
      this.closed = true
      this.notify()
    })
  }

  private resume(): void {
    if (!this.isFull || this.size >= this.maxWaitingBytes) return
    this.isFull = false
    this.stream.resume()
  }

  private notify(): void {
    for (const check of Array.from(this.waiting)) check()
  }
}
