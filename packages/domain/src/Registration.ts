/**
 * The registration of an appservice, as bridges write it and homeservers read it.
 *
 * See https://spec.matrix.org/v1.7/application-service-api/#registration
 *
 * @since 0.1.0
 */
import { Predicate, Result, Schema, SchemaIssue, SchemaTransformation } from "effect"
import { AppserviceId } from "./AppserviceId.ts"
import * as AppserviceUrl from "./AppserviceUrl.ts"
import { unseenAtEdge, unseenBesideSpace } from "./internal/characterName.ts"

/** Text that YAML may take for a number: `as_token: 1234` is one to half of the parsers. */
const Text = Schema.String.annotate({ message: "expected text, in quotes if it looks like a number or a boolean" })

const flagMessage = "expected true or false"

/** A boolean, also as YAML 1.1 writes it: homeservers in Python read `yes` as true, and bridges rely on it. */
const Flag = Schema.Union([
  Schema.Boolean,
  Schema.Literals(["yes", "Yes", "YES", "on", "On", "ON", "no", "No", "NO", "off", "Off", "OFF"]).annotate({
    message: flagMessage
  }).pipe(
    Schema.decodeTo(
      Schema.Boolean,
      SchemaTransformation.transform({
        decode: (word) => /^(?:yes|on)$/i.test(word),
        encode: (flag) => flag ? "yes" : "no"
      })
    )
  )
]).annotate({ message: flagMessage })

/** What an `Authorization` header carries unchanged: another token could never be equal to the one that arrives. */
const Token = Text.pipe(
  Schema.check(
    Schema.makeFilter((text) => {
      if (/^[\x21-\x7e]+$/.test(text)) return undefined
      const unseen = unseenBesideSpace(text)
      return `expected a token: one or more visible ASCII characters, without spaces${
        unseen === undefined ? "" : `, but it has ${unseen}`
      }`
    })
  ),
  (text) => Schema.RedactedFromValue(text, { label: "token" })
)

/**
 * Schema for one namespace: a regular expression, and whether it is the appservice's alone; unknown keys are kept.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Namespace = Schema.StructWithRest(
  Schema.Struct({ regex: Text, exclusive: Schema.optionalKey(Flag) }),
  [Schema.Record(Schema.String, Schema.Unknown)]
).annotate({ message: "expected a mapping with regex and exclusive" })

const NamespaceList = Schema.NullOr(Schema.Array(Namespace)).annotate({ message: "expected a list of namespaces" })

const Namespaces = Schema.StructWithRest(
  Schema.Struct({
    users: Schema.optionalKey(NamespaceList),
    rooms: Schema.optionalKey(NamespaceList),
    aliases: Schema.optionalKey(NamespaceList)
  }),
  [Schema.Record(Schema.String, Schema.Unknown)]
).annotate({ message: "expected a mapping with users, rooms and aliases, or an empty one: {}" })

/** In words of its own, because a url can be wrong in ways that are easy to overlook. */
const url = Schema.NullOr(Schema.String).annotate({ message: "expected an http or https URL, or null" }).pipe(
  Schema.check(
    Schema.makeFilter((text) => {
      const target = AppserviceUrl.target(text)
      return target._tag === "Invalid" ? `expected ${target.expected}` : undefined
    })
  )
)

/** Copied in with a word, and kept by every reader of YAML, so that the two copies of a file differ in what is unseen. */
const withoutUnseenEdge = Schema.makeFilter((text: string) => {
  const edge = unseenAtEdge(text)
  return edge === undefined || edge.startsWith("U+0020") ? undefined : `expected text without ${edge}`
})

