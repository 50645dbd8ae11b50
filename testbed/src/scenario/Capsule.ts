/**
 * All that is needed to play a failed scenario again, in one file.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { toText } from "../play/Journal.ts"
import { ScenarioRun } from "./Run.ts"
import { Scenario } from "./Scenario.ts"

/**
 * The versions a run was made with.
 *
 * @category models
 * @since 0.1.0
 */
export const Versions = Schema.Struct({
  testbed: Schema.String,
  effect: Schema.String,
  node: Schema.String
})

/**
 * A capsule: the scenario with its plan, the seed, the versions, and the run with its journal.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Capsule = Schema.Struct({
  capsule: Schema.tag(1),
  versions: Versions,
  scenario: Scenario,
  run: ScenarioRun
})

/**
 * A scenario that did not pass, with all that is needed to play it again.
 *
 * @category models
 * @since 0.1.0
 */
export type Capsule = typeof Capsule.Type

/**
 * The name of a capsule's file.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fileName = ({ interpreter, scenario, seed }: ScenarioRun): string =>
  `${scenario}-${interpreter}-${seed}.json`

/**
 * Checks whether a run did what the one in the capsule did: the same verdict, and in memory the same journal, byte for
 * byte.
 *
 * @category combinators
 * @since 0.1.0
 */
export const isReplayed = ({ run }: Capsule, again: ScenarioRun): boolean =>
  run.verdict === again.verdict && (run.interpreter === "wire" || toText(run.journal) === toText(again.journal))
