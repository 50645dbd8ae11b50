/** The application behind a connection in memory. */
import type { Answer } from "@appservice-ping/domain/Answer"
import { internalError } from "@appservice-ping/server/Exchange"
import { Cause, Clock, Effect, Exit, Fiber } from "effect"
import { render, type Rendered } from "./answerBytes.ts"
import type { Arrived, Connection } from "./Connection.ts"

const answerOf = (exit: Exit.Exit<Answer>): Effect.Effect<Answer | undefined> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(exit.value)
  if (Cause.hasInterruptsOnly(exit.cause)) return Effect.undefined
  return Effect.as(Effect.logError("A request failed for a reason nobody foresaw", exit.cause), internalError)
}

/**
 * Asks the application. It runs in a fiber of its own, because it goes on for a while when its client has left: a
 * client that has closed its side may still wait for the answer, and only time tells.
 */
export const ask = (c: Connection, arrived: Arrived): Effect.Effect<Answer | undefined> =>
  Effect.flatMap(
    Effect.forkDetach(Effect.suspend(() => c.route.handle(arrived.request)), { startImmediately: true }),
    (fiber) => {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return answerOf(exit)
      c.isOld = true
      c.wake()
      return Effect.onInterrupt(
        Effect.flatMap(Fiber.await(fiber), answerOf),
        () =>
          Effect.forkDetach(
            Effect.delay(Fiber.interrupt(fiber), c.route.halfCloseGraceMillis),
            { startImmediately: true }
          )
      )
    }
  )

/** The bytes of an answer to a request. */
export const renderFor = (arrived: Arrived, answer: Answer): Effect.Effect<Rendered> =>
  Effect.map(
    Clock.currentTimeMillis,
    (now) => render(answer, { method: arrived.request.method, keepsAlive: arrived.keepsAlive, now })
  )
