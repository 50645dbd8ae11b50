/** Rules about what the two copies of the registration say: the ids and the tokens. */
import type { Diagnosable } from "@appservice-ping/domain/Diagnosis"
import type { CopiedField, Evidence } from "../Evidence.ts"
import { explain } from "../RegistrationCheck.ts"
import { explained, operator, type Rule, sameFile } from "./Rule.ts"

/** The fields of the registration that an error of the homeserver can come from. */
const suspects = (error: Diagnosable): ReadonlyArray<CopiedField> => {
  switch (error._tag) {
    case "M_UNKNOWN_TOKEN":
      return ["as_token"]
    case "M_FORBIDDEN":
      return ["id", "as_token"]
    case "M_URL_NOT_SET":
    case "M_CONNECTION_FAILED":
    case "M_CONNECTION_TIMEOUT":
      return ["url"]
    case "M_BAD_STATUS":
      return ["url", "hs_token"]
    case "OtherErrcode":
      return ["url", "hs_token"]
    default:
      return []
  }
}

/** The homeserver's own error about the appservice: that of the ping, or of the question whose the token is. */
const errorOf = ({ ping, token }: Evidence): Diagnosable | undefined =>
  ping?._tag === "Failed" ? ping.error : ping === undefined && token?._tag === "Refused" ? token.error : undefined

/** The copies differ in a field from which this error can come. */
export const copies: Rule = ({ evidence }) => {
  const { registration } = evidence
  const error = errorOf(evidence)
  if (registration._tag !== "Read" || registration.differs === undefined || error === undefined) return undefined
  const suspected = suspects(error)
  const guilty = registration.differs.filter((field) => suspected.includes(field))
  return guilty.length === 0
    ? undefined
    : operator(`The two copies of the registration differ in ${guilty.join(" and ")}.`, sameFile)
}

/** A token that was never generated. */
export const placeholders: Rule = ({ evidence }) => {
  const { registration } = evidence
  const error = errorOf(evidence)
  if (registration._tag !== "Read" || error === undefined) return undefined
  const suspected = suspects(error)
  const found = registration.oddities.find((oddity) =>
    oddity._tag === "PlaceholderToken" && suspected.includes(oddity.field)
  )
  return found === undefined
    ? undefined
    : operator(`In the registration, ${explain(found)}.`, `Let the bridge generate the file again. ${sameFile}`)
}

/** The homeserver knows the as_token, but as another appservice. */
export const wrongId: Rule = ({ evidence }) => {
  const { ping, registration, token } = evidence
  if (registration._tag !== "Read" || ping?._tag !== "Failed" || ping.error._tag !== "M_FORBIDDEN") return undefined
  if (token?._tag !== "Known") return undefined
  return token.isOurs
    ? operator(
      `The homeserver knows the as_token, but not with the id ${registration.id}: its copy of the registration has another id.`,
      `Compare id in both copies. ${sameFile}`
    )
    : operator(
      `The as_token is that of ${token.userId}, which is not this appservice: it is a user's or another appservice's.`,
      "Use the as_token of the registration that the homeserver has for this appservice."
    )
}

/** Errors that a homeserver gives only to an appservice whose token it knows (D5). */
const afterToken: ReadonlySet<string> = new Set([
  "M_BAD_STATUS",
  "M_CONNECTION_FAILED",
  "M_CONNECTION_TIMEOUT",
  "M_URL_NOT_SET"
])

/** The as_token itself is refused. */
export const refusedToken: Rule = (of) => {
  const { ping, token } = of.evidence
  const isKnown = ping?._tag === "Succeeded" || (ping?._tag === "Failed" && afterToken.has(ping.error._tag))
  return token?._tag === "Refused" && !isKnown ? explained(token.error, of) : undefined
}
