/**
 * One thing that is wrong with a file or a value that somebody wrote: where, what is there, and what could stand there.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * One problem: its place, such as `rules[0].fault.type`, and what is wrong there, in words and in parts.
 *
 * **Details**
 *
 * `path` is empty for the whole file. `found` is a short form of what is there; it is absent where something is
 * missing or not known at all, and then its value is never repeated. `suggestions` are known names, the nearest first.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Problem = Schema.Struct({
  path: Schema.String,
  problem: Schema.String,
  expected: Schema.String,
  found: Schema.optionalKey(Schema.String),
  suggestions: Schema.Array(Schema.String)
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
export const ofFile = (expected: string): Problem => ({
  path: "",
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
 * Problem.toText(Problem.ofFile("a mapping with rules")) // => "expected a mapping with rules"
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const toText = ({ path, problem }: Problem): string => path === "" ? problem : `${path}: ${problem}`

/**
 * All problems as text, one a line, with the name of the file in front of each.
 *
 * @category encoding
 * @since 0.1.0
 */
export const listText = (source: string, problems: ReadonlyArray<Problem>): string =>
  problems.map((problem) => `${source}: ${toText(problem)}`).join("\n")
