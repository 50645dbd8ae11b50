/**
 * What `node:http` makes of the bytes of an answer: what it accepts, what it refuses, and when.
 *
 * It reads as much of HTTP/1 as faults write and applications answer. That it reads them as the real client does is
 * shown by every fault of the catalogue, which is played with the real client and compared.
 */
import { Bytes } from "effect"

/**
 * Whose eyes: `client` is Effect's client over `node:http`, which says the same of every broken body; `transport` is
 * `NodeTransport`, which sees more.
 */
export type Reader = "client" | "transport"

/** What is seen of an answer. After `End` or `Broken` nothing more comes. */
export type Seen =
  | { readonly _tag: "Head"; readonly status: number; readonly headers: { readonly [name: string]: string } }
  | { readonly _tag: "Body"; readonly bytes: Uint8Array }
  | { readonly _tag: "End" }
  | {
    readonly _tag: "Broken"
    readonly kind: "closed" | "reset" | "malformed"
    /** Whether an alert of TLS came in place of HTTP: a port that speaks TLS has read no request. */
    readonly isTlsAlert: boolean
  }

/** The type of the record in which TLS says what is wrong. */
const tlsAlert = 0x15

const maxHeadBytes = 16 * 1024

const maxInformational = 16

const latin1 = new TextDecoder("latin1")

const statusLine = /^HTTP\/1\.[01] (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/

const headerLine = /^([\w!#$%&'*+.^`|~-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/

interface Head {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** The length of the body in bytes, that it is in chunks, or that the connection ends it. */
  readonly body: number | "chunked" | "until_close"
}

const bodyOf = (status: number, headers: Head["headers"]): Head["body"] => {
  if (status < 200 || status === 204 || status === 304) return 0
  const encoding = headers["transfer-encoding"]
  if (encoding !== undefined) return /(?:^|,)[\t ]*chunked$/i.test(encoding) ? "chunked" : "until_close"
  const length = headers["content-length"]
  return length === undefined ? "until_close" : Number(length)
}

/** `undefined` for a head that the parser of Node refuses. */
const parseHead = (text: string): Head | undefined => {
  const [first = "", ...lines] = text.split("\r\n")
  const status = Number(statusLine.exec(first)?.[1])
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name = "", value = ""] = headerLine.exec(line) ?? []
    const key = name.toLowerCase()
    const isSecondLength = key === "content-length" && headers[key] !== undefined
    if (name === "" || isSecondLength || (key === "content-length" && !/^\d+$/.test(value))) return undefined
    headers[key] = value
  }
  const saysBoth = headers["content-length"] !== undefined && headers["transfer-encoding"] !== undefined
  return Number.isNaN(status) || saysBoth ? undefined : { status, headers, body: bodyOf(status, headers) }
}

const chunkLine = /^([\da-f]{1,16})(?:[\t ]*;[^\r\n]*)?$/i

/** Reads one answer, however its bytes are cut. */
export class AnswerReader {
  private readonly reader: Reader
  private pending: Uint8Array = new Uint8Array()
  private body: Head["body"] | undefined
  /** What is left of the body, or of its chunk. */
  private left = 0
  private chunk: "size" | "data" | "break" | "trailer" = "size"
  private informational = 0
  private isOver = false
  private seen: Array<Seen> = []

  constructor(reader: Reader) {
    this.reader = reader
  }

  get hasEnded(): boolean {
    return this.isOver
  }

  write(bytes: Uint8Array): ReadonlyArray<Seen> {
    this.seen = []
    if (!this.isOver) this.pending = this.pending.length === 0 ? bytes : Bytes.concat([this.pending, bytes])
    let goesOn = !this.isOver
    while (goesOn) goesOn = (this.body === undefined ? this.readHead() : this.readBody(this.body)) && !this.isOver
    return this.seen
  }

  close(how: "fin" | "rst"): ReadonlyArray<Seen> {
    this.seen = []
    if (this.isOver) return this.seen
    // Only the transport asks whether it was the end or a cut.
    const isCut = this.reader === "transport" && how === "rst"
    if (this.body === "until_close" && !isCut) this.end()
    else this.break(how === "fin" ? "closed" : "reset")
    return this.seen
  }

  private end(): void {
    this.isOver = true
    this.seen.push({ _tag: "End" })
  }

  private break(kind: "closed" | "reset" | "malformed", isTlsAlert = false): false {
    this.isOver = true
    const isBody = this.body !== undefined
    this.seen.push({ _tag: "Broken", kind: isBody && this.reader === "client" ? "closed" : kind, isTlsAlert })
    return false
  }

  /** Takes a line, if it is whole. */
  private line(): string | undefined {
    const text = latin1.decode(this.pending.subarray(0, maxHeadBytes))
    const end = text.indexOf("\r\n")
    if (end < 0) return undefined
    this.pending = this.pending.subarray(end + 2)
    return text.slice(0, end)
  }

  private readHead(): boolean {
    const text = latin1.decode(this.pending.subarray(0, maxHeadBytes))
    if (!"HTTP/".startsWith(text.slice(0, 5))) return this.break("malformed", text.charCodeAt(0) === tlsAlert)
    const [first = ""] = text.split("\r\n", 1)
    if (first.length < text.length && !statusLine.test(first)) return this.break("malformed")
    const end = text.indexOf("\r\n\r\n")
    if (end < 0) return text.length < maxHeadBytes ? false : this.break("malformed")
    const head = parseHead(text.slice(0, end))
    if (head === undefined) return this.break("malformed")
    this.pending = this.pending.subarray(end + 4)
    return this.onHead(head)
  }

  private onHead({ body, headers, status }: Head): boolean {
    if (status >= 100 && status < 200 && status !== 101) {
      this.informational++
      const isFlood = this.reader === "transport" && this.informational > maxInformational
      return isFlood ? this.break("malformed") : true
    }
    if (status === 101 && this.reader === "transport" && headers["upgrade"] !== undefined) {
      return this.break("malformed")
    }
    this.seen.push({ _tag: "Head", status, headers })
    this.body = body
    if (typeof body === "number") this.left = body
    if (this.left === 0 && typeof body === "number") this.end()
    return true
  }

  private readBody(body: Head["body"]): boolean {
    if (this.pending.length === 0) return false
    if (body === "chunked") return this.readChunk()
    this.take(body === "until_close" ? this.pending.length : this.left)
    if (body !== "until_close" && this.left === 0) this.end()
    return true
  }

  private take(wanted: number): void {
    const bytes = this.pending.subarray(0, wanted)
    this.pending = this.pending.subarray(bytes.length)
    this.left = Math.max(0, this.left - bytes.length)
    this.seen.push({ _tag: "Body", bytes })
  }

  private readChunk(): boolean {
    switch (this.chunk) {
      case "size": {
        if (!/^[\da-f]/i.test(latin1.decode(this.pending.subarray(0, 1)))) return this.break("malformed")
        const line = this.line()
        if (line === undefined) return false
        const [, size = ""] = chunkLine.exec(line) ?? []
        if (size === "") return this.break("malformed")
        this.left = Number.parseInt(size, 16)
        this.chunk = this.left === 0 ? "trailer" : "data"
        return true
      }
      case "data":
        this.take(this.left)
        if (this.left === 0) this.chunk = "break"
        return true
      case "break": {
        if (this.pending.length < 2) return false
        if (this.line() !== "") return this.break("malformed")
        this.chunk = "size"
        return true
      }
      case "trailer": {
        const line = this.line()
        if (line === "") this.end()
        return line !== undefined
      }
    }
  }
}
