/**
 * Reads YAML within bounds, and keeps what a value alone does not say: the line of each field, and what homeservers
 * read otherwise.
 */
import { Predicate, Result } from "effect"
import {
  type Alias,
  Composer,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type Scalar
} from "yaml"
import * as YamlProblem from "./yamlProblem.ts"
import { coreValue, type PythonType, pythonType } from "./yamlScalar.ts"

/** The bounds, far beyond what a registration needs; within them the slowest text takes well under a second. */
export const limits = { textLength: 131_072, mergeKeys: 16, nodes: 131_072, depth: 100 } as const

/** Something that one of the readers of YAML does not take. */
export interface YamlRemark {
  readonly _tag: "Tab" | "Merge" | "RepeatedAnchor"
  readonly line: number
}

/** A value, and what is known of where it was. */
export interface YamlReading {
  readonly value: unknown
  /** The line of each field, by its path: `namespaces.users.0.regex`. */
  readonly lines: ReadonlyMap<string, number>
  /** The unquoted words, by their path: the text, and what PyYAML takes it for where that is no text. */
  readonly words: ReadonlyMap<string, Word>
  readonly remarks: ReadonlyArray<YamlRemark>
}

/** An unquoted word. */
export interface Word {
  readonly text: string
  readonly python: PythonType | undefined
  /** Whether a comment follows at once, so that the value may have been meant to start with #. */
  readonly isComment: boolean
}

/** Ends the reading; it never leaves this module. */
class Stop extends Error {
  readonly problem: YamlProblem.YamlProblem

  constructor(line: number | undefined, reason: string, kind: "isForeign" | "isRepeatedKey" | "isBound" = "isBound") {
    super(reason)
    this.problem = { line, reason, isForeign: kind === "isForeign", isRepeatedKey: kind === "isRepeatedKey" }
  }
}

