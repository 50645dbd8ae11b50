/** Holds the one plan that the control API has put in force, and lets it heal by itself. */
import { Clock, Duration, Effect, Exit, Fiber, Scope, Semaphore } from "effect"
import type { Fault } from "../../fault/Fault.ts"
import { healthy, type Plan, type Rule } from "../../plan/Plan.ts"
import type { Injection, RuleReport, Session } from "../../play/Session.ts"
import type { InForce, Report, RuleOutcome } from "../ControlApi.ts"
import { isUncounted } from "../Surroundings.ts"

export interface PlanHolder {
  readonly put: (plan: Plan, ttl: Duration.Duration | undefined) => Effect.Effect<InForce>
  readonly heal: Effect.Effect<void>
  readonly inForce: Effect.Effect<InForce>
  readonly report: Effect.Effect<Report>
}

interface Held {
  readonly injection: Injection
  readonly scope: Scope.Closeable
  readonly endNanos: bigint | undefined
  readonly timer: Fiber.Fiber<void> | undefined
}

const faultsOf = (rule: Rule | undefined): ReadonlyArray<Fault> =>
  rule?.fault === undefined ? (rule?.sequence ?? []).map(({ fault }) => fault) : [rule.fault]

const outcomeOf = ({ applied, fired, matched }: RuleReport, rule: Rule | undefined): RuleOutcome["outcome"] => {
  if (applied > 0) return "applied"
  if (fired > 0) return "fired"
  const faults = faultsOf(rule)
  if (matched > 0) return faults.every(({ type }) => type === "pass") ? "passed" : "suppressed"
  return faults.some(isUncounted) ? "uncounted" : "unmatched"
}

const describe = (held: Held | undefined, nanos: bigint): InForce =>
  held === undefined ? { plan: healthy } : {
    plan: held.injection.plan,
    seed: held.injection.seed,
    ...held.endNanos === undefined
      ? {}
      : { heals_in: Duration.millis(Math.max(0, Number((held.endNanos - nanos) / 1_000_000n))) }
  }

/** The plan heals when the scope of the holder closes, at the latest. */
export const make = (session: Session["Service"]): Effect.Effect<PlanHolder, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const lock = yield* Semaphore.make(1)
    let held: Held | undefined
    let last: Injection | undefined

    const inForce = Effect.map(Clock.monotonicTimeNanos, (nanos) => describe(held, nanos))

    /** Runs in a fiber of its own, which is interrupted when another plan comes: then there is nothing to heal here. */
    const healLater = (scope: Scope.Closeable, ttl: Duration.Duration): Effect.Effect<void> =>
      Effect.andThen(
        Effect.sleep(ttl),
        lock.withPermit(Effect.uninterruptible(Effect.suspend(() => {
          held = undefined
          return Effect.andThen(Scope.close(scope, Exit.void), session.release("settled"))
        })))
      )

    const replace = (next: Held | undefined): Effect.Effect<void> =>
      Effect.suspend(() => {
        const previous = held
        held = next
        if (previous === undefined) return Effect.void
        // The timer may be waiting for the lock that is held here, where it can be interrupted.
        const stopTimer = previous.timer === undefined ? Effect.void : Fiber.interrupt(previous.timer)
        return Effect.andThen(Scope.close(previous.scope, Exit.void), stopTimer)
      })

    return {
      // The new plan is in force before the old one heals, so that there is no healthy moment between them.
      put: (plan, ttl) =>
        Effect.uninterruptible(lock.withPermit(Effect.gen(function*() {
          const planScope = yield* Scope.fork(scope)
          const injection = yield* Scope.provide(session.inject(plan), planScope)
          const timer = ttl === undefined ? undefined : yield* Effect.forkIn(healLater(planScope, ttl), scope)
          const endNanos = ttl === undefined
            ? undefined
            : (yield* Clock.monotonicTimeNanos) + BigInt(Math.round(Duration.toMillis(ttl))) * 1_000_000n
          last = injection
          yield* replace({ injection, scope: planScope, endNanos, timer })
          yield* session.release("settled")
          return yield* inForce
        }))),
      heal: Effect.uninterruptible(lock.withPermit(Effect.andThen(replace(undefined), session.release("settled")))),
      inForce,
      report: Effect.suspend(() =>
        Effect.map(last?.report ?? Effect.succeed<ReadonlyArray<RuleReport>>([]), (rules): Report => ({
          in_force: held !== undefined,
          rules: rules.map((report, index) => ({ ...report, outcome: outcomeOf(report, last?.plan.rules[index]) }))
        }))
      )
    }
  })
