import * as PingError from "@appservice-ping/domain/PingError"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import type { Plan } from "@appservice-ping/testbed/plan/Plan"
import type { Entry, Happening } from "@appservice-ping/testbed/play/Journal"
import {
  answerOf,
  attemptsIn,
  callsIn,
  type Evidence,
  judge,
  ofTransaction,
  type PingOutcome,
  unplayed
} from "@appservice-ping/testbed/scenario/Outcome"
import * as Run from "@appservice-ping/testbed/scenario/Run"
import type { Expectation, Scenario } from "@appservice-ping/testbed/scenario/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Result } from "effect"

const plan: Plan = { rules: [{ id: "broken", leg: "to_appservice", fault: Fault.status(503) }] }

const outcome: PingOutcome = { ping: 1, answer: "M_BAD_STATUS", status: 503, millis: 10, attempts: 1, calls: 0 }

const played = { rule: "broken", matched: 1, suppressed: 0, fired: 1, applied: 1 }

const good: Evidence = {
  pings: [[outcome]],
  rules: [played],
  healed: { ...outcome, ping: 2, answer: "Success" },
  dropped: 0,
  slack: Duration.zero
}

const scenarioOf = (expect: Expectation, rest?: Partial<Scenario>): Scenario => ({
  name: "judged",
  plan,
  pings: [{ expect }],
  ...rest
})

const scenario = scenarioOf({ answer: "M_BAD_STATUS", status: 503, attempts: 1, calls: 0 })

describe("judge", () => {
  it("passes what met every expectation, was played and healed", () => {
    assert.deepStrictEqual(judge(scenario, good), { verdict: "pass", problems: [] })
  })

  const failing: ReadonlyArray<readonly [problem: RegExp, Partial<Evidence>]> = [
    [/answered Success, expected M_BAD_STATUS/, { pings: [[{ ...outcome, answer: "Success" }]] }],
    [/told of status 500, expected 503/, { pings: [[{ ...outcome, status: 500 }]] }],
    [/took 2 attempts, expected 1/, { pings: [[{ ...outcome, attempts: 2 }]] }],
    [/reached the application 1 times, expected 0/, { pings: [[{ ...outcome, calls: 1 }]] }],
    [/not healed: the ping after it answered M_BAD_STATUS/, { healed: outcome }]
  ]
  for (const [problem, change] of failing) {
    it(`fails: ${problem.source}`, () => {
      const judged = judge(scenario, { ...good, ...change })
      assert.strictEqual(judged.verdict, "fail")
      assert.match(judged.problems.join("\n"), problem)
    })
  }

  it("fails what took too long or not long enough, at the edge and not before; slack only makes it later", () => {
    const timed = scenarioOf({ answer: "M_BAD_STATUS", at_least: Duration.millis(100), at_most: Duration.millis(200) })
    const verdict = (millis: number, slack = Duration.zero) =>
      judge(timed, { ...good, pings: [[{ ...outcome, millis }]], slack }).verdict
    assert.deepStrictEqual([98.9, 99, 100, 200, 200.1].map((millis) => verdict(millis)), [
      "fail",
      "pass",
      "pass",
      "pass",
      "fail"
    ])
    assert.strictEqual(verdict(1200, Duration.seconds(1)), "pass")
    assert.strictEqual(verdict(1200.1, Duration.seconds(1)), "fail")
    assert.strictEqual(verdict(98.9, Duration.seconds(1)), "fail")
  })

  it("never passes a fault that was not played, and tells which of the three ways it was", () => {
    const ways: ReadonlyArray<readonly [typeof played, RegExp]> = [
      [{ ...played, matched: 0, fired: 0, applied: 0 }, /never matched anything/],
      [{ ...played, matched: 3, suppressed: 3, fired: 0, applied: 0 }, /matched 3 times and was held back 3 times/],
      [{ ...played, applied: 0 }, /decided on 1 times, but never played/]
    ]
    for (const [report, problem] of ways) {
      const judged = judge(scenario, { ...good, rules: [report] })
      assert.strictEqual(judged.verdict, "not applied")
      assert.match(judged.problems.join("\n"), problem)
    }
  })

  it("lets a rule stay idle that has to, and fails it when it does not", () => {
    const idle = scenarioOf({ answer: "M_BAD_STATUS" }, { idle: ["broken"] })
    assert.strictEqual(judge(idle, { ...good, rules: [{ ...played, applied: 0 }] }).verdict, "pass")
    assert.strictEqual(judge(idle, good).verdict, "fail")
    assert.strictEqual(judge(scenarioOf({ answer: "M_BAD_STATUS" }, { idle: ["typo"] }), good).verdict, "not applied")
  })

  it("is inconclusive where nothing was asked, a ping did not end or the journal is not whole", () => {
    const empty = { ...scenario, plan: { rules: [] }, pings: [] }
    assert.strictEqual(judge(empty, { ...good, rules: [], pings: [] }).verdict, "inconclusive")
    assert.strictEqual(judge(scenario, { ...good, pings: [] }).verdict, "inconclusive")
    assert.strictEqual(judge(scenario, { ...good, dropped: 1 }).verdict, "inconclusive")
  })

  it("lets what is wrong weigh more than what is not proven, and that more than what is not known", () => {
    const nothing = { ...good, rules: [{ ...played, applied: 0 }], dropped: 1 }
    assert.strictEqual(judge(scenario, { ...nothing, healed: outcome }).verdict, "fail")
    assert.strictEqual(judge(scenario, nothing).verdict, "not applied")
  })
})

