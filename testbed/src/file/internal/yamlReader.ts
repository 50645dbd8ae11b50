/**
 * Reads YAML 1.2 at a bounded cost, and knows the line of every field; an error never quotes the text, which may be the
 * wrong file.
 */
import { Result } from "effect"
import {
  type ErrorCode,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError
} from "yaml"

/** Why a text was not read: what was expected, and on which line something else is. */
export interface TextProblem {
  readonly expected: string
  readonly line?: number | undefined
}

export interface YamlLimits {
  readonly maxMergeKeys: number
  readonly maxDepth: number
  readonly maxValues: number
}

export type Path = ReadonlyArray<PropertyKey>

export interface YamlText {
  readonly value: unknown
  /** The line of the field, or of the nearest one around it that there is. */
  readonly lineOf: (path: Path) => number | undefined
}

const reasons: { readonly [C in ErrorCode]?: string } = {
  BAD_DQ_ESCAPE: "in double quotes a backslash needs a second one",
  BAD_INDENT: "the indentation does not fit the lines before",
  BAD_SCALAR_START: "a value that starts so needs quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second colon on a line needs quotes, or the indentation is wrong",
  DUPLICATE_KEY: "each key once",
  MISSING_CHAR: "a quote, a bracket, a colon or a comma is missing",
  MULTIPLE_DOCS: "a file is one document",
  TAB_AS_INDENT: "a tab cannot indent; use spaces"
}

const reasonOf = ({ code, message }: YAMLError): string | undefined => {
  if (/must (?:end|be sufficiently indented and end) with/.test(message)) return "a [ or { is not closed"
  return /Missing closing .quote/.test(message) ? "a quote is not closed" : reasons[code]
}

/** Ends the walk; it never leaves this module. */
class Stop extends Error {
  readonly problem: TextProblem

  constructor(expected: string, line: number | undefined) {
    super(expected)
    this.problem = { expected, line }
  }
}

const tooDeep = ({ maxDepth }: YamlLimits): string => `at most ${maxDepth} levels, one inside the other`

const tooMany = ({ maxValues }: YamlLimits): string => `at most ${maxValues} values, with every alias followed`

/** What can be seen to be too much before anything is built of it: the cost of building grows faster than the text. */
const ofLexemes = (text: string, limits: YamlLimits): TextProblem | undefined => {
  let line = 1
  let depth = 0
  let values = 0
  let merges = 0
  let isScalarNext = false
  for (const lexeme of new Lexer().lex(text)) {
    if (isScalarNext) {
      if (lexeme === "<<" && ++merges > limits.maxMergeKeys) {
        return { expected: `at most ${limits.maxMergeKeys} merge keys (<<)`, line }
      }
      if (++values > limits.maxValues * 2) return { expected: tooMany(limits), line }
    }
    isScalarNext = lexeme === "\u001f"
    if (lexeme === "[" || lexeme === "{") depth++
    if (lexeme === "]" || lexeme === "}") depth--
    if (depth > limits.maxDepth) return { expected: tooDeep(limits), line }
    for (const sign of lexeme) if (sign === "\n") line++
  }
  return undefined
}

/** A value of the file, and how much it is with every alias followed. */
interface Measured {
  readonly value: unknown
  readonly size: number
  readonly depth: number
}

const nodeOf = (value: unknown): Node | undefined => isNode(value) ? value : undefined

const isMergeKey = (node: Node | undefined): boolean => isScalar(node) && node.source === "<<" && node.type === "PLAIN"

class Walk {
  readonly nodes = new Map<string, Node>()
  private readonly anchors = new Map<string, Measured | undefined>()
  private readonly counter: LineCounter
  private readonly limits: YamlLimits

  constructor(counter: LineCounter, limits: YamlLimits) {
    this.counter = counter
    this.limits = limits
  }

  lineOf(node: Node | undefined): number | undefined {
    const start = node?.range?.[0]
    return start === undefined ? undefined : this.counter.linePos(start).line
  }

  measure(node: Node | undefined): Measured {
    if (node === undefined) return { value: null, size: 1, depth: 0 }
    if (isAlias(node)) return this.alias(node.source, node)
    const { anchor } = node
    if (anchor !== undefined) {
      this.anchors.set(anchor, undefined)
      this.nodes.set(anchor, node)
    }
    const measured = this.checked(this.content(node), node)
    if (anchor !== undefined) this.anchors.set(anchor, measured)
    return measured
  }

