/**
 * Scenarios as files, YAML or JSON: every problem at once, each with its path and the nearest known name.
 *
 * @since 0.1.0
 */
import { Result, Schema } from "effect"
import { decodeFile, type Problems } from "../file/internal/decodeFile.ts"
import { toYamlText } from "../file/internal/yamlText.ts"
import type { ReadOptions } from "../file/PlanFile.ts"
import * as Problem from "../file/Problem.ts"
import { synonyms } from "../plan/Synonyms.ts"
import { Scenario } from "./Scenario.ts"

/**
 * What is wrong with a scenario, one problem after the other.
 *
 * @category errors
 * @since 0.1.0
 */
export class ScenarioError
  extends Schema.TaggedError<ScenarioError>("@appservice-ping/testbed/scenario/ScenarioFile/ScenarioError")(
    "ScenarioError",
    { source: Schema.String, problems: Schema.NonEmptyArray(Problem.Problem) }
  )
{
  override get message(): string {
    return Problem.listText(this.source, this.problems)
  }
}

const decoder = decodeFile(Scenario, { synonyms })

const named = (
  result: Result.Result<Scenario, Problems>,
  source: string = "scenario"
): Result.Result<Scenario, ScenarioError> =>
  Result.mapError(result, (problems) => new ScenarioError({ source, problems }))

/**
 * Reads a scenario from the text of a file.
 *
 * @category decoding
 * @since 0.1.0
 */
export const scenarioFromText = (text: string, options?: ReadOptions): Result.Result<Scenario, ScenarioError> =>
  named(decoder.fromText(text, options?.limits), options?.file)

const encode = Schema.encodeSync(Scenario)

/**
 * A scenario as YAML, to start an own one from.
 *
 * @category encoding
 * @since 0.1.0
 */
export const scenarioToYaml = (scenario: Scenario): string => toYamlText(encode(scenario))
