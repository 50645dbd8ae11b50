/** Reads a client's request, as much of it as has to be known before something is decided. */
import { Bytes, Effect } from "effect"
import type { Connection } from "../Connection.ts"
import { type Head, MessageReader } from "../MessageReader.ts"
import type { ReadRequest } from "../Session.ts"
import { transactionIdOf } from "../transactionIdOf.ts"
import { end, highWater, type PlayedConnection } from "./PlayedConnection.ts"

/** A request, or as much of it as has to be read before something is decided. */
export interface Request {
  readonly head: Head
  /** Every byte of it so far, as it came. */
  readonly bytes: Uint8Array
  readonly reader: MessageReader
}

type Read =
  | { readonly _tag: "Request"; readonly request: Request }
  /** Not HTTP, or cut short; all that was read. */
  | { readonly _tag: "Unreadable"; readonly bytes: Uint8Array }
  | { readonly _tag: "Over" }

export const isWhole = (request: Request): boolean => request.reader.state === "done"

const pathOf = ({ target }: Head): string => {
  const withoutOrigin = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, "")
  return withoutOrigin.split(/[?#]/, 1)[0] || "/"
}

/** The request as the plans see it. */
export const toReadRequest = (c: PlayedConnection, { head, reader }: Request): ReadRequest => ({
  leg: c.settings.leg,
  connection: c.connection,
  tls: c.settings.tls,
  exchange: c.exchange,
  method: head.method,
  path: pathOf(head),
  transactionId: reader.body.length === 0 ? undefined : transactionIdOf(Bytes.concat(reader.body))
})

const isExpecting = (head: Head): boolean => /^100-continue$/i.test(head.header("expect") ?? "")

/** Waits for bytes of the client; `false` if none came for as long as it may be idle. */
const awaitBytes = ({ client, settings }: PlayedConnection): Effect.Effect<boolean> =>
  Effect.timeoutOrElse(Effect.as(client.readable, true), {
    duration: settings.idleTimeout,
    orElse: () => Effect.succeed(false)
  })

/**
 * Reads the next request: all of it, or its start if it is longer than what is kept, or if its client waits for
 * `100 Continue` before it sends the rest.
 */
export const readRequest = (c: PlayedConnection): Effect.Effect<Read> =>
  Effect.gen(function*() {
    const { client, settings } = c
    const chunks: Array<Uint8Array> = []
    let length = 0
    const reader = new MessageReader("request", {
      maxHeadBytes: settings.maxHeadBytes,
      maxBodyBytes: settings.maxRequestBytes
    })
    for (;;) {
      const chunk = client.take()
      if (chunk === undefined) {
        if (client.theirs === undefined && !client.closed) {
          if (yield* awaitBytes(c)) continue
          yield* end(c, "fin")
          return { _tag: "Over" }
        }
        return length === 0 ? { _tag: "Over" } : { _tag: "Unreadable", bytes: Bytes.concat(chunks) }
      }
      const used = reader.feed(chunk)
      chunks.push(chunk.subarray(0, used))
      length += used
      client.giveBack(chunk.subarray(used))
      const { head, state } = reader
      if (state === "unreadable") return { _tag: "Unreadable", bytes: Bytes.concat(chunks) }
      if (head !== undefined && (state === "done" || isExpecting(head) || length >= settings.maxRequestBytes)) {
        return { _tag: "Request", request: { head, bytes: Bytes.concat(chunks), reader } }
      }
    }
  })

const hostLine = /^(host[\t ]*:)[^\r\n]*/im

/** The bytes of a request as the real server gets them: as they came, but for the name of a server that has several. */
export const bytesForServer = ({ settings }: PlayedConnection, { bytes, reader }: Request): Uint8Array => {
  const { authority } = settings
  if (authority === undefined) return bytes
  const head = Buffer.from(bytes.subarray(0, reader.headLength)).toString("latin1")
  return Bytes.concat([
    Buffer.from(head.replace(hostLine, `$1 ${authority}`), "latin1"),
    bytes.subarray(reader.headLength)
  ])
}

/** Passes on the rest of a request. */
export const passRemainder = (
  c: PlayedConnection,
  { reader }: Request,
  server: Connection
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { client } = c
    while (reader.state === "body" && !server.closed) {
      const chunk = client.take()
      if (chunk === undefined) {
        if (client.theirs !== undefined) return
        yield* client.readable
        continue
      }
      const used = reader.feed(chunk)
      client.giveBack(chunk.subarray(used))
      server.write(chunk.subarray(0, used))
      yield* server.drained(highWater)
    }
  })
