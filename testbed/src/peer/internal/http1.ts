/** Reading an answer of HTTP/1 as bytes arrive; what clients read differently is in a dialect. */
import { Bytes, Result } from "effect"
import type { ChunkState, Framing } from "../PeerOutcome.ts"

/** How one client reads the head of an answer; a problem is in its own words. */
export interface Dialect {
  /** The longest line, in bytes. */
  readonly maxLineBytes: number
  /** The longest head, informational answers included, in bytes. */
  readonly maxHeadBytes: number
  /** Looks at the start of a status line that is still coming. */
  readonly start: (text: string) => string | undefined
  readonly statusLine: (line: string) => Result.Result<StatusLine, string>
  readonly header: (line: string) => Result.Result<readonly [name: string, value: string], string>
  /** The length that the values of `Content-Length` give. */
  readonly length: (values: ReadonlyArray<string>) => Result.Result<number, string>
  /** Whether it takes this informational status for the answer. */
  readonly isFinal: (status: number) => boolean
  /** Whether a body without a length may end with the connection. */
  readonly acceptsUntilClose: boolean
}

export interface StatusLine {
  readonly status: number
  readonly reason: string
}

export interface Head extends StatusLine {
  readonly headers: { readonly [name: string]: string | undefined }
  readonly framing: Framing
  /** The length of the body, if its framing is `length`. */
  readonly length: number
  /** What came after the head. */
  readonly rest: Uint8Array
}

export type HeadResult =
  | { readonly _tag: "Head"; readonly head: Head }
  | { readonly _tag: "Incomplete" }
  | { readonly _tag: "TooLong" }
  | { readonly _tag: "Problem"; readonly problem: string }

const incomplete: HeadResult = { _tag: "Incomplete" }
const tooLong: HeadResult = { _tag: "TooLong" }
const problem = (problem: string): HeadResult => ({ _tag: "Problem", problem })

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")

const bodiless: ReadonlySet<number> = new Set([101, 204, 304])

interface Lines {
  readonly status: StatusLine
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  /** Where the head ends. */
  readonly end: number
}

/** Reads one head, from a place of the text on. */
const linesOf = (text: string, from: number, dialect: Dialect): Result.Result<Lines, HeadResult> => {
  let status: StatusLine | undefined
  const headers: Array<readonly [string, string]> = []
  for (let at = from;;) {
    const newline = text.indexOf("\n", at)
    if (newline === -1) {
      if (text.length - at > dialect.maxLineBytes) return Result.fail(tooLong)
      const bad = status === undefined ? dialect.start(text.slice(at)) : undefined
      return Result.fail(bad === undefined ? incomplete : problem(bad))
    }
    if (newline - at > dialect.maxLineBytes) return Result.fail(tooLong)
    const line = text.slice(at, newline).replace(/\r$/, "")
    at = newline + 1
    if (status === undefined) {
      const read = dialect.statusLine(line)
      if (Result.isFailure(read)) return Result.fail(problem(read.failure))
      status = read.success
    } else if (line === "") {
      return Result.succeed({ status, headers, end: at })
    } else {
      const read = dialect.header(line)
      if (Result.isFailure(read)) return Result.fail(problem(read.failure))
      headers.push(read.success)
    }
  }
}

