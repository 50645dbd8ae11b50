/** Reads a chunked body byte by byte, as strict as llhttp is. */
import type { ParseError } from "./HeadParser.ts"

const error = (code: string, reason: string): ParseError => ({ code, reason })

const lf = 10
const cr = 13
const quote = 34
const semicolon = 59
const equals = 61
const backslash = 92

const hexOf = (byte: number): number =>
  byte >= 48 && byte <= 57
    ? byte - 48
    : byte >= 97 && byte <= 102
    ? byte - 87
    : byte >= 65 && byte <= 70
    ? byte - 55
    : -1

const token = /[\w!#$%&'*+.^`|~-]/

const isToken = (byte: number): boolean => token.test(String.fromCharCode(byte))

const isQuotable = (byte: number): boolean => byte === 9 || (byte >= 32 && byte !== 127)

const sizeMax = 2n ** 64n - 1n

type State =
  | "size-first"
  | "size"
  | "extension-start"
  | "extension"
  | "extension-value"
  | "extension-quoted"
  | "extension-escape"
  | "extension-end"
  | "size-lf"
  | "data-cr"
  | "data-lf"
  | "trailer-line"
  | "trailer-name"
  | "trailer-value"
  | "trailer-lf"
  | "end-lf"

/** What a byte did: nothing to be seen, the end of the body, or an error. */
export type Step = "more" | "end" | ParseError

export class ChunkParser {
  /** How many bytes of the chunk are still to come; they are the caller's to take. */
  left = 0n
  private state: State = "size-first"
  private size = 0n

  /** Takes the next byte that is not data. */
  push(byte: number): Step {
    switch (this.state) {
      case "size-first":
      case "size":
        return this.pushSize(byte)
      case "size-lf":
        if (byte !== lf) return error("HPE_STRICT", "Expected LF after chunk size")
        this.left = this.size
        this.state = this.size === 0n ? "trailer-line" : "data-cr"
        return "more"
      case "data-cr":
        if (byte === cr) return this.to("data-lf")
        return byte === lf
          ? error("HPE_CR_EXPECTED", "Missing expected CR after chunk data")
          : error("HPE_STRICT", "Expected LF after chunk data")
      case "data-lf":
        if (byte !== lf) return error("HPE_STRICT", "Expected LF after chunk data")
        this.size = 0n
        return this.to("size-first")
      case "end-lf":
        return byte === lf ? "end" : error("HPE_STRICT", "Expected LF after headers")
      case "extension-start":
      case "extension":
      case "extension-value":
      case "extension-quoted":
      case "extension-escape":
      case "extension-end":
        return this.pushExtension(byte)
      default:
        return this.pushTrailer(byte)
    }
  }

  private to(state: State): "more" {
    this.state = state
    return "more"
  }

  private pushSize(byte: number): Step {
    const digit = hexOf(byte)
    if (digit !== -1) {
      this.size = this.size * 16n + BigInt(digit)
      if (this.size > sizeMax) return error("HPE_INVALID_CHUNK_SIZE", "Chunk size overflow")
      return this.to("size")
    }
    if (this.state === "size") {
      if (byte === cr) return this.to("size-lf")
      if (byte === lf) return error("HPE_CR_EXPECTED", "Missing expected CR after chunk size")
      if (byte === semicolon) return this.to("extension-start")
    }
    return error("HPE_INVALID_CHUNK_SIZE", "Invalid character in chunk size")
  }

  private pushExtension(byte: number): Step {
    switch (this.state) {
      case "extension-start":
        if (byte === cr) return error("HPE_STRICT", "Invalid character in chunk extensions")
        this.state = "extension"
        return this.push(byte)
      case "extension":
        if (isToken(byte)) return "more"
        if (byte === equals) return this.to("extension-value")
        return this.endExtension(byte, "name", "Invalid character in chunk extensions name")
      case "extension-value":
        if (isToken(byte)) return "more"
        if (byte === quote) return this.to("extension-quoted")
        return this.endExtension(byte, "value", "Invalid character in chunk extensions value")
      case "extension-quoted":
        if (byte === quote) return this.to("extension-end")
        if (byte === backslash) return this.to("extension-escape")
        return isQuotable(byte)
          ? "more"
          : error("HPE_STRICT", "Invalid character in chunk extensions quoted value")
      case "extension-escape":
        return isQuotable(byte)
          ? this.to("extension-quoted")
          : error("HPE_STRICT", "Invalid quoted-pair in chunk extensions quoted value")
      default:
        return this.endExtension(byte, "value", "Invalid character in chunk extensions quote value")
    }
  }

  private endExtension(byte: number, part: string, reason: string): Step {
    if (byte === cr) return this.to("size-lf")
    if (byte === semicolon) return this.to("extension-start")
    return byte === lf
      ? error("HPE_CR_EXPECTED", `Missing expected CR after chunk extension ${part}`)
      : error("HPE_STRICT", reason)
  }

  private pushTrailer(byte: number): Step {
    switch (this.state) {
      case "trailer-line":
        if (byte === cr) return this.to("end-lf")
        if (byte === lf) return error("HPE_INVALID_HEADER_TOKEN", "Invalid header field char")
        return isToken(byte)
          ? this.to("trailer-name")
          : error("HPE_INVALID_HEADER_TOKEN", "Invalid header token")
      case "trailer-name":
        if (byte === 58) return this.to("trailer-value")
        return isToken(byte) ? "more" : error("HPE_INVALID_HEADER_TOKEN", "Invalid header token")
      case "trailer-value":
        if (byte === cr) return this.to("trailer-lf")
        if (byte === lf) return error("HPE_CR_EXPECTED", "Missing expected CR after header value")
        return isQuotable(byte) ? "more" : error("HPE_INVALID_HEADER_TOKEN", "Invalid header value char")
      default:
        return byte === lf
          ? this.to("trailer-line")
          : error("HPE_LF_EXPECTED", "Missing expected LF after header value")
    }
  }
}
