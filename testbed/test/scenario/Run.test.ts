import * as Fault from "@appservice-ping/testbed/fault/Fault"
import { names } from "@appservice-ping/testbed/peer/HomeserverPeers"
import { of, type Plan } from "@appservice-ping/testbed/plan/Plan"
import * as Run from "@appservice-ping/testbed/scenario/Run"
import type { Scenario, ScenarioPing } from "@appservice-ping/testbed/scenario/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"

const scenarioOf = (plan: Plan, ping: ScenarioPing, given?: Scenario["given"]): Scenario => ({
  name: "played",
  plan,
  pings: [ping],
  ...given === undefined ? {} : { given }
})

describe("Run", { timeout: 30_000 }, () => {
  it.live("takes an attempt that was cut short when the retries were over for undecided", () =>
    Effect.gen(function*() {
      const run = yield* Run.run(
        scenarioOf(of("to_appservice", Fault.latency("5 seconds")), {
          retry: Duration.seconds(1),
          expect: { answer: "Undecided", at_least: Duration.seconds(1), at_most: Duration.seconds(1), attempts: 1 }
        }),
        { interpreter: "memory" }
      )
      assert.deepStrictEqual({ verdict: run.verdict, problems: run.problems }, { verdict: "pass", problems: [] })
    }))

  it.live("plays a scenario of many days in memory", () =>
    Effect.gen(function*() {
      const run = yield* Run.run(
        scenarioOf({ rules: [] }, { after: Duration.days(20), expect: { answer: "Success" } }),
        { interpreter: "memory" }
      )
      assert.deepStrictEqual({ verdict: run.verdict, problems: run.problems }, { verdict: "pass", problems: [] })
    }))

  const early: ReadonlyArray<Fault.Fault> = [
    Fault.refused,
    { type: "dns", failure: "not_found" },
    Fault.resetPeer({ phase: "accept" })
  ]
  for (const homeserver of names) {
    for (const fault of early) {
      for (const tls of [false, true]) {
        it.live(
          `${homeserver} answers alike in memory and on the wire: ${Fault.describe(fault)}${tls ? ", TLS" : ""}`,
          () =>
            Effect.gen(function*() {
              const answers = ["M_CONNECTION_FAILED", "M_CONNECTION_TIMEOUT", "M_UNKNOWN"]
              const scenario = scenarioOf(
                of("to_appservice", fault),
                { expect: { answer: answers, attempts: 1, calls: 0 } },
                { homeserver, tls }
              )
              const [memory, wire] = yield* Effect.all([
                Run.run(scenario, { interpreter: "memory" }),
                Run.run(scenario, { interpreter: "wire" })
              ])
              assert.deepStrictEqual([memory.problems, wire.problems], [[], []])
              assert.strictEqual(wire.pings[0]?.answer, memory.pings[0]?.answer)
            })
        )
      }
    }
  }
})
