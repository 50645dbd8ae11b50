/** One ping of the watch as a result: whatever the ping does, this neither fails nor takes for ever. */
import type { Deadline } from "@appservice-ping/domain/Deadline"
import { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { Cause, Clock, Duration, Effect, Exit } from "effect"
import { type Failure, failure } from "../Health.ts"
import type { PingFailure } from "../WatchStatus.ts"
import { retryAfterOf } from "./retryAfter.ts"

export type Outcome =
  | { readonly _tag: "Success"; readonly durationMs: number }
  | {
    readonly _tag: "Failure"
    readonly error: Failure
    readonly diagnosis: Diagnosis
    readonly retryAfter?: Duration.Duration | undefined
  }

const late = (text: string): Outcome => ({
  _tag: "Failure",
  error: { verdict: "Undecided", text: `${text}.` },
  diagnosis: new Diagnosis({
    actor: "nobody",
    cause: `${text}, so it is undecided: neither confirmed nor failed.`,
    advice: "Wait for the next ping. If none ends, give the ping a timeout of its own, so that its error says why.",
    temporary: true
  })
})

const overdue = (after: Duration.Duration): Outcome => late(`The ping did not end within ${Duration.format(after)}`)

const notSent = late("The ping was not sent, because the one before it cannot be interrupted and still runs")

const died = (verdict: "Defect" | "Interrupted"): Outcome => ({
  _tag: "Failure",
  error: {
    verdict,
    text: verdict === "Defect" ? "The ping died of a defect; the log has it." : "The ping interrupted itself."
  },
  diagnosis: new Diagnosis({
    actor: "operator",
    cause: "The ping ended without a result: the error is in the app that sends it.",
    advice: "Look into the app's log, and report the defect.",
    temporary: false
  })
})

/** Runs an effect, unless the one before it for the same key still runs. */
const alone = <R>(
  ping: Effect.Effect<Outcome, never, R>,
  { key, running }: { readonly key: string; readonly running: Set<string> }
): Effect.Effect<Outcome, never, R> =>
  Effect.suspend(() => {
    if (running.has(key)) return Effect.succeed(notSent)
    running.add(key)
    return Effect.ensuring(ping, Effect.sync(() => running.delete(key)))
  })

export const run = <E extends PingFailure, R>(
  ping: Effect.Effect<{ readonly duration_ms: number }, E, R>,
  options: {
    readonly key: string
    readonly diagnose: (error: E) => Diagnosis
    readonly deadline: Deadline
    /** The keys whose pings run, those included that are no longer waited for. */
    readonly running: Set<string>
  }
): Effect.Effect<Outcome, never, R> =>
  Effect.flatMap(Clock.monotonicTimeNanos, (from) =>
    Effect.matchEffect(ping, {
      onSuccess: ({ duration_ms }) => Effect.succeed<Outcome>({ _tag: "Success", durationMs: duration_ms }),
      onFailure: (error) =>
        Effect.map(Clock.monotonicTimeNanos, (now): Outcome => {
          const diagnosis = options.diagnose(error)
          // An appservice that answers only its own pings was reached, and the homeserver does not say how fast.
          return diagnosis.healthy
            ? { _tag: "Success", durationMs: Math.round(Number(now - from) / 1e6) }
            : { _tag: "Failure", error: failure(error), diagnosis, retryAfter: retryAfterOf(error) }
        })
    })).pipe(
      (ping) => alone(ping, options),
      (ping) => options.deadline.within(ping, Effect.sync(() => overdue(options.deadline.duration))),
      Effect.tapDefect((defect) =>
        Effect.annotateLogs(Effect.logError("the ping of a watched appservice died", Cause.die(defect)), {
          appservice: options.key
        })
      ),
      // A ping is no part of the operation that added it, which may have ended long ago.
      Effect.withSpan("appservice_ping.watch", { root: true, attributes: { "appservice_ping.watch.key": options.key } })
    )

/** What the end of a ping's fiber says; a removed appservice's is not asked. */
export const outcome = (exit: Exit.Exit<Outcome>): Outcome =>
  Exit.isSuccess(exit) ? exit.value : died(Cause.hasDies(exit.cause) ? "Defect" : "Interrupted")
