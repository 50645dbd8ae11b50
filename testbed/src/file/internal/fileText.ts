/** Reads YAML and JSON at a bounded cost, and never quotes the text in an error: it may be the wrong file. */
import * as Json from "@appservice-ping/domain/Json"
import { Predicate, Result } from "effect"
import { type Path, readYaml, type TextProblem, type YamlText } from "./yamlReader.ts"

/**
 * The bounds of a file.
 *
 * **Details**
 *
 * `maxMergeKeys` holds for YAML only. `maxDepth` and `maxValues` count what is nested and what there is once every alias
 * is followed.
 */
export interface Limits {
  readonly maxFileBytes: number
  readonly maxMergeKeys: number
  readonly maxDepth: number
  readonly maxValues: number
}

export const defaultLimits: Limits = {
  maxFileBytes: 1024 * 1024,
  maxMergeKeys: 16,
  maxDepth: 32,
  maxValues: 200_000
}

const encoder = new TextEncoder()

const isTooLarge = (text: string, bytes: number): boolean =>
  // A UTF-16 unit takes at most three bytes, so that only texts near the bound are measured.
  text.length > bytes || (text.length * 3 > bytes && encoder.encode(text).length > bytes)

/** The first key that a JSON object has twice: `JSON.parse` would take the last one and not say so. */
const repeatedKey = (json: string): string | undefined => {
  const stack: Array<Set<string> | undefined> = []
  for (const [token, colon] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g)) {
    if (token === "{") stack.push(new Set())
    else if (token === "[") stack.push(undefined)
    else if (token === "}" || token === "]") stack.pop()
    else if (colon !== undefined) {
      const key: unknown = JSON.parse(token.slice(0, -colon.length))
      const keys = stack.at(-1)
      if (typeof key !== "string" || keys === undefined) continue
      if (keys.has(key)) return key
      keys.add(key)
    }
  }
  return undefined
}

/** Counts what is there with every alias followed, and stops at the bound. */
const sizeProblem = (root: unknown, limits: Limits): string | undefined => {
  const waiting: Array<{ readonly value: unknown; readonly depth: number }> = [{ value: root, depth: 1 }]
  let nodes = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (++nodes > limits.maxValues) return `at most ${limits.maxValues} values, with every alias followed`
    if (!Predicate.isObjectOrArray(next.value)) continue
    if (next.depth > limits.maxDepth) return `at most ${limits.maxDepth} levels, one inside the other`
    for (const value of Object.values(next.value)) waiting.push({ value, depth: next.depth + 1 })
  }
  return undefined
}

/** JSON is YAML, so that the reader of YAML finds its lines; it is asked only when something is wrong. */
const lineInJson = (text: string, limits: Limits) => {
  let read: Result.Result<YamlText, TextProblem> | undefined
  return (path: Path): number | undefined => {
    read ??= readYaml(text, limits)
    return Result.isSuccess(read) ? read.success.lineOf(path) : undefined
  }
}

/** The value of a text and the lines of its fields, or what was expected of the text. */
export const parse = (source: string, limits: Limits): Result.Result<YamlText, TextProblem> => {
  const text = source.replace(/^\uFEFF/, "")
  if (isTooLarge(text, limits.maxFileBytes)) {
    return Result.fail({ expected: `a file of at most ${limits.maxFileBytes} bytes` })
  }
  const value = Json.parse(text)
  if (value === undefined) return readYaml(text, limits)
  const expected = sizeProblem(value, limits) ??
    (repeatedKey(text) === undefined ? undefined : "each key once in a mapping")
  return expected === undefined
    ? Result.succeed({ value, lineOf: lineInJson(text, limits) })
    : Result.fail({ expected })
}
