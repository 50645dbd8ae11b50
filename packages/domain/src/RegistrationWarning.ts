/**
 * What stops a homeserver, or will go wrong later, in a registration that can be read.
 *
 * @since 0.1.0
 */
import { Redacted } from "effect"
import { unseen } from "./internal/characterName.ts"
import * as RegexSyntax from "./internal/regexSyntax.ts"
import { type Registration, targetOf } from "./Registration.ts"
import * as Token from "./Token.ts"

/**
 * One thing to mend: the field, its line where that is known, what is wrong, and what to do about it.
 *
 * **Details**
 *
 * No text quotes a value of the registration, which may be a token.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegistrationWarning {
  readonly field: string
  readonly line?: number | undefined
  readonly problem: string
  readonly fix: string
}

/**
 * What is known of a registration's text, as `RegistrationFile` has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Text {
  readonly lines: ReadonlyMap<string, number>
  readonly remarks: ReadonlyArray<{ readonly line: number; readonly problem: string; readonly fix: string }>
}

/** Tokens of the spec's examples and of an old guide, which have been copied into files that run. */
const exampleTokens: ReadonlySet<string> = new Set([
  "30c05ae90a248a4188e620216fa72e349803310ec83e2a77b34fe90be6081f46",
  "312df522183efd404ec1cd22d2ffa4bbc76a8c1ccf541dd692eef281356bb74e",
  "wfghWEGh3wgWHEf3478sHFWE",
  "ugw8243igya57aaABGFfgeyu"
])

