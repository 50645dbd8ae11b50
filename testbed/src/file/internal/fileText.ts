/** Reads YAML and JSON at a bounded cost, and never quotes the text in an error: it may be the wrong file. */
import { Predicate, Result } from "effect"
import { Yaml } from "effect/encoding"

/**
 * The bounds of a file.
 *
 * **Details**
 *
 * `lineLength` and `mergeKeys` hold for YAML only, whose parser's time grows with the square of the one and the product
 * of the other. `depth` and `nodes` count what is nested and what there is once every alias is followed.
 */
export interface Limits {
  readonly bytes: number
  readonly lineLength: number
  readonly mergeKeys: number
  readonly depth: number
  readonly nodes: number
}

export const defaultLimits: Limits = {
  bytes: 1024 * 1024,
  lineLength: 16 * 1024,
  mergeKeys: 16,
  depth: 32,
  nodes: 200_000
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
    if (++nodes > limits.nodes) return `at most ${limits.nodes} values, with every alias followed`
    if (!Predicate.isObjectOrArray(next.value)) continue
    if (next.depth > limits.depth) return `at most ${limits.depth} levels, one inside the other`
    for (const value of Object.values(next.value)) waiting.push({ value, depth: next.depth + 1 })
  }
  return undefined
}

const yamlProblem = (error: unknown): string => {
  if (error instanceof RangeError) return "less deep nesting"
  const message = error instanceof Error ? error.message : ""
  const [, line] = /at line (\d+)$/.exec(message) ?? []
  const where = line === undefined ? "" : `; look at line ${line}`
  return message.startsWith("Duplicate key '") ? `each key once${where}` : `valid YAML or JSON${where}`
}

const parseYaml = (text: string, limits: Limits): Result.Result<unknown, string> => {
  const line = text.split(/\r\n?|\n/).findIndex((line) => line.length > limits.lineLength) + 1
  if (line > 0) return Result.fail(`lines of at most ${limits.lineLength} characters, unlike line ${line}`)
  if (text.split("<<").length - 1 > limits.mergeKeys) return Result.fail(`at most ${limits.mergeKeys} merge keys (<<)`)
  return Result.try({ try: (): unknown => Yaml.parse(text), catch: yamlProblem })
}

const parseJson = (text: string): Result.Result<unknown, string> =>
  Result.try({ try: (): unknown => JSON.parse(text), catch: () => "valid JSON" })

/** The value that a text stands for, or what was expected of the text. */
export const parse = (source: string, limits: Limits): Result.Result<unknown, string> => {
  const text = source.replace(/^\uFEFF/, "")
  if (isTooLarge(text, limits.bytes)) return Result.fail(`a file of at most ${limits.bytes} bytes`)
  const json = parseJson(text)
  const parsed: Result.Result<unknown, string> = Result.isSuccess(json) ? json : parseYaml(text, limits)
  return Result.flatMap(parsed, (value) => {
    const tooMuch = sizeProblem(value, limits)
    if (tooMuch !== undefined) return Result.fail(tooMuch)
    const twice = Result.isSuccess(json) ? repeatedKey(text) : undefined
    return twice === undefined ? Result.succeed(value) : Result.fail("each key once in a mapping")
  })
}
