/**
 * A scenario: given a plan, when these pings are sent, then these answers come; and once it is healed, a ping works.
 *
 * @since 0.1.0
 */
import { Duration, Schema } from "effect"
import * as AppservicePeers from "../peer/AppservicePeers.ts"
import * as HomeserverPeers from "../peer/HomeserverPeers.ts"
import { Plan } from "../plan/Plan.ts"
import { Delay } from "../step/Delay.ts"

const Count = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 10_000 })))

const Answer = Schema.String.pipe(
  Schema.check(
    Schema.isPattern(
      /^(?:Success|HomeserverUnreachable|NotHomeserver|Undecided|[A-Z][A-Z0-9.]*_[A-Z0-9_.]+)$/,
      { expected: "Success, an errcode, HomeserverUnreachable, NotHomeserver or Undecided" }
    )
  )
)

/**
 * The expected result of a ping.
 *
 * **Details**
 *
 * - `answer`: `Success`, the errcode of the answer, or what a client says that got none; a list allows any of them.
 * - `status`: the status the appservice gave, of an `M_BAD_STATUS`.
 * - `attempts`: how often the homeserver was asked, connections that came to nothing included.
 * - `calls`: how often the appservice's application got a request.
 * - `at_least`, `at_most`: how long the ping took. On real sockets `at_most` is given some slack.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Expectation = Schema.Struct({
  answer: Schema.Union([Answer, Schema.Array(Answer).pipe(Schema.check(Schema.isMinLength(1)))]),
  status: Schema.optionalKey(Schema.Int),
  attempts: Schema.optionalKey(Count),
  calls: Schema.optionalKey(Count),
  at_least: Schema.optionalKey(Delay),
  at_most: Schema.optionalKey(Delay)
}).annotate({ identifier: "Expectation", description: "The expected result of a ping." })

/**
 * The expected result of a ping.
 *
 * @category models
 * @since 0.1.0
 */
export type Expectation = typeof Expectation.Type

/**
 * A ping, or `together` of them at the same time, each of which has to meet the expectation.
 *
 * **Details**
 *
 * `after` is how long to wait before it. With `retry` the ping goes through the client's start-up gate, which tries
 * again until the connection works or `retry` is over.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ScenarioPing = Schema.Struct({
  after: Schema.optionalKey(Delay),
  transaction_id: Schema.optionalKey(Schema.String),
  together: Schema.optionalKey(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 1000 })))),
  retry: Schema.optionalKey(Delay),
  expect: Expectation
}).annotate({ identifier: "ScenarioPing", description: "A ping, or several at once, and the expected result." })

/**
 * A ping of a scenario, or several at the same time.
 *
 * @category models
 * @since 0.1.0
 */
export type ScenarioPing = typeof ScenarioPing.Type

/**
 * The subject of the scenario.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Given = Schema.Struct({
  /** How long the homeserver waits for the appservice. */
  ping_timeout: Schema.optionalKey(Delay),
  /** How long the client waits for the homeserver. */
  client_timeout: Schema.optionalKey(Delay),
  /** Which homeserver answers; ours where nothing is said. */
  homeserver: Schema.optionalKey(Schema.Literals(HomeserverPeers.names)),
  /** Which framework's appservice answers; ours where nothing is said. */
  appservice: Schema.optionalKey(Schema.Literals(AppservicePeers.names)),
  /** Whether both legs speak TLS. */
  tls: Schema.optionalKey(Schema.Boolean),
  /** Whether the client keeps its connection to the homeserver for the next ping. */
  keep_alive: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "Given", description: "What the scenario is about: deadlines, TLS and kept connections." })

/**
 * The deadlines and the peers of a scenario.
 *
 * @category models
 * @since 0.1.0
 */
export type Given = typeof Given.Type

/**
 * A scenario.
 *
 * **Details**
 *
 * Every rule of the plan has to be played at least once, but for those in `idle`, which have to stay unplayed. `heal`
 * (true where nothing is said) lets the plan go at the end and sends one more ping, which has to succeed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Scenario = Schema.Struct({
  name: Schema.String.pipe(
    Schema.check(Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,63}$/, { expected: "lower-case letters, digits and dashes" }))
  ),
  title: Schema.optionalKey(Schema.String),
  given: Schema.optionalKey(Given),
  plan: Plan,
  pings: Schema.Array(ScenarioPing).pipe(Schema.check(Schema.isMaxLength(1000))),
  idle: Schema.optionalKey(Schema.Array(Schema.String)),
  heal: Schema.optionalKey(Schema.Boolean)
})

/**
 * A plan, the pings sent under it, and their expected results.
 *
 * @category models
 * @since 0.1.0
 */
export type Scenario = typeof Scenario.Type

const defaults = { pingTimeout: Duration.seconds(30), clientTimeout: Duration.seconds(90) } as const

/**
 * The times a scenario runs with: what it says, or 30 s for the homeserver and 90 s for the client.
 *
 * @category combinators
 * @since 0.1.0
 */
export const timeoutsOf = (
  scenario: Scenario
): { readonly pingTimeout: Duration.Duration; readonly clientTimeout: Duration.Duration } => ({
  pingTimeout: scenario.given?.ping_timeout ?? defaults.pingTimeout,
  clientTimeout: scenario.given?.client_timeout ?? defaults.clientTimeout
})
