/**
 * The small scope, exhausted: every fault alone, and every fault of one leg with every fault of the other, each with the
 * expected and the real answer.
 *
 * @since 0.1.0
 */
import * as Ping from "@appservice-ping/client/Ping"
import type { PingSuccess } from "@appservice-ping/domain/Answer"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { Duration, Effect, type Result } from "effect"
import type { HttpClient } from "effect/http"
import type { Single } from "../fault/Catalogue.ts"
import { actionOf, type Fault, isDrawn, needsTls, pass, stageOf } from "../fault/Fault.ts"
import * as Expectation from "../oracle/Expectation.ts"
import { concat, healthy, of } from "../plan/Plan.ts"
import type { Entry } from "../play/Journal.ts"
import * as Virtual from "../play/Virtual.ts"
import { answerOf, callsIn } from "../scenario/Outcome.ts"
import type { Leg } from "../step/Leg.ts"
import { layerMemory, Testbed } from "../Testbed.ts"

/**
 * The deadlines of both legs, which also scale the times of the faults.
 *
 * @category models
 * @since 0.1.0
 */
export interface Deadlines {
  readonly pingTimeout: Duration.Duration
  readonly clientTimeout: Duration.Duration
}

/**
 * One cell: the faults in force, at most one for each leg, the ping's answer, and its problems.
 *
 * **Details**
 *
 * `isMasked` means that the fault on the leg to the appservice could not strike, because the fault on the other leg did
 * not let the homeserver be asked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cell {
  readonly toHomeserver: Fault | undefined
  readonly toAppservice: Fault | undefined
  readonly got: Result.Result<PingSuccess, PingError | TransportError>
  readonly answer: string
  readonly status: number | undefined
  readonly calls: number
  readonly isMasked: boolean
  readonly problems: ReadonlyArray<string>
}

interface Combination {
  readonly toHomeserver: Fault | undefined
  readonly toAppservice: Fault | undefined
}

/** Longer than an application goes on for a client that has left. */
const aftermath = Duration.seconds(10)

const drawOf = (entries: ReadonlyArray<Entry>, leg: Leg): number => {
  for (const { what } of entries) {
    if (what.event === "decided" && what.leg === leg) return what.draw ?? 0
  }
  return 0
}

interface Anticipated {
  readonly outcome: Expectation.Expectation
  readonly isMasked: boolean
}

type Anticipate = (combination: Combination, entries: ReadonlyArray<Entry>) => Anticipated

/** Remembers what does not depend on chance, because each fault is in hundreds of cells. */
const remember = <A>(make: (fault: Fault, draw: number) => A): (fault: Fault, draw: number) => A => {
  const known = new Map<Fault, A>()
  return (fault, draw) => {
    if (isDrawn(fault)) return make(fault, draw)
    const made = known.get(fault) ?? make(fault, draw)
    known.set(fault, made)
    return made
  }
}

/** The expected answer of a combination, and whether its second fault can strike at all. */
const anticipating = (tls: boolean, { clientTimeout, pingTimeout }: Deadlines): Anticipate => {
  const actionOn = (leg: Leg) => remember((fault, draw) => actionOf(fault, { leg, draw, time: 0, now: 0, path: "/" }))
  const outer = actionOn("to_homeserver")
  const inner = actionOn("to_appservice")
  const ofHomeserver = (fault: Fault, draw: number, answer: Expectation.Expectation): Expectation.Expectation =>
    Expectation.ofHomeserver(outer(fault, draw), answer, { timeout: clientTimeout, tls, stage: stageOf(fault) })
  const answerOfHomeserver = remember((fault, draw) =>
    Expectation.ofAppservice(inner(fault, draw), { timeout: pingTimeout, tls, stage: stageOf(fault) })
  )
  const unhindered = remember((fault, draw) => ofHomeserver(fault, draw, Expectation.healthy))
  return ({ toAppservice = pass, toHomeserver = pass }, entries) => {
    const draw = drawOf(entries, "to_homeserver")
    const masked = unhindered(toHomeserver, draw)
    // Where the homeserver is not asked, it does not matter what it would have answered.
    return masked.calls.length === 0
      ? { outcome: masked, isMasked: true }
      : {
        outcome: ofHomeserver(
          toHomeserver,
          draw,
          answerOfHomeserver(toAppservice, drawOf(entries, "to_appservice"))
        ),
        isMasked: false
      }
  }
}

