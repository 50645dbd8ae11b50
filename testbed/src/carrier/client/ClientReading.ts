/**
 * What an HTTP client makes of the bytes of an answer: what it accepts, what it refuses, and when.
 *
 * Measured with Node 24, its `fetch`, and undici 8, each under Effect's `HttpClient`, and with this package's transport
 * over `node:http`. It is pure: the bytes come in, what a client would have seen comes out.
 *
 * @since 0.1.0
 */
import { Data } from "effect"
import { ChunkParser } from "./internal/ChunkParser.ts"
import { type Framing, HeadParser, meaningOf } from "./internal/HeadParser.ts"

/**
 * The clients that can be stood in for.
 *
 * **Details**
 *
 * `node` is Effect's client over `node:http`, `undici` the one over undici, `fetch` the one over `fetch`; `transport` is
 * {@link "node/NodeTransport"}, which talks to `node:http` itself and sees more than Effect's client lets through.
 *
 * @category models
 * @since 0.1.0
 */
export type Flavour = "node" | "undici" | "fetch" | "transport"

/**
 * Why an answer could not be read to its end.
 *
 * **Details**
 *
 * `Malformed` has the code and the reason of the parser; `LengthMismatch`, `InvalidEnd`, `BadResponse` and
 * `BadUpgrade` are how undici and `fetch` see some of the others; `InvalidStatus`,
 * `TooManyInformational` and `SwitchedProtocols` are what the transport itself refuses.
 *
 * @category models
 * @since 0.1.0
 */
export type Defect = Data.TaggedEnum<{
  Closed: {}
  Reset: {}
  Malformed: { readonly code: string; readonly reason: string }
  HeaderOverflow: {}
  LengthMismatch: {}
  InvalidEnd: {}
  BadResponse: {}
  BadUpgrade: { readonly isAnnounced: boolean }
  InvalidStatus: {}
  TooManyInformational: {}
  SwitchedProtocols: {}
}>

/**
 * Constructors of defects.
 *
 * @category constructors
 * @since 0.1.0
 */
export const Defect = Data.taggedEnum<Defect>()

/**
 * Something that a client gets to see. After `End` or `Failure` nothing more comes.
 *
 * @category models
 * @since 0.1.0
 */
export type Event = Data.TaggedEnum<{
  Informational: { readonly status: number }
  Head: {
    readonly status: number
    readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  }
  Body: { readonly bytes: Uint8Array }
  End: {}
  Failure: { readonly defect: Defect }
}>

/**
 * Constructors of events.
 *
 * @category constructors
 * @since 0.1.0
 */
export const Event = Data.taggedEnum<Event>()

/**
 * What a reading depends on.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadingOptions {
  readonly flavour: Flavour
  /** How large a head may be, in bytes; 16 KiB where nothing is said. */
  readonly maxHeaderBytes?: number | undefined
  /** How many informational answers the transport takes; 16 where nothing is said. The others take any number. */
  readonly maxInformational?: number | undefined
  /** Whether the request was a `HEAD`, whose answer has no body. */
  readonly isHead?: boolean | undefined
}

const defaults = { maxHeaderBytes: 16 * 1024, maxInformational: 16 } as const

/**
 * The reading of one answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  /** Takes the next bytes, however they are cut, and tells what becomes visible with them. */
  readonly write: (bytes: Uint8Array) => ReadonlyArray<Event>
  /** Takes the end of the connection. */
  readonly close: (how: "fin" | "rst") => ReadonlyArray<Event>
  /** Whether the answer is over, well or not. */
  readonly isOver: () => boolean
  /** Whether the answer is over well, and says that the connection stays. */
  readonly keepsAlive: () => boolean
  /** Whether a client would use the connection again: it stays, and nothing came after the answer. */
  readonly isReusable: () => boolean
}

const afterClose = { code: "HPE_CLOSED_CONNECTION", reason: "Data after `Connection: close`" } as const

class Reader implements Reading {
  private readonly flavour: Flavour
  private readonly maxHeaderBytes: number
  private readonly maxInformational: number
  private readonly isHead: boolean
  private head = new HeadParser()
  private chunks = new ChunkParser()
  private framing: Framing | undefined
  private isKept = false
  private left = 0n
  private informational = 0
  private over: "well" | "badly" | undefined
  private hasExtra = false
  /** An informational answer said that it was the last one. */
  private isDead = false
  private events: Array<Event> = []

  constructor(options: ReadingOptions) {
    this.flavour = options.flavour
    this.maxHeaderBytes = options.maxHeaderBytes ?? defaults.maxHeaderBytes
    this.maxInformational = options.maxInformational ?? defaults.maxInformational
    this.isHead = options.isHead ?? false
  }

  write(bytes: Uint8Array): ReadonlyArray<Event> {
    this.events = []
    let at = 0
    while (at < bytes.length && this.over === undefined) {
      at = this.framing === undefined ? this.readHead(bytes, at) : this.readBody(bytes, at)
    }
    if (at < bytes.length) this.hasExtra = true
    return this.events
  }

  close(how: "fin" | "rst"): ReadonlyArray<Event> {
    this.events = []
    if (this.over === undefined) this.end(how)
    return this.events
  }

