/** Reads files that people write, for any schema: YAML or JSON, bounded, with every problem named at once. */
import { Predicate, Result, Schema } from "effect"
import type { Synonyms } from "../../plan/Synonyms.ts"
import { ofFile, type Problem } from "../Problem.ts"
import { defaultLimits, type Limits, parse } from "./fileText.ts"
import { problemsOf } from "./problems.ts"

export type Problems = readonly [Problem, ...Array<Problem>]

export interface FileOptions {
  /** Words of other tools, and the names of ours that mean the same. */
  readonly synonyms?: Synonyms | undefined
  readonly limits?: Partial<Limits> | undefined
  /** How many problems are listed; 50 where nothing is said. */
  readonly problemsMax?: number | undefined
}

export interface FileDecoder<A> {
  readonly fromText: (text: string, limits?: Partial<Limits>) => Result.Result<A, Problems>
  /** From a value such as parsed JSON. */
  readonly fromUnknown: (input: unknown) => Result.Result<A, Problems>
  /** The same checks for a value of the program. */
  readonly check: (value: unknown) => Result.Result<A, Problems>
}

const parseOptions = { errors: "all", onExcessProperty: "error", reportInput: true } as const

/** Editors read `$schema` at the top of a JSON file; it says nothing about the value itself. */
const withoutSchemaKey = (input: unknown): unknown => {
  if (!Predicate.isObject(input) || typeof input["$schema"] !== "string") return input
  const { $schema: _, ...rest } = input
  return rest
}

/** Makes the readers for a schema; an unknown field is an error at every depth. */
export const decodeFile = <A, E>(schema: Schema.Codec<A, E>, options?: FileOptions): FileDecoder<A> => {
  const problemOptions = { synonyms: options?.synonyms, problemsMax: options?.problemsMax ?? 50 }
  const decode = Schema.decodeUnknownResult(schema, parseOptions)
  const decodeValue = Schema.decodeUnknownResult(Schema.toType(schema), parseOptions)
  const fromUnknown = (input: unknown): Result.Result<A, Problems> =>
    Result.mapError(decode(withoutSchemaKey(input)), ({ issue }) => problemsOf(issue, problemOptions))
  return {
    fromText: (text, limits) => {
      const parsed = parse(text, { ...defaultLimits, ...options?.limits, ...limits })
      return Result.isFailure(parsed) ? Result.fail([ofFile(parsed.failure)]) : fromUnknown(parsed.success)
    },
    fromUnknown,
    check: (value) => Result.mapError(decodeValue(value), ({ issue }) => problemsOf(issue, problemOptions))
  }
}
