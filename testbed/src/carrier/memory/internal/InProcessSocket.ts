/**
 * One end of a connection in this process: what `node:http` and TLS use in place of a socket.
 *
 * It differs from `node:stream`'s `duplexPair` in what a socket has more: it can be reset, it has still to come about at
 * first, bytes are on their way for a moment, and letting go of an end does what a kernel does.
 */
import { Duplex } from "node:stream"
import * as Traffic from "../../../play/Traffic.ts"

const systemError = (syscall: string, code: string, errno: number): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall })

type Done = (error?: Error | null) => void

/** How many bytes wait for their reader before the writer has to wait; the buffers of a kernel are about as large. */
const maxWaitingBytes = 64 * 1024

/** How long bytes are on their way: until the end of this turn of the event loop, or into the next one. */
export type Delivery = "this turn" | "next turn"

export class InProcessSocket extends Duplex {
  connecting = true
  private peer: InProcessSocket | undefined
  private readonly delivery: Delivery
  /** What is on its way to the other end. */
  private sent: Array<Uint8Array> = []
  private sentBytes = 0
  private ending: "fin" | "rst" | undefined
  private isUnderWay = false
  /** Goes on once there is another end, and room at it. */
  private blocked: (() => void) | undefined
  /** The other end has let go of the connection. */
  private isLeft = false
  /** The other end has sent all that it will. */
  private isFinished = false
  /** A reset waits until what came before it is read. */
  private isResetComing = false

  constructor(options: { readonly allowHalfOpen: boolean; readonly delivery?: Delivery }) {
    super({ allowHalfOpen: options.allowHalfOpen, highWaterMark: maxWaitingBytes })
    this.delivery = options.delivery ?? "this turn"
  }

  /** Joins two ends; each emits `connect` a moment later. */
  static join(a: InProcessSocket, b: InProcessSocket): void {
    a.onJoined(b)
    b.onJoined(a)
  }

  private onJoined(peer: InProcessSocket): void {
    this.peer = peer
    if (this.delivery === "next turn") Traffic.note()
    process.nextTick(() => {
      if (this.destroyed) return
      this.connecting = false
      this.emit("connect")
      this.goOn()
    })
  }

  private goOn(): void {
    const { blocked } = this
    this.blocked = undefined
    blocked?.()
  }

  override _read(): void {
    this.peer?.goOn()
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size)
    this.takeReset()
    return chunk
  }

  override _write(chunk: Uint8Array, encoding: BufferEncoding, done: Done): void {
    const { peer } = this
    if (peer === undefined) {
      this.blocked = () => this._write(chunk, encoding, done)
      return
    }
    if (this.isLeft) return done(systemError("write", "EPIPE", -32))
    this.sent.push(chunk)
    this.sentBytes += chunk.length
    this.deliverLater()
    if (peer.readableLength + this.sentBytes < maxWaitingBytes) done()
    else this.blocked = () => done()
  }

  override _final(done: Done): void {
    const finish = (): void => {
      this.ending ??= "fin"
      this.deliverLater()
      done()
    }
    if (this.peer === undefined) this.blocked = finish
    else finish()
  }

  override _destroy(error: Error | null, done: Done): void {
    const { peer } = this
    // A kernel resets a connection that is closed with unread bytes.
    if (peer !== undefined) this.leave(peer.blocked !== undefined || peer.sent.length > 0 ? "rst" : "fin")
    this.blocked = undefined
    done(error)
  }

  /** Ends the connection with an RST: the other end sees it after what it got before. */
  resetAndDestroy(): this {
    const { peer } = this
    // A kernel reports a connection that was reset at once differently from one that was reset later.
    if (peer?.connecting === true && this.sent.length === 0) peer.destroy(systemError("connect", "ECONNRESET", -104))
    else this.leave("rst")
    return this.destroy()
  }

  private leave(how: "fin" | "rst"): void {
    if (this.destroyed && this.ending !== undefined) return
    this.ending = how === "rst" ? "rst" : this.ending ?? "fin"
    this.deliverLater()
  }

  private deliverLater(): void {
    if (this.isUnderWay) return
    this.isUnderWay = true
    if (this.delivery === "this turn") {
      process.nextTick(() => this.deliver())
    } else {
      Traffic.note()
      setImmediate(() => {
        Traffic.note()
        this.deliver()
      })
    }
  }

  private deliver(): void {
    this.isUnderWay = false
    const { peer, sent } = this
    if (peer === undefined) return
    this.sent = []
    this.sentBytes = 0
    if (this.destroyed) peer.isLeft = true
    if (peer.destroyed || peer.isResetComing) return
    const hasRoom = sent.length === 0 || peer.push(sent.length === 1 ? sent[0] : Buffer.concat(sent))
    if (this.ending === "rst") peer.onReset()
    else if (this.ending === "fin") peer.onFin()
    else if (hasRoom) this.goOn()
  }

  private onFin(): void {
    if (this.isFinished) return
    this.isFinished = true
    this.push(null)
  }

  private onReset(): void {
    this.isResetComing = true
    this.takeReset()
  }

  private takeReset(): void {
    if (!this.isResetComing || this.readableLength > 0 || this.destroyed) return
    this.destroy(systemError("read", "ECONNRESET", -104))
  }

  // What `node:http` expects of a socket. No time is kept here: the clock is Effect's.

  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once("finish", () => this.destroy())
  }

  setTimeout(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

/** Makes both ends of a connection that is there; only the far one may stay open when the other one has ended. */
export const pair = (delivery?: Delivery): { readonly near: InProcessSocket; readonly far: InProcessSocket } => {
  const shared = delivery === undefined ? {} : { delivery }
  const near = new InProcessSocket({ ...shared, allowHalfOpen: false })
  const far = new InProcessSocket({ ...shared, allowHalfOpen: true })
  InProcessSocket.join(near, far)
  return { near, far }
}
