/** Asks the homeserver whose the `as_token` is: `GET /_matrix/client/v3/account/whoami`. */
import * as Answer from "@appservice-ping/domain/Answer"
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import type { PingError } from "@appservice-ping/domain/PingError"
import { plain } from "@appservice-ping/domain/PlainText"
import type { Registration } from "@appservice-ping/domain/Registration"
import { HomeserverUnreachable, type NotHomeserver } from "@appservice-ping/domain/TransportError"
import { Clock, type Duration, Effect, Option, Result, Schema } from "effect"
import type { HttpClient } from "effect/http"
import type { TokenEvidence } from "../Evidence.ts"
import { ask } from "./ask.ts"

const decodeUser = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ user_id: Schema.String })))

/** Errors that speak of the token and of nothing else. */
const refusals: ReadonlySet<string> = new Set(["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"])

const ofError = (error: PingError | NotHomeserver): TokenEvidence => {
  if (error._tag === "M_UNRECOGNIZED") return { _tag: "NotOffered" }
  if (error._tag === "NotHomeserver") {
    return error.status === 404 || error.status === 405 ? { _tag: "NotOffered" } : { _tag: "Unclear", error }
  }
  return refusals.has(error._tag) ? { _tag: "Refused", error } : { _tag: "Unclear", error }
}

/** Finds out whether the homeserver knows the `as_token`, and whether it takes it for this appservice's. */
export const whoami = (
  homeserver: URL,
  registration: Registration,
  timeout: Duration.Input
): Effect.Effect<TokenEvidence, never, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const url = AppserviceUrl.join(homeserver.href, "/_matrix/client/v3/account/whoami") ?? homeserver
    url.search = ""
    const tokens = [registration.as_token, registration.hs_token]
    const asked = yield* Effect.result(ask({ method: "GET", url, token: registration.as_token, timeout }))
    if (Result.isFailure(asked)) {
      const error = new HomeserverUnreachable({ url: AppserviceUrl.redact(url), failure: asked.failure })
      return { _tag: "Unclear", error }
    }
    const answer = asked.success
    const user = answer.status === 200 ? Option.getOrUndefined(decodeUser(answer.body)) : undefined
    if (user !== undefined) {
      return {
        _tag: "Known",
        userId: plain(user.user_id, 255),
        isOurs: user.user_id.startsWith(`@${registration.sender_localpart}:`)
      }
    }
    return ofError(Answer.decodeError(answer, { url, now: yield* Clock.currentTimeMillis, tokens }))
  })
