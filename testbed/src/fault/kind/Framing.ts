/**
 * The framing of HTTP is broken.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import type { Action } from "../../step/Action.ts"
import type { Leg } from "../../step/Leg.ts"
import { goodBody, head, jsonHead } from "../internal/http.ts"
import { fin, play, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const Defect = Schema.Literals([
  "bad_chunk_size",
  "length_too_long",
  "extra_bytes",
  "length_and_chunked",
  "duplicate_length",
  "negative_length",
  "body_on_204",
  "http_1_0",
  "until_close"
])

const schema = Schema.Struct({ type: Schema.tag("framing"), defect: Defect })

/**
 * The answer does not say right where it ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const framing = (defect: typeof Defect.Type): typeof schema.Type => ({ type: "framing", defect })

const actionOf = (defect: typeof Defect.Type, leg: Leg): Action => {
  const body = goodBody(leg)
  const length = String(body.length)
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  switch (defect) {
    case "bad_chunk_size":
      return play(write(head(200, { ...jsonHead, "Transfer-Encoding": "chunked" }) + `zz\r\n${body}\r\n0\r\n\r\n`), fin)
    case "length_too_long":
      return play(write(head(200, { ...jsonHead, "Content-Length": String(body.length + 100) }) + body), fin)
    case "extra_bytes":
      return play(write(head(200, { ...jsonHead, "Content-Length": length }) + body + "and more"), fin)
    case "length_and_chunked":
      return play(
        write(head(200, { ...jsonHead, "Content-Length": length, "Transfer-Encoding": "chunked" }) + chunk),
        fin
      )
    case "duplicate_length":
      return play(write(head(200, { ...jsonHead, "Content-Length": length, "content-length": length }) + body), fin)
    case "negative_length":
      return play(write(head(200, { ...jsonHead, "Content-Length": "-1" }) + body), fin)
    case "body_on_204":
      return play(write(head(204, { ...jsonHead, "Content-Length": length }) + body), fin)
    case "http_1_0":
      return play(write(head(200, { ...jsonHead, "Content-Length": length }, "HTTP/1.0") + body), fin)
    case "until_close":
      return play(write(head(200, jsonHead) + body), fin)
  }
}

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the framing of HTTP is broken: the answer does not say right where it ends",
  synonyms: ["malformed_response_chunk"],
  stageOf: () => "request",
  actionOf: ({ defect }, { leg }) => actionOf(defect, leg),
  describe: ({ defect }) => `framing: ${defect}`,
  variantOf: ({ defect }) => [defect],
  examples: () => Defect.literals.map(framing)
})
