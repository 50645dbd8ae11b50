/** What homeservers take from a client's ping, and do alike. */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import * as Json from "@appservice-ping/domain/Json"
import { Predicate, Result } from "effect"
import type { Presented } from "../HomeserverPeer.ts"

/** The `transaction_id` of a body, by the answers to bodies that are refused; `accepted` counts as none. */
export const transactionIdOf = (
  refusals: {
    readonly empty: Answer | "accepted"
    readonly notJson: (bytes: Uint8Array) => Answer | undefined
    readonly notObject: Answer
    /** A `transaction_id` that is neither a string nor null. */
    readonly wrongType: Answer | "accepted"
  }
) =>
(bytes: Uint8Array): Result.Result<unknown, Answer> => {
  const { empty, notJson, notObject, wrongType } = refusals
  if (bytes.length === 0) return empty === "accepted" ? Result.succeed(undefined) : Result.fail(empty)
  const refused = notJson(bytes)
  if (refused !== undefined) return Result.fail(refused)
  const value = Json.parseBytes(bytes)
  if (!Predicate.isObject(value)) return Result.fail(notObject)
  const id = value["transaction_id"] ?? undefined
  return id === undefined || typeof id === "string" || wrongType === "accepted"
    ? Result.succeed(id)
    : Result.fail(wrongType)
}

/** The token of an `Authorization` header, or of the query if there is none that can be read. */
export const bearerOrQuery = (authorization: string | undefined, query: URLSearchParams): Presented | undefined => {
  const [, bearer] = /^bearer +(\S+)$/i.exec(authorization ?? "") ?? []
  if (bearer !== undefined) return { token: bearer, from: "header" }
  const token = query.get("access_token")
  return token === null ? undefined : { token, from: "query" }
}

/** The endpoint of an appservice's ping; `refused` is the answer to a `url` that is none. */
export const endpointOf = (refused: Answer) => (destination: string): Result.Result<URL, Answer> => {
  const url = AppserviceUrl.join(destination, "/_matrix/app/v1/ping")
  return url === undefined ? Result.fail(refused) : Result.succeed(url)
}
