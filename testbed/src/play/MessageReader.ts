/**
 * Finds where an HTTP/1.x message begins and ends in a stream of bytes. It only watches: whatever is passed on is passed
 * on as it came, and leaves what it cannot read to the recipient.
 */

/** The start line and the headers of a message. */
export interface Head {
  readonly version: "1.0" | "1.1"
  /** Of a request; empty in an answer. */
  readonly method: string
  readonly target: string
  /** Of an answer; 0 in a request. */
  readonly status: number
  /** All values of a header, in lower case, one after the other. */
  readonly header: (name: string) => string | undefined
}

/**
 * Where the reader is: in the head, in the body, in a body that ends with the connection, at the end, behind an answer
 * after which the connection speaks another protocol, or in what it cannot read.
 */
export type State = "head" | "body" | "until-close" | "done" | "upgrade" | "unreadable"

type Part = "bytes" | "size" | "bytes-end" | "trailer"

const latin1 = new TextDecoder("latin1")

const lineMax = 4096

const requestLine = /^([!#$%&'*+.^_`|~\w-]+) ([\x21-\xff]+) HTTP\/1\.([01])$/

const statusLine = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/

const parseHead = (text: string, kind: "request" | "answer"): Head | undefined => {
  const [startLine = "", ...lines] = text.split(/\r?\n/)
  const request = kind === "request" ? requestLine.exec(startLine) : null
  const answer = kind === "answer" ? statusLine.exec(startLine) : null
  const minor = request?.[3] ?? answer?.[1]
  if (minor === undefined) return undefined
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(":")
    if (colon <= 0) continue
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return {
    version: minor === "0" ? "1.0" : "1.1",
    method: request?.[1] ?? "",
    target: request?.[2] ?? "",
    status: Number(answer?.[2] ?? 0),
    header: (name) => headers.get(name)
  }
}

const tokens = (value: string | undefined): ReadonlyArray<string> =>
  (value ?? "").toLowerCase().split(",").map((token) => token.trim())

/** Checks whether a message lets its connection stay open. */
export const keepsAlive = (head: Head): boolean => {
  const connection = tokens(head.header("connection"))
  return head.version === "1.1" ? !connection.includes("close") : connection.includes("keep-alive")
}

/** Reads one message, in pieces as they come. */
export class MessageReader {
  head: Head | undefined
  state: State = "head"
  /** How many bytes come before the body, those of informational answers included. */
  headLength = 0
  private readonly kind: "request" | "answer"
  private readonly method: string
  private readonly maxHeadBytes: number
  private readonly maxBodyBytes: number
  private readonly bodyChunks: Array<Uint8Array> = []
  private bodyLength = 0
  private text = ""
  private left = 0
  private part: Part = "bytes"

  constructor(
    kind: "request" | "answer",
    options: { readonly method?: string; readonly maxHeadBytes: number; readonly maxBodyBytes: number }
  ) {
    this.kind = kind
    this.method = options.method ?? ""
    this.maxHeadBytes = options.maxHeadBytes
    this.maxBodyBytes = options.maxBodyBytes
  }

  /** The body without its framing, as much of it as is kept. */
  get body(): ReadonlyArray<Uint8Array> {
    return this.bodyChunks
  }

  /** Reads on, and returns how many of the bytes belong to the message. */
  feed(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length && (this.state === "head" || this.state === "body")) {
      at = this.state === "head" ? this.feedHead(bytes, at) : this.feedBody(bytes, at)
    }
    return this.state === "until-close" || this.state === "upgrade" || this.state === "unreadable" ? bytes.length : at
  }

  private feedHead(bytes: Uint8Array, from: number): number {
    const before = this.text.length
    this.text += latin1.decode(bytes.subarray(from))
    // Some clients send an empty line too many after a request.
    if (/^[\r\n]*$/.test(this.text) && this.text.length <= this.maxHeadBytes) return bytes.length
    const lead = /^(?:\r?\n)*/.exec(this.text)?.[0].length ?? 0
    const rest = this.text.slice(lead)
    const end = /\r?\n\r?\n/.exec(rest)
    if (end === null) {
      if (this.text.length > this.maxHeadBytes || !this.canBegin(rest)) this.state = "unreadable"
      return bytes.length
    }
    const length = lead + end.index + end[0].length
    const head = length > this.maxHeadBytes ? undefined : parseHead(rest.slice(0, end.index), this.kind)
    this.text = ""
    this.headLength += length
    if (head === undefined) {
      this.state = "unreadable"
      return bytes.length
    }
    this.onHead(head)
    return from + length - before
  }

  /** Recognizes a protocol that is not HTTP by its first bytes, because its client may wait for an answer to them. */
  private canBegin(text: string): boolean {
    const line = /^(.*?)\r?\n/.exec(text)?.[1]
    if (line !== undefined) return (this.kind === "request" ? requestLine : statusLine).test(line)
    return this.kind === "request" ? /^[!#$%&'*+.^_`|~\w-]/.test(text) : "HTTP/1.".startsWith(text.slice(0, 7))
  }

  private onHead(head: Head): void {
    if (this.kind === "answer" && head.status < 200 && head.status !== 101) return
    this.head = head
    const coding = head.header("transfer-encoding")
    const length = head.header("content-length")
    if (this.kind === "answer") {
      if (head.status === 101 || (this.method === "CONNECT" && head.status < 300)) {
        this.state = "upgrade"
        return
      }
      if (this.method === "HEAD" || head.status === 204 || head.status === 304) {
        this.state = "done"
        return
      }
    }
    if (coding !== undefined) return this.onCoding(coding, length)
    if (length === undefined) {
      this.state = this.kind === "request" ? "done" : "until-close"
      return
    }
    const lengths = new Set(tokens(length))
    const [value = ""] = lengths
    if (lengths.size !== 1 || !/^\d{1,15}$/.test(value)) {
      this.state = "unreadable"
      return
    }
    this.left = Number(value)
    this.state = this.left === 0 ? "done" : "body"
  }

  private onCoding(coding: string, length: string | undefined): void {
    if (tokens(coding).at(-1) !== "chunked") {
      this.state = this.kind === "answer" ? "until-close" : "unreadable"
      return
    }
    // Two lengths: what one reader takes for the end, another one does not.
    this.state = length === undefined ? "body" : "unreadable"
    this.part = "size"
  }

  private feedBody(bytes: Uint8Array, from: number): number {
    if (this.part === "bytes") {
      const end = Math.min(bytes.length, from + this.left)
      this.keep(bytes.subarray(from, end))
      this.left -= end - from
      if (this.left === 0) {
        if (this.head?.header("transfer-encoding") === undefined) this.state = "done"
        else this.part = "bytes-end"
      }
      return end
    }
    const newline = bytes.indexOf(10, from)
    const end = newline === -1 ? bytes.length : newline + 1
    this.text += latin1.decode(bytes.subarray(from, end))
    if (this.text.length > lineMax) this.state = "unreadable"
    if (newline === -1) return end
    const line = this.text.replace(/\r?\n$/, "")
    this.text = ""
    this.onLine(line)
    return end
  }

  private onLine(line: string): void {
    if (this.part === "trailer") {
      if (line === "") this.state = "done"
      return
    }
    if (this.part === "bytes-end") {
      if (line === "") this.part = "size"
      else this.state = "unreadable"
      return
    }
    const size = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line)?.[1]
    if (size === undefined) {
      this.state = "unreadable"
      return
    }
    this.left = Number.parseInt(size, 16)
    this.part = this.left === 0 ? "trailer" : "bytes"
  }

  private keep(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.maxBodyBytes - this.bodyLength)
    if (kept.length === 0) return
    this.bodyChunks.push(kept)
    this.bodyLength += kept.length
  }
}
