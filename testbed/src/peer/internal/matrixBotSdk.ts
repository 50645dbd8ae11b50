/** What the frameworks have in common that come from turt2live's matrix-bot-sdk. */
import type { AppserviceReply, AppserviceRequest, Knowledge } from "../AppservicePeer.ts"
import { error, isOtherRoute, ok, refusalOf } from "./appserviceReply.ts"
import * as Express from "./express.ts"

const authFailed = error(401, "AUTH_FAILED", "Authentication failed")

const notImplemented = error(404, "M_UNRECOGNIZED", "Endpoint not implemented")

/** A header counts before the query, and its scheme is matched as it is written. */
export const refused = ({ authorization, query }: AppserviceRequest, knowledge: Knowledge) => {
  const presented = authorization === undefined
    ? query.get("access_token") ?? undefined
    : /^Bearer (.*)$/.exec(authorization)?.[1]
  return refusalOf(presented, knowledge, { missing: authFailed, wrong: authFailed })
}

/** Reads the body, and replies where `ping` does not. */
export const replyOf = (
  request: AppserviceRequest,
  knowledge: Knowledge,
  ping: (body: unknown) => AppserviceReply | undefined
): AppserviceReply => {
  const parsed = Express.parse(request)
  if ("refused" in parsed) return parsed.refused
  const ponged = ping(parsed.value)
  if (ponged !== undefined) return ponged
  if (!isOtherRoute(request)) return notImplemented
  const wrong = refused(request, knowledge)
  if (wrong !== undefined) return wrong
  if (request.method === "PUT") return ok
  return request.path.includes("/users/")
    ? error(404, "USER_DOES_NOT_EXIST", "User not created")
    : error(404, "ROOM_DOES_NOT_EXIST", "Room not created")
}
