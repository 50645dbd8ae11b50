import { find, library } from "@appservice-ping/testbed/scenario/Library"
import * as Run from "@appservice-ping/testbed/scenario/Run"
import { scenarioFromText, scenarioToYaml } from "@appservice-ping/testbed/scenario/ScenarioFile"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"

describe.concurrent("every scenario of the library passes", { timeout: 60_000 }, () => {
  for (const scenario of library) {
    for (const interpreter of ["memory", "wire"] as const) {
      it.live(`${interpreter}: ${scenario.title ?? scenario.name}`, () =>
        Effect.gen(function*() {
          const { problems, verdict } = yield* Run.run(scenario, { interpreter })
          assert.deepStrictEqual({ verdict, problems }, { verdict: "pass", problems: [] })
        }))
    }
  }
})

describe("the library", () => {
  it("has names that are its own, and finds by them", () => {
    assert.lengthOf(new Set(library.map(({ name }) => name)), library.length)
    for (const scenario of library) assert.strictEqual(find(scenario.name), scenario)
    assert.isUndefined(find("no-such-scenario"))
  })

  it("survives being written as a file and read again", () => {
    for (const scenario of library) {
      assert.deepStrictEqual(Result.getOrThrow(scenarioFromText(scenarioToYaml(scenario))), scenario)
    }
  })
})
