/** What every answer has to look like, beside what a rule says about it. */
import { assert } from "@effect/vitest"
import type { Answer } from "./RawClient.ts"

const cors: ReadonlyArray<readonly [string, string]> = [
  ["access-control-allow-headers", "X-Requested-With, Content-Type, Authorization"],
  ["access-control-allow-methods", "GET, POST, PUT, DELETE, OPTIONS"],
  ["access-control-allow-origin", "*"]
]

/** The three CORS headers, each exactly once (C17). */
export const assertCors = (answer: Answer): void => {
  for (const [name, value] of cors) assert.strictEqual(answer.header(name), value, name)
}

/** No CORS header, as an appservice is no business of a browser. */
export const assertNoCors = (answer: Answer): void => {
  for (const [name] of cors) assert.isUndefined(answer.header(name), name)
}

const assertJson = (answer: Answer, status: number): void => {
  assert.strictEqual(answer.status, status, answer.bytes.toString())
  assert.strictEqual(answer.header("content-type"), "application/json")
  assert.strictEqual(answer.header("content-length"), String(answer.body.length))
  assert.strictEqual(answer.rest.length, 0, "nothing follows the answer")
}

/** A JSON object with `errcode` and a text in `error`, and nothing but `extra` beside them (C15). */
const assertErrorBody = (answer: Answer, errcode: string, extra: Readonly<Record<string, unknown>>): string => {
  const { error, ...rest } = answer.json as { readonly error: unknown }
  assert.deepStrictEqual(rest, { errcode, ...extra })
  assert.isString(error)
  assert.isNotEmpty(error)
  return String(error)
}

/** An error of the homeserver; gives its `error` text. */
export const assertHomeserverError = (
  answer: Answer,
  status: number,
  errcode: string,
  extra: Readonly<Record<string, unknown>> = {}
): string => {
  assertJson(answer, status)
  assertCors(answer)
  return assertErrorBody(answer, errcode, extra)
}

/** An error of the appservice; gives its `error` text. */
export const assertAppserviceError = (answer: Answer, status: number, errcode: string): string => {
  assertJson(answer, status)
  assertNoCors(answer)
  return assertErrorBody(answer, errcode, {})
}

/** A successful ping: `duration_ms` is an integer, and the only key (C9). */
export const assertPingSucceeded = (answer: Answer, durationMs: number = 0): void => {
  assertJson(answer, 200)
  assertCors(answer)
  assert.strictEqual(answer.text, `{"duration_ms":${durationMs}}`)
}

/** The appservice's answer to a ping that it accepts (A5). */
export const assertPingAccepted = (answer: Answer): void => {
  assertJson(answer, 200)
  assertNoCors(answer)
  assert.strictEqual(answer.text, "{}")
}
