/** What is wrong with a text that is no YAML: the line and the reason, without a word of the text, which holds tokens. */
import type { ErrorCode, YAMLError } from "yaml"
import * as CharacterName from "./characterName.ts"

/** Where a text cannot be read on, and why. */
export interface YamlProblem {
  /** Of the first sign that cannot be right; the first line is 1. */
  readonly line: number | undefined
  readonly reason: string
  /** Whether the text is YAML, and what it says is nothing that a homeserver knows. */
  readonly isForeign?: boolean | undefined
  readonly isRepeatedKey?: boolean | undefined
}

const quoted = "put the value in quotes"

const signs: ReadonlyMap<string, string> = new Map([
  ["*", `* stands for an alias; ${quoted}`],
  ["&", `& stands for an anchor; ${quoted}`],
  ["!", `! stands for a tag; ${quoted}`],
  ["|", `| starts a block of lines; ${quoted}`],
  [">", `> starts a block of lines; ${quoted}`],
  ["]", `there is a ] without a [ before it; ${quoted}`],
  ["}", `there is a } without a { before it; ${quoted}`],
  [",", `a value cannot start with a comma; ${quoted}`],
  ["%", `a value cannot start with %; ${quoted}`],
  ["@", `a value cannot start with @; ${quoted}`],
  ["`", `a value cannot start with a backtick; ${quoted}`],
  ["\t", "a value cannot start with a tab; use spaces"]
])

const reasons: { readonly [C in ErrorCode]?: string } = {
  ALIAS_PROPS: `an alias (*) can have no anchor and no tag; ${quoted}`,
  BAD_ALIAS: `an alias (*) needs a name; ${quoted}`,
  BAD_COLLECTION_TYPE: "a tag (!) does not fit what follows it",
  BAD_DIRECTIVE: "a line that starts with % is a directive, and this is none; put the value in quotes",
  BAD_DQ_ESCAPE: "in double quotes a backslash needs a second one; single quotes need none",
  BAD_INDENT: "the indentation does not fit the lines before",
  BAD_PROP_ORDER: "an anchor (&) or a tag (!) comes before what it belongs to",
  BAD_SCALAR_START: `a value cannot start so; ${quoted}`,
  BLOCK_AS_IMPLICIT_KEY: `there is a second colon in a value, or the indentation is wrong; ${quoted}`,
  BLOCK_IN_FLOW: "between [ ] and { } everything has to be written with these signs",
  DUPLICATE_KEY: "each key may be there once, and one is repeated",
  KEY_OVER_1024_CHARS: "a key has more than 1024 characters",
  MISSING_CHAR: "a quote, a bracket, a colon or a comma is missing, or the indentation is wrong",
  MULTILINE_IMPLICIT_KEY: "a key has to be on one line, with a colon and a space after it",
  MULTIPLE_ANCHORS: "a value has two anchors (&)",
  MULTIPLE_TAGS: "a value has two tags (!)",
  TAB_AS_INDENT: "a tab cannot indent; use spaces"
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split(/\r\n|\r|\n/).length

/** There is no text on the last, empty line, where the end of a text is noticed. */
const lastLine = (text: string): number => lineAt(text, text.trimEnd().length)

const lineText = (text: string, line: number): string => text.split(/\r\n|\r|\n/)[line - 1] ?? ""

/** The sign at the start of the value on a line, which is what a message is about. */
const valueSign = (line: string): string => /^\s*(?:- )*(?:[\w.-]+:[ \t]+)?(?:- )*(\S)/.exec(line)?.[1] ?? ""

const isOpen = (message: string): boolean => /must (?:end|be sufficiently indented and end) with/.test(message)

const reasonOf = (error: YAMLError, text: string, line: number): string => {
  const content = lineText(text, line)
  const unseen = CharacterName.unseenBesideSpace(content.replaceAll("\t", ""))
  if (unseen !== undefined && error.code !== "BAD_DQ_ESCAPE") return `${unseen} is no space to YAML; write a space`
  const at = text.charAt(error.pos[0])
  const before = text.charAt(error.pos[0] - 1)
  switch (error.code) {
    case "BAD_SCALAR_START":
      return signs.get(at) ?? `a value cannot start so; ${quoted}`
    case "UNEXPECTED_TOKEN":
      return signs.get(at) ?? (before === "|" || before === ">" ? signs.get(before) : undefined) ??
        signs.get(valueSign(content)) ??
        `there is something after the end of a value, or a sign is missing before it; ${quoted}`
    case "MISSING_CHAR":
      if (/quote/.test(error.message)) return "a quote is not closed"
      return isOpen(error.message) ? "a [ or { is not closed" : reasons.MISSING_CHAR ?? ""
    case "BAD_INDENT":
      return isOpen(error.message) ? "a [ or { is not closed, or its end is not indented" : reasons.BAD_INDENT ?? ""
    default:
      return reasons[error.code] ?? quoted
  }
}

/** Explains the first error of the parser. */
export const ofError = (error: YAMLError, text: string): YamlProblem => {
  const line = Math.min(lineAt(text, error.pos[0]), lastLine(text))
  return { line, reason: reasonOf(error, text, line) }
}

// Beside the breaks of lines and the tab, YAML takes only what can be printed.
// oxlint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u0084\u0086-\u009F\uFFFE\uFFFF]/

/** Ends a line for readers of YAML 1.1, and is a character as any other for those of YAML 1.2. */
const oldBreak = /[\u0085\u2028\u2029]/

/** Finds what no text of YAML may hold, or what its readers do not agree on. */
export const ofCharacters = (text: string): YamlProblem | undefined => {
  if (!text.isWellFormed()) return { line: undefined, reason: "half of a surrogate pair is no character" }
  for (
    const [pattern, words] of [[unprintable, "cannot be in YAML"], [
      oldBreak,
      "ends a line for some homeservers"
    ]] as const
  ) {
    const index = text.search(pattern)
    if (index >= 0) {
      const name = CharacterName.unseen(text.charAt(index)) ?? "a character"
      return { line: lineAt(text, index), reason: `${name} ${words}` }
    }
  }
  return undefined
}
