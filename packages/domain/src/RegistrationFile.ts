/**
 * The file of a registration: YAML or JSON, read as homeservers read it.
 *
 * It is apart from `Registration`, because it needs a parser of YAML, which an app that only pings must not carry.
 *
 * @since 0.1.0
 */
import { Result } from "effect"
import * as YamlReading from "./internal/yamlReading.ts"
import * as Json from "./Json.ts"
import * as Registration from "./Registration.ts"

/**
 * The line that a field of a file is on, by its path: `namespaces.users.0.regex`.
 *
 * @category models
 * @since 0.1.0
 */
export type Lines = ReadonlyMap<string, number>

/**
 * Something about the text of a file that only some homeservers read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Remark {
  readonly line: number
  /** What it is, and for which homeservers it is a problem. */
  readonly problem: string
  readonly fix: string
}

/**
 * A registration with what is known of its text.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegistrationFile {
  readonly registration: Registration.Registration
  readonly lines: Lines
  readonly remarks: ReadonlyArray<Remark>
}

const problem = (
  source: string,
  expected: string,
  line?: number
): Result.Result<never, Registration.RegistrationError> =>
  Result.fail(
    new Registration.RegistrationError({
      source,
      problems: [{ field: "", expected, ...line === undefined ? {} : { line } }]
    })
  )

/** Fields that are text: homeservers in Python take no other type there, and start with no such file. */
const textField =
  /^(?:id|url|as_token|hs_token|sender_localpart|namespaces\.(?:users|rooms|aliases)\.\d+\.regex|protocols\.\d+)$/

const quotes = ({ isComment, python }: YamlReading.Word): string => {
  if (python !== "nothing") {
    return `expected text, in quotes: Synapse reads it as ${python ?? "text"}, and does not start`
  }
  return isComment ? "expected text, in quotes: # starts a comment" : "expected text, but there is nothing"
}

const isText = (field: string): boolean => textField.test(field)

/** Every field that is text but for a url that is not set (C8). */
const needsText = (field: string, { python }: YamlReading.Word): boolean =>
  isText(field) && !(field === "url" && python === "nothing")

/** Once for each field: what a word is to homeservers says more than that it is no text. */
const merged = (
  error: Registration.RegistrationError | undefined,
  own: ReadonlyArray<Registration.Problem>,
  { lines, source }: { readonly lines: Lines; readonly source: string }
): Registration.RegistrationError | undefined => {
  const fields = new Set(own.map(({ field }) => field))
  const others = (error?.problems ?? []).filter(({ field }) => !fields.has(field))
  const [first, ...rest] = [...own, ...others].map((problem) => {
    const line = lines.get(problem.field)
    return problem.line === undefined && line !== undefined && problem.field !== "" ? { ...problem, line } : problem
  }).toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity))
  return first === undefined
    ? undefined
    : new Registration.RegistrationError({ source, problems: [first, ...rest.slice(0, Registration.maxProblems - 1)] })
}

const remarks: { readonly [T in YamlReading.YamlRemark["_tag"]]: Omit<Remark, "line"> } = {
  Tab: {
    problem: "a tab separates what is on the line, and Synapse takes none: it does not start with such a file",
    fix: "Use spaces."
  },
  Merge: {
    problem: "the merge key << is not read by homeservers in Rust (Conduit, Tuwunel, continuwuity)",
    fix: "Write the fields out."
  },
  RepeatedAnchor: {
    problem: "two anchors (&) have one name, and Synapse does not start with such a file",
    fix: "Give each anchor its own name."
  }
}

const ofYaml = (
  { lines, remarks: found, value, words }: YamlReading.YamlReading,
  source: string
): Result.Result<RegistrationFile, Registration.RegistrationError> => {
  const unquoted = [...words].flatMap(([field, word]) =>
    needsText(field, word) && word.python !== undefined ? [{ field, expected: quotes(word) }] : []
  )
  const read = Registration.fromUnknown(value, source)
  const error = merged(Result.isFailure(read) ? read.failure : undefined, unquoted, { lines, source })
  if (error !== undefined) return Result.fail(error)
  return Result.map(read, (registration) => ({
    registration,
    lines,
    remarks: found.map(({ _tag, line }) => ({ line, ...remarks[_tag] }))
  }))
}

const nothing: YamlReading.YamlReading = { value: null, lines: new Map(), words: new Map(), remarks: [] }

/** JSON needs no parser of YAML, and its largest texts would be too deep for one; but it may repeat a key. */
const ofJson = (
  value: unknown,
  text: string,
  source: string
): Result.Result<RegistrationFile, Registration.RegistrationError> => {
  const yaml = YamlReading.read(text, isText)
  if (Result.isFailure(yaml) && yaml.failure.isRepeatedKey === true) {
    const { line, reason } = yaml.failure
    return problem(source, `not valid JSON at line ${line}: ${reason}`, line)
  }
  const { lines, remarks } = Result.getOrElse(yaml, () => nothing)
  // A line says nothing of a text that has only one.
  return ofYaml({ value, lines: text.includes("\n") ? lines : nothing.lines, words: nothing.words, remarks }, source)
}

/**
 * Reads the text of a registration file, YAML or JSON; `source` names the file in errors.
 *
 * **Details**
 *
 * It reads what homeservers read. An unquoted word that Synapse takes for another type, such as `no`, `0123` or a date,
 * is refused where text is expected; a syntax error has its line and a reason. White space that is not YAML's stays in
 * the value, where the checks of the field find it. The cost is bounded: at most 131,072 characters and values, 16
 * merge keys (`<<`), and 100 values in one another.
 *
 * **Example** (Reading a registration file)
 *
 * ```ts
 * import { RegistrationFile } from "@appservice-ping/domain"
 * import { Result } from "effect"
 *
 * const result = RegistrationFile.fromText("id: no\nurl: http:/localhost:29317", "registration.yaml")
 * const lines = Result.isFailure(result) ? result.failure.message.split("\n") : []
 * lines[0]
 * // => "registration.yaml: id: expected text, in quotes: Synapse reads it as a boolean, and does not start (line 1)"
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromText = (
  text: string,
  source: string
): Result.Result<RegistrationFile, Registration.RegistrationError> => {
  if (text.length > YamlReading.limits.textLength) {
    return problem(source, `expected a file of at most ${YamlReading.limits.textLength} characters`)
  }
  const content = text.replace(/^\uFEFF/, "")
  const json = Json.parse(content)
  if (json !== undefined) return ofJson(json, content, source)
  return Result.match(YamlReading.read(content, isText), {
    onSuccess: (reading) => ofYaml(reading, source),
    onFailure: ({ isForeign, line, reason }) => {
      const what = isForeign === true ? "not valid for a homeserver" : "not valid YAML"
      return problem(source, `${what}${line === undefined ? "" : ` at line ${line}`}: ${reason}`, line)
    }
  })
}
