/** What the parser of `node:http` makes of some bytes: the requests that every server has to answer alike. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { duplexPair } from "node:stream"
import type { Input } from "./Corpus.ts"

/** A request, read in full. */
export interface ParsedRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly version: string
}

/** The requests of a connection, and whether the parser refused what follows them. */
export interface Parsed {
  readonly requests: ReadonlyArray<ParsedRequest>
  readonly isRefused: boolean
}

const headersOf = (message: IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(message.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]]
    )
  )

/** A reader of requests, with the options of the servers that are compared. */
export const make = (maxHeaderBytes: number): (input: Input) => Promise<Parsed> => {
  const taken = new WeakMap<object, { readonly requests: Array<ParsedRequest>; isRefused: boolean }>()
  const server = createServer({ maxHeaderSize: maxHeaderBytes, joinDuplicateHeaders: true, requireHostHeader: false })
  Object.assign(server, { httpAllowHalfOpen: true })
  const onRequest = (message: IncomingMessage, response: ServerResponse): void => {
    const chunks: Array<Uint8Array> = []
    message.on("error", () => {})
    message.on("data", (chunk: Uint8Array) => chunks.push(chunk))
    message.on("end", () => {
      taken.get(message.socket)?.requests.push({
        method: message.method ?? "",
        target: message.url ?? "",
        headers: headersOf(message),
        body: Buffer.concat(chunks),
        version: message.httpVersion
      })
      response.end()
    })
  }
  server.on("request", onRequest)
  server.on("checkContinue", onRequest)
  server.on("checkExpectation", onRequest)
  const refuse = (socket: object): void => {
    const found = taken.get(socket)
    if (found !== undefined) found.isRefused = true
  }
  server.on("connect", (_, socket) => {
    refuse(socket)
    socket.destroy()
  })
  server.on("clientError", (_, socket) => {
    refuse(socket)
    // The requests before it are still to be read.
    setImmediate(() => socket.destroy())
  })
  return ({ bytes }) =>
    new Promise((resolve) => {
      const [near, far] = duplexPair()
      const found = { requests: new Array<ParsedRequest>(), isRefused: false }
      taken.set(far, found)
      near.resume()
      near.on("error", () => {})
      far.on("error", () => {})
      const timer = setTimeout(() => far.destroy(), 1000)
      far.on("close", () => {
        clearTimeout(timer)
        resolve(found)
      })
      server.emit("connection", far)
      near.write(bytes)
      near.end()
    })
}
