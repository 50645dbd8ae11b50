/**
 * matrix-bot-sdk by turt2live: TypeScript on Express, without the ping.
 *
 * `npm run interop` holds it to every request; the rows that are kept are those of `MatrixBotSdkVector`, whose code is the same.
 *
 * @since 0.1.0
 */
import type { AppservicePeer } from "../AppservicePeer.ts"
import { replyOf } from "../internal/matrixBotSdk.ts"

/**
 * matrix-bot-sdk 0.8.0.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: AppservicePeer = {
  provenance: { software: "matrix-bot-sdk", version: "0.8.0", how: "measured", date: "2026-11-28" },
  jsonType: "application/json; charset=utf-8",
  reply: (request, knowledge) => replyOf(request, knowledge, () => undefined),
  ownPing: undefined
}
