/**
 * The plans that are in force, what they remember, and the journal: the state that both interpreters share.
 *
 * Every decision is `Decision.decide`; a session only numbers what happens, reads the clock and keeps the state.
 *
 * @since 0.1.0
 */
import * as Bound from "@appservice-ping/domain/Bound"
import { Clock, Context, Effect, Layer, type Scope } from "effect"
import { describe } from "../fault/Fault.ts"
import * as Decision from "../plan/Decision.ts"
import { idOf, type Plan, type Rule } from "../plan/Plan.ts"
import type { Action } from "../step/Action.ts"
import type { Leg } from "../step/Leg.ts"
import { keyOf, shortened } from "./internal/shortened.ts"
import type { Entry, Happening } from "./Journal.ts"

/**
 * What became of a rule: how often it matched, was held back, was decided on, and was really played.
 *
 * @category models
 * @since 0.1.0
 */
export interface RuleReport {
  readonly rule: string
  readonly matched: number
  readonly suppressed: number
  readonly fired: number
  readonly applied: number
}

/**
 * A plan in force, and the proof of what it did.
 *
 * @category models
 * @since 0.1.0
 */
export interface Injection {
  readonly plan: Plan
  readonly seed: number
  /** One report for each rule, in the order of the plan. */
  readonly report: Effect.Effect<ReadonlyArray<RuleReport>>
  /** How often a fault of the plan was really played. */
  readonly applied: Effect.Effect<number>
}

/**
 * A decision as an interpreter gets it: with `applied`, which it runs once the fault is really played.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decided {
  readonly decision: Decision.Decision
  readonly connection: number
  readonly applied: Effect.Effect<void>
  /** Whether the plan that struck is still in force; true where none did. */
  readonly inForce: Effect.Effect<boolean>
}

/**
 * Which connections are to end: those that a plan which has healed still holds and, once their exchange is over, all
 * others (`settled`); or all of them at once, by a reset (`all`).
 *
 * @category models
 * @since 0.1.0
 */
export type Release = "settled" | "all"

/**
 * The bounds of a session.
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionOptions {
  /** The seed of plans that have none; 0 where nothing is said. */
  readonly seed?: number | undefined
  /** How many entries the journal keeps, the newest ones; none with 0, and 10,000 where nothing is said. */
  readonly maxEntries?: number | undefined
  /** For how many transaction ids attempts are counted, the newest ones; 10,000 where nothing is said. */
  readonly maxTransactionIds?: number | undefined
  /**
   * How much is kept of a method, a path and a transaction id, in bytes of UTF-8 each. The journal has the start of a
   * longer one and says how long it was; rules are asked about all of it. 1024 where nothing is said.
   */
  readonly maxTextBytes?: number | undefined
}

const defaults = { seed: 0, maxEntries: 10_000, maxTransactionIds: 10_000, maxTextBytes: 1024 } as const

/**
 * Service that decides, remembers and keeps the journal.
 *
 * @category services
 * @since 0.1.0
 */
