/** Renders the result of one ping, for a person and as JSON. */
import * as Diagnosis from "@appservice-ping/domain/Diagnosis"
import { PingError } from "@appservice-ping/domain/PingError"
import { plain } from "@appservice-ping/domain/PlainText"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import { Schema } from "effect"

const isPingError = Schema.is(PingError)

/** The result of one ping, for a machine and for a person. */
export interface Report {
  /** Whether the homeserver reaches the appservice, also where the ping itself is no success. */
  readonly ok: boolean
  /** The errcode, or what happened where no homeserver answered: `HomeserverUnreachable`, `NotHomeserver`, `Undecided`. */
  readonly tag: string | null
  readonly errcode: string | null
  /** The HTTP status that the error is about, the start of the body that came with it, and where a redirect leads. */
  readonly status: number | null
  readonly body: string | null
  readonly location: string | null
  readonly error: string | null
  readonly cause: string | null
  readonly advice: string | null
  readonly actor: Diagnosis.Actor | null
  readonly temporary: boolean | null
  /** How sure the cause is. */
  readonly certainty: Diagnosis.Certainty | null
  readonly duration_ms: number | null
  /** Whether the ping was seen to arrive; `null` if nobody looked, or if it cannot be known. */
  readonly verified: boolean | null
}

/** A report of nothing. */
export const nothing: Report = {
  ok: true,
  tag: null,
  errcode: null,
  status: null,
  body: null,
  location: null,
  error: null,
  cause: null,
  advice: null,
  actor: null,
  temporary: null,
  certainty: null,
  duration_ms: null,
  verified: null
}

/** The homeserver's answer, which counts even if the ping arrived here all the same. */
const saidOf = (error: Diagnosis.Diagnosable): Exclude<Diagnosis.Diagnosable, { readonly _tag: "SeenButFailed" }> =>
  error._tag === "SeenButFailed" ? error.error : error

const errcodeOf = (error: Diagnosis.Diagnosable): string | null => {
  const said = saidOf(error)
  if (said._tag === "OtherErrcode") return said.errcode
  return isPingError(said) ? said._tag : null
}

const verifiedOf = (error: Diagnosis.Diagnosable): boolean | null =>
  error._tag === "SeenButFailed" ? true : error._tag === "AnsweredElsewhere" ? false : null

/** Reports a failure. */
export const failed = (
  error: Diagnosis.Diagnosable,
  registration: Registration,
  about: Pick<Diagnosis.Context, "elapsed" | "homeserver" | "server">
): Report => {
  // One peer writes the hs_token into its errors, and any could echo a token.
  const shown = (text: string) => plain(Token.scrub(text, [registration.as_token, registration.hs_token]))
  const errcode = errcodeOf(error)
  const said = saidOf(error)
  const { actor, advice, cause, certainty, healthy, temporary } = Diagnosis.diagnose(error, {
    ...about,
    url: registration.url,
    id: registration.id
  })
  return {
    ...nothing,
    ok: healthy,
    tag: error._tag,
    status: "status" in said ? said.status ?? null : null,
    body: "body" in said && said.body !== undefined ? shown(said.body) : null,
    location: "location" in said && said.location !== undefined ? shown(said.location) : null,
    verified: verifiedOf(error),
    errcode: errcode === null ? null : shown(errcode),
    error: shown(error.message),
    cause: shown(cause),
    advice: shown(advice),
    actor,
    temporary,
    certainty
  }
}

/** Explains a failure in a few lines. */
export const explain = ({ actor, advice, cause, error, temporary }: Report): ReadonlyArray<string> => [
  `${error}`,
  `  What is wrong:  ${cause}`,
  `  What to do:     ${advice}`,
  `  Who must act:   ${actor}`,
  `  Trying again:   ${temporary === true ? "can help" : "does not help until that is done"}`
]
