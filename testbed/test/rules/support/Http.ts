/** HTTP/1.1 as bytes: what the tests write to a socket, and how they read what comes back. */

/** Headers as they stand on the wire: in order, names unchanged, duplicates kept. */
export type RawHeaders = ReadonlyArray<readonly [name: string, value: string]>

/** A request to write to a socket. */
export interface RequestOptions {
  readonly method?: string
  readonly target: string
  readonly headers?: RawHeaders
  readonly body?: string | Uint8Array
}

const has = (headers: RawHeaders, name: string): boolean => headers.some(([key]) => key.toLowerCase() === name)

/** The bytes of a request: `Host` and `Content-Length` are added where the headers do not name them. */
export const request = (options: RequestOptions): Buffer => {
  const headers = options.headers ?? []
  const body = Buffer.from(options.body ?? "")
  const framed = has(headers, "content-length") || has(headers, "transfer-encoding")
  const lines = [
    `${options.method ?? "POST"} ${options.target} HTTP/1.1`,
    ...(has(headers, "host") ? [] : ["Host: homeserver.test"]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(framed || (options.body === undefined && options.method === "GET") ? [] : [`Content-Length: ${body.length}`])
  ]
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body])
}

/** The bytes of a response with a `Content-Length`. */
export const response = (status: number, body: string | Uint8Array = "{}", headers: RawHeaders = []): Buffer => {
  const bytes = Buffer.from(body)
  const lines = [
    `HTTP/1.1 ${status} Status`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(status === 204 || status === 304 ? [] : [`Content-Length: ${bytes.length}`])
  ]
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), bytes])
}

/** The bytes of a chunked body. */
export const chunked = (...chunks: ReadonlyArray<string>): string =>
  [...chunks, ""].map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`).join("")

/** A message taken apart; `complete` tells whether all of it has arrived. */
export interface Message {
  /** The request line or the status line. */
  readonly startLine: string
  readonly headers: RawHeaders
  /** The value of a header, by its name in small letters; of duplicates, all of them. */
  readonly header: (name: string) => string | undefined
  readonly body: Buffer
  readonly complete: boolean
  /** What follows the message on the same connection. */
  readonly rest: Buffer
}

const parseChunked = (bytes: Buffer): { readonly body: Buffer; readonly complete: boolean; readonly rest: Buffer } => {
  const chunks: Array<Buffer> = []
  let offset = 0
  for (;;) {
    const end = bytes.indexOf("\r\n", offset)
    if (end === -1) return { body: Buffer.concat(chunks), complete: false, rest: Buffer.alloc(0) }
    const size = Number.parseInt(bytes.toString("latin1", offset, end), 16)
    const next = end + 2 + size + 2
    if (bytes.length < next) return { body: Buffer.concat(chunks), complete: false, rest: Buffer.alloc(0) }
    if (size === 0) return { body: Buffer.concat(chunks), complete: true, rest: bytes.subarray(next) }
    chunks.push(bytes.subarray(end + 2, end + 2 + size))
    offset = next
  }
}

/**
 * Takes the first message of some bytes apart; `undefined` until its head is there. A message without framing is one
 * without a body, as requests and the tests' own answers are.
 */
export const parse = (bytes: Buffer): Message | undefined => {
  const end = bytes.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const [startLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n")
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const header = (name: string): string | undefined => {
    const values = headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
    return values.length === 0 ? undefined : values.join(", ")
  }
  const message = { startLine, headers, header }
  const after = bytes.subarray(end + 4)
  if (header("transfer-encoding") !== undefined) return { ...message, ...parseChunked(after) }
  const length = Number(header("content-length") ?? 0)
  return {
    ...message,
    body: after.subarray(0, length),
    complete: after.length >= length,
    rest: after.subarray(length)
  }
}
