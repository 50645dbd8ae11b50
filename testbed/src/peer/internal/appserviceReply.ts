/** What the replies of appservices are made of. */
import type { Answer } from "@appservice-ping/domain/Answer"
import { Duration, Predicate } from "effect"
import type { AppserviceReply, AppserviceRequest, Knowledge, OwnPing } from "../AppservicePeer.ts"
import * as Answers from "./answers.ts"

export const reply = (answer: Answer): AppserviceReply => ({ _tag: "Answer", answer })

export const error = (status: number, errcode: string, text: string): AppserviceReply =>
  reply(Answers.error(status, errcode, text))

export const text = (status: number, contentType: string, body: string): AppserviceReply =>
  reply(Answers.text(status, contentType, body))

/** Takes the ping; the id is that of the body, if it has one. */
export const pong = (value: unknown): AppserviceReply => ({
  _tag: "Pong",
  transactionId: Predicate.isObject(value) ? value["transaction_id"] : undefined
})

export const ok: AppserviceReply = reply(Answers.json(200, {}))

export const pingPath = "/_matrix/app/v1/ping"

/** Whether a request is for a route of the appservice API that is not the ping. */
export const isOtherRoute = ({ method, path }: AppserviceRequest): boolean =>
  method === "PUT"
    ? /^\/_matrix\/app\/v1\/transactions\/[^/]+$/.test(path)
    : method === "GET" && /^\/_matrix\/app\/v1\/(?:users|rooms)\/[^/]+$/.test(path)

/** What is answered to a token that is `missing`, or `wrong`; `undefined` if it is right. */
export const refusalOf = (
  presented: string | undefined,
  { isToken }: Knowledge,
  refusals: { readonly missing: AppserviceReply; readonly wrong: AppserviceReply }
): AppserviceReply | undefined => {
  if (presented === undefined) return refusals.missing
  return isToken(presented) ? undefined : refusals.wrong
}

/** It asks once. */
export const once: OwnPing = { retries: 0, first: Duration.zero, factor: 1, retried: "every", exitCode: undefined }
