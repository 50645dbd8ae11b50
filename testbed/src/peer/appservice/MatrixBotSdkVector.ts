/**
 * The matrix-bot-sdk of the scope `@vector-im`: TypeScript on Express, without the ping.
 *
 * @since 0.1.0
 */
import type { AppservicePeer } from "../AppservicePeer.ts"
import { replyOf } from "../internal/matrixBotSdk.ts"

/**
 * `@vector-im/matrix-bot-sdk` 0.7.0.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: AppservicePeer = {
  provenance: { software: "@vector-im/matrix-bot-sdk", version: "0.7.0", how: "measured", date: "2026-11-27" },
  jsonType: "application/json; charset=utf-8",
  reply: (request, knowledge) => replyOf(request, knowledge, () => undefined),
  ownPing: undefined
}
