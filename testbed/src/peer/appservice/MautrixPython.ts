/**
 * mautrix-python: Python, on aiohttp.
 *
 * @since 0.1.0
 */
import * as Json from "@appservice-ping/domain/Json"
import { Duration, Predicate } from "effect"
import type { AppservicePeer, AppserviceRequest, Knowledge } from "../AppservicePeer.ts"
import { error, isOtherRoute, ok, pingPath, pong, refusalOf, text } from "../internal/appserviceReply.ts"
import * as Body from "../internal/body.ts"

const plain = (status: number, body: string) => text(status, "text/plain; charset=utf-8", body)

const crashed = plain(500, "500 Internal Server Error\n\nServer got itself in trouble")

const invalidToken = error(401, "M_UNKNOWN_TOKEN", "Invalid auth token")

/** The query comes first, and a header may do without a scheme. */
const refused = ({ authorization, query }: AppserviceRequest, knowledge: Knowledge) =>
  refusalOf(query.get("access_token") ?? authorization?.replace(/^Bearer /, ""), knowledge, {
    missing: invalidToken,
    wrong: invalidToken
  })

/**
 * mautrix-python 0.20.8.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: AppservicePeer = {
  provenance: { software: "mautrix-python", version: "0.20.8", how: "measured", date: "2026-11-27" },
  jsonType: "application/json; charset=utf-8",
  reply: (request, knowledge) => {
    const { body, method, path } = request
    if (isOtherRoute(request)) {
      const found = method === "PUT" ? ok : error(404, "M_NOT_FOUND", "Not found")
      return refused(request, knowledge) ?? found
    }
    if (path !== pingPath) return plain(404, "404: Not Found")
    if (method !== "POST") return plain(405, "405: Method Not Allowed")
    const wrong = refused(request, knowledge)
    if (wrong !== undefined) return wrong
    if (Body.textOf(body) === undefined) return crashed
    const parsed = Json.parseBytes(body)
    if (parsed === undefined) return error(400, "M_NOT_JSON", "Body is not JSON")
    return Predicate.isObject(parsed) ? pong(parsed) : crashed
  },
  ownPing: { retries: 4, first: Duration.seconds(4), factor: 2, retried: [502, 503, 504], exitCode: 16 }
}
