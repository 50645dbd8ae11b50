/** One connection of a client: its state, what the journal says of it, and how it is ended. */
import { Bytes, type Duration, Effect } from "effect"
import * as Net from "node:net"
import { transactionIdOf } from "../../../play/internal/transactionIdOf.ts"
import type { Session } from "../../../play/Session.ts"
import type { Leg } from "../../../step/Leg.ts"
import type { Step } from "../../../step/Verdict.ts"
import type { Upstream } from "../WireProxy.ts"
import { certificateContext } from "./certificateContext.ts"
import { type Ending, Link } from "./Link.ts"
import { type Head, MessageReader } from "./MessageReader.ts"

/** What all connections of a proxy share. */
export interface Settings {
  readonly leg: Leg
  readonly isSecure: boolean
  readonly session: Session["Service"]
  readonly upstream: Upstream
  readonly maxHeadBytes: number
  readonly maxRequestBytes: number
  readonly maxAnswerBytes: number
  readonly connectTimeout: Duration.Input
  readonly idleTimeout: Duration.Input
  readonly lingerTimeout: Duration.Input
}

export interface Conversation {
  readonly settings: Settings
  readonly link: Link
  readonly connection: number
  /** The connection to the real server, once there is one. */
  upstream: Link | undefined
  /** The number of the newest request. */
  exchange: number
  /** Whether the journal still has to say what was sent to it. */
  isExchangeOpen: boolean
  /** What had been sent before it. */
  sentBefore: number
  isClosedWritten: boolean
}

/** How much may wait to be sent until no more is read from the other side. */
export const highWater = 64 * 1024

const where = ({ connection, settings }: Conversation) => ({ leg: settings.leg, connection })

const here = (c: Conversation) => ({ ...where(c), exchange: c.exchange })

export const noteConnected = (c: Conversation): Effect.Effect<void> =>
  c.settings.session.write({ event: "connected", ...where(c) })

export const noteAsked = (c: Conversation): Effect.Effect<void> =>
  Effect.suspend(() => c.settings.session.write({ event: "asked", ...here(c) }))

export const noteAnswered = (c: Conversation, status: number): Effect.Effect<void> =>
  Effect.suspend(() => c.settings.session.write({ event: "answered", ...here(c), status }))

/** Shakes hands with this certificate; succeeds with whether the client went along, in time. */
export const shakeHands = (c: Conversation, step: Extract<Step, { step: "secure" }>): Effect.Effect<boolean> =>
  Effect.andThen(
    c.settings.session.write({ event: "secured", ...where(c), certificate: step.certificate }),
    Effect.timeoutOrElse(c.link.secure(certificateContext(step)), {
      duration: c.settings.idleTimeout,
      orElse: () => Effect.succeed(false)
    })
  )

/** Begins the next exchange. */
export const nextExchange = (c: Conversation): Effect.Effect<void> =>
  Effect.andThen(
    noteSent(c),
    Effect.sync(() => {
      c.exchange++
      c.isExchangeOpen = true
      c.sentBefore = c.link.sent
    })
  )

/** Writes how much was sent, with so many bytes that are about to be; once for each exchange. */
export const noteSent = (c: Conversation, more = 0): Effect.Effect<void> =>
  Effect.suspend(() => {
    const bytes = c.link.sent - c.sentBefore + more
    if (!c.isExchangeOpen && bytes <= 0) return Effect.void
    const what = c.isExchangeOpen ? here(c) : where(c)
    c.isExchangeOpen = false
    c.sentBefore = c.link.sent + more
    return c.settings.session.write({ event: "sent", ...what, bytes })
  })

const noteClosed = (c: Conversation, by: "server" | "client", how: Ending | "gone"): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (c.isClosedWritten) return Effect.void
    c.isClosedWritten = true
    return c.settings.session.write({ event: "closed", ...where(c), by, how })
  })

/** Writes how the connection ended: by whoever ended it first, or by nobody but us who let go of it. */
export const noteOver = (c: Conversation): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { ending, first, ours } = c.link
    return first === "theirs"
      ? noteClosed(c, "client", ending ?? "gone")
      : noteClosed(c, "server", ours ?? "gone")
  })

/**
 * Closes or resets the connection; the journal has it before the client can.
 *
 * A reset overtakes what still waits to be sent, so it waits for that, and no longer than the linger timeout.
 */
export const end = (c: Conversation, how: Ending): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { link } = c
    if (how === "rst") {
      yield* Effect.raceFirst(link.drained(0), Effect.sleep(c.settings.lingerTimeout))
    }
    yield* noteSent(c)
    yield* link.first === "theirs" ? noteOver(c) : noteClosed(c, "server", how)
    if (how === "rst") link.rst()
    else link.fin()
  })

/** Resets a connection as a process that dies does: at once. */
export const crash = (c: Conversation): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* noteSent(c)
    yield* c.link.first === "theirs" ? noteOver(c) : noteClosed(c, "server", "rst")
    c.link.rst()
  })