/**
 * Schema for a registration: every field of the spec, the vendor fields that bridges write, and unknown keys kept.
 *
 * **Details**
 *
 * `as_token` and `hs_token` are redacted from here on. A `url` that is `null` or empty means that the appservice wants
 * no traffic (C8, D6). One that is no HTTP address, such as `unix:///run/bridge.sock` or the word `websocket`, is read
 * too, because a ping needs only `id` and `as_token`; {@link targetOf} says what it is.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Registration = Schema.StructWithRest(
  Schema.Struct({
    id: AppserviceId.pipe(Schema.check(withoutUnseenEdge)),
    url,
    as_token: Token,
    hs_token: Token,
    sender_localpart: Text.pipe(Schema.check(withoutUnseenEdge)),
    namespaces: Namespaces,
    receive_ephemeral: Schema.optionalKey(Flag),
    rate_limited: Schema.optionalKey(Schema.NullOr(Flag).annotate({ message: flagMessage })),
    protocols: Schema.optionalKey(Schema.NullOr(Schema.Array(Text)).annotate({ message: "expected a list of text" })),
    "de.sorunome.msc2409.push_ephemeral": Schema.optionalKey(Flag),
    push_ephemeral: Schema.optionalKey(Flag),
    "org.matrix.msc3202": Schema.optionalKey(Flag),
    "io.element.msc4190": Schema.optionalKey(Flag)
  }),
  [Schema.Record(Schema.String, Schema.Unknown)]
)

/**
 * The registration of an appservice.
 *
 * @category models
 * @since 0.1.0
 */
export type Registration = typeof Registration.Type

/**
 * Schema for one thing wrong with a registration: the field, such as `namespaces.users.0.regex`, what is expected
 * there, and its line where that is known.
 *
 * @category errors
 * @since 0.1.0
 */
export const Problem = Schema.Struct({
  field: Schema.String,
  expected: Schema.String,
  line: Schema.optionalKey(Schema.Int)
})

/**
 * One thing wrong with a registration.
 *
 * @category errors
 * @since 0.1.0
 */
export type Problem = typeof Problem.Type

/**
 * A registration that could not be read.
 *
 * **Details**
 *
 * Names each field, at most 20 of them, and what is expected there, never what was found: it may be a token.
 *
 * @category errors
 * @since 0.1.0
 */
export class RegistrationError
  extends Schema.TaggedError<RegistrationError>("@appservice-ping/domain/Registration/RegistrationError")(
    "RegistrationError",
    { source: Schema.String, problems: Schema.NonEmptyArray(Problem) }
  )
{
  override get message(): string {
    return this.problems.map(({ expected, field, line }) =>
      field === ""
        ? `${this.source}: ${expected}`
        : `${this.source}: ${field}: ${expected}${line === undefined ? "" : ` (line ${line})`}`
    ).join("\n")
  }
}

const decode = Schema.decodeUnknownResult(Registration, { errors: "all" })

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => issue._tag === "MissingKey" ? "missing, but required" : SchemaIssue.defaultLeafHook(issue)
})

/**
 * How many problems an error names: more would hide the first ones, because each entry of a list can be wrong alike.
 *
 * @category errors
 * @since 0.1.0
 */
export const maxProblems = 20

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

const failed = (source: string, problem: Problem): Result.Result<never, RegistrationError> =>
  Result.fail(new RegistrationError({ source, problems: [problem] }))

/**
 * Decodes a registration from a value, such as parsed JSON; `source` names it in errors.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromUnknown = (
  input: unknown,
  source: string = "registration"
): Result.Result<Registration, RegistrationError> => {
  if (!Predicate.isObject(input)) {
    return failed(source, { field: "", expected: "expected a mapping with id, url, as_token, hs_token and so on" })
  }
  return Result.mapError(decode(input), (error) => {
    const [first, ...others] = format(error.issue).issues.map((found) => ({
      field: (found.path ?? []).map((key) => String(typeof key === "object" ? key.key : key)).join("."),
      expected: lowerFirst(found.message)
    }))
    return new RegistrationError({
      source,
      problems: [first ?? { field: "", expected: "expected a registration" }, ...others.slice(0, maxProblems - 1)]
    })
  })
}

/**
 * The `url` to ping, or `undefined` where the registration has none: `null` or empty (C8, D6).
 *
 * @category accessors
 * @since 0.1.0
 */
export const urlOf = (registration: Registration): string | undefined =>
  registration.url === null || registration.url === "" ? undefined : registration.url

/**
 * What the `url` says: an HTTP address to ping, none, or something that no homeserver of the spec can call.
 *
 * @category accessors
 * @since 0.1.0
 */
export const targetOf = (registration: Pick<Registration, "url">): AppserviceUrl.Target =>
  AppserviceUrl.target(registration.url)