/** Words of examples and generators that nobody would get as a token by chance. */
const placeholder =
  /^(?:[<{[(].*[>}\])]|\$\{?\w+\}?|%\w+%|__\w+__|@\w+@|#\w+#|x{3,}|\*+|\.+|0+|1234\d*|abc(?:d(?:ef\w*)?|123)?|(?:as|hs).?token|token|secret|password|generate|test|none|null)$|change.?(?:me|this)|replace|placeholder|generated|example|random.?string|(?:^|[-_. ])(?:fixme|insert|todo|your|enter)(?:$|[-_. ])/i

/**
 * Checks whether a token is one of an example or a template, so that everybody knows it.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPlaceholder = (token: Redacted.Redacted): boolean => {
  const value = Redacted.value(token)
  return exampleTokens.has(value) || placeholder.test(value)
}

type Found = Omit<RegistrationWarning, "line">

const rust = "homeservers in Rust (Conduit, Tuwunel, continuwuity)"

const tokens = (registration: Registration): ReadonlyArray<Found> => [
  ...(["as_token", "hs_token"] as const).filter((field) => isPlaceholder(registration[field])).map((field) => ({
    field,
    problem: "looks like the placeholder of an example",
    fix: "Generate a long random one."
  })),
  ...Token.equals(registration.as_token, registration.hs_token)
    ? [{ field: "hs_token", problem: "is the same as as_token", fix: "Give each side a secret of its own." }]
    : []
]

const sender = ({ sender_localpart }: Registration): ReadonlyArray<Found> => {
  const field = "sender_localpart"
  if (/^@.*:/.test(sender_localpart)) {
    return [{ field, problem: "is a whole user id", fix: "Write only what is between @ and the colon." }]
  }
  if (sender_localpart === "") {
    return [{ field, problem: "is empty, so the appservice has no user", fix: "Name its user." }]
  }
  const odd = unseen(sender_localpart)
  return /^[\w.~/=+-]+$/.test(sender_localpart) ? [] : [{
    field,
    problem: odd === undefined
      ? "has a character that no user id may have, and Synapse does not start with it"
      : `has ${odd}, and Synapse does not start with it`,
    fix: "Use lower-case letters, digits and . _ = - / + alone."
  }]
}

const regexProblem = ({ python, rust: inRust }: RegexSyntax.RegexProblems): string | undefined => {
  if (python !== undefined && inRust !== undefined) return `is no regular expression: ${python}`
  if (python !== undefined) return `is no regular expression for Synapse (Python): ${python}`
  return inRust === undefined ? undefined : `is no regular expression for ${rust}: ${inRust}`
}

const namespaces = ({ namespaces }: Registration): ReadonlyArray<Found> =>
  (["users", "aliases", "rooms"] as const).flatMap((kind): ReadonlyArray<Found> => {
    const list = namespaces[kind]
    const field = `namespaces.${kind}`
    if (list === undefined) return []
    if (list === null) {
      return [{ field, problem: "is empty; write []", fix: "Write [] there, or leave it out: Synapse does not start." }]
    }
    return list.flatMap(({ exclusive, regex }, index): ReadonlyArray<Found> => {
      const problem = regexProblem(RegexSyntax.problemsOf(regex))
      const at = `${field}.${index}`
      return [
        ...problem === undefined ? [] : [{ field: `${at}.regex`, problem, fix: "Write it as homeservers read it." }],
        ...exclusive === undefined
          ? [{
            field: `${at}.exclusive`,
            problem: "is missing, Synapse does not start with it",
            fix: "Write exclusive: true, or false."
          }]
          : []
      ]
    })
  })

const url = (registration: Registration): ReadonlyArray<Found> => {
  const target = targetOf(registration)
  const field = "url"
  if (target._tag === "Other") {
    return [{
      field,
      problem: `is no HTTP address: its scheme is ${target.scheme}`,
      fix: "Write an http or https URL, if the homeserver is to call the appservice."
    }]
  }
  if (target._tag !== "Http") return []
  const { hash, hostname, password, search, username } = target.url
  const found: Array<Found> = []
  const text = registration.url ?? ""
  if (username !== "" || password !== "") {
    found.push({
      field,
      problem: "has userinfo, and Synapse refuses a url with it (invalid hostname)",
      fix: "Leave out what is before the @."
    })
  }
  if (search !== "") {
    found.push({ field, problem: "has a query string, which not every homeserver sends on", fix: "Leave it out." })
  }
  if (hash !== "") found.push({ field, problem: "has a fragment, which no homeserver sends on", fix: "Leave it out." })
  if (hostname.startsWith("[")) {
    found.push({
      field,
      problem: "has an IPv6 address, and Synapse refuses it (InvalidCodepoint)",
      fix: "Use a name, or an IPv4 address."
    })
  } else if (hostname.includes("_")) {
    found.push({
      field,
      problem: "has an underscore in its host, and Synapse refuses it (InvalidCodepoint)",
      fix: "Use a name without an underscore."
    })
  } else if (/^\d+\.\d+\.\d+\.\d+$/.test(hostname) && !text.includes(hostname)) {
    found.push({
      field,
      problem: "has an address that only some homeservers read as one",
      fix: "Write all four numbers of it."
    })
  }
  return found
}

/**
 * Finds all warnings about a registration, in the order of its fields; pure.
 *
 * **Details**
 *
 * A regular expression is checked for what is known to stop Python's `re` or Rust's `regex`, and the warning says which.
 * With `text`, of `RegistrationFile`, warnings have their lines, and what only some homeservers read is among them.
 *
 * **Example** (Finding what stops a homeserver)
 *
 * ```ts
 * import { Registration, RegistrationWarning } from "@appservice-ping/domain"
 * import { Result } from "effect"
 *
 * const registration = Result.getOrThrow(Registration.fromUnknown({
 *   id: "bridge",
 *   url: null,
 *   as_token: "change_this",
 *   hs_token: "b6b0b3a5c1f94f1c",
 *   sender_localpart: "bot",
 *   namespaces: { users: [{ regex: "*_irc", exclusive: true }] }
 * }))
 * RegistrationWarning.of(registration).map(({ field, problem }) => `${field} ${problem}`)
 * // => ["as_token looks like the placeholder of an example", "namespaces.users.0.regex is no regular expression: a sign of repetition has nothing before it"]
 * ```
 *
 * @category checks
 * @since 0.1.0
 */
export const of = (registration: Registration, text?: Text): ReadonlyArray<RegistrationWarning> => [
  ...[...tokens(registration), ...url(registration), ...sender(registration), ...namespaces(registration)].map(
    (warning): RegistrationWarning => {
      const line = text?.lines.get(warning.field) ?? text?.lines.get(warning.field.replace(/\.[^.]*$/, ""))
      return line === undefined ? warning : { ...warning, line }
    }
  ),
  ...(text?.remarks ?? []).map((remark): RegistrationWarning => ({ field: "", ...remark }))
]

/**
 * Says a warning in one sentence.
 *
 * @category rendering
 * @since 0.1.0
 */
export const explain = ({ field, fix, line, problem }: RegistrationWarning): string =>
  `${field === "" ? problem : `${field} ${problem}`}${line === undefined ? "" : ` (line ${line})`}. ${fix}`