const cellOf = (
  combination: Combination,
  got: Cell["got"],
  entries: ReadonlyArray<Entry>,
  { isMasked, outcome }: Anticipated
): Cell => {
  const calls = callsIn(entries, "to_appservice")
  const applied = (leg: Leg): number =>
    entries.filter(({ what }) => what.event === "applied" && what.leg === leg).length
  const { toAppservice, toHomeserver } = combination
  // One ping makes no second request on its connection.
  const isIdle = (fault: Fault): boolean =>
    fault.type === "pass" || ("phase" in fault && fault.phase === "next_request")
  const unplayed = (leg: Leg, fault: Fault | undefined, isHidden: boolean): ReadonlyArray<string> =>
    fault !== undefined && (applied(leg) > 0) === (isHidden || isIdle(fault))
      ? [`the fault ${leg} was ${applied(leg) > 0 ? "played although it cannot be" : "not played"}`]
      : []
  const { answer, status } = answerOf(got)
  return {
    toHomeserver,
    toAppservice,
    got,
    answer,
    status,
    calls,
    isMasked,
    problems: [
      ...Expectation.matches(outcome.answer, got) ? [] : [`answered ${answer}, expected ${outcome.answer._tag}`],
      ...calls === outcome.calls.length ? [] : [`${calls} calls, expected ${outcome.calls.length}`],
      ...unplayed("to_homeserver", toHomeserver, false),
      ...unplayed("to_appservice", toAppservice, isMasked && toHomeserver !== undefined)
    ]
  }
}

const run = (
  combination: Combination,
  anticipate: Anticipate,
  { clientTimeout }: Deadlines
): Effect.Effect<Cell, never, Testbed | HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const { apply, homeserver, registration, session } = yield* Testbed
    const { toAppservice, toHomeserver } = combination
    const plan = concat(
      toHomeserver === undefined ? healthy : of("to_homeserver", toHomeserver, { id: "outer" }),
      toAppservice === undefined ? healthy : of("to_appservice", toAppservice, { id: "inner" })
    )
    yield* session.reset
    const got = yield* Effect.scoped(Effect.gen(function*() {
      yield* apply(plan)
      return yield* Effect.result(Ping.ping({ homeserver, registration, timeout: clientTimeout }))
    }))
    yield* Effect.sleep(aftermath)
    const entries = yield* session.journal
    return cellOf(combination, got, entries, anticipate(combination, entries))
  })

const runAll = (
  combinations: ReadonlyArray<Combination>,
  deadlines: Deadlines
): Effect.Effect<ReadonlyArray<Cell>, Virtual.Stuck> => {
  const wantsTls = ({ toAppservice, toHomeserver }: Combination): boolean =>
    [toAppservice, toHomeserver].some((fault) => fault !== undefined && needsTls(fault))
  const inOne = (tls: boolean) => {
    const chosen = combinations.filter((combination) => wantsTls(combination) === tls)
    const anticipate = anticipating(tls, deadlines)
    const cells = Effect.forEach(chosen, (combination) => run(combination, anticipate, deadlines))
    return Virtual.run(
      Effect.provide(cells, layerMemory({ pingTimeout: deadlines.pingTimeout, tls })),
      { limit: "10000 days", maxSteps: 1_000_000_000 }
    )
  }
  return Effect.map(Effect.all([inOne(false), inOne(true)]), ([plain, secure]) => {
    const waiting = { plain: [...plain], secure: [...secure] }
    return combinations.flatMap((combination) => {
      const cell = (wantsTls(combination) ? waiting.secure : waiting.plain).shift()
      return cell === undefined ? [] : [cell]
    })
  })
}

const on = (leg: Leg, singles: ReadonlyArray<Single>): ReadonlyArray<Fault> =>
  singles.flatMap((single) => single.leg === leg ? [single.fault] : [])

/**
 * Plays every fault alone, in memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const alone = (
  singles: ReadonlyArray<Single>,
  deadlines: Deadlines
): Effect.Effect<ReadonlyArray<Cell>, Virtual.Stuck> =>
  runAll(
    singles.map(({ fault, leg }) =>
      leg === "to_homeserver"
        ? { toHomeserver: fault, toAppservice: undefined }
        : { toHomeserver: undefined, toAppservice: fault }
    ),
    deadlines
  )

/**
 * Plays every fault of one leg together with every fault of the other, in memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pairs = (
  singles: ReadonlyArray<Single>,
  deadlines: Deadlines
): Effect.Effect<ReadonlyArray<Cell>, Virtual.Stuck> =>
  runAll(
    on("to_homeserver", singles).flatMap((toHomeserver) =>
      on("to_appservice", singles).map((toAppservice) => ({ toHomeserver, toAppservice }))
    ),
    deadlines
  )
