// The law: whatever the plan, memory and wire give the same answers to the same pings, and take the same number of
// attempts. Method: plans are generated from a seed, each is played by both interpreters, and what came of it and what
// each rule did has to be equal. A failing one shows its seed and its plan.
import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import type { Stage } from "@appservice-ping/testbed/fault/Kind"
import { draw } from "@appservice-ping/testbed/plan/Draw"
import type { Plan, Rule, Turn, When } from "@appservice-ping/testbed/plan/Plan"
import * as Run from "@appservice-ping/testbed/scenario/Run"
import type { Scenario } from "@appservice-ping/testbed/scenario/Scenario"
import { scenarioToYaml } from "@appservice-ping/testbed/scenario/ScenarioFile"
import type { Leg } from "@appservice-ping/testbed/step/Leg"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"

// Long beside what a busy machine adds, and short beside the patience of whoever waits for the tests.
const pingTimeout = Duration.millis(800)
const clientTimeout = Duration.millis(2000)

const singles = Catalogue.singles({ pingTimeout, clientTimeout })

/** Chooses one of many, always the same one for the same seed and purpose. */
const choose = <A>(from: ReadonlyArray<A>, seed: number, ...purpose: ReadonlyArray<string | number>): A => {
  const chosen = from[Math.floor(draw(seed, purpose) * from.length)]
  if (chosen === undefined) throw new Error("nothing to choose from")
  return chosen
}

const whens: ReadonlyArray<When> = [
  {},
  {},
  { nth: 1 },
  { nth: [2, 3] },
  { first: 1 },
  { every: 2 },
  { probability: 0.5 },
  { beyond: { limit: 1, window: Duration.hours(1) } }
]

/** A client that is told too much at once leaves, and whether the application is asked before that is a race. */
const isRace = (fault: Fault.Fault): boolean =>
  fault.type === "informational" && (fault.status === 101 || (fault.count ?? 1) > 16)

const faultsOf = (leg: Leg, stage: Stage, tls: boolean): ReadonlyArray<Fault.Fault> =>
  singles.flatMap(({ fault, leg: on }) =>
    on === leg && Fault.stageOf(fault) === stage && !isRace(fault) && (tls || !Fault.needsTls(fault))
      ? [fault]
      : []
  )

const ruleOf = (seed: number, index: number, tls: boolean): Rule => {
  const leg = choose(["to_homeserver", "to_appservice", "to_appservice"] as const, seed, index, "leg")
  const stage = choose(["connection", "request", "request"] as const, seed, index, "stage")
  const faults = faultsOf(leg, stage, tls)
  const shared = { leg, when: choose(whens, seed, index, "when") }
  if (draw(seed, [index, "sequence?"]) < 0.7) return { ...shared, fault: choose(faults, seed, index, "fault") }
  const turns = Array.from({ length: 3 }, (_, turn): Turn =>
    draw(seed, [index, turn, "pass?"]) < 0.3
      ? { fault: Fault.pass }
      : { fault: choose(faults, seed, index, turn, "fault"), times: choose([1, 1, 2], seed, index, turn, "times") })
  return { ...shared, sequence: turns, end: choose(["pass", "repeat", "cycle"] as const, seed, index, "end") }
}

const scenarioOf = (seed: number): Scenario => {
  const tls = draw(seed, ["secure?"]) < 0.25
  const plan: Plan = {
    seed,
    rules: Array.from({ length: choose([1, 1, 2, 3], seed, "rules") }, (_, index) => ruleOf(seed, index, tls))
  }
  return {
    name: `generated-${seed}`,
    given: {
      ping_timeout: pingTimeout,
      client_timeout: clientTimeout,
      tls,
      keep_alive: draw(seed, ["keep alive?"]) < 0.5
    },
    plan,
    pings: Array.from({ length: 3 }, () => ({ expect: { answer: "Success" } }))
  }
}

/** What has to be the same: everything but times, and what is only known of one's own connections. */
const comparable = (run: Run.ScenarioRun) => ({
  pings: run.pings.map(({ answer, attempts, calls, ping, status }) => ({ answer, attempts, calls, ping, status })),
  healed: run.healed?.answer,
  rules: run.rules
})

describe.concurrent("memory and wire give the same answers and take the same number of attempts", {
  timeout: 60_000
}, () => {
  for (let seed = 1; seed <= 60; seed++) {
    const scenario = scenarioOf(seed)
    it.live(`seed ${seed}: ${scenario.plan.rules.length} rules`, () =>
      Effect.gen(function*() {
        const wire = yield* Run.run(scenario, { interpreter: "wire" })
        const memory = yield* Run.run(scenario, { interpreter: "memory" })
        assert.deepStrictEqual(comparable(wire), comparable(memory), scenarioToYaml(scenario))
        assert.lengthOf(wire.pings, 3)
        assert.strictEqual(wire.healed?.answer, "Success")
      }))
  }
})
