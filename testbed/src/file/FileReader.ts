/**
 * Reads files for any schema: YAML or JSON, at a bounded cost, with every problem named at once.
 *
 * @since 0.1.0
 */
import { Predicate, Result, Schema, type SchemaIssue } from "effect"
import type { Synonyms } from "../plan/Synonyms.ts"
import { defaultLimits, type Limits as FileLimits, parse } from "./internal/fileText.ts"
import { problemsOf } from "./internal/problems.ts"
import type { YamlText } from "./internal/yamlReader.ts"
import { ofFile, type Problem } from "./Problem.ts"

/**
 * The bounds of a file: its bytes, in YAML the merge keys (`<<`), and with every alias followed how deep values are nested
 * and how many there are.
 *
 * @category options
 * @since 0.1.0
 */
export type Limits = FileLimits

/**
 * All that is wrong with a file.
 *
 * @category models
 * @since 0.1.0
 */
export type Problems = readonly [Problem, ...Array<Problem>]

/**
 * What a reader knows beside its schema.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReaderOptions {
  /** Words of other tools, and the names that they mean. */
  readonly synonyms?: Synonyms | undefined
  /** How many problems are listed. Default: 50. */
  readonly maxProblems?: number | undefined
}

/**
 * Where a text comes from, and the bounds of reading it.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadOptions {
  /** The name of the file, for errors. Default: what the file holds, such as `plan`. */
  readonly file?: string | undefined
  /** Default: 1 MiB, 16 merge keys, 32 levels and 200,000 values. */
  readonly limits?: Partial<Limits> | undefined
}

/**
 * Reads the values of one schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileReader<A> {
  readonly fromText: (text: string, options?: ReadOptions) => Result.Result<A, Problems>
  /** Reads a value such as parsed JSON. */
  readonly fromUnknown: (input: unknown, options?: Pick<ReadOptions, "file">) => Result.Result<A, Problems>
  /** Makes the same checks of a value of the program. */
  readonly check: (value: unknown) => Result.Result<A, Problems>
}

const parseOptions = { errors: "all", onExcessProperty: "error", reportInput: true } as const

const defaultProblems = 50

/** Editors read `$schema` at the top of a JSON file; it says nothing about the value itself. */
const withoutSchemaKey = (input: unknown): unknown => {
  if (!Predicate.isObject(input) || typeof input["$schema"] !== "string") return input
  const { $schema: _, ...rest } = input
  return rest
}

/**
 * The problems of an input that a schema rejected.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofIssue = (issue: SchemaIssue.Issue, options?: ReaderOptions): Problems =>
  problemsOf(issue, { synonyms: options?.synonyms, maxProblems: options?.maxProblems ?? defaultProblems })

/**
 * Makes the reader for a schema, whose values are called `name`; an unknown field is an error at every depth.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A, E>(name: string, schema: Schema.Codec<A, E>, options?: ReaderOptions): FileReader<A> => {
  const problemOptions = { synonyms: options?.synonyms, maxProblems: options?.maxProblems ?? defaultProblems }
  const decode = Schema.decodeUnknownResult(schema, parseOptions)
  const decodeValue = Schema.decodeUnknownResult(Schema.toType(schema), parseOptions)
  const inFile = ([first, ...others]: Problems, file = name): Problems => [
    { file, ...first },
    ...others.map((problem) => ({ file, ...problem }))
  ]
  const decodeInput = (input: unknown, file?: string, lineOf?: YamlText["lineOf"]): Result.Result<A, Problems> =>
    Result.mapError(
      decode(withoutSchemaKey(input)),
      ({ issue }) => inFile(problemsOf(issue, { ...problemOptions, lineOf }), file)
    )
  return {
    fromText: (text, { file, limits } = {}) => {
      const parsed = parse(text, { ...defaultLimits, ...limits })
      return Result.isFailure(parsed)
        ? Result.fail(inFile([ofFile(parsed.failure.expected, parsed.failure.line)], file))
        : decodeInput(parsed.success.value, file, parsed.success.lineOf)
    },
    fromUnknown: (input, options) => decodeInput(input, options?.file),
    check: (value) => Result.mapError(decodeValue(value), ({ issue }) => inFile(problemsOf(issue, problemOptions)))
  }
}
