/** Reads a body as JSON by the rules of every endpoint: UTF-8 (C24), and an object (C6). */
import { BadJson, NotJson } from "@appservice-ping/domain/PingError"
import { Predicate, Result } from "effect"

export type JsonObject = { readonly [key: string]: unknown }

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

const toObject = (value: unknown): Result.Result<JsonObject, BadJson> =>
  Predicate.isObject(value)
    ? Result.succeed(value)
    : Result.fail(new BadJson({ error: "The request body must be a JSON object" }))

/** The body as a JSON object: not JSON is `M_NOT_JSON`, anything but an object `M_BAD_JSON`. */
export const object = (bytes: Uint8Array): Result.Result<JsonObject, NotJson | BadJson> =>
  Result.flatMap(parse(bytes), toObject)