/** The tags that every reader knows; the others are a homeserver's own, or a value without quotes. */
const tags: ReadonlySet<string> = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`)
)

const scalarOfTag = (tag: string, source: string): unknown => {
  const value = tag.endsWith(":str") ? source : coreValue(source)
  const isFit = tag.endsWith(":str") || (tag.endsWith(":null") && value === null) ||
    (tag.endsWith(":bool") && typeof value === "boolean") ||
    ((tag.endsWith(":int") || tag.endsWith(":float")) && typeof value === "number")
  return isFit ? value : undefined
}

class Reader {
  readonly lines = new Map<string, number>()
  readonly words = new Map<string, Word>()
  readonly remarks: Array<YamlRemark> = []
  readonly #counter: LineCounter
  readonly #anchors = new Map<string, { readonly value: unknown } | undefined>()
  #nodes = 0
  #merges = 0

  readonly #isText: (path: string) => boolean

  constructor(counter: LineCounter, isText: (path: string) => boolean) {
    this.#counter = counter
    this.#isText = isText
  }

  lineOf(node: Node | null | undefined): number | undefined {
    const offset = node?.range?.[0]
    return offset === undefined ? undefined : this.#counter.linePos(offset).line
  }

  read(node: Node | null, path: ReadonlyArray<string>, fallback: number | undefined): unknown {
    const line = this.lineOf(node) ?? fallback
    if (++this.#nodes > limits.nodes) throw new Stop(line, `there are more than ${limits.nodes} values`)
    if (path.length > limits.depth) throw new Stop(line, `values are nested more than ${limits.depth} deep`)
    const key = path.join(".")
    if (line !== undefined) this.lines.set(key, line)
    if (node === null) return this.#word("", key, false)
    if (isAlias(node)) return this.#alias(node, line)
    if (node.tag !== undefined && !tags.has(node.tag)) {
      throw new Stop(line, "! starts a tag, and this is an unknown tag; put the value in quotes", "isForeign")
    }
    const { anchor } = node
    if (anchor === undefined) return this.#content(node, path, key, line)
    if (this.#anchors.has(anchor)) this.#remark("RepeatedAnchor", line)
    this.#anchors.set(anchor, undefined)
    const value = this.#content(node, path, key, line)
    this.#anchors.set(anchor, { value })
    return value
  }

  #content(node: Node, path: ReadonlyArray<string>, key: string, line: number | undefined): unknown {
    if (isScalar(node)) return this.#scalar(node, key, line)
    if (isSeq(node)) {
      return node.items.map((item, index) => this.read(asNode(item), [...path, String(index)], line))
    }
    if (!isMap(node)) throw new Stop(line, "a value is of no known kind")
    const own = new Map<string, unknown>()
    const merged: Array<{ readonly [key: string]: unknown }> = []
    for (const pair of node.items) {
      const name = this.#key(asNode(pair.key), line)
      const at = this.lineOf(asNode(pair.key)) ?? line
      if (name === undefined) {
        merged.push(...this.#merge(asNode(pair.value), path, at))
        continue
      }
      if (own.has(name)) throw new Stop(at, repeated, "isRepeatedKey")
      own.set(name, this.read(asNode(pair.value), [...path, name], at))
      if (at !== undefined) this.lines.set([...path, name].join("."), at)
    }
    for (const source of merged) {
      for (const [name, value] of Object.entries(source)) {
        if (++this.#nodes > limits.nodes) throw new Stop(line, `there are more than ${limits.nodes} values`)
        if (!own.has(name)) own.set(name, value)
      }
    }
    return Object.fromEntries(own)
  }

  /** The text of a key; `undefined` for the merge key `<<`. */
  #key(node: Node | null, line: number | undefined): string | undefined {
    if (node === null) return ""
    if (isScalar(node)) {
      const text = String(node.value)
      return text === "<<" && node.type === "PLAIN" ? undefined : text
    }
    const value = isAlias(node) ? this.#alias(node, line) : undefined
    if (typeof value === "string") return value
    throw new Stop(this.lineOf(node) ?? line, "a key has to be text")
  }

  #merge(node: Node | null, path: ReadonlyArray<string>, line: number | undefined) {
    if (++this.#merges > limits.mergeKeys) throw new Stop(line, tooManyMerges)
    this.#remark("Merge", line)
    const value = this.read(node, [...path, "<<"], line)
    const sources: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
    return sources.map((source) => {
      if (!Predicate.isObject(source)) throw new Stop(line, "the merge key << needs a mapping")
      return source
    })
  }

  #alias(node: Alias, line: number | undefined): unknown {
    const found = this.#anchors.get(node.source)
    if (found !== undefined) return found.value
    throw new Stop(
      line,
      this.#anchors.has(node.source)
        ? "an alias (*) is inside of its own anchor (&)"
        : "* starts an alias, and no anchor (&) before it has its name; put the value in quotes"
    )
  }

  #scalar(node: Scalar, key: string, line: number | undefined): unknown {
    const source = typeof node.value === "string" ? node.value : node.source ?? ""
    if (node.tag !== undefined) {
      const value = scalarOfTag(node.tag, source)
      if (value === undefined) throw new Stop(line, "a tag (!) does not fit its value")
      return value
    }
    return node.type === "PLAIN" ? this.#word(source, key, node.comment !== undefined) : source
  }

  #word(text: string, key: string, isComment: boolean): unknown {
    const python = pythonType(text)
    this.words.set(key, { text, python, isComment })
    // Where text is expected, a reader that takes no other type for it takes it as it is written.
    return python === undefined && this.#isText(key) ? text : coreValue(text)
  }

  #remark(tag: YamlRemark["_tag"], line: number | undefined): void {
    if (!this.remarks.some(({ _tag }) => _tag === tag)) this.remarks.push({ _tag: tag, line: line ?? 1 })
  }
}

const repeated = "each key may be there once, and one is repeated"

const tooManyMerges = `there are more than ${limits.mergeKeys} merge keys (<<)`

/** The parser gives a tree of nodes; its types allow anything there, because values can be put in by hand. */
const asNode = (value: unknown): Node | null => isNode(value) ? value : null

/** The line of the first tab that separates, which PyYAML takes for no space. */
const tabLine = (text: string): number | undefined => {
  if (!text.includes("\t")) return undefined
  let line = 1
  for (const lexeme of new Lexer().lex(text)) {
    if (/^[ \t]+$/.test(lexeme) && lexeme.includes("\t")) return line
    line += lexeme.split("\n").length - 1
  }
  return undefined
}

const document = (text: string, counter: LineCounter) => {
  const composer = new Composer({
    // Every value as the text it is: what a word means differs from reader to reader.
    schema: "failsafe",
    version: "1.2",
    // Its own search for a repeated key takes the square of their number.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent"
  })
  return [...composer.compose(new Parser(counter.addNewLine).parse(text), true, text.length)]
}

/** Reads YAML text, or says what is wrong without quoting it; `isText` says of a path whether text is expected there. */
export const read = (
  text: string,
  isText: (path: string) => boolean
): Result.Result<YamlReading, YamlProblem.YamlProblem> => {
  const odd = YamlProblem.ofCharacters(text)
  if (odd !== undefined) return Result.fail(odd)
  const counter = new LineCounter()
  try {
    const [first, second] = document(text, counter)
    const error = first?.errors[0]
    if (error !== undefined) return Result.fail(YamlProblem.ofError(error, text))
    if (second !== undefined) {
      const line = counter.linePos(second.range[0]).line
      return Result.fail({ line, reason: "there is a second document after ---; a registration is one" })
    }
    const reader = new Reader(counter, isText)
    const root = asNode(first?.contents)
    const value = root === null ? null : reader.read(root, [], 1)
    const tab = tabLine(text)
    const remarks = tab === undefined ? reader.remarks : [...reader.remarks, { _tag: "Tab", line: tab } as const]
    return Result.succeed({ value, lines: reader.lines, words: reader.words, remarks })
  } catch (error) {
    if (error instanceof Stop) return Result.fail(error.problem)
    // The parser goes down with the text, so that only its stack bounds how deep.
    return Result.fail({ line: undefined, reason: "values are nested too deeply" })
  }
}
