/**
 * The faults that are in force, and proof that they struck.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, Ref, type Scope, Semaphore } from "effect"
import type { Fault } from "./Fault.ts"
import { decide, type Verdict } from "./Verdict.ts"

/**
 * A fault that was injected.
 *
 * @category models
 * @since 0.1.0
 */
export interface Injection {
  readonly fault: Fault
  /** How many requests it struck so far; 0 means that nothing was tested yet. */
  readonly applied: Effect.Effect<number>
}

/**
 * An injected fault, as an interpreter sees it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Active extends Injection {
  readonly verdict: Verdict
  /** Counts one request that the fault struck. */
  readonly record: Effect.Effect<void>
}

/**
 * Service that holds the faults on the way from the homeserver to the appservice.
 *
 * **Details**
 *
 * Of several faults the one injected last is in force; when it heals, the one before it is again. Without any, the way
 * is healthy.
 *
 * @category services
 * @since 0.1.0
 */
export class Faults extends Context.Service<Faults, {
  /** Puts a fault in force until the scope ends, also when it ends by interruption. */
  readonly inject: (fault: Fault) => Effect.Effect<Injection, never, Scope.Scope>
  /** The fault in force. */
  readonly current: Effect.Effect<Active | undefined>
  /** How many requests were struck so far, by all faults together, the healed ones too. */
  readonly applied: Effect.Effect<number>
  /**
   * Runs an effect now and whenever the fault in force changes, one at a time and before `inject` returns: for an
   * interpreter that has to prepare for a fault before a request comes.
   */
  readonly onChange: (
    f: (active: Active | undefined) => Effect.Effect<void>
  ) => Effect.Effect<void, never, Scope.Scope>
}>()("@appservice-ping/testbed/Faults") {
  /**
   * Layer without any fault in force.
   */
  static readonly layer: Layer.Layer<Faults> = Layer.effect(Faults, Effect.suspend(() => make))
}

type Listener = (active: Active | undefined) => Effect.Effect<void>

const without = <A>(all: ReadonlyArray<A>, one: A): ReadonlyArray<A> => all.filter((other) => other !== one)

/**
 * Makes a set of faults of its own, with none in force.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<Faults["Service"]> = Effect.gen(function*() {
  const stack = yield* Ref.make<ReadonlyArray<Active>>([])
  const listeners = yield* Ref.make<ReadonlyArray<Listener>>([])
  const total = yield* Ref.make(0)
  const oneAtATime = yield* Semaphore.make(1)

  const current = Effect.map(Ref.get(stack), (active) => active.at(-1))

  const change = (f: (active: ReadonlyArray<Active>) => ReadonlyArray<Active>): Effect.Effect<void> =>
    Effect.gen(function*() {
      const before = yield* current
      yield* Ref.update(stack, f)
      const after = yield* current
      if (before === after) return
      for (const listener of yield* Ref.get(listeners)) yield* listener(after)
    }).pipe(oneAtATime.withPermits(1))

  return Faults.of({
    current,
    applied: Ref.get(total),
    inject: Effect.fnUntraced(function*(fault) {
      const count = yield* Ref.make(0)
      const active: Active = {
        fault,
        verdict: decide(fault),
        applied: Ref.get(count),
        record: Effect.andThen(Ref.update(count, (n) => n + 1), Ref.update(total, (n) => n + 1))
      }
      return yield* Effect.acquireRelease(
        Effect.as(change((all) => [...all, active]), active),
        () => change((all) => without(all, active))
      )
    }),
    onChange: (listener) =>
      Effect.acquireRelease(
        Effect.gen(function*() {
          yield* Ref.update(listeners, (all) => [...all, listener])
          yield* listener(yield* current)
        }).pipe(oneAtATime.withPermits(1)),
        () => Ref.update(listeners, (all) => without(all, listener))
      )
  })
})
