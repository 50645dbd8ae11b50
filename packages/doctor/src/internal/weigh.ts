/** Weighs what the doctor saw at the url against what the homeserver said of it. */
import type { DirectEvidence } from "../Evidence.ts"
import { isOpening, isVague, type Said } from "./said.ts"
import * as Sight from "./sight.ts"

const isTokenStatus = (status: number): boolean => status === 401 || status === 403

const explainsStatus = (direct: DirectEvidence, status: number): boolean =>
  direct._tag === "Answered" &&
  (direct.status === status || (isTokenStatus(direct.status) && isTokenStatus(status)))

/**
 * Whether the homeserver's words are about the host that the url redirects to: some homeservers follow a 303, and then
 * say only how that call ended.
 */
const followed = (direct: DirectEvidence, { text }: Said): boolean => {
  const to = direct._tag === "Answered" && direct.location !== undefined ? URL.parse(direct.location) : null
  return to !== null && to.hostname !== "" && text.toLowerCase().includes(to.hostname)
}

/**
 * Whether what the doctor saw at the url can be what the homeserver met there. Then it is the better evidence, because
 * it was seen, not reported; else the two went different ways, or at different times.
 */
export const explains = (direct: DirectEvidence, said: Said): boolean => {
  const sight = Sight.sightOf(direct)
  if (sight === "confirmed") return false
  if (sight === "redirect" && followed(direct, said)) return true
  if (isOpening(said)) return direct._tag === "NoAnswer" && direct.failure.kind === said.sign
  // A homeserver that saw the connection break or an answer arrive was past the point that the doctor did not pass.
  if (Sight.isOpening(direct)) return said.sign === "unknown" || said.sign === "timeout"
  if (said.status !== undefined) return explainsStatus(direct, said.status)
  if (isVague(said)) return true
  switch (said.sign) {
    case "redirect":
      return direct._tag === "Answered" && direct.status >= 300 && direct.status < 400
    case "notJson":
    case "noLength":
      return sight === "answersEverything" || sight === "redirect" || direct._tag === "NoAnswer"
    case "httpToTls":
      return sight === "tlsPort"
    case "tls":
      return direct._tag === "NoAnswer"
    default:
      // What the homeserver cannot send, and what its own proxy or its own rules keep from it, is not seen from here.
      return false
  }
}
