/**
 * The head of an answer is broken.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import type { Action } from "../../step/Action.ts"
import type { Leg } from "../../step/Leg.ts"
import { answer, goodBody, jsonHead } from "../internal/http.ts"
import { fin, play, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const Defect = Schema.Literals([
  "not_http",
  "garbage",
  "bad_status_line",
  "bad_header",
  "huge_headers",
  "http2_preface"
])

const schema = Schema.Struct({ type: Schema.tag("head"), defect: Defect })

/**
 * The answer does not begin as HTTP does; with `not_http` it begins as an SSH server does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const head = (defect: typeof Defect.Type): typeof schema.Type => ({ type: "head", defect })

const actionOf = (defect: typeof Defect.Type, leg: Leg): Action => {
  switch (defect) {
    case "not_http":
      // What an SSH server says when a client connects, and nothing an HTTP server ever says.
      return play(write("SSH-2.0-OpenSSH_9.9\r\n"), fin)
    case "garbage":
      return play(write(Uint8Array.of(0, 255, 1, 254, 2, 253, 13, 10, 13, 10)), fin)
    case "bad_status_line":
      return play(write("HTTP/1.1 twohundred OK\r\n\r\n"), fin)
    case "bad_header":
      return play(write(`HTTP/1.1 200 OK\r\nBad Header\u0001\r\nContent-Length: 2\r\n\r\n{}`), fin)
    case "huge_headers":
      return play(write(answer(200, { ...jsonHead, "X-Padding": "x".repeat(200 * 1024) }, goodBody(leg))), fin)
    case "http2_preface":
      // An empty SETTINGS frame: the first thing an HTTP/2 server says.
      return play(write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0)), fin)
  }
}

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the head of the answer is broken, or no HTTP at all",
  synonyms: ["garbage", "malformed", "random_data_then_close"],
  stageOf: () => "request",
  actionOf: ({ defect }, { leg }) => actionOf(defect, leg),
  describe: ({ defect }) => `head: ${defect}`,
  variantOf: ({ defect }) => [defect],
  examples: () => Defect.literals.map(head)
})