/** Reads the head of the answer that starts these bytes; informational ones before it are passed over. */
export const readHead = (bytes: Uint8Array, dialect: Dialect): HeadResult => {
  const text = latin1(bytes.subarray(0, dialect.maxHeadBytes + 1))
  for (let from = 0;;) {
    const read = linesOf(text, from, dialect)
    if (Result.isFailure(read)) {
      return read.failure._tag === "Incomplete" && text.length > dialect.maxHeadBytes ? tooLong : read.failure
    }
    const { end, headers: list, status } = read.success
    from = end
    if (status.status >= 100 && status.status < 200 && !dialect.isFinal(status.status)) continue
    const headers: { [name: string]: string } = {}
    for (const [name, value] of list) headers[name.toLowerCase()] ??= value
    const rest = bytes.subarray(end)
    if (bodiless.has(status.status)) {
      return { _tag: "Head", head: { ...status, headers, framing: "none", length: 0, rest } }
    }
    if (headers["transfer-encoding"]?.toLowerCase().includes("chunked") === true) {
      return { _tag: "Head", head: { ...status, headers, framing: "chunked", length: 0, rest } }
    }
    const lengths = list.flatMap(([name, value]) => name.toLowerCase() === "content-length" ? [value] : [])
    if (lengths.length === 0) {
      return { _tag: "Head", head: { ...status, headers, framing: "until_close", length: 0, rest } }
    }
    const length = dialect.length(lengths)
    return Result.isFailure(length)
      ? problem(length.failure)
      : { _tag: "Head", head: { ...status, headers, framing: "length", length: length.success, rest } }
  }
}

/** Collects a body, at most so much of it. */
export interface BodyReader {
  /** Takes bytes, and says whether the body is over. */
  readonly push: (bytes: Uint8Array) => "more" | "over" | "malformed"
  readonly chunk: () => ChunkState
  /** Whether nothing came after the body. */
  readonly isExact: () => boolean
  readonly body: () => Uint8Array
}

const chunkSize = /^[\da-f]+\s*(?:;.*)?$/i

/** The decoder of chunks; it keeps what it cannot use yet. */
const chunks = (keep: (bytes: Uint8Array) => void) => {
  let state: ChunkState = "size"
  let left = 0
  let held: Uint8Array = new Uint8Array()
  const line = (): string | undefined => {
    const newline = held.indexOf(10)
    if (newline === -1) return undefined
    const text = latin1(held.subarray(0, newline)).replace(/\r$/, "")
    held = held.subarray(newline + 1)
    return text
  }
  const push = (bytes: Uint8Array): "more" | "over" | "malformed" => {
    held = held.length === 0 ? bytes : Bytes.concat([held, bytes])
    for (;;) {
      switch (state) {
        case "data": {
          if (held.length === 0) return "more"
          const taken = held.subarray(0, left)
          keep(taken)
          left -= taken.length
          held = held.subarray(taken.length)
          if (left === 0) state = "data_end"
          break
        }
        case "finished":
          return "over"
        default: {
          const text = line()
          if (text === undefined) return "more"
          if (state === "size") {
            if (!chunkSize.test(text)) return "malformed"
            left = Number.parseInt(text, 16)
            state = left === 0 ? "trailer" : "data"
          } else if (state === "data_end") state = "size"
          else if (text === "") state = "finished"
        }
      }
    }
  }
  return { push, state: () => state, isExact: () => held.length === 0 }
}

/** Reads the body of an answer, and keeps at most `maxBytes` of it. */
export const bodyReader = ({ framing, length }: Pick<Head, "framing" | "length">, maxBytes: number): BodyReader => {
  const kept: Array<Uint8Array> = []
  let seen = 0
  let excess = 0
  const keep = (bytes: Uint8Array): void => {
    kept.push(bytes.subarray(0, Math.max(0, maxBytes - seen)))
    seen += bytes.length
  }
  const decoder = chunks(keep)
  const isFull = (): boolean => seen >= maxBytes
  return {
    push: (bytes) => {
      if (framing === "chunked") {
        const pushed = decoder.push(bytes)
        return pushed === "more" && isFull() ? "over" : pushed
      }
      if (framing === "none" || framing === "length") excess += Math.max(0, seen + bytes.length - length)
      if (framing === "none") return "over"
      keep(framing === "length" ? bytes.subarray(0, Math.max(0, length - seen)) : bytes)
      return isFull() || (framing === "length" && seen >= length) ? "over" : "more"
    },
    chunk: decoder.state,
    isExact: () => framing === "chunked" ? decoder.isExact() : framing !== "until_close" && excess === 0,
    body: () => Bytes.concat(kept)
  }
}
