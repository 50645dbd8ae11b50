/**
 * Plans as files: YAML or JSON, read at a bounded cost, with every problem named at once and the names that were
 * probably meant.
 *
 * @since 0.1.0
 */
import { Result, Schema } from "effect"
import { Plan } from "../plan/Plan.ts"
import { synonyms } from "../plan/Synonyms.ts"
import * as FileReader from "./FileReader.ts"
import * as FileWriter from "./FileWriter.ts"
import * as Problem from "./Problem.ts"

/**
 * A plan that could not be read, with everything that is wrong with it; `source` names the file, or what it came from.
 *
 * @category errors
 * @since 0.1.0
 */
export class PlanError extends Schema.TaggedError<PlanError>("@appservice-ping/testbed/file/PlanFile/PlanError")(
  "PlanError",
  { source: Schema.String, problems: Schema.NonEmptyArray(Problem.Problem) }
) {
  override get message(): string {
    return Problem.listText(this.problems)
  }
}

const reader = FileReader.make("plan", Plan, { synonyms })

const orPlanError = (
  result: Result.Result<Plan, FileReader.Problems>,
  source: string = "plan"
): Result.Result<Plan, PlanError> => Result.mapError(result, (problems) => new PlanError({ source, problems }))

/**
 * Reads a plan from the text of its file, YAML or JSON.
 *
 * **Details**
 *
 * An unknown field is an error, as is an unknown name of a fault, a leg or anything else; the nearest known name is
 * suggested, also for the names that other tools use. A `$schema` at the top is allowed, for editors.
 *
 * **Example** (Reading a plan with a mistake)
 *
 * ```ts
 * import * as PlanFile from "@appservice-ping/testbed/file/PlanFile"
 * import { Result } from "effect"
 *
 * const result = PlanFile.fromText("rules: [{ leg: to_appservice, fault: { type: latencyy } }]", { file: "plan.yaml" })
 *
 * Result.isFailure(result) && result.failure.message
 * // => "plan.yaml:1: rules[0].fault.type: unknown fault \"latencyy\"; did you mean \"latency\"?"
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromText = (text: string, options?: FileReader.ReadOptions): Result.Result<Plan, PlanError> =>
  orPlanError(reader.fromText(text, options), options?.file)

/**
 * Reads a plan from a value, such as parsed JSON.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromUnknown = (
  input: unknown,
  options?: Pick<FileReader.ReadOptions, "file">
): Result.Result<Plan, PlanError> => orPlanError(reader.fromUnknown(input, options), options?.file)

/**
 * Checks a plan that the program made, as strictly as one from a file.
 *
 * @category decoding
 * @since 0.1.0
 */
export const check = (plan: Plan): Result.Result<Plan, PlanError> => orPlanError(reader.check(plan))

const encode = Schema.encodeResult(Plan)

/** A plan whose types are right can still break a bound: then its problems are those of `check`. */
const encoded = (plan: Plan): Result.Result<typeof Plan.Encoded, PlanError> =>
  Result.flatMap(
    check(plan),
    (plan) =>
      Result.mapError(encode(plan), () =>
        new PlanError({ source: "plan", problems: [Problem.ofFile("a plan that can be written to a file")] }))
  )

/**
 * The plan as JSON that `fromText` reads back.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toJson = (plan: Plan): Result.Result<string, PlanError> =>
  Result.map(encoded(plan), (value) => `${JSON.stringify(value, null, 2)}\n`)

/**
 * The plan as YAML that `fromText` reads back; `schema` is written in the comment by which editors find a JSON Schema.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toYaml = (
  plan: Plan,
  options?: { readonly schema?: string | undefined }
): Result.Result<string, PlanError> =>
  Result.map(
    encoded(plan),
    (value) =>
      (options?.schema === undefined ? "" : `# yaml-language-server: $schema=${encodeURI(options.schema)}\n`) +
      FileWriter.toYaml(value)
  )
