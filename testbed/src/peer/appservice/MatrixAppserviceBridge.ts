/**
 * matrix-appservice-bridge: TypeScript on Express, without the ping.
 *
 * @since 0.1.0
 */
import type { AppservicePeer } from "../AppservicePeer.ts"
import { error, isOtherRoute, ok, refusalOf } from "../internal/appserviceReply.ts"
import * as Express from "../internal/express.ts"

const badToken = error(403, "M_FORBIDDEN", "Bad token supplied,")

/**
 * matrix-appservice-bridge 11.2.0.
 *
 * **Details**
 *
 * It has no answer of its own for an unknown path, so Express answers with a page. The answers of its other routes are
 * read in the code of matrix-appservice 3.0.0.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: AppservicePeer = {
  provenance: { software: "matrix-appservice-bridge", version: "11.2.0", how: "measured", date: "2026-11-27" },
  jsonType: "application/json; charset=utf-8",
  reply: (request, knowledge) => {
    const parsed = Express.parse(request)
    if ("refused" in parsed) return parsed.refused
    if (!isOtherRoute(request)) return Express.cannot(request)
    // Whatever the scheme is, as long as it is as long as `Bearer `.
    const presented = request.authorization?.slice("Bearer ".length) ?? request.query.get("access_token") ?? undefined
    return refusalOf(presented, knowledge, { missing: badToken, wrong: badToken }) ?? ok
  },
  ownPing: undefined
}