/** A request, or as much of it as has to be read before something is decided. */
export interface Request {
  readonly head: Head
  /** Every byte of it so far, as it came. */
  readonly bytes: Uint8Array
  readonly reader: MessageReader
}

export const isWhole = (request: Request): boolean => request.reader.state === "done"

export const pathOf = (head: Head): string => {
  const withoutOrigin = head.target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, "")
  return withoutOrigin.split(/[?#]/, 1)[0] || "/"
}

export const transactionId = ({ reader }: Request): string | undefined =>
  reader.body.length === 0 ? undefined : transactionIdOf(Bytes.concat(reader.body))

type Read =
  | { readonly _tag: "Request"; readonly request: Request }
  /** Not HTTP, or cut short; all that was read. */
  | { readonly _tag: "Unreadable"; readonly bytes: Uint8Array }
  | { readonly _tag: "Over" }

const isExpecting = (head: Head): boolean => /^100-continue$/i.test(head.header("expect") ?? "")

/**
 * Reads the next request: all of it, or its start if it is longer than what is kept, or if its client waits for
 * `100 Continue` before it sends the rest.
 */
export const readRequest = (c: Conversation): Effect.Effect<Read> =>
  Effect.gen(function*() {
    const { link, settings } = c
    const chunks: Array<Uint8Array> = []
    let length = 0
    const reader = new MessageReader("request", {
      maxHeadBytes: settings.maxHeadBytes,
      maxBodyBytes: settings.maxRequestBytes
    })
    for (;;) {
      const chunk = link.take()
      if (chunk === undefined) {
        if (link.ending === undefined && !link.closed) {
          const isThere = yield* Effect.raceFirst(
            Effect.as(link.until(() => link.size > 0 || link.ending !== undefined), true),
            Effect.as(Effect.sleep(settings.idleTimeout), false)
          )
          if (isThere) continue
          yield* end(c, "fin")
          return { _tag: "Over" }
        }
        return length === 0 ? { _tag: "Over" } : { _tag: "Unreadable", bytes: Bytes.concat(chunks) }
      }
      const used = reader.feed(chunk)
      chunks.push(chunk.subarray(0, used))
      length += used
      link.giveBack(chunk.subarray(used))
      const { head, state } = reader
      if (state === "unreadable") return { _tag: "Unreadable", bytes: Bytes.concat(chunks) }
      if (head !== undefined && (state === "done" || isExpecting(head) || length >= settings.maxRequestBytes)) {
        return { _tag: "Request", request: { head, bytes: Bytes.concat(chunks), reader } }
      }
    }
  })

/** Passes on what is still to come of a request. */
export const passRest = (c: Conversation, { reader }: Request, upstream: Link): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { link } = c
    while (reader.state === "body" && !upstream.closed) {
      const chunk = link.take()
      if (chunk === undefined) {
        if (link.ending !== undefined) return
        yield* link.until(() => link.size > 0 || link.ending !== undefined)
        continue
      }
      const used = reader.feed(chunk)
      link.giveBack(chunk.subarray(used))
      upstream.write(chunk.subarray(0, used))
      yield* upstream.drained(highWater)
    }
  })

const isUsable = (link: Link): boolean => !link.closed && link.ending === undefined && link.ours === undefined

/** Closes the connection to the real server, so that the next request is not written to it. */
export const letGo = (c: Conversation, upstream: Link): void => {
  upstream.destroy()
  c.upstream = undefined
}

/** The client gets a reset, which tells nobody that it is the real server that is not there. */
const warn = ({ settings }: Conversation, why: string): Effect.Effect<void> =>
  Effect.logWarning(`The real server at ${settings.upstream.host}:${settings.upstream.port} cannot be reached: ${why}`)

/** The connection to the real server: the one that is there, or a new one; `undefined` if there can be none. */
export const reachUpstream = (c: Conversation): Effect.Effect<Link | undefined> =>
  Effect.suspend(() => {
    const known = c.upstream
    if (known !== undefined && isUsable(known)) return Effect.succeed(known)
    known?.destroy()
    const { ca, host, isSecure, port } = c.settings.upstream
    const socket = Net.connect({ host, port, allowHalfOpen: true, noDelay: true })
    const link = new Link(socket, highWater)
    c.upstream = link
    const secure = link.secureAsClient({
      host,
      ...Net.isIP(host) === 0 ? { servername: host } : {},
      ...ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }
    })
    return Effect.flatMap(
      link.established,
      (isThere) => isThere && isSecure === true ? secure : Effect.succeed(isThere)
    )
      .pipe(
        Effect.tap((isThere) => isThere ? Effect.void : warn(c, link.code ?? "the connection was closed early")),
        Effect.timeoutOrElse({
          duration: c.settings.connectTimeout,
          orElse: () => Effect.as(warn(c, "connecting took too long"), false)
        }),
        // A client that resets meanwhile waits for nothing.
        Effect.raceFirst(Effect.as(c.link.until(() => false), false)),
        Effect.map((isThere) => {
          if (isThere) return link
          letGo(c, link)
          return undefined
        })
      )
  })
