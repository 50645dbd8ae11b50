/**
 * From the evidence of all checks to the one thing that is wrong, who must act, and what to do: a pure function.
 *
 * The homeserver's word alone leaves much open. What the doctor saw itself at the same url decides it: a call that
 * succeeds from here and is refused there means another thing than one that is refused in both places.
 *
 * @since 0.1.0
 */
import { byWeight, type Diagnosis, type Weight } from "@appservice-ping/domain/Diagnosis"
import { Array, Order } from "effect"
import * as Check from "./Check.ts"
import type { Evidence, Subject } from "./Evidence.ts"
import { type Case, caseOf, certain, operator, type Rule, sentence } from "./internal/Rule.ts"
import * as FileRules from "./internal/rules/fileRules.ts"
import * as HomeserverRules from "./internal/rules/homeserverRules.ts"
import * as SuccessRules from "./internal/rules/successRules.ts"
import * as TokenRules from "./internal/rules/tokenRules.ts"
import { urlRules } from "./internal/rules/urlRules.ts"
import * as WayRules from "./internal/rules/wayRules.ts"
import * as Said from "./internal/said.ts"
import { explain } from "./RegistrationCheck.ts"

/**
 * A check that a conclusion rests on, and the weight of its evidence.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ground {
  readonly check: Check.CheckId
  readonly weight: Weight
}

/**
 * Whether the homeserver reaches the appservice, the diagnosis, and the evidence that it rests on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Conclusion {
  readonly ok: boolean
  readonly diagnosis: Diagnosis
  /** The name of the rule that concluded it. */
  readonly rule: string
  /** The evidence, the heaviest first. */
  readonly restsOn: ReadonlyArray<Ground>
}

/** The rules in the order in which a person should repair things; the first one that applies decides. */
const rules: ReadonlyArray<Rule> = [
  FileRules.unusable,
  HomeserverRules.silent,
  HomeserverRules.unreachable,
  HomeserverRules.withoutPing,
  FileRules.urlNotSet,
  FileRules.urlIsOther,
  FileRules.copies,
  FileRules.placeholders,
  TokenRules.otherUser,
  TokenRules.wrongId,
  TokenRules.refused,
  HomeserverRules.proxyWithoutPing,
  ...urlRules,
  WayRules.otherToken,
  WayRules.otherStatus,
  WayRules.ownMachine,
  WayRules.noWay,
  WayRules.otherwise,
  WayRules.failedPing,
  SuccessRules.standIn,
  FileRules.copiesUnused
]

/**
 * The names of all rules, in the order in which they apply.
 *
 * @category models
 * @since 0.1.0
 */
export const ruleNames: ReadonlyArray<string> = [...rules.map(({ name }) => name), "check-failed", "well", "no-ping"]

const weightOf = (check: Check.CheckId, { context, evidence: { ping, token } }: Case): Weight => {
  if (check === "token") return token?._tag === "Unclear" ? "status" : "code"
  if (check !== "ping") return "seen"
  if (ping?._tag !== "Failed") return ping?.verified === true ? "seen" : "code"
  return Said.saidOf(ping.error, context)?.weight ??
    (ping.error._tag === "OtherErrcode" ? "code" : pingWeight(ping.error._tag))
}

const seenTags: ReadonlySet<string> = new Set([
  "HomeserverUnreachable",
  "NotHomeserver",
  "Undecided",
  "AnsweredElsewhere"
])

const pingWeight = (tag: string): Weight => seenTags.has(tag) ? "seen" : "code"

const byGround = Order.mapInput(byWeight, ({ weight }: Ground) => weight)

const grounds = (needs: ReadonlyArray<Check.CheckId>, of: Case): ReadonlyArray<Ground> =>
  Array.sort(
    needs.filter((check) => of.evidence[check] !== undefined).map((check) => ({
      check,
      weight: weightOf(check, of)
    })),
    byGround
  )

const notes = ({ direct, registration }: Evidence): ReadonlyArray<string> => [
  ...registration._tag === "Read" ? registration.oddities.map(explain) : [],
  ...direct?._tag === "Answered" && direct.wrongToken === "accepted"
    ? ["the appservice does not check the hs_token, so that anybody can send it events"]
    : []
]

const confirmed = (evidence: Evidence): Diagnosis => {
  const odd = notes(evidence)
  const { direct } = evidence
  const isUnseen = direct?._tag === "NoAnswer"
  const unseen = isUnseen
    ? ` This machine does not get to the url (${direct.failure.text}); run the doctor where the homeserver runs to see more.`
    : ""
  return certain({
    actor: odd.length === 0 ? "nobody" : "operator",
    cause: isUnseen
      ? "The homeserver says that it reaches the appservice; the doctor could not look at the url itself from here."
      : "Nothing is wrong with the ping: the homeserver reaches the appservice.",
    advice: `${
      odd.length === 0 ? "Nothing has to be done." : `Worth a look all the same: ${odd.map(sentence).join(" ")}`
    }${unseen}`,
    temporary: false,
    weight: isUnseen ? "code" : "seen"
  })
}

/** A defect that a check found never ends in "all is well", whatever the homeserver says. */
const checkFailed = (
  { evidence, subject }: Case
): { readonly check: Check.CheckId; readonly detail: string } | undefined => {
  const failed = Check.ids.find((id) => Check.describe(id, evidence, subject).status === "failed")
  return failed === undefined ? undefined : { check: failed, detail: Check.describe(failed, evidence, subject).detail }
}

const succeeded = (of: Case): Conclusion => {
  const { evidence } = of
  const failed = checkFailed(of)
  if (failed !== undefined) {
    return {
      ok: false,
      diagnosis: operator(
        `The homeserver says that it reaches the appservice, but the check "${
          Check.titles[failed.check]
        }" failed: ${failed.detail}.`,
        "Look into what the check names: the ping may be answered by something else than the appservice."
      ),
      rule: "check-failed",
      restsOn: grounds([failed.check, "ping"], of)
    }
  }
  return { ok: true, diagnosis: confirmed(evidence), rule: "well", restsOn: grounds(["direct", "ping"], of) }
}

/**
 * Concludes from all evidence to the one root cause.
 *
 * **Details**
 *
 * The first rule that applies gives the diagnosis. An error that no rule knows better is explained by the diagnosis of
 * the ping, so the function is total. A check that failed never ends in `ok`.
 *
 * @category conclusions
 * @since 0.1.0
 */
export const conclude = (evidence: Evidence, subject: Subject): Conclusion => {
  const of = caseOf(evidence, subject)
  for (const { conclude, name, needs } of rules) {
    const diagnosis = conclude(of)
    if (diagnosis === undefined) continue
    const conclusion = { diagnosis, rule: name, restsOn: grounds(needs, of) }
    return diagnosis.healthy && checkFailed(of) !== undefined ? succeeded(of) : { ok: diagnosis.healthy, ...conclusion }
  }
  return evidence.ping?._tag === "Succeeded" ? succeeded(of) : {
    ok: false,
    diagnosis: operator("The ping was not made.", "Look at the check that was skipped or failed first."),
    rule: "no-ping",
    restsOn: grounds(["registration"], of)
  }
}
