/**
 * trixnity: Kotlin, on Ktor.
 *
 * @since 0.1.0
 */
import * as Json from "@appservice-ping/domain/Json"
import { Predicate } from "effect"
import type { AppservicePeer, AppserviceRequest, Knowledge } from "../AppservicePeer.ts"
import { error, isOtherRoute, ok, once, pingPath, pong } from "../internal/appserviceReply.ts"

const invalidToken = error(403, "M_FORBIDDEN", "invalid token")
const missingToken = error(401, "M_UNAUTHORIZED", "missing token")
const unsupported = error(415, "M_UNRECOGNIZED", "media type of request is not supported")
const unreadable = error(
  500,
  "M_UNKNOWN",
  "Failed to convert request body to class de.connect2x.trixnity.applicationserviceapi.model.Ping$Request"
)

/** Header and query have to agree. */
const refused = ({ authorization, query }: AppserviceRequest, { isToken }: Knowledge) => {
  const inHeader = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1]
  const presented = [inHeader, query.get("access_token")].filter((token) => typeof token === "string")
  if (presented.length === 0) return missingToken
  return presented.every(isToken) ? undefined : invalidToken
}

/**
 * trixnity 5.5.2.
 *
 * @category models
 * @since 0.1.0
 */
export const peer: AppservicePeer = {
  provenance: { software: "trixnity", version: "5.5.2", how: "measured", date: "2026-11-27" },
  jsonType: "application/json",
  reply: (request, knowledge) => {
    const { body, contentType, method } = request
    // Ktor passes over empty segments at the start.
    const path = request.path.replace(/^\/+/, "/")
    if (isOtherRoute({ ...request, path })) return refused(request, knowledge) ?? ok
    if (path !== pingPath) return error(404, "M_UNRECOGNIZED", "unsupported (or unknown) endpoint")
    if (method !== "POST") return error(405, "M_UNRECOGNIZED", "http request method not allowed")
    const wrong = refused(request, knowledge)
    if (wrong !== undefined) return wrong
    if (body.length === 0 || !/^application\/json\b/i.test(contentType ?? "")) return unsupported
    const value = Json.parseBytes(body)
    if (!Predicate.isObject(value)) return unreadable
    const id = value["transaction_id"] ?? undefined
    return id === undefined || typeof id === "string" ? pong(value) : unreadable
  },
  ownPing: once
}
