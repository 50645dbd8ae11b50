/** Rules about the registration itself and the two copies of it. */
import type { Diagnosable } from "@appservice-ping/domain/Diagnosis"
import type { CopiedField, Evidence } from "../../Evidence.ts"
import { explain } from "../../RegistrationCheck.ts"
import { operator, rule, sameFile, setUrl } from "../Rule.ts"

/** The file cannot be used at all. */
export const unusable = rule(
  "registration-unusable",
  ["registration"],
  ({ registration }) =>
    registration._tag === "Invalid"
      ? operator(
        `The registration file cannot be used: ${registration.problems[0] ?? "it is empty"}.`,
        "Correct what the first check names, or let the bridge generate the file again."
      )
      : undefined
)

/** The homeserver has nowhere to send a ping. */
export const urlNotSet = rule(
  "url-not-set",
  ["registration"],
  ({ registration }, of) =>
    registration._tag === "Read" && registration.url === undefined
      ? operator(
        "The registration has no url, so the homeserver has nowhere to send anything.",
        setUrl("where the appservice listens", of)
      )
      : undefined
)

/** The homeserver cannot call what is no HTTP address. */
export const urlIsOther = rule("url-is-no-http-address", ["registration"], ({ registration }, of) => {
  if (registration._tag !== "Read" || of.evidence.ping?._tag === "Succeeded") return undefined
  const other = registration.oddities.find(({ _tag }) => _tag === "UrlIsOther")
  return other === undefined
    ? undefined
    : operator(
      `In the registration, ${explain(other)}.`,
      `A bridge that fetches its events another way needs no ping. Else ${
        setUrl("an http or https URL where the appservice listens", of).replace(/^S/, "s")
      }`
    )
})

/** The fields of the registration that an error of the homeserver can be due to. */
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
      return error.status === undefined || error.status === 401 || error.status === 403 ? ["url", "hs_token"] : ["url"]
    case "OtherErrcode":
      return error.errcode === "M_UNKNOWN" ? ["url", "hs_token"] : []
    default:
      return []
  }
}

/** The homeserver's own error about the appservice: that of the ping, or that of the question about the token. */
const errorOf = ({ ping, token }: Evidence): Diagnosable | undefined =>
  ping?._tag === "Failed" ? ping.error : ping === undefined && token?._tag === "Refused" ? token.error : undefined

/** The copies differ in a field that this error can be due to. */
export const copies = rule("copies-differ", ["registration"], ({ registration }, of) => {
  const error = errorOf(of.evidence)
  if (registration._tag !== "Read" || registration.differs === undefined || error === undefined) return undefined
  const suspected = suspects(error)
  const guilty = registration.differs.filter((field) => suspected.includes(field))
  return guilty.length === 0
    ? undefined
    : operator(`The two copies of the registration differ in ${guilty.join(" and ")}.`, sameFile(of))
})

/** The copies differ, and the ping works: the homeserver uses neither of the two, or has not read its file again. */
export const copiesUnused = rule("copies-differ-unused", ["registration", "ping"], ({ ping, registration }, of) => {
  if (registration._tag !== "Read" || ping._tag !== "Succeeded") return undefined
  const { differs = [] } = registration
  return differs.length === 0
    ? undefined
    : operator(
      `The ping works, but the two copies of the registration differ in ${
        differs.join(" and ")
      }: the copy that was given as the homeserver's is not the one that it uses now, and would break the ping when it is read.`,
      sameFile(of)
    )
})

/** A token that was never generated. */
export const placeholders = rule("placeholder-token", ["registration"], ({ registration }, of) => {
  const error = errorOf(of.evidence)
  if (registration._tag !== "Read" || error === undefined) return undefined
  const suspected = suspects(error)
  const found = registration.oddities.find((oddity) =>
    oddity._tag === "PlaceholderToken" && suspected.includes(oddity.field)
  )
  return found === undefined
    ? undefined
    : operator(`In the registration, ${explain(found)}.`, `Let the bridge generate the file again. ${sameFile(of)}`)
})
