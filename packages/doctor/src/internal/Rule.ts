/** The shape and the helpers of all rules of the doctor's conclusion. */
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import {
  type Actor,
  type Context,
  type Diagnosable,
  diagnose,
  Diagnosis,
  type Weight
} from "@appservice-ping/domain/Diagnosis"
import * as PingError from "@appservice-ping/domain/PingError"
import * as ServerWords from "@appservice-ping/domain/ServerWords"
import type { CheckId } from "../Check.ts"
import type { DirectEvidence, Evidence, Subject } from "../Evidence.ts"
import { shownUrl } from "../RegistrationCheck.ts"
import { contextOf, serverOf } from "./context.ts"

/** The context of a rule, beside the evidence that it needs. */
export interface Case {
  readonly evidence: Evidence
  readonly subject: Subject
  /** The url as a person may see it. */
  readonly url: string
  readonly homeserver: string
  readonly words: ServerWords.ServerWords
  /** The context of every diagnosis. */
  readonly context: Context
}

/** The evidence that a rule is given: all that it needs. */
export type Needed<K extends CheckId> = { readonly [P in K]: NonNullable<Evidence[P]> }

/** One rule: the checks whose evidence it needs and rests on, and what it concludes where it applies. */
export interface Rule {
  readonly name: string
  readonly needs: ReadonlyArray<CheckId>
  readonly conclude: (of: Case) => Diagnosis | undefined
}

const has = <K extends CheckId>(evidence: Evidence, needs: ReadonlyArray<K>): evidence is Evidence & Needed<K> =>
  needs.every((check) => evidence[check] !== undefined)

/** Makes a rule, which applies at most where all evidence that it needs is there. */
export const rule = <const K extends CheckId>(
  name: string,
  needs: ReadonlyArray<K>,
  conclude: (seen: Needed<K>, of: Case) => Diagnosis | undefined
): Rule => ({
  name,
  needs,
  conclude: (of) => has(of.evidence, needs) ? conclude(of.evidence, of) : undefined
})

/** The case of some evidence. */
export const caseOf = (evidence: Evidence, subject: Subject): Case => ({
  evidence,
  subject,
  url: shownUrl(subject.url) ?? "the url",
  homeserver: AppserviceUrl.redact(subject.homeserver),
  words: ServerWords.of(serverOf(evidence)),
  context: contextOf(evidence, subject)
})

interface Fields {
  readonly actor: Actor
  readonly cause: string
  readonly advice: string
  readonly temporary: boolean
  readonly weight?: Weight
  readonly healthy?: boolean
}

/** A diagnosis that follows from the evidence; by default from what the doctor saw itself. */
export const certain = (fields: Fields): Diagnosis => new Diagnosis({ weight: "seen", ...fields, certainty: "certain" })

/** A diagnosis that the evidence allows, and that it does not prove: its words have to say so. */
export const possible = (fields: Fields): Diagnosis =>
  new Diagnosis({ weight: "seen", ...fields, certainty: "possible" })

/** A diagnosis on which the operator of the bridge must act. */
export const operator = (cause: string, advice: string, temporary = false): Diagnosis =>
  certain({ actor: "operator", cause, advice, temporary })

/** The diagnosis of an error, where the doctor knows no better. */
export const explained = (error: Diagnosable, { context }: Case): Diagnosis => diagnose(error, context)

/** Turns what the doctor saw at the url into the error that our own homeserver would have given for it. */
export const errorOf = (direct: DirectEvidence): PingError.BadStatus | PingError.ConnectionFailed =>
  direct._tag === "Answered"
    ? new PingError.BadStatus({ status: direct.status, body: direct.body })
    // Its text says what was waited for, and only the kind that the time ran out.
    : new PingError.ConnectionFailed({ error: direct.failure.kind === "timeout" ? "timed out" : direct.failure.text })

/** Explains what the doctor saw at the url. */
export const explainedDirect = (direct: DirectEvidence, of: Case): Diagnosis =>
  new Diagnosis({ ...explained(errorOf(direct), of), certainty: "certain", weight: "seen" })

/** Adds a sentence to the cause or the advice. */
export const adding = (
  diagnosis: Diagnosis,
  { advice = "", cause = "" }: { readonly advice?: string; readonly cause?: string }
): Diagnosis =>
  new Diagnosis({
    ...diagnosis,
    cause: `${diagnosis.cause}${cause === "" ? "" : ` ${cause}`}`,
    advice: `${diagnosis.advice}${advice === "" ? "" : ` ${advice}`}`
  })

/** A sentence that begins with these words. */
export const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`

/** The advice for copies of a registration that differ. */
export const sameFile = ({ words }: Case): string =>
  `Let the appservice and the homeserver have the same registration file, and restart the appservice. ${words.reload}`

/** The advice after a change of the url. */
export const setUrl = (to: string, { words }: Case): string => `Set url to ${to}. ${words.reload}`

/** The diagnosis of a URL that says http where TLS is spoken. */
export const wantsHttps = (place: string): Diagnosis =>
  operator(
    `The port at ${place} speaks TLS, but the URL says http.`,
    "Write https:// in the URL, with the host name that the certificate has."
  )
