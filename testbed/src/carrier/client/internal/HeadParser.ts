/**
 * Reads the head of an answer byte by byte, as strict as llhttp is: what it refuses, where, and in which words.
 *
 * `node:http`, undici and `fetch` all read with llhttp, so that one grammar serves all of them.
 */

/** What the parser refused: the code and the reason that llhttp gives. */
export interface ParseError {
  readonly code: string
  readonly reason: string
}

const error = (code: string, reason: string): ParseError => ({ code, reason })

const tab = 9
const lf = 10
const cr = 13
const space = 32
const comma = 44
const dot = 46
const colon = 58

const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57

const tokenBytes: ReadonlySet<number> = new Set(
  Array.from(
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    (character) => character.charCodeAt(0)
  )
)

const isValueByte = (byte: number): boolean => byte === tab || (byte >= space && byte !== 127)

const prefix = "HTTP/"

const versions: ReadonlySet<string> = new Set(["0.9", "1.0", "1.1", "2.0"])

const lengthMax = 2n ** 64n - 1n

/** The names that the parser looks at itself. */
const known: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "proxy-connection",
  "transfer-encoding",
  "upgrade"
])

type State =
  | "start"
  | "prefix"
  | "major"
  | "dot"
  | "minor"
  | "after-version"
  | "status"
  | "after-status"
  | "status-text"
  | "status-lf"
  | "line"
  | "name"
  | "value-start"
  | "empty-lf"
  | "length"
  | "length-end"
  | "value"
  | "value-lf"
  | "fold"
  | "empty-fold"
  | "end-lf"
  | "done"

export class HeadParser {
  version = ""
  status = 0
  readonly headers: Array<readonly [name: string, value: string]> = []
  /** How many bytes of the head count towards its limit: the names and the values, and the status text. */
  headerBytes = 0
  statusTextBytes = 0
  /** The declared length, as far as it was read; undefined without one. */
  length: bigint | undefined
  /** What undici makes of the length: it counts the spaces after it as digits. */
  undiciLength: number | undefined
  hasTransferEncoding = false
  private state: State = "start"
  private matched = 0
  private isFirstLine = true
  private name = ""
  private value = ""

  get isDone(): boolean {
    return this.state === "done"
  }

  /** Takes the next byte; what it gives back is what llhttp refuses the answer for. */
  push(byte: number): ParseError | undefined {
    switch (this.state) {
      case "start":
        if (byte === cr || byte === lf) return undefined
        this.state = "prefix"
        return this.push(byte)
      case "prefix":
        if (byte !== prefix.charCodeAt(this.matched)) {
          return error("HPE_INVALID_CONSTANT", "Expected HTTP/, RTSP/ or ICE/")
        }
        this.matched++
        if (this.matched === prefix.length) this.state = "major"
        return undefined
      case "major":
        if (!isDigit(byte)) return error("HPE_INVALID_VERSION", "Invalid major version")
        this.version = String.fromCharCode(byte)
        return this.to("dot")
      case "dot":
        return byte === dot ? this.to("minor") : error("HPE_INVALID_VERSION", "Expected dot")
      case "minor":
        if (!isDigit(byte)) return error("HPE_INVALID_VERSION", "Invalid minor version")
        this.version += `.${String.fromCharCode(byte)}`
        this.matched = 0
        return versions.has(this.version)
          ? this.to("after-version")
          : error("HPE_INVALID_VERSION", "Invalid HTTP version")
      case "after-version":
        return byte === space ? this.to("status") : error("HPE_INVALID_VERSION", "Expected space after version")
      case "status":
        if (!isDigit(byte)) return error("HPE_INVALID_STATUS", "Invalid status code")
        this.status = this.status * 10 + byte - 48
        this.matched++
        return this.matched === 3 ? this.to("after-status") : undefined
      case "after-status":
        if (byte === cr) return this.to("status-lf")
        return byte === space ? this.to("status-text") : error("HPE_INVALID_STATUS", "Invalid response status")
      case "status-text":
        if (byte === cr) return this.to("status-lf")
        if (byte === lf) return error("HPE_CR_EXPECTED", "Missing expected CR after response line")
        this.statusTextBytes++
        return undefined
      case "status-lf":
        return byte === lf ? this.to("line") : error("HPE_STRICT", "Expected LF after CR")
      case "end-lf":
        return byte === lf ? this.to("done") : error("HPE_STRICT", "Expected LF after headers")
      case "done":
        return undefined
      default:
        return this.pushHeader(byte)
    }
  }

