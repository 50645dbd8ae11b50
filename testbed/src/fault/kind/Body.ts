/**
 * What an answer carries is broken.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import type { Action } from "../../step/Action.ts"
import type { Leg } from "../../step/Leg.ts"
import { StatusCode } from "../internal/fields.ts"
import { answer, goodBody, type Head, head, jsonHead } from "../internal/http.ts"
import { fin, play, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const Defect = Schema.Literals([
  "truncated_json",
  "malformed_json",
  "wrong_type",
  "empty",
  "not_utf8",
  "bom",
  "deep",
  "huge",
  "wrong_content_type",
  "bad_gzip"
])

const schema = Schema.Struct({
  type: Schema.tag("body"),
  defect: Defect,
  status: Schema.optionalKey(StatusCode)
})

const make = Kind.maker("body", schema)

/**
 * A well framed answer carries a body that is broken; its status is 200 by default.
 *
 * @category constructors
 * @since 0.1.0
 */
export const body = (
  defect: typeof Defect.Type,
  options?: { readonly status?: number | undefined }
): typeof schema.Type => make({ defect, ...options })

const gzip = { ...jsonHead, "Content-Encoding": "gzip" }

/** Made once, when it is first needed, because it is large. */
const once = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

const huge = once(() => new TextEncoder().encode(`{"padding":"${"x".repeat(2 * 1024 * 1024)}"}`))

const actionOf = ({ defect, status = 200 }: typeof schema.Type, leg: Leg): Action => {
  const of = (body: string | Uint8Array, headers: Head = jsonHead): Action =>
    play(write(answer(status, headers, body)), fin)
  switch (defect) {
    case "truncated_json":
      return of(goodBody(leg).slice(0, -1))
    case "malformed_json":
      return of("{not json}")
    case "wrong_type":
      return of("[\"ok\"]")
    case "empty":
      return of("")
    case "not_utf8":
      return of(Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d))
    case "bom":
      return of(`\ufeff${goodBody(leg)}`)
    case "deep":
      return of("[".repeat(20_000) + "]".repeat(20_000))
    case "huge":
      return play(write(head(status, { ...jsonHead, "Content-Length": String(huge().length) })), write(huge()), fin)
    case "wrong_content_type":
      return of(goodBody(leg), { ...jsonHead, "Content-Type": "text/html" })
    case "bad_gzip":
      return of(goodBody(leg), gzip)
  }
}

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "what a well framed answer carries is broken",
  stageOf: () => "request",
  actionOf: (fault, { leg }) => actionOf(fault, leg),
  describe: ({ defect, status }) => `body: ${defect}${status === undefined ? "" : `, status ${status}`}`,
  variantOf: ({ defect }) => [defect],
  examples: () => Defect.literals.flatMap((defect) => [body(defect), body(defect, { status: 500 })])
})