  isOver(): boolean {
    return this.over !== undefined
  }

  keepsAlive(): boolean {
    return this.over === "well" && this.isKept
  }

  isReusable(): boolean {
    return this.keepsAlive() && !this.hasExtra
  }

  private get isUndici(): boolean {
    return this.flavour === "undici" || this.flavour === "fetch"
  }

  private finish(): void {
    this.over = "well"
    const declared = this.flavour === "undici" && this.framing === "length" ? this.head.undiciLength : undefined
    if (declared !== undefined && BigInt(declared) !== this.head.length) return this.fail(Defect.LengthMismatch())
    this.events.push(Event.End())
  }

  private fail(defect: Defect): void {
    this.over = "badly"
    this.events.push(Event.Failure({ defect }))
  }

  /** undici takes whatever the parser refuses for a wrong length if it has begun to read one. */
  private refuse(error: { readonly code: string; readonly reason: string }): void {
    const length = this.framing === undefined ? this.head.undiciLength : undefined
    this.fail(this.isUndici && length !== undefined && length !== 0 ? Defect.LengthMismatch() : Defect.Malformed(error))
  }

  private readHead(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      // Line breaks between two heads are no data.
      const error = this.isDead && byte !== 10 && byte !== 13 ? afterClose : this.head.push(byte)
      if (error !== undefined) {
        this.refuse(error)
        return bytes.length
      }
      const counted = this.head.headerBytes + (this.isUndici ? 0 : this.head.statusTextBytes)
      if (counted >= this.maxHeaderBytes) {
        this.fail(Defect.HeaderOverflow())
        return bytes.length
      }
      if (this.head.isDone) {
        this.onHead()
        return at + 1
      }
    }
    return bytes.length
  }

  private onHead(): void {
    const { headers, status } = this.head
    const { framing, isUpgrade, keepsAlive } = meaningOf(this.head, this.isHead)
    if (status === 101) return this.onUpgrade(isUpgrade)
    if (status >= 100 && status < 200) return this.onInformational(status, keepsAlive)
    if (status < 100 && this.flavour !== "node") return this.fail(Defect.InvalidStatus())
    this.framing = framing
    this.isKept = keepsAlive
    this.left = this.head.length ?? 0n
    this.events.push(Event.Head({ status, headers }))
    if (framing === "none") this.finish()
  }

  private onInformational(status: number, keepsAlive: boolean): void {
    if (this.isUndici && status === 100) return this.fail(Defect.BadResponse())
    this.informational++
    if (this.flavour === "transport" && this.informational > this.maxInformational) {
      return this.fail(Defect.TooManyInformational())
    }
    this.events.push(Event.Informational({ status }))
    this.head = new HeadParser()
    this.isDead = !keepsAlive
  }

  private onUpgrade(isAnnounced: boolean): void {
    if (this.isUndici) return this.fail(Defect.BadUpgrade({ isAnnounced }))
    if (this.flavour === "transport" && isAnnounced) return this.fail(Defect.SwitchedProtocols())
    this.framing = "none"
    this.events.push(Event.Head({ status: 101, headers: this.head.headers }))
    this.finish()
  }

  private readBody(bytes: Uint8Array, from: number): number {
    switch (this.framing) {
      case "length": {
        const to = this.take(bytes, from, this.left)
        this.left -= BigInt(to - from)
        if (this.left === 0n) this.finish()
        return to
      }
      case "chunked":
        return this.readChunk(bytes, from)
      default:
        return this.take(bytes, from, BigInt(bytes.length))
    }
  }

  private readChunk(bytes: Uint8Array, from: number): number {
    if (this.chunks.left > 0n) {
      const to = this.take(bytes, from, this.chunks.left)
      this.chunks.left -= BigInt(to - from)
      return to
    }
    const step = this.chunks.push(bytes[from] ?? 0)
    if (step === "end") this.finish()
    else if (step !== "more") this.refuse(step)
    return from + 1
  }

  private take(bytes: Uint8Array, from: number, wanted: bigint): number {
    const rest = bytes.length - from
    const to = from + (wanted < BigInt(rest) ? Number(wanted) : rest)
    this.events.push(Event.Body({ bytes: bytes.subarray(from, to) }))
    return to
  }

  private end(how: "fin" | "rst"): void {
    const broken = how === "fin" ? Defect.Closed() : Defect.Reset()
    if (this.framing === undefined) return this.fail(broken)
    // Only the transport asks whether it was the end or a cut.
    if (this.framing === "until-close") {
      return this.flavour === "transport" && how === "rst" ? this.fail(broken) : this.finish()
    }
    if (!this.isUndici || this.isKept) return this.fail(broken)
    this.fail(this.framing === "length" ? Defect.LengthMismatch() : Defect.InvalidEnd())
  }
}

/**
 * Begins to read an answer.
 *
 * **Example** (A body that is cut short)
 *
 * ```ts
 * import * as ClientReading from "@appservice-ping/testbed/carrier/client/ClientReading"
 *
 * const reading = ClientReading.make({ flavour: "node" })
 * reading.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"))
 *
 * reading.close("fin") // => [{ _tag: "Failure", defect: { _tag: "Closed" } }]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: ReadingOptions): Reading => new Reader(options)