  private pushHeader(byte: number): ParseError | undefined {
    switch (this.state) {
      case "line":
        if (byte === cr) return this.to("end-lf")
        if (byte === lf) return error("HPE_INVALID_HEADER_TOKEN", "Invalid header field char")
        if (byte === space && this.isFirstLine) {
          return error("HPE_UNEXPECTED_SPACE", "Unexpected space after start line")
        }
        if (!tokenBytes.has(byte)) return error("HPE_INVALID_HEADER_TOKEN", "Invalid header token")
        this.isFirstLine = false
        this.name = ""
        this.value = ""
        this.state = "name"
        return this.push(byte)
      case "name":
        if (byte === colon) return this.endName()
        if (!tokenBytes.has(byte)) {
          const isKnown = byte === space && known.has(this.name.toLowerCase())
          return error("HPE_INVALID_HEADER_TOKEN", isKnown ? "Invalid header field char" : "Invalid header token")
        }
        this.name += String.fromCharCode(byte)
        this.headerBytes++
        return undefined
      case "value-start":
        if (byte === space || byte === tab) return undefined
        if (byte === cr) return this.to("empty-lf")
        if (byte === lf) return error("HPE_INVALID_HEADER_TOKEN", "Invalid header value char")
        return this.startValue(byte)
      case "empty-lf":
        return byte === lf ? this.to("empty-fold") : error("HPE_STRICT", "Expected LF after CR")
      case "length":
        return this.pushLength(byte)
      case "length-end":
        if (byte === cr) return this.to("value-lf")
        if (byte === lf) return error("HPE_CR_EXPECTED", "Missing expected CR after header value")
        return byte === space || byte === tab
          ? this.pushValue(byte)
          : error("HPE_INVALID_CONTENT_LENGTH", "Invalid character in Content-Length")
      case "value":
        if (byte === cr) return this.to("value-lf")
        if (byte === lf) return error("HPE_CR_EXPECTED", "Missing expected CR after header value")
        return isValueByte(byte)
          ? this.pushValue(byte)
          : error("HPE_INVALID_HEADER_TOKEN", "Invalid header value char")
      case "value-lf":
        return byte === lf ? this.to("fold") : error("HPE_LF_EXPECTED", "Missing expected LF after header value")
      case "fold":
      case "empty-fold":
        if (byte === space || byte === tab) {
          return error(
            "HPE_INVALID_HEADER_TOKEN",
            this.state === "fold" ? "Unexpected whitespace after header value" : "Invalid header value char"
          )
        }
        if (this.state === "empty-fold") {
          if (this.isLength) return error("HPE_INVALID_CONTENT_LENGTH", "Empty Content-Length")
          if (this.isTransferEncoding) return error("HPE_INVALID_TRANSFER_ENCODING", "Empty Transfer-Encoding")
        }
        this.headers.push([this.name, this.value.replace(/[\t ]+$/, "")])
        this.state = "line"
        return this.push(byte)
      default:
        return undefined
    }
  }

  private to(state: State): undefined {
    this.state = state
    return undefined
  }

  private get isLength(): boolean {
    return this.name.toLowerCase() === "content-length"
  }

  private get isTransferEncoding(): boolean {
    return this.name.toLowerCase() === "transfer-encoding"
  }

  private endName(): ParseError | undefined {
    this.state = "value-start"
    if (this.isLength && this.hasTransferEncoding) {
      return error("HPE_INVALID_CONTENT_LENGTH", "Content-Length can't be present with Transfer-Encoding")
    }
    if (!this.isTransferEncoding) return undefined
    if (this.length !== undefined) {
      return error("HPE_INVALID_TRANSFER_ENCODING", "Transfer-Encoding can't be present with Content-Length")
    }
    this.hasTransferEncoding = true
    return undefined
  }

  private startValue(byte: number): ParseError | undefined {
    if (!this.isLength) {
      this.state = "value"
      return this.push(byte)
    }
    if (this.length !== undefined) return error("HPE_UNEXPECTED_CONTENT_LENGTH", "Duplicate Content-Length")
    this.length = 0n
    this.undiciLength = 0
    this.state = "length"
    return this.push(byte)
  }

  private pushLength(byte: number): ParseError | undefined {
    if (byte === cr) return this.to("value-lf")
    if (byte === lf) return error("HPE_CR_EXPECTED", "Missing expected CR after header value")
    if (byte === space || byte === tab) {
      this.state = "length-end"
      return this.pushValue(byte)
    }
    if (!isDigit(byte)) return error("HPE_INVALID_CONTENT_LENGTH", "Invalid character in Content-Length")
    const length = (this.length ?? 0n) * 10n + BigInt(byte - 48)
    if (length > lengthMax) return error("HPE_INVALID_CONTENT_LENGTH", "Content-Length overflow")
    this.length = length
    return this.pushValue(byte)
  }

  private pushValue(byte: number): undefined {
    this.value += String.fromCharCode(byte)
    this.headerBytes++
    if (this.undiciLength !== undefined && this.isLength) this.undiciLength = this.undiciLength * 10 + byte - 48
    return undefined
  }
}

const tokensOf = (headers: HeadParser["headers"], wanted: string): ReadonlySet<string> =>
  new Set(
    headers.flatMap(([name, value]) =>
      name.toLowerCase() === wanted
        ? value.split(String.fromCharCode(comma)).map((token) => token.trim().toLowerCase())
        : []
    )
  )

/** Where the body of an answer ends: at once, after so many bytes, with its last chunk, or with the connection. */
export type Framing = "none" | "length" | "chunked" | "until-close"

/** What a head says about what follows it. */
export interface Meaning {
  readonly framing: Framing
  /** Whether the connection may be used again after the answer. */
  readonly keepsAlive: boolean
  /** Whether the connection goes on as something else. */
  readonly isUpgrade: boolean
}

/** Tells what follows a head; `isHead` says that it answers a `HEAD` request. */
export const meaningOf = (head: HeadParser, isHead: boolean): Meaning => {
  const connection = new Set([
    ...tokensOf(head.headers, "connection"),
    ...tokensOf(head.headers, "proxy-connection")
  ])
  const encoding = head.headers.findLast(([name]) => name.toLowerCase() === "transfer-encoding")?.[1]
  const isInformational = head.status >= 100 && head.status < 200
  const framing = isHead || isInformational || head.status === 204 || head.status === 304
    ? "none"
    : encoding !== undefined
    ? /(?:^|,)[\t ]*chunked$/i.test(encoding) ? "chunked" : "until-close"
    : head.length === undefined
    ? "until-close"
    : head.length === 0n
    ? "none"
    : "length"
  return {
    framing,
    keepsAlive: framing !== "until-close" && (head.version === "1.1"
      ? !connection.has("close")
      : head.version === "1.0" && connection.has("keep-alive")),
    isUpgrade: head.status === 101 && connection.has("upgrade") &&
      head.headers.some(([name]) => name.toLowerCase() === "upgrade")
  }
}
