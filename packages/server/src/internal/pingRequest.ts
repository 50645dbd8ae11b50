/** Reads the body of a ping by the spec's rules, which are stricter on one leg and looser on the other. */
import { BadJson, NotJson } from "@appservice-ping/domain/PingError"
import { PingRequest } from "@appservice-ping/domain/PingRequest"
import { Result, Schema } from "effect"

const decode = Schema.decodeUnknownResult(PingRequest)
const utf8 = new TextDecoder("utf-8", { fatal: true })

const parse = (bytes: Uint8Array): Result.Result<unknown, NotJson> => {
  try {
    return Result.succeed(JSON.parse(utf8.decode(bytes)))
  } catch {
    return Result.fail(
      new NotJson({ error: bytes.length === 0 ? "The request body is empty" : "The request body is not JSON" })
    )
  }
}

const ofValue = (value: unknown): Result.Result<PingRequest, BadJson> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return Result.fail(new BadJson({ error: "The request body must be a JSON object" }))
  }
  return Result.mapError(decode(value), () => new BadJson({ error: "transaction_id must be a string" }))
}

/** The body of a request to the homeserver: an object, `{}` at least (C6). */
export const strict = (bytes: Uint8Array): Result.Result<PingRequest, NotJson | BadJson> =>
  Result.flatMap(parse(bytes), ofValue)

/** The body of a request to the appservice: an empty one, and a `transaction_id` of null, count as absent (A4). */
export const lenient = (bytes: Uint8Array): Result.Result<PingRequest, NotJson | BadJson> =>
  bytes.length === 0
    ? Result.succeed({})
    : Result.flatMap(parse(bytes), (value) =>
      ofValue(
        typeof value === "object" && value !== null && "transaction_id" in value && value.transaction_id === null
          ? {}
          : value
      ))