  private alias(name: string, node: Node): Measured {
    const measured = this.anchors.get(name)
    if (measured === undefined) {
      throw new Stop("an alias (*) of an anchor (&) that is whole before it", this.lineOf(node))
    }
    return measured
  }

  private checked(measured: Measured, node: Node): Measured {
    if (measured.size > this.limits.maxValues) throw new Stop(tooMany(this.limits), this.lineOf(node))
    if (measured.depth > this.limits.maxDepth) throw new Stop(tooDeep(this.limits), this.lineOf(node))
    return measured
  }

  private content(node: Node): Measured {
    if (isScalar(node)) return { value: node.value, size: 1, depth: 0 }
    let size = 1
    let depth = 0
    const read = (child: unknown): unknown => {
      const measured = this.measure(nodeOf(child))
      size += measured.size
      depth = Math.max(depth, measured.depth)
      return measured.value
    }
    if (isSeq(node)) {
      const value = node.items.map(read)
      return { value, size, depth: depth + 1 }
    }
    if (!isMap(node)) throw new Stop("valid YAML or JSON", this.lineOf(node))
    const own = new Map<string, unknown>()
    const merged: Array<unknown> = []
    for (const { key, value } of node.items) {
      const keyNode = nodeOf(key)
      if (isMergeKey(keyNode)) {
        merged.push(read(value))
        continue
      }
      if (!isScalar(keyNode)) throw new Stop("keys that are words", this.lineOf(keyNode))
      const name = String(keyNode.value)
      if (own.has(name)) throw new Stop("each key once in a mapping", this.lineOf(keyNode))
      own.set(name, read(value))
    }
    for (const source of merged.flat()) {
      if (typeof source !== "object" || source === null || Array.isArray(source)) {
        throw new Stop("a mapping, or a list of them, at a merge key (<<)", this.lineOf(node))
      }
      for (const [name, value] of Object.entries(source)) if (!own.has(name)) own.set(name, value)
    }
    return { value: Object.fromEntries(own), size, depth: depth + 1 }
  }
}

const childOf = (node: Node, key: PropertyKey): { readonly at: Node; readonly child: Node | undefined } | undefined => {
  if (isSeq(node) && typeof key === "number") {
    const item = nodeOf(node.items[key])
    return item === undefined ? undefined : { at: item, child: item }
  }
  if (!isMap(node)) return undefined
  for (const pair of node.items) {
    const at = nodeOf(pair.key)
    if (isScalar(at) && String(at.value) === String(key)) return { at, child: nodeOf(pair.value) }
  }
  return undefined
}

/** Reads one document. */
export const readYaml = (text: string, limits: YamlLimits): Result.Result<YamlText, TextProblem> => {
  try {
    const tooMuch = ofLexemes(text, limits)
    if (tooMuch !== undefined) return Result.fail(tooMuch)
    const counter = new LineCounter()
    const document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      merge: false,
      // Looking for a key that is repeated takes the square of their number there.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "error",
      lineCounter: counter
    })
    const [error] = [...document.errors, ...document.warnings]
    if (error !== undefined) {
      const reason = reasonOf(error)
      const { line } = counter.linePos(Math.min(error.pos[0], text.trimEnd().length))
      return Result.fail({ expected: `valid YAML or JSON${reason === undefined ? "" : `: ${reason}`}`, line })
    }
    const root = document.contents ?? undefined
    const walk = new Walk(counter, limits)
    const { value } = walk.measure(root)
    const lineOf = (path: Path): number | undefined => {
      let node: Node | undefined = root
      let line = walk.lineOf(root)
      for (const key of path) {
        if (isAlias(node)) node = walk.nodes.get(node.source)
        const found = node === undefined ? undefined : childOf(node, key)
        if (found === undefined) return line
        line = walk.lineOf(found.at)
        node = found.child
      }
      return line
    }
    return Result.succeed({ value, lineOf })
  } catch (error) {
    if (error instanceof Stop) return Result.fail(error.problem)
    return Result.fail({ expected: error instanceof RangeError ? "less deep nesting" : "valid YAML or JSON" })
  }
}
