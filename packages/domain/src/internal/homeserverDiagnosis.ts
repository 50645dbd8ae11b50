/** What the errors mean that the homeserver itself answers with, or does not answer with. */
import { Duration } from "effect"
import type * as PingError from "../PingError.ts"
import { describeServer, type PingUnsupported } from "../PingUnsupported.ts"
import type { ServerWords } from "../ServerWords.ts"
import * as ConnectionDiagnosis from "./connectionDiagnosis.ts"
import { inWords } from "./durationWords.ts"
import type { Known } from "./sign/echo.ts"
import * as Signs from "./sign/read.ts"
import * as StatusDiagnosis from "./statusDiagnosis.ts"

type Finding = ConnectionDiagnosis.Finding
type Leg = ConnectionDiagnosis.Leg

const fixed = (actor: Finding["actor"], cause: string, advice: string, temporary = false): Finding => ({
  actor,
  cause,
  advice,
  temporary
})

/** What a diagnosis of a homeserver's error takes besides the error. */
export interface Case {
  /** From the homeserver to the appservice. */
  readonly leg: Leg
  readonly words: ServerWords
  readonly known: Known
  readonly leadsToHomeserver: boolean
  /** The address of the homeserver, where it is known. */
  readonly homeserver: string | undefined
  readonly elapsed: Duration.Duration | undefined
}

export const badJson = fixed(
  "operator",
  "The homeserver did not accept the form of the ping.",
  "Update the appservice."
)

export const forbidden = fixed(
  "operator",
  "The homeserver knows the token, but not as the as_token of this appservice: it is a user's or another appservice's.",
  "Compare id and as_token with the registration file that the homeserver reads: both must be the same."
)

export const missingToken = fixed(
  "homeserver admin",
  "The homeserver saw no token in the request: a proxy in front of it may have taken it away.",
  "Let the proxy pass the Authorization header on."
)

export const notJson = fixed(
  "homeserver admin",
  "The body of the ping did not arrive as it was sent: a proxy in front of the homeserver may drop or change it.",
  "Let the proxy pass request bodies unchanged."
)

export const unknownToken = ({ words }: Case): Finding =>
  words.mistakesUsers
    ? {
      ...fixed(
        "homeserver admin",
        `${words.name} does not know the as_token as an appservice's: it has not loaded the registration, or an old copy of it, or the token is a user's.`,
        `${words.reload} Check that the as_token is not a user's.`
      ),
      certainty: "possible"
    }
    : fixed(
      "homeserver admin",
      "The homeserver does not know the as_token: it has not loaded the registration, or an old copy of it.",
      `${words.reload} Check that the as_token is not a user's.`
    )

/** The address may not be that of the client API, or the homeserver is old: nothing shows which. */
export const unrecognized = ({ homeserver }: Case): Finding =>
  homeserver !== undefined && StatusDiagnosis.endsInMatrix(homeserver)
    ? StatusDiagnosis.addressEndsInMatrix(ConnectionDiagnosis.toHomeserver(homeserver))
    : {
      ...fixed(
        "operator",
        "The homeserver has no ping at this path: the address may not be that of its client API but of a worker or of its federation, a proxy may not forward the path, or the homeserver is older than Matrix 1.7.",
        `${StatusDiagnosis.clientBase} If it is right, update the homeserver, and let the proxy forward everything under /_matrix.`
      ),
      certainty: "possible"
    }

export const limitExceeded = (retryAfter: Duration.Duration | undefined): Finding =>
  fixed("nobody", "The homeserver is asked too often.", StatusDiagnosis.waiting(retryAfter), true)

export const urlNotSet = (oursHasOne: boolean, { words }: Case): Finding =>
  oursHasOne
    ? fixed(
      "homeserver admin",
      "The homeserver's copy of the registration has no url, but ours has one: its copy is out of date.",
      words.reload
    )
    : fixed(
      "operator",
      "The registration has no url, so the homeserver has nowhere to send anything.",
      `Set url in the registration to where the appservice listens. ${words.reload}`
    )

/** At least one homeserver calls a reset a timeout; none gives up so early, and Synapse never before 15 seconds. */
const shortestTimeout = ({ name }: ServerWords): Duration.Duration => Duration.seconds(name === "Synapse" ? 15 : 1)

export const connectionTimeout = ({ elapsed, leg, words }: Case): Finding =>
  elapsed !== undefined && Duration.isLessThan(elapsed, shortestTimeout(words))
    ? {
      actor: "operator",
      cause: `The homeserver says that it got no answer from ${leg.target} in time, but after only ${
        inWords(elapsed)
      }: the connection was probably reset or closed, or no secure connection was made.`,
      advice:
        `Look into the logs of the ${leg.to} and of any proxy in front of it: it may have crashed, been restarting, or refused the certificate.`,
      temporary: true,
      certainty: "possible"
    }
    : fixed(
      "operator",
      `The homeserver got no answer from ${leg.target} in time. Some homeservers also say so when the connection was reset or closed.`,
      `Check that the appservice runs and is not overloaded, and that no firewall on the way swallows packets.${leg.hint}`,
      true
    )