export class Session extends Context.Service<Session, {
  /** Puts a plan in force until the scope closes, also when it is interrupted. The newest plan is asked first. */
  readonly inject: (plan: Plan, options?: { readonly seed?: number | undefined }) => Effect.Effect<
    Injection,
    never,
    Scope.Scope
  >
  /** Numbers a connection and decides about it. */
  readonly connection: (leg: Leg, tls: boolean) => Effect.Effect<Decided>
  /** The action that the next connection of the leg would get now; nothing is counted. */
  readonly peek: (leg: Leg, tls: boolean) => Effect.Effect<Action>
  /** Decides about a request that was read. */
  readonly request: (request: ReadRequest) => Effect.Effect<Decided>
  /** Numbers a request that a program in play has read, and decides nothing about it: it is the program's. */
  readonly note: (request: ReadRequest) => Effect.Effect<void>
  /** Writes an entry into the journal. */
  readonly write: (what: Happening) => Effect.Effect<void>
  /** The entries that are kept, the oldest first. */
  readonly journal: Effect.Effect<ReadonlyArray<Entry>>
  /** How many entries were dropped because the journal was full. */
  readonly dropped: Effect.Effect<number>
  /** Milliseconds until a decision may change although nothing happens; `undefined` if that will not be. */
  readonly nextEdge: Effect.Effect<number | undefined>
  /** Runs an effect at once, and each time a plan comes into force or heals or the session is reset. */
  readonly onChange: (f: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
  /**
   * Ends connections that are there, because clients that keep theirs would not meet a fault of a connection, and would
   * stay in one that has healed. Succeeds when those are over that nothing is asked on.
   */
  readonly release: (which: Release) => Effect.Effect<void>
  /** Runs an effect each time connections are to end. */
  readonly onRelease: (f: (which: Release) => Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
  /** Forgets everything but the plans in force: numbers, counters and journal begin anew. */
  readonly reset: Effect.Effect<void>
}>()("@appservice-ping/testbed/play/Session") {
  /** A session of its own for each build of the layer. */
  static readonly layer = (options?: SessionOptions): Layer.Layer<Session> => Layer.effect(Session, make(options))
}

/**
 * A request that was read.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadRequest {
  readonly leg: Leg
  readonly connection: number
  readonly tls: boolean
  readonly exchange: number
  readonly method: string
  /** Without a query. */
  readonly path: string
  readonly transactionId: string | undefined
}

interface Active {
  readonly plan: Plan
  readonly seed: number
  startedNanos: bigint
  state: Decision.State
  applied: Map<string, number>
}

const millisBetween = (from: bigint, to: bigint): number => Number((to - from) / 1000n) / 1000

const pass: Decision.Decision = {
  action: { _tag: "Pass" },
  rule: undefined,
  fault: undefined,
  draw: undefined,
  suppressed: []
}

type Timeless = Omit<Decision.ConnectionEvent, "time" | "now"> | Omit<Decision.RequestEvent, "time" | "now">

const whereOf = (event: Timeless) => ({
  leg: event.leg,
  connection: event.connection,
  ...event.stage === "request" ? { exchange: event.exchange } : {}
})

const reportOf = (active: Active, rule: Rule, index: number): RuleReport => {
  const id = idOf(rule, index)
  const { fired, matched, suppressed } = Decision.stateOf(active.state, id)
  return { rule: id, matched, suppressed, fired, applied: active.applied.get(id) ?? 0 }
}

/**
 * Makes a session.
 *
 * **Details**
 *
 * Its state is only ever touched in one synchronous piece, so that concurrent fibers need no lock and the order of the
 * journal is the order of the decisions.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options?: SessionOptions): Effect.Effect<Session["Service"]> =>
  Effect.gen(function*() {
    const bound = (option: "maxEntries" | "maxTransactionIds" | "maxTextBytes"): number =>
      Bound.integerUnsafe(option, options?.[option] ?? defaults[option])
    const maxEntries = bound("maxEntries")
    const maxTransactionIds = bound("maxTransactionIds")
    const maxTextBytes = bound("maxTextBytes")
    let startedNanos = yield* Clock.monotonicTimeNanos
    let stack: ReadonlyArray<Active> = []
    let listeners: ReadonlyArray<Effect.Effect<void>> = []
    let holders: ReadonlyArray<(which: Release) => Effect.Effect<void>> = []
    let entries: Array<Entry> = []
    let written = 0
    let connections = new Map<Leg, number>()
    const attempts = new Map<string, number>()

    // From a start, because `slice(-0)` is everything.
    const newest = (): Array<Entry> => entries.slice(Math.max(0, entries.length - maxEntries))

    const append = (nanos: bigint, what: Happening): void => {
      entries.push({ n: ++written, time: millisBetween(startedNanos, nanos), what })
      // Dropping in large pieces costs nothing per entry.
      if (entries.length >= maxEntries * 2) entries = newest()
    }

    const attemptOf = (leg: Leg, transactionId: string | undefined): number => {
      const key = keyOf(JSON.stringify([leg, transactionId ?? null]), maxTextBytes)
      const attempt = (attempts.get(key) ?? 0) + 1
      // The newest is the last one of a map.
      attempts.delete(key)
      attempts.set(key, attempt)
      const oldest = attempts.size > maxTransactionIds ? attempts.keys().next() : undefined
      if (oldest?.done === false) attempts.delete(oldest.value)
      return attempt
    }

    /** Writes a request into the journal, and returns which attempt it is. */
    const noteRequest = (request: ReadRequest, nanos: bigint): number => {
      const { connection, exchange, leg, method, path, transactionId } = request
      const attempt = attemptOf(leg, transactionId)
      append(nanos, {
        event: "request",
        leg,
        connection,
        exchange,
        method: shortened(method, maxTextBytes),
        path: shortened(path, maxTextBytes),
        attempt,
        ...transactionId === undefined ? {} : { transaction_id: shortened(transactionId, maxTextBytes) }
      })
      return attempt
    }

    const describeDecision = (
      event: Timeless,
      active: Active,
      { draw, fault, rule, suppressed, action }: Decision.Decision,
      nanos: bigint
    ): void => {
      const where = whereOf(event)
      for (const { draw, reason, rule } of suppressed) {
        append(nanos, { event: "suppressed", ...where, rule, reason, ...draw === undefined ? {} : { draw } })
      }
      if (rule === undefined) return
      append(nanos, {
        event: "decided",
        ...where,
        rule,
        fault: fault === undefined ? "down after a crash" : describe(fault),
        action: action._tag,
        seed: active.seed,
        ...draw === undefined ? {} : { draw }
      })
    }

