/** Turns what a schema found wrong into problems that name the place, what is there and what was probably meant. */
import { Option, Predicate, type SchemaAST, SchemaAST as AST, SchemaIssue } from "effect"
import type { Synonyms } from "../../plan/Synonyms.ts"
import type { Problem } from "../Problem.ts"
import { nearest } from "./nearest.ts"
import * as Shape from "./shape.ts"
import type { Path } from "./yamlReader.ts"

export interface ProblemOptions {
  readonly synonyms?: Synonyms | undefined
  /** How many problems are listed at most; the rest is counted in one last entry. */
  readonly maxProblems: number
  /** The line of a field, where the input came from a text. */
  readonly lineOf?: ((path: Path) => number | undefined) | undefined
}

/** A place of the input that was rejected, and the mappings around it, the nearest first. */
interface Place {
  readonly path: Path
  readonly around: ReadonlyArray<SchemaAST.Objects>
}

/** Described only when it is shown, because looking for the nearest name costs most. */
interface Finding {
  readonly path: Path
  readonly describe: (synonyms: Synonyms) => Omit<Problem, "field" | "file" | "line" | "fix">
}

const pathText = (path: Path): string =>
  path.map((key, index) =>
    typeof key === "number"
      ? `[${key}]`
      : /^[\w$-]{1,60}$/.test(String(key))
      ? `${index === 0 ? "" : "."}${String(key)}`
      : `[${foundWords(String(key))}]`
  ).join("")

const shortLength = 60

const short = (text: string): string => text.length > shortLength ? `${text.slice(0, shortLength - 1)}…` : text

/** What is there, in a form that fits into a line and cannot move the cursor of a terminal. */
const foundWords = (input: unknown): string => {
  if (typeof input === "string") return short(JSON.stringify(input).replaceAll(/[^\x20-\x7e]/g, "?"))
  if (Array.isArray(input)) return "a list"
  if (Predicate.isObject(input)) return "a mapping"
  return short(String(input))
}

const inputOf = (issue: SchemaIssue.Issue): Option.Option<unknown> =>
  SchemaIssue.hasInput(issue) ? Option.some(issue.input) : Option.none()

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

const didYouMean = (suggestions: ReadonlyArray<string>, otherwise: string): string =>
  suggestions.length === 0
    ? otherwise
    : `did you mean ${suggestions.map((name) => JSON.stringify(name)).join(" or ")}?`

const rejected = (place: Place, found: Option.Option<unknown>, expected: string): Finding => ({
  path: place.path,
  describe: () => {
    // The whole file is never repeated: it may not be a plan at all, but something that holds a secret.
    const words = Option.map(
      found,
      (input) => place.path.length === 0 && typeof input === "string" ? "text" : foundWords(input)
    )
    const isText = expected.startsWith("text") &&
      Option.exists(found, (input) => typeof input === "number" || typeof input === "boolean" || input === null)
    const there = Option.match(words, { onNone: () => "", onSome: (words) => `found ${words}, ` })
    return {
      problem: `${there}expected ${expected}${isText ? " (put it in quotes)" : ""}`,
      expected,
      suggestions: [],
      ...Option.match(words, { onNone: () => ({}), onSome: (found) => ({ found }) })
    }
  }
})

/** A word that is none of the known ones; `noun` says what kind of thing they are. */
const unknownWord = (place: Place, noun: string, word: string, names: ReadonlyArray<string>): Finding => ({
  path: place.path,
  describe: (synonyms) => {
    const suggestions = nearest(word, names, synonyms)
    const expected = `one of ${Shape.listed(names)}`
    return {
      problem: `unknown ${noun} ${foundWords(word)}; ${didYouMean(suggestions, `expected ${expected}`)}`,
      expected,
      found: foundWords(word),
      suggestions
    }
  }
})

