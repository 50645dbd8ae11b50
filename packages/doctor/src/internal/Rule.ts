/** What the rules of the doctor's conclusion have in common. */
import { type Actor, type Diagnosable, diagnose, Diagnosis } from "@appservice-ping/domain/Diagnosis"
import type { DirectEvidence, Evidence, Subject } from "../Evidence.ts"

/** What a rule looks at. */
export interface Case {
  readonly evidence: Evidence
  readonly subject: Subject
  /** The url as a person may see it. */
  readonly url: string
  readonly homeserver: string
}

/** Gives a diagnosis where it applies. */
export type Rule = (of: Case) => Diagnosis | undefined

/** A diagnosis on which the operator of the bridge must act. */
export const operator = (cause: string, advice: string, temporary = false): Diagnosis =>
  seen({ actor: "operator", cause, advice, temporary })

/** A diagnosis of what the doctor saw itself. */
export const seen = (
  fields: { readonly actor: Actor; readonly cause: string; readonly advice: string; readonly temporary: boolean }
): Diagnosis => new Diagnosis({ ...fields, certainty: "certain", weight: "seen" })

/** The diagnosis of the diagnosis, where the doctor knows no better. */
export const explained = (error: Diagnosable, { subject }: Case): Diagnosis =>
  diagnose(error, { url: subject.url ?? null, homeserver: subject.homeserver.href })

/** What repairs copies of a registration that differ. */
export const sameFile =
  "Give the homeserver the same registration file as the appservice, and restart both: each reads it once, when it starts."

/** The diagnosis on a URL that says http where TLS is spoken. */
export const wantsHttps = (place: string): Diagnosis =>
  operator(
    `The port at ${place} speaks TLS, but the URL says http.`,
    "Write https:// in the URL, with the host name that the certificate has."
  )

/** Tells whether a status is the refusal of a token. */
export const isTokenStatus = (status: number | undefined): boolean => status === 401 || status === 403

/** Tells whether the appservice refused the `hs_token` of the file. */
export const refusesToken = (direct: DirectEvidence | undefined): boolean =>
  direct?._tag === "Failed" && direct.error._tag === "M_BAD_STATUS" && isTokenStatus(direct.error.status)
