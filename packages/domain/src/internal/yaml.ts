/**
 * YAML of bounded cost: the parser's time grows with the square of a line's length, and its memory with the product
 * of merge keys and the keys that they merge.
 */
import { Result } from "effect"
import { Yaml } from "effect/encoding"

/** The bounds, far beyond what a registration needs; within them the slowest text takes well under a second. */
export const limits = { textLength: 131_072, lineLength: 4096, mergeKeys: 16 } as const

const lineTooLong = (text: string): number =>
  text.split(/\r\n?|\n/).findIndex((line) => line.length > limits.lineLength) + 1

const mergeKeys = (text: string): number => text.split("<<").length - 1

/** Of the parser's message only the line: the rest may quote the text, which holds tokens. */
const syntaxProblem = (error: unknown): string => {
  const message = error instanceof Error ? error.message : ""
  const [, line] = /at line (\d+)$/.exec(message) ?? []
  const where = line === undefined ? "" : ` at line ${line}`
  return message.startsWith("Duplicate key '")
    ? `expected each key once, but one is repeated${where}`
    : `not valid YAML${where}`
}

/** Parses YAML text, or tells what is wrong without quoting it. */
export const parse = (text: string): Result.Result<unknown, string> => {
  const line = lineTooLong(text)
  if (line > 0) return Result.fail(`expected lines of at most ${limits.lineLength} characters, unlike line ${line}`)
  if (mergeKeys(text) > limits.mergeKeys) return Result.fail(`expected at most ${limits.mergeKeys} merge keys (<<)`)
  return Result.try({ try: () => Yaml.parse(text), catch: syntaxProblem })
}
