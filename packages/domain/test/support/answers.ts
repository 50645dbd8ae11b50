import * as Answer from "@appservice-ping/domain/Answer"
import { PingError } from "@appservice-ping/domain/PingError"
import { NotHomeserver } from "@appservice-ping/domain/TransportError"
import { type Redacted, Result, Schema } from "effect"

const url = new URL("https://user:canary@matrix.example/_matrix/client/v1/appservice/a/ping?access_token=canary")
const now = Date.UTC(2026, 0, 15, 12, 0, 0)

/** Reads an answer as a client does that asked at noon of 15 January 2026, with a URL full of canaries. */
export const decode = (
  status: number,
  body: unknown,
  headers: Answer.Answer["headers"] = {},
  tokens?: ReadonlyArray<Redacted.Redacted>
) =>
  Answer.decode({ status, headers, body: typeof body === "string" ? body : JSON.stringify(body) }, { url, now, tokens })

/** The fields of an error without its stack, so that two can be compared. */
export const fields = Schema.encodeUnknownSync(Schema.Union([PingError, NotHomeserver]))

/** The fields of the error that an answer is read as; `undefined` for a success. */
export const failureOf = (status: number, body: unknown, headers: Answer.Answer["headers"] = {}) => {
  const result = decode(status, body, headers)
  return Result.isFailure(result) ? fields(result.failure) : undefined
}
