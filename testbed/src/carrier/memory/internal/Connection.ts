/** One connection in memory: who is on it, what went over it, and what the journal says of it. */
import type { Handler, ServerRequest } from "@appservice-ping/server/Exchange"
import { Clock, Effect, Fiber } from "effect"
import type { Session } from "../../../play/Session.ts"
import type { Leg } from "../../../step/Leg.ts"
import type { Peer } from "../../client/ClientError.ts"
import type { Rendered } from "./answerBytes.ts"
import type { Exchange } from "./Exchange.ts"

/** A server, as its connections see it. */
export interface Route {
  readonly url: URL
  readonly handle: Handler
  readonly leg: Leg
  readonly session: Session["Service"] | undefined
  readonly tls: boolean
  readonly peer: Peer
  readonly halfCloseGraceMillis: number
  /** All open connections of the leg, whoever opened them. */
  readonly open: Set<Connection>
}

/** A request that came in as a whole. */
export interface Arrived {
  readonly request: ServerRequest
  readonly path: string
  readonly transactionId: string | undefined
  /** Whether it allows another one on its connection. */
  readonly keepsAlive: boolean
}

/** How far the TLS handshake got; a connection without TLS needs none. */
export type Handshake = "pending" | "done" | "refused"

/** What the server did to the connection that no client has seen yet. */
export interface Ending {
  readonly how: "fin" | "rst"
  readonly atNanos: bigint
}

export class Connection {
  readonly route: Route
  readonly number: number
  /** The number of the newest request. */
  exchange = 0
  isExchangeOpen = false
  sent = 0
  private sentBefore = 0
  /** Whether either side has closed it. */
  isClosed = false
  ending: Ending | undefined
  handshake: Handshake
  /** What the client found wrong in the handshake. */
  handshakeError: Error | undefined
  /** What the server wrote in place of a handshake. */
  plain: Uint8Array | undefined
  /** Whether the server has waited for anything, so that the connection is an old one for its client. */
  isOld = false
  /** The server's fiber, while it has something to do on the connection. */
  fiber: Fiber.Fiber<void> | undefined
  /** What has to be said when the client leaves; set by whoever plays a fault. */
  onGone: Effect.Effect<void> = Effect.void
  /** Whether bytes came that nobody had asked for. */
  isStray = false
  private client: Exchange | undefined
  private early: Array<Uint8Array> = []
  private readonly requests: Array<Arrived> = []
  private reader: (() => void) | undefined
  private handshakeWaiter: (() => void) | undefined

  constructor(route: Route, number: number) {
    this.route = route
    this.number = number
    this.handshake = route.tls ? "pending" : "done"
    route.open.add(this)
  }

  get where() {
    return { leg: this.route.leg, connection: this.number }
  }

  get here() {
    return { leg: this.route.leg, connection: this.number, exchange: this.exchange }
  }

  /** Begins the next exchange of the server. */
  begin(): void {
    this.exchange++
    this.isExchangeOpen = true
  }

  // What the server does.

  /** Sends bytes; the client sees them when it is woken. */
  send(bytes: Uint8Array): void {
    if (this.isClosed || bytes.length === 0) return
    this.sent += bytes.length
    if (this.handshake === "pending") this.plain ??= bytes
    else if (this.client !== undefined) this.client.feed(bytes)
    else if (this.exchange === 0) this.early.push(bytes)
    else this.isStray = true
  }

  /** Sends an answer to which nothing was done. */
  sendWhole(rendered: Rendered, bytes: number): void {
    if (this.isClosed) return
    this.sent += bytes
    this.client?.answer(rendered)
  }

  /** Lets the client go on, if what came is anything to it. */
  wake(): void {
    if (this.isHandshakeOver) {
      const { handshakeWaiter } = this
      this.handshakeWaiter = undefined
      handshakeWaiter?.()
    }
    this.client?.wake()
  }

  private get isHandshakeOver(): boolean {
    return this.handshake !== "pending" || this.isClosed || this.plain !== undefined
  }

  /** The server ends the connection; the client learns of it when it is woken. */
  endByServer(how: "fin" | "rst", by: "server" | "client" = "server"): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.isClosed) return Effect.void
      this.isClosed = true
      this.route.open.delete(this)
      return Effect.flatMap(Clock.monotonicTimeNanos, (atNanos) => {
        this.ending = { how, atNanos }
        this.client?.close(how)
        return this.write({ event: "closed", ...this.where, by, how })
      })
    })
  }

  /** The next request, when there is one. */
  nextRequest(): Effect.Effect<Arrived> {
    return Effect.suspend(() => {
      const next = this.requests.shift()
      if (next !== undefined) return Effect.succeed(next)
      return Effect.andThen(this.arrival, this.nextRequest())
    })
  }

  /** Waits until a request is there, and leaves it there. */
  get someRequest(): Effect.Effect<void> {
    return Effect.suspend(() => this.requests.length > 0 ? Effect.void : this.arrival)
  }

  takeRequest(): Arrived | undefined {
    return this.requests.shift()
  }

  private get arrival(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.wake()
      this.reader = () => resume(Effect.void)
      return Effect.sync(() => {
        this.reader = undefined
      })
    })
  }

  // What the client does.

  /** Waits until the handshake is over, well or not. */
  get awaitHandshake(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.isHandshakeOver ? Effect.void : Effect.callback((resume) => {
        this.handshakeWaiter = () => resume(Effect.void)
        return Effect.sync(() => {
          this.handshakeWaiter = undefined
        })
      })
    )
  }

  /** The client sends a request, and reads its answer with this exchange. Gives whether a server waits for it. */
  submit(arrived: Arrived, client: Exchange): boolean {
    this.client = client
    for (const bytes of this.early.splice(0)) client.feed(bytes)
    if (this.ending !== undefined) {
      client.close(this.ending.how)
      return true
    }
    this.requests.push(arrived)
    const { reader } = this
    this.reader = undefined
    reader?.()
    return reader !== undefined || this.fiber !== undefined
  }

  /** The client has read its answer, and keeps the connection. */
  release(): void {
    this.client = undefined
  }

  /** The client leaves; what the server was doing ends with that. */
  get leave(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.client = undefined
      if (this.isClosed) return Effect.void
      this.isClosed = true
      this.route.open.delete(this)
      const { fiber } = this
      const gone = Effect.suspend(() =>
        this.noteSent.pipe(
          Effect.andThen(this.onGone),
          Effect.andThen(this.write({ event: "closed", ...this.where, by: "client", how: "fin" }))
        )
      )
      return fiber === undefined ? gone : Effect.andThen(Fiber.interrupt(fiber), gone)
    })
  }

  // What the journal says.

  write(what: Parameters<Session["Service"]["write"]>[0]): Effect.Effect<void> {
    const { session } = this.route
    return session === undefined ? Effect.void : session.write(what)
  }

  /** Says which request is the one that is being served; a program that reads one itself has to. */
  noteRequest({ path, request, transactionId }: Arrived): Effect.Effect<void> {
    const { tls, session } = this.route
    return session === undefined
      ? Effect.void
      : session.note({ ...this.here, tls, method: request.method, path, transactionId })
  }

  /** Says how much was sent; once for each exchange, and for what was sent outside of one. */
  get noteSent(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const bytes = this.sent - this.sentBefore
      if (!this.isExchangeOpen && bytes === 0) return Effect.void
      const where = this.isExchangeOpen ? this.here : this.where
      this.isExchangeOpen = false
      this.sentBefore = this.sent
      return this.write({ event: "sent", ...where, bytes })
    })
  }
}
