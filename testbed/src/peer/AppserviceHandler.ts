/**
 * An appservice that answers a homeserver's ping as one on a real framework does; what makes them differ is their
 * `AppservicePeer`.
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import { type Handler, type ServerRequest, tooLarge } from "@appservice-ping/server/Exchange"
import { Duration, Effect, Redacted, Ref, Result } from "effect"
import type { AppservicePeer, AppserviceRequest, OwnPing } from "./AppservicePeer.ts"
import * as Answers from "./internal/answers.ts"

/**
 * Options of the handler.
 *
 * @category options
 * @since 0.1.0
 */
export interface AppserviceHandlerOptions {
  /** The registration; only its `hs_token` is used. */
  readonly registration: Pick<Registration, "hs_token">
  /** How many received pings are kept; the oldest go first. Default: 1024. */
  readonly maxReceived?: number | undefined
}

/**
 * How the start of an appservice went: how often it asked for a ping, and what its process ended with if it gave up.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartUp {
  readonly attempts: number
  readonly isConfirmed: boolean
  readonly exitCode: number | undefined
}

/**
 * An appservice like one on that framework.
 *
 * @category models
 * @since 0.1.0
 */
export interface AppserviceHandler {
  readonly handle: Handler
  /** The `transaction_id` of each ping that it took, the oldest first. */
  readonly received: Effect.Effect<ReadonlyArray<unknown>>
  /**
   * Asks for pings as the appservice does when it starts; one whose framework never asks is confirmed at once. `ask` asks
   * the homeserver for one, and gives the status of its answer, or `undefined` if there was none.
   */
  readonly startUp: (ask: (transactionId: string) => Effect.Effect<number | undefined>) => Effect.Effect<StartUp>
}

const maxReceivedDefault = 1024

const maxRequestBytes = 1024 * 1024

const requestOf = (request: ServerRequest, body: Uint8Array): AppserviceRequest => {
  const [path = "", ...query] = request.target.split("?")
  return {
    method: request.method,
    path,
    query: new URLSearchParams(query.join("?")),
    authorization: request.header("authorization"),
    contentType: request.header("content-type"),
    body
  }
}

const delayBefore = (own: OwnPing, retry: number): Duration.Duration =>
  Duration.times(own.first, own.factor ** (retry - 1))

/**
 * Makes an appservice that answers as one on that framework.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (peer: AppservicePeer, options: AppserviceHandlerOptions): Effect.Effect<AppserviceHandler> =>
  Effect.gen(function*() {
    const maxReceived = options.maxReceived ?? maxReceivedDefault
    const received = yield* Ref.make<ReadonlyArray<unknown>>([])
    const pending = yield* Ref.make<string | undefined>(undefined)
    const isToken = (text: string): boolean => Token.equals(Redacted.make(text), options.registration.hs_token)

    const typed = (answer: Answer): Answer =>
      answer.headers["content-type"] === "application/json"
        ? Answers.withHeaders(answer, { "content-type": peer.jsonType })
        : answer

    const handle = Effect.fnUntraced(function*(request: ServerRequest) {
      const body = yield* Effect.result(request.body(maxRequestBytes))
      if (Result.isFailure(body)) return tooLarge
      const given = peer.reply(requestOf(request, body.success), { isToken, pending: yield* Ref.get(pending) })
      if (given._tag === "Answer") return typed(given.answer)
      yield* Ref.set(pending, undefined)
      yield* Ref.update(received, (all) => [...all, given.transactionId].slice(-maxReceived))
      return typed(Answers.json(200, {}))
    })

    return {
      handle,
      received: Ref.get(received),
      startUp: Effect.fnUntraced(function*(ask) {
        const { ownPing } = peer
        if (ownPing === undefined) return { attempts: 0, isConfirmed: true, exitCode: undefined }
        const { exitCode, retried, retries } = ownPing
        for (let attempt = 1;; attempt++) {
          const transactionId = `${peer.provenance.software}_${attempt}`
          yield* Ref.set(pending, transactionId)
          const status = yield* ask(transactionId)
          if (status === 200) return { attempts: attempt, isConfirmed: true, exitCode: undefined }
          const isRetried = retried === "every" || (status !== undefined && retried.includes(status))
          if (!isRetried || attempt > retries) return { attempts: attempt, isConfirmed: false, exitCode }
          yield* Effect.sleep(delayBefore(ownPing, attempt))
        }
      })
    }
  })