    /** Asks the plans, the newest first, until one does not pass. */
    const decide = (event: Timeless, nanos: bigint, now: number): Omit<Decided, "connection"> => {
      for (const active of stack.toReversed()) {
        const time = millisBetween(active.startedNanos, nanos)
        const { decision, state } = Decision.decide(active.plan, active.seed, active.state, { ...event, time, now })
        active.state = state
        describeDecision(event, active, decision, nanos)
        const { rule } = decision
        if (rule === undefined) continue
        const where = whereOf(event)
        return {
          decision,
          applied: Effect.flatMap(Clock.monotonicTimeNanos, (nanos) =>
            Effect.sync(() => {
              active.applied.set(rule, (active.applied.get(rule) ?? 0) + 1)
              append(nanos, { event: "applied", ...where, rule })
            })),
          inForce: Effect.sync(() => stack.includes(active))
        }
      }
      return { decision: pass, applied: Effect.void, inForce: Effect.succeed(true) }
    }

    const clock = Clock.clockWith((clock) =>
      Effect.sync(() => ({ nanos: clock.monotonicTimeNanosUnsafe(), now: clock.currentTimeMillisUnsafe() }))
    )

    const notify = Effect.suspend(() => Effect.forEach(listeners, (listener) => listener, { discard: true }))

    const change = (f: (stack: ReadonlyArray<Active>) => ReadonlyArray<Active>): Effect.Effect<void> =>
      Effect.andThen(
        Effect.sync(() => {
          stack = f(stack)
        }),
        notify
      )

    return Session.of({
      inject: (plan, injectOptions) =>
        Effect.map(
          Effect.acquireRelease(
            Effect.gen(function*() {
              const active: Active = {
                plan,
                seed: injectOptions?.seed ?? plan.seed ?? options?.seed ?? defaults.seed,
                startedNanos: yield* Clock.monotonicTimeNanos,
                state: Decision.initial,
                applied: new Map()
              }
              yield* change((all) => [...all, active])
              return active
            }),
            (active) => change((all) => all.filter((other) => other !== active))
          ),
          (active): Injection => ({
            plan,
            seed: active.seed,
            report: Effect.sync(() => plan.rules.map((rule, index) => reportOf(active, rule, index))),
            applied: Effect.sync(() => [...active.applied.values()].reduce((sum, n) => sum + n, 0))
          })
        ),
      connection: (leg, tls) =>
        Effect.map(clock, ({ nanos, now }) => {
          const connection = (connections.get(leg) ?? 0) + 1
          connections.set(leg, connection)
          append(nanos, { event: "connecting", leg, connection })
          return { connection, ...decide({ stage: "connection", leg, connection, tls }, nanos, now) }
        }),
      peek: (leg, tls) =>
        Effect.map(clock, ({ nanos, now }) => {
          const connection = (connections.get(leg) ?? 0) + 1
          for (const { plan, seed, startedNanos, state } of stack.toReversed()) {
            const time = millisBetween(startedNanos, nanos)
            const event = { stage: "connection", leg, connection, tls, time, now } as const
            const { decision } = Decision.decide(plan, seed, state, event)
            if (decision.rule !== undefined) return decision.action
          }
          return pass.action
        }),
      request: (request) =>
        Effect.map(clock, ({ nanos, now }) => {
          const attempt = noteRequest(request, nanos)
          return { connection: request.connection, ...decide({ stage: "request", ...request, attempt }, nanos, now) }
        }),
      note: (request) => Effect.map(clock, ({ nanos }) => void noteRequest(request, nanos)),
      write: (what) => Effect.map(clock, ({ nanos }) => append(nanos, what)),
      journal: Effect.sync(newest),
      dropped: Effect.sync(() => Math.max(0, written - maxEntries)),
      nextEdge: Effect.map(clock, ({ nanos }) => {
        const edges = stack.flatMap(({ plan, startedNanos, state }) => {
          const time = millisBetween(startedNanos, nanos)
          return Decision.edgesAfter(plan, state, time).slice(0, 1).map((edge) => edge - time)
        })
        return edges.length === 0 ? undefined : Math.min(...edges)
      }),
      onChange: (f) =>
        Effect.suspend(() => {
          // Who listens twice with the same effect has two listeners, and each ends by itself.
          const listener = Effect.suspend(() => f)
          return Effect.acquireRelease(
            Effect.andThen(
              Effect.sync(() => {
                listeners = [...listeners, listener]
              }),
              f
            ),
            () =>
              Effect.sync(() => {
                listeners = listeners.filter((other) => other !== listener)
              })
          )
        }),
      release: (which) =>
        Effect.suspend(() =>
          Effect.forEach(holders, (holder) => holder(which), { concurrency: "unbounded", discard: true })
        ),
      onRelease: (f) =>
        Effect.suspend(() => {
          const holder = (which: Release) => f(which)
          return Effect.acquireRelease(
            Effect.sync(() => {
              holders = [...holders, holder]
            }),
            () =>
              Effect.sync(() => {
                holders = holders.filter((other) => other !== holder)
              })
          )
        }),
      reset: Effect.andThen(
        Effect.map(clock, ({ nanos }) => {
          startedNanos = nanos
          entries = []
          written = 0
          connections = new Map()
          attempts.clear()
          for (const active of stack) {
            active.startedNanos = nanos
            active.state = Decision.initial
            active.applied = new Map()
          }
        }),
        // What the counters held back before may strike again, and what was down is up.
        notify
      )
    })
  })
