/**
 * mautrix-go: Go, with the mux of its standard library.
 *
 * @since 0.1.0
 */
import * as Json from "@appservice-ping/domain/Json"
import { Duration } from "effect"
import type { AppservicePeer, AppserviceRequest, Knowledge } from "../AppservicePeer.ts"
import { error, isOtherRoute, ok, pingPath, pong, refusalOf, reply, text } from "../internal/appserviceReply.ts"
import * as Body from "../internal/body.ts"

const plain = (status: number, body: string) => text(status, "text/plain; charset=utf-8", body)

/** The query is never read, and the scheme is matched as it is written. */
const refused = ({ authorization }: AppserviceRequest, knowledge: Knowledge) =>
  refusalOf(/^Bearer (.*)$/.exec(authorization ?? "")?.[1], knowledge, {
    missing: error(401, "M_MISSING_TOKEN", "Missing access token"),
    wrong: error(401, "M_UNKNOWN_TOKEN", "Invalid access token")
  })

/** The mux redirects to the path without what makes it unclean. */
const cleaned = (path: string): string => path.replaceAll(/\/{2,}/g, "/")

/**
 * mautrix-go 0.32.0.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: AppservicePeer = {
  provenance: { software: "mautrix-go", version: "0.32.0", how: "measured", date: "2026-11-27" },
  jsonType: "application/json",
  reply: (request, knowledge) => {
    const { body, method, path } = request
    if (cleaned(path) !== path) return reply({ status: 307, headers: { location: cleaned(path) }, body: "" })
    if (isOtherRoute(request)) {
      const found = method === "PUT" ? ok : error(404, "M_NOT_FOUND", "Alias or user not found")
      return refused(request, knowledge) ?? found
    }
    if (path !== pingPath) return plain(404, "404 page not found\n")
    if (method !== "POST") return plain(405, "Method Not Allowed\n")
    const wrong = refused(request, knowledge)
    if (wrong !== undefined) return wrong
    // Go's JSON puts U+FFFD for what is not UTF-8.
    const parsed = Json.parse(Body.lossyTextOf(body))
    return parsed === undefined
      ? error(400, "M_NOT_JSON", "Invalid or missing request body")
      : pong(parsed)
  },
  ownPing: { retries: 6, first: Duration.seconds(5), factor: 1, retried: "every", exitCode: 13 }
}
