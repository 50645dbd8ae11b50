/**
 * One connection of a client: its requests are answered one after the other, in the order they came.
 *
 * The parser of `node:http` decides what a request is. What is decided here is when a connection ends: after an answer
 * that leaves the client in the middle of its body, because the rest could be taken for a request of its own.
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Handler } from "@appservice-ping/server/Exchange"
import { Effect, Exit, type Fiber } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { hasBody, headersOf, lastAnswer } from "../AnswerBytes.ts"
import * as Refusal from "./refusal.ts"
import * as RequestBody from "./requestBody.ts"

/** What all connections of a listener share. */
export interface Shared {
  /** A total handler. */
  readonly handle: Handler
  readonly run: <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>
  readonly maxPipelined: number
  readonly halfCloseGraceMillis: number
  readonly answerTimeoutMillis: number
  readonly lingerMillis: number
  readonly lingerBytes: number
  /** Headers of the answers that no handler gives. */
  readonly headers: Answer["headers"]
  /** The connections that nobody waits on, those first that have been so the longest: they make room for others. */
  readonly idle: Set<Connection>
  /** Whether the listener is closing, so that every answer is the last one on its connection. */
  closing: boolean
}

/** How a request came: `continue` waits for `100 Continue` before it sends its body. */
export type Kind = "plain" | "continue" | "unknownExpectation"

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The answer to a request that no handler gets to see. */
  readonly refusal: Answer | undefined
  awaitsContinue: boolean
  bodyTouched: boolean
  answered: boolean
  broken: boolean
  fiber: Fiber.Fiber<Answer> | undefined
}

/** The rest of a body that is read and thrown away, so that the connection can be used again. */
const skippedBytesMax = 64 * 1024

export class Connection {
  readonly socket: Socket
  private readonly shared: Shared
  private newest: Exchange | undefined
  private current: Exchange | undefined
  private waiting = 0
  /** No more requests are taken; those taken are still answered. */
  private full = false
  /** What to answer once all requests are answered. */
  private refusal: Effect.Effect<Answer> | undefined
  /** The last answer is given. */
  private ending = false
  private timer: NodeJS.Timeout | undefined

  constructor(socket: Socket, shared: Shared) {
    this.socket = socket
    this.shared = shared
    shared.idle.add(this)
    socket.on("end", () => this.onHalfClose())
    socket.once("close", () => this.onClose())
  }

  /** Takes a request from the parser. */
  onRequest(request: IncomingMessage, response: ServerResponse, kind: Kind): void {
    if (this.ending) return
    if (this.waiting >= this.shared.maxPipelined) return this.stopReading()
    const exchange: Exchange = {
      request,
      response,
      refusal: kind === "unknownExpectation" ? Refusal.unknownExpectation : Refusal.fromHead(request),
      awaitsContinue: kind === "continue",
      bodyTouched: false,
      answered: false,
      broken: false,
      fiber: undefined
    }
    this.newest = exchange
    if (response.socket !== null) return this.start(exchange)
    // The response gets its socket when the one before it is on its way, and that is its turn.
    this.waiting++
    response.once("socket", () => {
      this.waiting--
      this.start(exchange)
    })
  }

  /** Takes what the parser could not read. */
  onParserError(error: Error): void {
    if (this.ending || this.full) return
    if (!this.socket.writable) {
      this.socket.destroy()
      return
    }
    const newest = this.newest
    if (newest === undefined || newest.request.complete) {
      const line = Refusal.requestLineOf(error)
      return this.refuse(
        line === undefined ? Effect.succeed(this.own(Refusal.fromParserError(error, "head"))) : this.route(line)
      )
    }
    if (newest.answered) return this.end("")
    // A request whose body broke off is not worth an answer of its handler.
    newest.broken = true
    if (this.current === newest) this.current = undefined
    newest.fiber?.interruptUnsafe()
    this.refuse(Effect.succeed(this.own(Refusal.fromParserError(error, "body"))))
  }

  /** Takes a `CONNECT`: there is nothing to connect to. */
  onConnect(request: IncomingMessage): void {
    // The server has let go of the socket, so nobody else hears of its errors.
    this.socket.on("error", () => this.socket.destroy())
    if (this.ending || this.full) return
    this.refuse(this.route({ method: request.method ?? "", target: request.url ?? "" }))
  }

  /** Answers a connection for which there is no room, whatever it sends. */
  turnAway(): void {
    this.endWith(this.own(Refusal.noRoom), undefined)
    this.shared.idle.delete(this)
  }

  /** Closes an idle connection; a busy one ends with its running answer. */
  close(): void {
    if (this.current === undefined && this.waiting === 0) this.socket.destroySoon()
  }

  /** Closes the connection now, and gives the fiber that is interrupted by that. */
  destroy(): Fiber.Fiber<Answer> | undefined {
    const fiber = this.current?.fiber
    this.socket.destroy()
    return fiber
  }