const entries = (...happenings: ReadonlyArray<Happening>): ReadonlyArray<Entry> =>
  happenings.map((what, index) => ({ n: index + 1, time: 0, what }))

const first = { leg: "to_homeserver", connection: 1 } as const
const request = (exchange: number, transactionId: string): Happening => ({
  event: "request",
  ...first,
  exchange,
  method: "POST",
  path: "/",
  attempt: 1,
  transaction_id: transactionId
})

describe("what the journal tells", () => {
  it("counts each request, and each connection that never came to one", () => {
    const journal = entries(
      { event: "connecting", ...first },
      request(1, "a"),
      request(2, "a"),
      { event: "connecting", ...first, connection: 2 },
      { event: "refused", ...first, connection: 2 },
      { event: "connecting", leg: "to_appservice", connection: 1 }
    )
    assert.strictEqual(attemptsIn(journal, "to_homeserver"), 3)
    assert.strictEqual(attemptsIn(journal, "to_appservice"), 1)
  })

  it("counts what the application got", () => {
    const journal = entries(
      { event: "asked", leg: "to_appservice", connection: 1, exchange: 1 },
      { event: "asked", leg: "to_appservice", connection: 1, exchange: 1 },
      { event: "asked", ...first, exchange: 1 }
    )
    assert.strictEqual(callsIn(journal, "to_appservice"), 2)
  })

  it("keeps pings apart that were sent at the same time", () => {
    const journal = entries(request(1, "a"), request(2, "b"), { event: "asked", ...first, exchange: 2 })
    assert.strictEqual(attemptsIn(ofTransaction(journal, "a"), "to_homeserver"), 1)
    assert.strictEqual(callsIn(ofTransaction(journal, "a"), "to_homeserver"), 0)
    assert.strictEqual(callsIn(ofTransaction(journal, "b"), "to_homeserver"), 1)
  })

  it("knows what was decided on and is not played yet", () => {
    const decided: Happening = { event: "decided", ...first, rule: "r", fault: "f", action: "Play", seed: 0 }
    const applied: Happening = { event: "applied", ...first, rule: "r" }
    assert.deepStrictEqual(
      [[decided], [decided, applied], [decided, applied, decided]].map((all) => unplayed(entries(...all))),
      [1, 0, 1]
    )
  })

  it("names an answer by its errcode, also by one that nobody knows", () => {
    assert.deepStrictEqual(answerOf(Result.succeed({ duration_ms: 1 })), { answer: "Success" })
    assert.deepStrictEqual(answerOf(Result.fail(new PingError.BadStatus({ error: "", status: 418 }))), {
      answer: "M_BAD_STATUS",
      status: 418
    })
    assert.deepStrictEqual(
      answerOf(Result.fail(new PingError.OtherErrcode({ errcode: "COM.EXAMPLE_X", status: 400 }))),
      { answer: "COM.EXAMPLE_X" }
    )
  })
})

describe("Run", () => {
  it.live("heals although the scenario asks nothing, and never passes it", () =>
    Effect.gen(function*() {
      const run = yield* Run.run({ name: "empty", plan: { rules: [] }, pings: [] }, { interpreter: "memory" })
      assert.deepStrictEqual([run.verdict, run.healed?.answer], ["inconclusive", "Success"])
    }))

  it.live("is inconclusive where it runs out of steps, and shows what happened until then", () =>
    Effect.gen(function*() {
      const slow = {
        ...scenario,
        plan: { rules: [{ leg: "to_appservice", fault: Fault.latency("1 second") }] }
      } as const
      const run = yield* Run.run(slow, { interpreter: "memory", maxSteps: 0 })
      assert.strictEqual(run.verdict, "inconclusive")
      assert.match(run.problems.join("\n"), /not over after the clock moved/)
      assert.include(run.journal.map(({ what }) => what.event), "decided")
      assert.strictEqual((yield* Run.run(slow, { interpreter: "memory" })).verdict, "fail")
    }))

  it.live("takes the seed it is given before the plan's", () =>
    Effect.gen(function*() {
      const own = { ...scenario, plan: { ...plan, seed: 5 } }
      assert.strictEqual((yield* Run.run(own, { interpreter: "memory" })).seed, 5)
      assert.strictEqual((yield* Run.run(own, { interpreter: "memory", seed: 6 })).seed, 6)
    }))
})
