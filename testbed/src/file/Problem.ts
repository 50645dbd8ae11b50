/**
 * One thing that is wrong with a file or a value: where, what is there, and how to mend it.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * Schema for a problem: the file, the line and the field, what is wrong there, and how to mend it.
 *
 * **Details**
 *
 * `field` is a path such as `rules[0].fault.type`, and empty for the whole file. `line` counts from 1, and is absent for
 * a value that came from no text. `found` is a short form of what is there; it is absent where something is missing or
 * not known at all, and then its value is never repeated. `suggestions` are known names, the nearest first, and `fix` says
 * what to write where one of them is meant.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Problem = Schema.Struct({
  file: Schema.optionalKey(Schema.String),
  line: Schema.optionalKey(Schema.Int),
  field: Schema.String,
  problem: Schema.String,
  expected: Schema.String,
  found: Schema.optionalKey(Schema.String),
  suggestions: Schema.Array(Schema.String),
  fix: Schema.optionalKey(Schema.String)
})

/**
 * One thing that is wrong with a file, and where.
 *
 * @category models
 * @since 0.1.0
 */
export type Problem = typeof Problem.Type

/**
 * The problem of a whole file, where no part of it can be named.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofFile = (expected: string, line?: number): Problem => ({
  ...line === undefined ? {} : { line },
  field: "",
  problem: `expected ${expected}`,
  expected,
  suggestions: []
})

/**
 * The problem as one line of text.
 *
 * **Example** (Showing a problem)
 *
 * ```ts
 * import * as Problem from "@appservice-ping/testbed/file/Problem"
 *
 * Problem.toText({ ...Problem.ofFile("a mapping with rules", 3), file: "plan.yaml" })
 * // => "plan.yaml:3: expected a mapping with rules"
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const toText = ({ field, file, line, problem }: Problem): string => {
  const place = line === undefined ? file : file === undefined ? `line ${line}` : `${file}:${line}`
  return [...place === undefined ? [] : [place], ...field === "" ? [] : [field], problem].join(": ")
}

/**
 * All problems as text, one a line.
 *
 * @category encoding
 * @since 0.1.0
 */
export const listText = (problems: ReadonlyArray<Problem>): string => problems.map(toText).join("\n")