  private start(exchange: Exchange): void {
    if (this.ending) return
    if (exchange.broken) return this.onAnswered()
    this.current = exchange
    this.shared.idle.delete(this)
    const { request, response } = exchange
    if (exchange.refusal !== undefined) return this.endWith(this.own(exchange.refusal), request.method)
    const fiber = this.shared.run(Effect.suspend(() =>
      this.shared.handle({
        method: request.method ?? "",
        target: request.url ?? "",
        header: (name) => {
          const value = request.headers[name]
          return Array.isArray(value) ? value.join(", ") : value
        },
        body: (maxBytes) =>
          RequestBody.read(request, maxBytes, () => {
            exchange.bodyTouched = true
            if (exchange.awaitsContinue) response.writeContinue()
            exchange.awaitsContinue = false
          })
      })
    ))
    exchange.fiber = fiber
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return this.onExit(exchange, exit)
    fiber.addObserver((exit) => this.onExit(exchange, exit))
  }

  private onExit(exchange: Exchange, exit: Exit.Exit<Answer>): void {
    if (this.current !== exchange || this.socket.destroyed) return
    exchange.answered = true
    if (Exit.isSuccess(exit)) return this.answer(exchange, exit.value)
    // A total handler ends in no other way than with an answer, unless it is interrupted.
    this.socket.destroy()
  }

  private answer(exchange: Exchange, answer: Answer): void {
    const { request, response } = exchange
    const isLast = this.shared.closing || answer.headers["connection"] === "close" || !canFollow(exchange) ||
      (this.full && this.refusal === undefined && this.waiting === 0)
    if (isLast) return this.endWith(answer, request.method)
    response.writeHead(answer.status, headersOf(answer))
    if (request.method === "HEAD" || !hasBody(answer.status)) response.end()
    else response.end(answer.body)
    if (this.socket.writableLength > 0) this.expectTaken(response)
    if (!response.shouldKeepAlive) this.ending = true
    this.onAnswered()
  }

  private onAnswered(): void {
    this.current = undefined
    if (!this.socket.destroyed) this.shared.idle.add(this)
    if (this.refusal === undefined || this.waiting > 0 || this.ending) return
    this.ending = true
    this.shared.run(this.refusal).addObserver((exit) => {
      if (this.socket.destroyed) return
      if (Exit.isSuccess(exit)) this.endWith(exit.value, undefined)
      else this.socket.destroy()
    })
  }

  private refuse(answer: Effect.Effect<Answer>): void {
    this.refusal = answer
    this.stopReading()
    if (this.current === undefined) this.onAnswered()
  }

  /** An answer for a request that the parser refused: its method and path are all that is known. */
  private route(line: Refusal.RequestLine): Effect.Effect<Answer> {
    return Effect.suspend(() =>
      this.shared.handle({ ...line, header: () => undefined, body: () => Effect.succeed(new Uint8Array()) })
    )
  }

  private own(answer: Answer): Answer {
    return { ...answer, headers: { ...answer.headers, ...this.shared.headers } }
  }

  private endWith(answer: Answer, method: string | undefined): void {
    this.end(lastAnswer(answer, method))
  }

  /**
   * Ends the connection with these bytes.
   *
   * A connection that is closed while its client still sends is reset, and the reset overtakes the answer. So only
   * this side is closed at first, and the client has a bounded time to take the answer and close the other one.
   */
  private end(bytes: string): void {
    this.ending = true
    if (!this.socket.destroyed) this.shared.idle.add(this)
    this.socket.end(bytes)
    this.stopReading()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.socket.destroy(), this.shared.lingerMillis)
  }

  /** Takes the socket from the parser, and throws away a bounded number of bytes. */
  private stopReading(): void {
    if (this.full) return
    this.full = true
    let left = this.shared.lingerBytes
    this.socket.removeAllListeners("data")
    this.socket.on("data", (chunk: Uint8Array) => {
      left -= chunk.length
      if (left < 0) this.socket.destroy()
    })
    this.socket.resume()
  }

  /** A client that does not take its answer holds the connection no longer than this. */
  private expectTaken(response: ServerResponse): void {
    const timer = setTimeout(() => this.socket.destroy(), this.shared.answerTimeoutMillis)
    response.once("close", () => clearTimeout(timer))
  }

  /** The client has closed its side: it may still wait for the answer or be gone, and only time shows which. */
  private onHalfClose(): void {
    if (this.current === undefined || this.ending) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.socket.destroy(), this.shared.halfCloseGraceMillis)
  }

  private onClose(): void {
    this.shared.idle.delete(this)
    clearTimeout(this.timer)
    this.ending = true
    this.current?.fiber?.interruptUnsafe()
  }
}

/** Checks whether another request can follow on the connection: it must be known where this one ends. */
const canFollow = ({ awaitsContinue, bodyTouched, request }: Exchange): boolean =>
  // The parser takes what follows a wish to upgrade for another protocol, and drops it.
  request.headers.upgrade === undefined &&
  (request.complete || !RequestBody.isPresent(request) ||
    (!awaitsContinue && !bodyTouched && RequestBody.isShort(request, skippedBytesMax)))
