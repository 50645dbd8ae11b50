/**
 * Runs tests with faults switched off: as often as there are faults assigned to a test, each time with one of them.
 *
 * A run with nothing assigned is a healthy one: it notes which faults each test asks for.
 */
import { inspect } from "node:util"
import { type RunnerTask, type RunnerTestCase, TestRunner } from "vitest"
import { faultSwitch } from "./faultSwitch.ts"

/** What a run has to do. */
export interface Assignment {
  /** Whether the faults are played as if all were well, instead of passing. */
  readonly isHarmless: boolean
  /** The keys to switch off for a test, by the test's id; `undefined` for a healthy run. */
  readonly keys: { readonly [testId: string]: ReadonlyArray<string> } | undefined
}

/** What became of a test when a fault was switched off: the text of what made it red, or `null` if it stayed green. */
export interface Outcomes {
  readonly [key: string]: string | null
}

declare module "vitest" {
  interface ProvidedContext {
    faultAssignment: Assignment | undefined
  }
  interface TaskMeta {
    faultsAsked?: ReadonlyArray<string>
    faultOutcomes?: Outcomes
  }
}

/** A test that waits for a fault that is off waits for ever; nobody has to wait for it as long as its timeout. */
const waitMillis = 15_000

const textOf = (error: unknown): string => {
  const text = error instanceof Error && error.message !== "" ? error.message : inspect(error)
  return text.split("\n")[0] ?? ""
}

// Vitest takes the default export of a runner's file.
// oxlint-disable-next-line import/no-default-export
export default class SwitchRunner extends TestRunner {
  private readonly turns = new Map<string, number>()
  private readonly spoiled = new Set<string>()

  /** Nothing is assigned in a run by hand, which does what the environment says. */
  private keysOf(test: RunnerTask): ReadonlyArray<string> | undefined {
    const assignment: Assignment | undefined = this.injectValue("faultAssignment")
    if (assignment === undefined) return undefined
    faultSwitch.isHarmless = assignment.isHarmless
    return assignment.keys === undefined ? undefined : assignment.keys[test.id] ?? []
  }

  override async onBeforeRunTask(test: RunnerTask): Promise<void> {
    await super.onBeforeRunTask(test)
    const keys = this.keysOf(test)
    if (keys === undefined || test.type !== "test") return
    if (keys.length === 0) test.mode = "skip"
    // Vitest repeats a test with everything new: its signal, its fixtures, its hooks.
    else test.repeats = keys.length - 1
  }

  /** In place of what Vitest does; tests marked as concurrent come one after the other here, by `maxConcurrency`. */
  async runTask(test: RunnerTestCase): Promise<void> {
    const run = TestRunner.getTestFn(test)
    const keys = this.keysOf(test)
    faultSwitch.asked.clear()
    if (keys === undefined) {
      await run()
      test.meta.faultsAsked = [...faultSwitch.asked]
      return
    }
    const turn = this.turns.get(test.id) ?? 0
    this.turns.set(test.id, turn + 1)
    const key = keys[turn]
    if (key === undefined || this.spoiled.has(test.id)) return
    test.meta.faultOutcomes = { ...test.meta.faultOutcomes, [key]: await this.outcomeOf(test, key, run) }
  }

  private async outcomeOf(test: RunnerTestCase, key: string, run: () => unknown): Promise<string | null> {
    const { promise: late, resolve } = Promise.withResolvers<string>()
    const timer = setTimeout(() => {
      // Its timeout is still to come, and would end whatever the test does then.
      this.spoiled.add(test.id)
      resolve(`waits for what does not come, after ${waitMillis} ms`)
    }, waitMillis)
    const before = faultSwitch.off
    faultSwitch.off = key
    try {
      return await Promise.race([Promise.resolve(run()).then(() => null, textOf), late])
    } catch (error) {
      return textOf(error)
    } finally {
      faultSwitch.off = before
      clearTimeout(timer)
    }
  }
}
