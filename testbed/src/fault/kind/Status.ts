/**
 * An answer with a status.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Headers, StatusCode, Text } from "../internal/fields.ts"
import { answer } from "../internal/http.ts"
import { fin, play, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const schema = Schema.Struct({
  type: Schema.tag("status"),
  status: StatusCode,
  headers: Schema.optionalKey(Headers),
  body: Schema.optionalKey(Text)
})

const make = Kind.maker("status", schema)

/**
 * The application does not get the request; this answer comes instead.
 *
 * @category constructors
 * @since 0.1.0
 */
export const status = (
  status: number,
  options?: {
    readonly headers?: { readonly [name: string]: string } | undefined
    /** Sent as UTF-8, and with its length; a status that has no body sends none. */
    readonly body?: string | undefined
  }
): typeof schema.Type => make({ status, headers: options?.headers ?? {}, body: options?.body ?? "" })

const json = { "Content-Type": "application/json" }

const statuses = [201, 204, 299, 300, 304, 400, 403, 404, 405, 408, 418, 421, 429, 500, 502, 504, 599]

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "an answer with a status, headers and a body",
  synonyms: ["abort", "error", "http_status", "status_code", "code", "respond"],
  fieldSynonyms: { status: ["code", "status_code", "http_status"] },
  stageOf: () => "request",
  actionOf: ({ body = "", headers = {}, status }) => play(write(answer(status, headers, body)), fin),
  describe: ({ status }) => `status ${status}`,
  examples: () => [
    ...statuses.map((code) => status(code)),
    status(200, { headers: { "Content-Type": "text/html" }, body: "<!doctype html><title>Not here</title>" }),
    status(401, { headers: json, body: "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"No\"}" }),
    status(503, { headers: { ...json, "Retry-After": "5" }, body: "später" })
  ]
})
