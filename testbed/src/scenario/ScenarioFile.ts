/**
 * Scenarios as files, YAML or JSON: every problem at once, each with its path and the nearest known name.
 *
 * @since 0.1.0
 */
import { Result, Schema } from "effect"
import * as FileReader from "../file/FileReader.ts"
import * as FileWriter from "../file/FileWriter.ts"
import * as Problem from "../file/Problem.ts"
import * as Synonyms from "../plan/Synonyms.ts"
import { Scenario } from "./Scenario.ts"

/**
 * The problems of a scenario.
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
    return Problem.listText(this.problems)
  }
}

const reader = FileReader.make("scenario", Scenario, {
  synonyms: Synonyms.merge(Synonyms.synonyms, { secure: ["tls"], https: ["tls"] })
})

/**
 * Reads a scenario from the text of a file.
 *
 * @category decoding
 * @since 0.1.0
 */
export const scenarioFromText = (
  text: string,
  options?: FileReader.ReadOptions
): Result.Result<Scenario, ScenarioError> =>
  Result.mapError(
    reader.fromText(text, options),
    (problems) => new ScenarioError({ source: options?.file ?? "scenario", problems })
  )

const encode = Schema.encodeSync(Scenario)

/**
 * A scenario as YAML, to start from.
 *
 * @category encoding
 * @since 0.1.0
 */
export const scenarioToYaml = (scenario: Scenario): string => FileWriter.toYaml(encode(scenario))
