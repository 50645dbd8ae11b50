/** Reads the body of a ping by the spec's rules, which are stricter on one leg and looser on the other. */
import { BadJson, type NotJson } from "@appservice-ping/domain/PingError"
import { PingRequest } from "@appservice-ping/domain/PingRequest"
import { Result, Schema } from "effect"
import * as JsonBody from "./jsonBody.ts"

const decode = Schema.decodeUnknownResult(PingRequest)

const fromObject = (object: JsonBody.JsonObject): Result.Result<PingRequest, BadJson> =>
  Result.mapError(decode(object), () => new BadJson({ error: "transaction_id must be a string" }))

/** The body of a request to the homeserver: an object, `{}` at least (C6). */
export const strict = (bytes: Uint8Array): Result.Result<PingRequest, NotJson | BadJson> =>
  Result.flatMap(JsonBody.object(bytes), fromObject)

/** The body of a request to the appservice: an empty one, and a `transaction_id` of null, count as absent (A4). */
export const lenient = (bytes: Uint8Array): Result.Result<PingRequest, NotJson | BadJson> =>
  bytes.length === 0
    ? Result.succeed({})
    : Result.flatMap(JsonBody.object(bytes), (object) => fromObject(object["transaction_id"] === null ? {} : object))
