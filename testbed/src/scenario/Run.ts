/**
 * Plays a scenario, in memory on virtual time or on real sockets, and judges it.
 *
 * @since 0.1.0
 */
import * as Gate from "@appservice-ping/client/Gate"
import { AttemptTimeout, type GaveUpError } from "@appservice-ping/client/GateEvent"
import * as Ping from "@appservice-ping/client/Ping"
import type { PingSuccess } from "@appservice-ping/domain/Answer"
import type { PingError } from "@appservice-ping/domain/PingError"
import { type TransportError, Undecided } from "@appservice-ping/domain/TransportError"
import type { ListenError } from "@appservice-ping/node/NodeListener"
import { Clock, Duration, Effect, Random, type Result, Schema } from "effect"
import type { HttpClient } from "effect/http"
import { Entry } from "../play/Journal.ts"
import type { Session } from "../play/Session.ts"
import * as Virtual from "../play/Virtual.ts"
import { layerMemory, layerSocket, Testbed } from "../Testbed.ts"
import {
  answerOf,
  attemptsIn,
  callsIn,
  type Evidence,
  judge,
  ofTransaction,
  PingOutcome,
  ScenarioVerdict,
  unplayed
} from "./Outcome.ts"
import { type Scenario, type ScenarioPing, timeoutsOf } from "./Scenario.ts"

/**
 * Where a scenario is played: `memory` (virtual time, no sockets) or `wire` (loopback sockets, real time).
 *
 * @category schemas
 * @since 0.1.0
 */
export const Interpreter = Schema.Literals(["memory", "wire"])

/**
 * Where a scenario is played.
 *
 * @category models
 * @since 0.1.0
 */
export type Interpreter = typeof Interpreter.Type

/**
 * A scenario that was played: the verdict and all it rests on.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ScenarioRun = Schema.Struct({
  scenario: Schema.String,
  interpreter: Interpreter,
  seed: Schema.Int,
  verdict: ScenarioVerdict,
  problems: Schema.Array(Schema.String),
  pings: Schema.Array(PingOutcome),
  healed: Schema.optionalKey(PingOutcome),
  rules: Schema.Array(Schema.Struct({
    rule: Schema.String,
    matched: Schema.Int,
    suppressed: Schema.Int,
    fired: Schema.Int,
    applied: Schema.Int
  })),
  journal: Schema.Array(Entry)
})

/**
 * A scenario that was played.
 *
 * @category models
 * @since 0.1.0
 */
export type ScenarioRun = typeof ScenarioRun.Type

/**
 * Options of a run.
 *
 * @category options
 * @since 0.1.0
 */
export interface RunOptions {
  readonly interpreter: Interpreter
  /** In place of the seed of the plan. Default: the plan's, or 0. */
  readonly seed?: number | undefined
  /** What is added to every `at_most` on real sockets. Default: 1 second. */
  readonly slack?: Duration.Input | undefined
  /** How many steps of virtual time a run in memory may take. Default: as many as `Virtual.run` allows. */
  readonly maxSteps?: number | undefined
}

const slackDefault = Duration.seconds(1)

/** Quick enough for a scenario; a real bridge waits longer. */
const gate = { firstDelay: "250 millis", maxDelay: "2 seconds" } as const

type Outcome = Result.Result<PingSuccess, PingError | TransportError>

/** An attempt that was cut short when the retries were over has no answer, as one that the client gave up. */
const lastError = <E>({ error }: GaveUpError<E>, homeserver: URL): Effect.Effect<never, E | Undecided> =>
  Effect.fail(
    error instanceof AttemptTimeout ? new Undecided({ url: homeserver.origin, after: error.after }) : error
  )

const sendOne = (
  ping: ScenarioPing,
  transactionId: string,
  timeout: Duration.Duration
): Effect.Effect<Outcome, never, Testbed | HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const { homeserver, registration } = yield* Testbed
    const once = Ping.ping({ homeserver, registration, transactionId, timeout })
    if (ping.retry === undefined) return yield* Effect.result(once)
    return yield* Effect.result(
      Effect.catchTag(
        Gate.wait({ ping: once, deadline: ping.retry, ...gate }),
        "GaveUpError",
        (error) => lastError(error, homeserver)
      )
    )
  })

const settlePause = Duration.millis(5)

/**
 * Waits until every fault that was decided on is played to its end, because a client that gives up leaves before that;
 * a second at most, because some only go on with the next request.
 */
const settled = (session: Session["Service"]): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let pause = 0; pause < 200; pause++) {
      if (unplayed(yield* session.journal) === 0) return
      yield* Effect.sleep(settlePause)
    }
  })

