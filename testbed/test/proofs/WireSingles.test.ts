// Every single fault on real sockets comes to the same as in memory: the same answer, the same number of requests to the
// homeserver and to the appservice, and the fault was played as often.
import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Run from "@appservice-ping/testbed/scenario/Run"
import type { Scenario } from "@appservice-ping/testbed/scenario/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"

// Long beside what a busy machine adds, and short beside the patience of whoever waits for the tests.
const pingTimeout = Duration.millis(800)
const clientTimeout = Duration.millis(2000)

const scenarioOf = ({ fault, leg }: Catalogue.Single): Scenario => ({
  name: "single",
  given: { ping_timeout: pingTimeout, client_timeout: clientTimeout, tls: Fault.needsTls(fault) },
  plan: Plan.of(leg, fault),
  pings: [{ expect: { answer: "Success" } }]
})

/** A client that is told too much at once leaves, and whether the application is asked before that is a race. */
const isRace = ({ fault }: Catalogue.Single): boolean =>
  fault.type === "informational" && (fault.status === 101 || (fault.count ?? 1) > 16)

const comparable = (run: Run.ScenarioRun, single: Catalogue.Single) => ({
  pings: run.pings.map(({ answer, attempts, calls, status }) => ({
    answer,
    attempts,
    calls: isRace(single) ? undefined : calls,
    status
  })),
  healed: run.healed?.answer,
  rules: run.rules
})

describe.concurrent("on sockets and in memory it is the same", { timeout: 60_000 }, () => {
  for (const single of Catalogue.singles({ pingTimeout, clientTimeout })) {
    it.live(`${single.leg}: ${Fault.describe(single.fault)}`, () =>
      Effect.gen(function*() {
        const wire = yield* Run.run(scenarioOf(single), { interpreter: "wire" })
        const memory = yield* Run.run(scenarioOf(single), { interpreter: "memory" })
        assert.deepStrictEqual(comparable(wire, single), comparable(memory, single))
        assert.strictEqual(wire.healed?.answer, "Success")
      }))
  }
})
