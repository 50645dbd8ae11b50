/**
 * From what all checks saw to the one thing that is wrong, who must act, and what to do: a pure function.
 *
 * The homeserver's word alone leaves much open. What the doctor saw with its own eyes at the same url decides it: a
 * call that succeeds from here and is refused there means another thing than one that is refused in both places.
 *
 * @since 0.1.0
 */
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import type { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import type { Evidence, Subject } from "./Evidence.ts"
import * as AppserviceRules from "./internal/appserviceRules.ts"
import * as HomeserverRules from "./internal/homeserverRules.ts"
import { type Case, operator, refusesToken, type Rule, seen } from "./internal/Rule.ts"
import * as TokenRules from "./internal/tokenRules.ts"
import { explain, shownUrl } from "./RegistrationCheck.ts"

/**
 * Whether the homeserver reaches the appservice, and the diagnosis.
 *
 * @category models
 * @since 0.1.0
 */
export interface Conclusion {
  readonly ok: boolean
  readonly diagnosis: Diagnosis
}

const rules: ReadonlyArray<Rule> = [
  HomeserverRules.invalid,
  HomeserverRules.unreachable,
  HomeserverRules.withoutPing,
  HomeserverRules.urlNotSet,
  TokenRules.copies,
  TokenRules.placeholders,
  TokenRules.wrongId,
  TokenRules.refusedToken,
  AppserviceRules.somethingElse,
  HomeserverRules.proxyWithoutPing,
  AppserviceRules.badStatus,
  AppserviceRules.noConnection,
  AppserviceRules.failedPing,
  AppserviceRules.impostor,
  AppserviceRules.notRunning
]

const notes = ({ direct, registration }: Evidence): ReadonlyArray<string> => [
  ...registration._tag === "Read" ? registration.oddities.map(explain) : [],
  ...registration._tag === "Read" && registration.differs !== undefined && registration.differs.length > 0
    ? [
      `the copy that was given as the homeserver's differs in ${
        registration.differs.join(", ")
      }, so it is not the one it uses`
    ]
    : [],
  ...direct?._tag === "Confirmed" && direct.wrongToken === "accepted"
    ? ["the appservice does not check the hs_token, so anybody can send it events"]
    : [],
  ...refusesToken(direct) ? ["the appservice rejects the hs_token of this file, so it runs with another one"] : []
]

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

const good = (evidence: Evidence): Conclusion => {
  const odd = notes(evidence)
  return {
    ok: true,
    diagnosis: seen({
      actor: odd.length === 0 ? "nobody" : "operator",
      cause: "Nothing is wrong with the ping: the homeserver reaches the appservice.",
      advice: odd.length === 0
        ? "Nothing has to be done."
        : `Worth a look all the same: ${odd.map(sentence).join(" ")}`,
      temporary: false
    })
  }
}

/**
 * Concludes from all evidence to the one root cause.
 *
 * **Details**
 *
 * The first rule that applies gives the diagnosis; they stand in the order in which a person should repair things. An
 * error that no rule knows better is explained by the diagnosis of the ping, so the function is total.
 *
 * @category conclusions
 * @since 0.1.0
 */
export const conclude = (evidence: Evidence, subject: Subject): Conclusion => {
  const of: Case = {
    evidence,
    subject,
    url: shownUrl(subject.url) ?? "the url",
    homeserver: AppserviceUrl.redact(subject.homeserver)
  }
  for (const rule of rules) {
    const diagnosis = rule(of)
    if (diagnosis !== undefined) return { ok: false, diagnosis }
  }
  return evidence.ping?._tag === "Succeeded" ? good(evidence) : {
    ok: false,
    diagnosis: operator("The ping was not made.", "Look at the check that was skipped or failed first.")
  }
}