/** Sends a ping of the scenario, and reads from the journal what it took. */
const send = Effect.fnUntraced(function*(
  ping: ScenarioPing,
  number: number,
  timeout: Duration.Duration
): Effect.fn.Return<ReadonlyArray<PingOutcome>, never, Testbed | HttpClient.HttpClient> {
  const { session } = yield* Testbed
  if (ping.after !== undefined) yield* Effect.sleep(ping.after)
  const seen = (yield* session.journal).at(-1)?.n ?? 0
  const together = ping.together ?? 1
  const ids = Array.from(
    { length: together },
    (_, index) => `${ping.transaction_id ?? `ping-${number}`}${together === 1 ? "" : `-${index + 1}`}`
  )
  const results = yield* Effect.forEach(ids, (id) =>
    Effect.gen(function*() {
      const start = yield* Clock.monotonicTimeNanos
      const result = yield* sendOne(ping, id, timeout)
      return { id, result, millis: Math.round(Number((yield* Clock.monotonicTimeNanos) - start) / 1e4) / 100 }
    }), { concurrency: "unbounded" })
  yield* settled(session)
  const entries = (yield* session.journal).filter(({ n }) => n > seen)
  return yield* Effect.forEach(results, ({ id, millis, result }) => {
    const own = together === 1 ? entries : ofTransaction(entries, id)
    const outcome: PingOutcome = {
      ping: number,
      ...answerOf(result),
      millis,
      attempts: attemptsIn(own, "to_homeserver"),
      calls: callsIn(own, "to_appservice")
    }
    const { answer, status } = outcome
    return Effect.as(
      session.write({ event: "outcome", ping: number, tag: answer, ...status === undefined ? {} : { status } }),
      outcome
    )
  })
})

interface Played extends Omit<Evidence, "slack"> {
  readonly journal: ReadonlyArray<Entry>
}

const play = (
  scenario: Scenario,
  seed: number,
  onSession: (session: Session["Service"]) => void
): Effect.Effect<Played, never, Testbed | HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const testbed = yield* Testbed
    onSession(testbed.session)
    const { clientTimeout } = timeoutsOf(scenario)
    const struck = yield* Effect.scoped(Effect.gen(function*() {
      const injection = yield* testbed.apply(scenario.plan, { seed })
      const pings = yield* Effect.forEach(scenario.pings, (ping, index) => send(ping, index + 1, clientTimeout))
      return { pings, rules: yield* injection.report }
    }))
    const healing: ScenarioPing = { expect: { answer: "Success" } }
    const healed = scenario.heal === false
      ? undefined
      : (yield* send(healing, scenario.pings.length + 1, clientTimeout))[0]
    return {
      ...struck,
      healed,
      dropped: yield* testbed.session.dropped,
      journal: yield* testbed.session.journal
    }
  })

/**
 * Plays a scenario in a testbed of its own.
 *
 * **Details**
 *
 * In memory the same seed gives the same journal, byte for byte. A run that gets stuck on virtual time is inconclusive,
 * and says who waits for what.
 *
 * @category constructors
 * @since 0.1.0
 */
export const run = (scenario: Scenario, options: RunOptions): Effect.Effect<ScenarioRun, ListenError> =>
  Effect.gen(function*() {
    const { interpreter } = options
    const seed = options.seed ?? scenario.plan.seed ?? 0
    const { pingTimeout } = timeoutsOf(scenario)
    const testbed = {
      homeserverPeer: scenario.given?.homeserver,
      appservicePeer: scenario.given?.appservice,
      pingTimeout,
      tls: scenario.given?.tls === true,
      keepAlive: scenario.given?.keep_alive === true
    }
    const slack = interpreter === "memory" ? Duration.zero : Duration.fromInputUnsafe(options.slack ?? slackDefault)
    let session: Session["Service"] | undefined
    const onSession = (begun: Session["Service"]): void => {
      session = begun
    }
    const seeded = Random.withSeed(play(scenario, seed, onSession), seed)
    const played: Effect.Effect<Played, ListenError | Virtual.Stuck> = interpreter === "memory"
      // A scenario ends by itself: it has a bound on its pings and on the time of each.
      ? Virtual.run(Effect.provide(seeded, layerMemory(testbed)), {
        limit: Duration.infinity,
        maxSteps: options.maxSteps
      })
      : Effect.provide(seeded, layerSocket(testbed))
    const of = (played: Played, { problems, verdict }: ReturnType<typeof judge>): ScenarioRun => ({
      scenario: scenario.name,
      interpreter,
      seed,
      verdict,
      problems,
      pings: played.pings.flat(),
      ...played.healed === undefined ? {} : { healed: played.healed },
      rules: played.rules,
      journal: played.journal
    })
    return yield* Effect.matchEffect(played, {
      onSuccess: (played) => Effect.succeed(of(played, judge(scenario, { ...played, slack }))),
      onFailure: (error) =>
        error._tag === "Stuck"
          // What happened until then is all there is to see why.
          ? Effect.map(session === undefined ? Effect.succeed([]) : session.journal, (journal) =>
            of(
              { pings: [], rules: [], healed: undefined, dropped: 0, journal },
              { verdict: "inconclusive", problems: [error.message] }
            ))
          : Effect.fail(error)
    })
  })
