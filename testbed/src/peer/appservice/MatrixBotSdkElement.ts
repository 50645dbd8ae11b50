/**
 * Element's matrix-bot-sdk: TypeScript on Express. It answers 200 only to the ping that it has asked for itself.
 *
 * @since 0.1.0
 */
import { Predicate } from "effect"
import type { AppservicePeer } from "../AppservicePeer.ts"
import { error, once, pingPath, pong } from "../internal/appserviceReply.ts"
import { refused, replyOf } from "../internal/matrixBotSdk.ts"

const badRequest = (text: string) => error(400, "BAD_REQUEST", text)

/**
 * Element's matrix-bot-sdk 0.8.0.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: AppservicePeer = {
  provenance: { software: "Element's matrix-bot-sdk", version: "0.8.0", how: "measured", date: "2026-11-27" },
  jsonType: "application/json; charset=utf-8",
  reply: (request, knowledge) =>
    replyOf(request, knowledge, (body) => {
      if (request.method !== "POST" || request.path.replace(/\/$/, "") !== pingPath) return undefined
      const wrong = refused(request, knowledge)
      if (wrong !== undefined) return wrong
      if (knowledge.pending === undefined) return badRequest("No ping request expected")
      const id = Predicate.isObject(body) ? body["transaction_id"] : undefined
      return id === knowledge.pending ? pong(body) : badRequest("transaction_id did not match")
    }),
  ownPing: once
}