const unknownField = (place: Place, mapping: SchemaAST.Objects): Finding => ({
  path: place.path,
  describe: (synonyms) => {
    const name = String(place.path.at(-1))
    const names = Shape.fieldNames(mapping)
    const expected = names.length === 0 ? "no fields" : `one of the fields ${Shape.listed(names)}`
    const suggestions = nearest(name, names, synonyms)
    const inner = Shape.fieldsThatTake(mapping, name)
    const outer = place.around.slice(1).findIndex((other) => Shape.fieldOf(other, name) !== undefined)
    const hint = suggestions.length === 0 && inner.length > 0
      ? `it is a field of ${inner.join(" and ")}`
      : suggestions.length === 0 && outer >= 0
      ? "it is a field of the mapping around this one"
      : didYouMean(suggestions, `expected ${expected}`)
    return { problem: `unknown field; ${hint}`, expected, suggestions }
  }
})

const missing = (place: Place): Finding => ({
  path: place.path,
  describe: () => {
    const [mapping] = place.around
    const field = mapping === undefined ? undefined : Shape.fieldOf(mapping, place.path.at(-1) ?? "")
    const expected = field === undefined ? "a value" : Shape.expectedWords(field)
    return { problem: `missing; expected ${expected}`, expected, suggestions: [] }
  }
})

/** The nearest name around a place: a mapping at `fault` with the discriminator `type` is a fault. */
const nounOf = (path: Path, key: string): string => {
  if (key !== "type") return key
  const name = path.findLast((part) => typeof part === "string")
  return name ?? key
}

/** No member of a union comes near: say which there are. */
const noMember = (place: Place, union: SchemaAST.AST, found: Option.Option<unknown>): Finding => {
  const input = Option.getOrUndefined(found)
  const encoded = AST.toEncoded(union)
  const literals = Shape.literalsOf(encoded)
  if (literals !== undefined && typeof input === "string" && literals.every((one) => typeof one === "string")) {
    return unknownWord(place, "value", input, literals.map(String))
  }
  const discriminator = Shape.discriminatorOf(encoded)
  if (discriminator !== undefined && Predicate.isObject(input)) {
    const { key, names } = discriminator
    const inside = { ...place, path: [...place.path, key] }
    const expected = `one of ${Shape.listed(names)}`
    if (!Object.hasOwn(input, key)) {
      return {
        path: inside.path,
        describe: () => ({ problem: `missing; expected ${expected}`, expected, suggestions: [] })
      }
    }
    const word = input[key]
    return typeof word === "string"
      ? unknownWord(inside, nounOf(place.path, key), word, names)
      : rejected(inside, Option.some(word), expected)
  }
  if (discriminator !== undefined && typeof input === "string" && discriminator.names.includes(input)) {
    return rejected(place, found, `a mapping: { ${discriminator.key}: ${input} }`)
  }
  return rejected(place, found, Shape.expectedWords(encoded))
}

/** A time whose unit is not known, or that is written without a space. */
const wrongUnit = (
  place: Place,
  { filter }: SchemaIssue.Filter,
  expected: string,
  input: unknown
): Finding | undefined => {
  const units = filter.annotations?.["units"]
  const [, amount, word] = typeof input === "string" ? /^\s*([\d.]{1,20})\s*(\p{L}{1,20})\s*$/u.exec(input) ?? [] : []
  if (!Array.isArray(units) || amount === undefined || word === undefined) return undefined
  const names = units.map(String)
  return {
    path: place.path,
    describe: (synonyms) => {
      const isKnown = names.includes(word) || names.includes(`${word}s`)
      const suggestions = (isKnown ? [word] : nearest(word, names, synonyms)).map((unit) => `${amount} ${unit}`)
      const what = isKnown
        ? `expected a space before the unit of ${foundWords(input)}`
        : `unknown unit ${foundWords(word)}`
      return {
        problem: `${what}; ${didYouMean(suggestions, `expected ${expected}`)}`,
        expected,
        found: foundWords(input),
        suggestions
      }
    }
  }
}

const messageOf = (annotations: { readonly [key: string]: unknown } | undefined): string | undefined => {
  const message = annotations?.["message"]
  return typeof message === "string" ? message.replace(/^expected /i, "") : undefined
}