export const connectionFailed = (error: string | undefined, of: Case): Finding =>
  readText(error, of) ?? ConnectionDiagnosis.explain("unknown", of.leg)

/** What the homeserver's text says; nothing where it says nothing. */
const readText = (error: string | undefined, { known, leadsToHomeserver, leg }: Case): Finding | undefined => {
  const reading = Signs.read(error, { ...known, scheme: leg.scheme })
  if (reading.status !== undefined) {
    return {
      ...StatusDiagnosis.badStatus({ status: reading.status }, leg, { known, leadsToHomeserver }),
      weight: "status"
    }
  }
  return reading.sign === "unknown" ? undefined : ConnectionDiagnosis.explainReading(reading, leg)
}

export const badStatus = (
  { body, error, status }: PingError.BadStatus,
  { known, leadsToHomeserver, leg }: Case
): Finding =>
  StatusDiagnosis.badStatus(
    { status: status ?? Signs.read(error, { ...known, scheme: leg.scheme }).status, body },
    leg,
    { known, leadsToHomeserver }
  )

/** Longer than the slowest known homeserver takes to give up (Synapse: 15 s to connect and 60 s for the headers). */
const slowest = Duration.seconds(90)

export const noAnswer = (after: Duration.Duration, leg: Leg): Finding =>
  fixed(
    "nobody",
    `The homeserver gave no answer within ${inWords(after)}, so the ping is undecided: neither confirmed nor failed.`,
    Duration.isLessThan(after, slowest)
      ? `Ask again and wait longer, ${
        inWords(slowest)
      } or more: some homeservers take more than a minute to find out that a ping failed.`
      : `Ask again. If that ends in the same way, look into the logs of ${leg.target}: some homeservers wait without an end for an appservice whose answer stops half way.`,
    true
  )

export const unsupported = ({ server, versions }: PingUnsupported): Finding =>
  fixed(
    "homeserver admin",
    `${
      server === undefined ? "The homeserver" : `The homeserver, ${describeServer(server)},`
    } is too old for the ping: it supports ${
      versions.length === 0 ? "no version of Matrix that it names" : `Matrix ${versions.join(", ")}`
    }, and v1.7 is needed.`,
    "Update the homeserver. Until then, start without a ping: it only checks the connection, and nothing else needs it."
  )

/** What errcodes outside the ping's own mean (C19). */
const others: ReadonlyMap<string, Finding> = new Map([
  [
    "M_RESOURCE_LIMIT_EXCEEDED",
    fixed(
      "homeserver admin",
      "The homeserver has reached a limit that its admin or its hosting plan sets.",
      "Raise the limit, or free what it counts, such as users or storage."
    )
  ],
  [
    "M_TOO_LARGE",
    fixed("operator", "The homeserver found the ping too large.", "Use a shorter transaction id.")
  ],
  [
    "M_UNKNOWN_DEVICE",
    fixed("operator", "The request names a device that the homeserver does not know.", "Ping without a device_id.")
  ],
  [
    "M_USER_DEACTIVATED",
    fixed("homeserver admin", "The appservice's own user is deactivated.", "Reactivate the user of sender_localpart.")
  ],
  [
    "M_USER_LOCKED",
    fixed("homeserver admin", "The appservice's own user is locked.", "Unlock the user of sender_localpart.")
  ],
  [
    "M_USER_SUSPENDED",
    fixed("homeserver admin", "The appservice's own user is suspended.", "Lift the suspension of sender_localpart.")
  ]
])

/** A peer's text could be anything; an errcode has this form. */
const shownErrcode = (errcode: string): string =>
  /^[A-Z][A-Z0-9.]*_[A-Z0-9_]{1,64}$/.test(errcode) ? errcode : "an error"

/** Some homeservers say `500 M_UNKNOWN` for every failed ping; the text may still say what failed. */
const failedUnnamed = ({ errcode, error, retryAfter, status }: PingError.OtherErrcode, of: Case): Finding | undefined =>
  errcode !== "M_UNKNOWN" || status < 500 || retryAfter !== undefined ? undefined : readText(error, of)

export const other = (error: PingError.OtherErrcode, of: Case): Finding => {
  const { errcode, retryAfter, status } = error
  const { leg } = of
  const known = others.get(errcode) ?? failedUnnamed(error, of)
  if (known !== undefined) return known
  const again = retryAfter === undefined ? "" : ` ${StatusDiagnosis.waiting(retryAfter)}`
  const temporary = retryAfter !== undefined || status === 429 || status >= 500
  if (errcode !== "M_UNKNOWN") {
    return fixed(
      "homeserver admin",
      `The homeserver answered ${shownErrcode(errcode)} (status ${status}), which is no answer of the ping's own.`,
      `Look into the logs of the homeserver, and check that it reaches the appservice's url.${again}`,
      temporary
    )
  }
  return {
    ...fixed(
      "homeserver admin",
      `The ping failed, and the homeserver does not say why: ${leg.target} may be unreachable or may have answered with a bad status, or the homeserver may have failed inside.`,
      `Look into the logs of the homeserver, and check that it reaches the appservice's url.${again}`,
      temporary
    ),
    certainty: "possible"
  }
}
