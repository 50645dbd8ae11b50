/** Rules about the `as_token` and the id. */
import type { Diagnosable } from "@appservice-ping/domain/Diagnosis"
import type { Evidence } from "../../Evidence.ts"
import { certain, explained, operator, possible, rule } from "../Rule.ts"

/** Errors that say that the token is not this appservice's; some homeservers refuse a user's with 401 (C4). */
const isRefusal = (error: Diagnosable): boolean =>
  error._tag === "M_FORBIDDEN" || error._tag === "M_UNKNOWN_TOKEN" ||
  (error._tag === "OtherErrcode" && error.errcode === "M_UNAUTHORIZED")

/** The homeserver knows the as_token as another user's. */
export const otherUser = rule(
  "token-of-other-user",
  ["token", "ping"],
  ({ ping, token }, { words }) =>
    ping._tag === "Failed" && isRefusal(ping.error) && token._tag === "Known" && !token.isOurs
      ? operator(
        `The as_token is that of ${token.userId}, which is not this appservice: it is a user's or another appservice's.`,
        `Use the as_token of the registration that the homeserver has for this appservice. ${words.reload}`
      )
      : undefined
)

/** The homeserver knows the as_token as this appservice's, and still refuses the ping. */
export const wrongId = rule(
  "other-id",
  ["registration", "token", "ping"],
  ({ ping, registration, token }, { words }) => {
    if (registration._tag !== "Read" || ping._tag !== "Failed" || !isRefusal(ping.error)) return undefined
    if (token._tag !== "Known" || !token.isOurs) return undefined
    const advice = `Compare id in both copies. ${words.reload}`
    return ping.error._tag === "M_FORBIDDEN"
      ? certain({
        actor: "operator",
        cause:
          `The homeserver knows the as_token, but not with the id ${registration.id}: its copy of the registration has another id.`,
        advice,
        temporary: false,
        weight: "code"
      })
      : possible({
        actor: "operator",
        cause:
          `The homeserver knows the as_token as ${token.userId}, but does not take it for the appservice ${registration.id}: its copy of the registration may have another id, or the token is one that the user got by a login.`,
        advice,
        temporary: false,
        weight: "code"
      })
  }
)

/** Errors that a homeserver gives only to an appservice whose token it knows (D5). */
const afterToken: ReadonlySet<string> = new Set([
  "M_BAD_STATUS",
  "M_CONNECTION_FAILED",
  "M_CONNECTION_TIMEOUT",
  "M_URL_NOT_SET"
])

const pingKnewToken = ({ ping }: Evidence): boolean =>
  ping?._tag === "Succeeded" || (ping?._tag === "Failed" && afterToken.has(ping.error._tag))

/** The as_token itself is refused. */
export const refused = rule(
  "token-refused",
  ["token"],
  ({ token }, of) => token._tag === "Refused" && !pingKnewToken(of.evidence) ? explained(token.error, of) : undefined
)