const filtered = (issue: SchemaIssue.Filter, place: Place, ast: SchemaAST.AST): ReadonlyArray<Finding> => {
  const inner = issue.issue
  if (inner._tag !== "InvalidValue") return findings(inner, place, ast)
  const annotations = issue.filter.annotations
  const message = messageOf(inner.annotations)
  const found = inputOf(issue)
  // A rule of a whole mapping says all by itself; to add "found a mapping" would not help.
  if (message !== undefined) return [rejected(place, Option.none(), lowerFirst(message))]
  const expected = Shape.checkWords(ast, annotations?.["expected"]) ?? Shape.expectedWords(ast)
  const shown = Option.filter(found, (input) => !Predicate.isObjectOrArray(input))
  return [wrongUnit(place, issue, expected, Option.getOrUndefined(found)) ?? rejected(place, shown, expected)]
}

/** Of the members of a union only those that came furthest: the others were not meant. */
const ofMembers = (
  members: ReadonlyArray<ReadonlyArray<Finding>>,
  place: Place,
  union: SchemaAST.AST,
  found: Option.Option<unknown>
): ReadonlyArray<Finding> => {
  const depth = (member: ReadonlyArray<Finding>): number => Math.max(0, ...member.map(({ path }) => path.length))
  const deepest = Math.max(...members.map(depth))
  const best = members.filter((member) => depth(member) === deepest)
  return best.length === 1 ? best[0] ?? [] : [noMember(place, union, found)]
}

const findings = (issue: SchemaIssue.Issue, place: Place, ast: SchemaAST.AST): ReadonlyArray<Finding> => {
  const found = inputOf(issue)
  switch (issue._tag) {
    case "Pointer":
      return findings(issue.issue, { ...place, path: [...place.path, ...issue.path] }, ast)
    case "Composite": {
      const mappings = AST.isObjects(issue.ast) ? [issue.ast] : []
      const around = [...mappings, ...place.around]
      return issue.issues.flatMap((inner) => findings(inner, { ...place, around }, issue.ast))
    }
    case "Encoding":
      return findings(issue.issue, place, issue.ast)
    case "Filter":
      return filtered(issue, place, ast)
    case "AnyOf":
      if (issue.issues.length === 0) return [noMember(place, issue.ast, found)]
      return ofMembers(issue.issues.map((inner) => findings(inner, place, issue.ast)), place, issue.ast, found)
    case "OneOf":
      return [rejected(place, found, "only one of the forms that are known")]
    case "InvalidType":
      return [rejected(place, found, Shape.expectedWords(issue.ast))]
    case "MissingKey":
      return [missing(place)]
    case "UnexpectedKey":
      return AST.isObjects(issue.ast) ? [unknownField(place, issue.ast)] : [rejected(place, Option.none(), "nothing")]
    case "InvalidValue":
    case "Forbidden": {
      const expected = messageOf(issue.annotations) ?? issue.annotations?.["expected"]
      return [rejected(place, found, typeof expected === "string" ? expected : Shape.expectedWords(ast))]
    }
  }
}

/** Every problem of an input that a schema rejected, one for each place, in the order of the schema. */
export const problemsOf = (
  issue: SchemaIssue.Issue,
  options: ProblemOptions
): readonly [Problem, ...Array<Problem>] => {
  const places = new Map<string, Finding>()
  for (const finding of findings(issue, { path: [], around: [] }, AST.unknown)) {
    const path = pathText(finding.path)
    if (!places.has(path)) places.set(path, finding)
  }
  const all = [...places]
  const [first, ...others] = all.slice(0, options.maxProblems).map(([field, { describe, path }]): Problem => {
    const line = options.lineOf?.(path)
    const described = describe(options.synonyms ?? {})
    const [suggestion] = described.suggestions
    return {
      ...line === undefined ? {} : { line },
      field,
      ...described,
      ...suggestion === undefined ? {} : { fix: `write ${JSON.stringify(suggestion)}` }
    }
  })
  const more = all.length - options.maxProblems
  const rest: ReadonlyArray<Problem> = more > 0
    ? [{ field: "", problem: `and ${more} more problems`, expected: "", suggestions: [] }]
    : []
  const fallback: Problem = {
    field: "",
    problem: "expected something else",
    expected: "something else",
    suggestions: []
  }
  return [first ?? fallback, ...others, ...rest]
}
