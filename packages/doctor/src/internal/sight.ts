/** Sums up the doctor's own call to the url in one word. */
import type { Answered, DirectEvidence } from "../Evidence.ts"
import { errcodeOf, errorOf, isForwardProxy, isHtml, isJsonObject } from "./body.ts"

/** The kind of thing that answers at the url, as far as the doctor can know. */
export type Sight =
  /** An appservice confirmed the ping. */
  | "confirmed"
  /** An appservice accepts the token, and refuses pings that it has not asked for itself. */
  | "ownPingsOnly"
  /** An appservice, because it refuses a wrong token, whose framework has no ping. */
  | "withoutPing"
  /** Something answers every request with success. */
  | "answersEverything"
  | "homeserver"
  /** A port that speaks TLS, where the url says http. */
  | "tlsPort"
  | "redirect"
  /** The token of this file is refused, as an appservice does. */
  | "refusesToken"
  /** There is nothing at the path of the ping. */
  | "missing"
  /** A forward proxy answers, which nothing else on the way from here can be. */
  | "forwardProxy"
  /** Another status. */
  | "status"
  | "noAnswer"

const isMissing = (status: number): boolean => status === 404 || status === 405 || status === 410

/** The words of element's matrix-bot-sdk, which knows only the pings that it sends. */
export const isOwnPingsOnly = ({ body, status }: { readonly body: string; readonly status: number }): boolean =>
  status === 400 && errcodeOf(body) === "BAD_REQUEST" &&
  /no ping request expected|transaction_id did not match/i.test(errorOf(body))

const sightOfAnswer = (answer: Answered): Sight => {
  const { body, status } = answer
  if (answer.isHomeserver) return "homeserver"
  if (answer.speaksTls) return "tlsPort"
  if (status >= 200 && status < 300) {
    const answersAll = answer.wrongToken === "accepted" && (answer.unknownPath === "accepted" || !isJsonObject(body))
    return answersAll ? "answersEverything" : "confirmed"
  }
  if (status >= 300 && status < 400 && answer.location !== undefined) return "redirect"
  if (isOwnPingsOnly(answer)) return "ownPingsOnly"
  if (isMissing(status)) return answer.transaction === "refused" ? "withoutPing" : "missing"
  const isRefusal = (status === 401 || status === 403) && !isHtml(body) && errcodeOf(body) !== "M_MISSING_TOKEN"
  return isForwardProxy(answer) ? "forwardProxy" : isRefusal ? "refusesToken" : "status"
}

/** Sorts what the doctor saw. */
export const sightOf = (direct: DirectEvidence): Sight => {
  if (direct._tag === "Answered") return sightOfAnswer(direct)
  return direct.speaksTls ? "tlsPort" : "noAnswer"
}

/** Whether a call ended before anything was seen of what listens: another machine may come further. */
export const isOpening = (direct: DirectEvidence | undefined): boolean =>
  direct?._tag === "NoAnswer" && !direct.speaksTls &&
  (direct.failure.kind === "dns" || direct.failure.kind === "refused" || direct.failure.kind === "unreachable")

/** Whether the token was not tried, or what is there does not look at it. */
export const isAppservice = (sight: Sight): boolean =>
  sight === "confirmed" || sight === "ownPingsOnly" || sight === "withoutPing"
