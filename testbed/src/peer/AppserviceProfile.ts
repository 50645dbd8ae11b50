/**
 * Appservices that answer a homeserver's ping like mautrix-go, mautrix-python, matrix-bot-sdk and trixnity.
 *
 * One interpreter for all of them; what makes them differ is data (`AppservicePeer`).
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import { type Handler, type ServerRequest, tooLarge } from "@appservice-ping/server/Exchange"
import { Duration, Effect, type Redacted, Ref, Result } from "effect"
import { type AppservicePeer, type Name, type OwnPing, peers } from "./AppservicePeer.ts"
import * as Answers from "./internal/answers.ts"
import * as Body from "./internal/body.ts"

/**
 * Options of a profile.
 *
 * @category options
 * @since 0.1.0
 */
export interface AppserviceProfileOptions {
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
 * An appservice like one of that name.
 *
 * @category models
 * @since 0.1.0
 */
export interface AppserviceProfile {
  readonly handle: Handler
  /** The `transaction_id` of each ping that was answered 200, the oldest first. */
  readonly received: Effect.Effect<ReadonlyArray<unknown>>
  /**
   * Asks for pings as the appservice does when it starts. `ask` asks the homeserver for one, and gives the status of its
   * answer, or `undefined` where there was none.
   */
  readonly startUp: (ask: (transactionId: string) => Effect.Effect<number | undefined>) => Effect.Effect<StartUp>
}

const maxReceivedDefault = 1024

const maxRequestBytes = 1024 * 1024

const path = "/_matrix/app/v1/ping"

const tokensOf = (peer: AppservicePeer, request: ServerRequest, query: string): ReadonlyArray<Redacted.Redacted> => {
  const header = Token.fromAuthorization(request.header("authorization"))
  const inHeader = header === undefined ? [] : [header]
  const inQuery = Token.fromQuery(new URLSearchParams(query))
  switch (peer.tokenFrom) {
    case "header first":
      return [...inHeader, ...inQuery].slice(0, 1)
    case "query first":
      return [...inQuery, ...inHeader].slice(0, 1)
    case "both":
      return [...inHeader, ...inQuery]
  }
}

const tokenProblem = (
  peer: AppservicePeer,
  tokens: ReadonlyArray<Redacted.Redacted>,
  hsToken: Redacted.Redacted
): Answer | undefined => {
  if (tokens.length === 0) return peer.missingToken
  return tokens.every((token) => Token.equals(token, hsToken)) ? undefined : peer.wrongToken
}

/** The `transaction_id` of a body, `undefined` for none, or the answer to a body that cannot be read. */
const transactionIdOf = (peer: AppservicePeer, bytes: Uint8Array): Result.Result<unknown, Answer> => {
  if (bytes.length === 0) return Result.fail(peer.emptyBody)
  const parsed = Body.jsonOf(bytes)
  if (parsed === undefined) return Result.fail(peer.notJson)
  const id = Body.isObject(parsed.value) ? parsed.value["transaction_id"] : undefined
  if (id === undefined || id === null || typeof id === "string" || peer.wrongType === "accepted") {
    return Result.succeed(id)
  }
  return Result.fail(peer.wrongType)
}

const delayBefore = (own: OwnPing, retry: number): Duration.Duration =>
  Duration.times(own.first, own.factor ** (retry - 1))

/**
 * Makes an appservice that answers like the one of that name.
 *
 * **Details**
 *
 * It knows the ping alone, at its stable path; every other path is unknown to it (A6). matrix-bot-sdk answers 200 only to
 * the ping that it has asked for itself, with `startUp`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: Name, options: AppserviceProfileOptions): Effect.Effect<AppserviceProfile> =>
  Effect.gen(function*() {
    const peer = peers[name]
    const maxReceived = options.maxReceived ?? maxReceivedDefault
    const received = yield* Ref.make<ReadonlyArray<unknown>>([])
    const expected = yield* Ref.make<string | undefined>(undefined)

    const accept = Effect.fnUntraced(function*(transactionId: unknown) {
      if (peer.foreignPing !== "accepted") {
        const awaited = yield* Ref.get(expected)
        if (awaited === undefined || awaited !== transactionId) return peer.foreignPing
        yield* Ref.set(expected, undefined)
      }
      yield* Ref.update(received, (all) => [...all, transactionId].slice(-maxReceived))
      return Answers.json(200, {})
    })

    const ping = Effect.fnUntraced(function*(request: ServerRequest, query: string) {
      const problem = tokenProblem(peer, tokensOf(peer, request, query), options.registration.hs_token)
      if (problem !== undefined && !peer.bodyBeforeToken) return problem
      const bytes = yield* Effect.result(request.body(maxRequestBytes))
      if (Result.isFailure(bytes)) return bytes.failure.reason === "TooLarge" ? tooLarge : peer.notJson
      const transactionId = transactionIdOf(peer, bytes.success)
      if (Result.isFailure(transactionId)) return transactionId.failure
      return problem ?? (yield* accept(transactionId.success))
    })

    return {
      handle: (request) => {
        const [at = "", ...query] = request.target.split("?")
        if (at !== path) return Effect.succeed(peer.notFound)
        return request.method === "POST" ? ping(request, query.join("?")) : Effect.succeed(peer.wrongMethod)
      },
      received: Ref.get(received),
      startUp: Effect.fnUntraced(function*(ask) {
        const { exitCode, retried, retries } = peer.ownPing
        for (let attempt = 1;; attempt++) {
          const transactionId = `${name}_${attempt}`
          yield* Ref.set(expected, transactionId)
          const status = yield* ask(transactionId)
          if (status === 200) return { attempts: attempt, isConfirmed: true, exitCode: undefined }
          const isRetried = retried === "every" || (status !== undefined && retried.includes(status))
          if (!isRetried || attempt > retries) return { attempts: attempt, isConfirmed: false, exitCode }
          yield* Effect.sleep(delayBefore(peer.ownPing, attempt))
        }
      })
    }
  })
