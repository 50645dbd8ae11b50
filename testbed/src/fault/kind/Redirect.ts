/**
 * A redirect.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Text } from "../internal/fields.ts"
import { answer } from "../internal/http.ts"
import { fin, play, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const Status = Schema.Literals([301, 302, 303, 307, 308])

const schema = Schema.Struct({
  type: Schema.tag("redirect"),
  status: Status,
  location: Text.pipe(Schema.check(Schema.isPattern(/^[\x21-\x7e]+$/, { expected: "a URL, or self" })))
})

const make = Kind.maker("redirect", schema)

/**
 * A redirect to `location`; `self` is a loop.
 *
 * @category constructors
 * @since 0.1.0
 */
export const redirect = (
  options: { readonly status: typeof Status.Type; readonly location: string }
): typeof schema.Type => make(options)

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "a redirect; `location: self` is a loop",
  synonyms: ["loop"],
  fieldSynonyms: { location: ["url", "to"] },
  stageOf: () => "request",
  actionOf: ({ location, status }, { path = "/" }) =>
    play(write(answer(status, { Location: location === "self" ? path : location }, "")), fin),
  describe: ({ location, status }) => `redirect ${status}${location === "self" ? " to itself" : ""}`,
  variantOf: ({ status }) => [status],
  examples: () =>
    Status.literals.flatMap((status) => [
      redirect({ status, location: "self" }),
      redirect({ status, location: "http://elsewhere.test/login" })
    ])
})
