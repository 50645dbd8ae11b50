/**
 * What a failed ping means to the people who run a bridge: who must act, what is wrong, what to do, and whether
 * trying again can help.
 *
 * @since 0.1.0
 */
import { Duration, Match, Schema } from "effect"
import * as ConnectionDiagnosis from "./internal/connectionDiagnosis.ts"
import * as ConnectionSign from "./internal/connectionSign.ts"
import * as StatusDiagnosis from "./internal/statusDiagnosis.ts"
import type * as PingError from "./PingError.ts"
import type * as TransportError from "./TransportError.ts"

/**
 * Schema for who must act: who runs the appservice, who runs the homeserver, who runs what lies between, or nobody.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Actor = Schema.Literals(["operator", "homeserver admin", "network", "nobody"])

/**
 * Who must act.
 *
 * @category models
 * @since 0.1.0
 */
export type Actor = typeof Actor.Type

/**
 * What a failed ping means.
 *
 * **Details**
 *
 * `temporary` tells whether the same ping can succeed later with nobody acting. The texts repeat nothing that a peer
 * wrote, only its errcode and status, because a peer's text may hold a token (D8).
 *
 * @category models
 * @since 0.1.0
 */
export class Diagnosis extends Schema.Class<Diagnosis>("@appservice-ping/domain/Diagnosis")({
  actor: Actor,
  cause: Schema.String,
  advice: Schema.String,
  temporary: Schema.Boolean
}) {}

/**
 * What the caller knows beside the error.
 *
 * @category models
 * @since 0.1.0
 */
export interface Context {
  /** The registration's `url`: it is named, and a `localhost` in it is explained. */
  readonly url?: string | null | undefined
  /** The URL of the homeserver that was asked: a `url` that leads back to it is noticed. */
  readonly homeserver?: string | undefined
}

type Finding = ConnectionDiagnosis.Finding

const registrationUrl = (context: Context): string | undefined =>
  context.url === null || context.url === "" ? undefined : context.url

const placeOf = (text: string | undefined): string | undefined => {
  const url = text === undefined ? null : URL.parse(text)
  return url === null ? undefined : url.origin + url.pathname.replace(/\/+$/, "")
}

const leadsToHomeserver = (context: Context): boolean => {
  const place = placeOf(registrationUrl(context))
  return place !== undefined && place === placeOf(context.homeserver)
}

const reload =
  "Let the homeserver read the appservice's current registration file, and restart it: it reads the file once."

const fixed = (actor: Actor, cause: string, advice: string, temporary = false): Finding => ({
  actor,
  cause,
  advice,
  temporary
})

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

const other = ({ errcode, retryAfter, status }: PingError.OtherErrcode): Finding => {
  const known = others.get(errcode)
  if (known !== undefined) return known
  const again = retryAfter === undefined ? "" : ` ${StatusDiagnosis.waiting(retryAfter)}`
  return fixed(
    "homeserver admin",
    errcode === "M_UNKNOWN"
      ? "The ping failed, and the homeserver does not say why: the appservice may be unreachable, or the homeserver may have failed inside."
      : `The homeserver answered ${shownErrcode(errcode)} (status ${status}), which is no answer of the ping's own.`,
    `Look into the logs of the homeserver, and check that it reaches the appservice's url.${again}`,
    retryAfter !== undefined || status === 429 || status >= 500
  )
}

const urlNotSet = (context: Context): Finding =>
  registrationUrl(context) === undefined
    ? fixed(
      "operator",
      "The registration has no url, so the homeserver has nowhere to send anything.",
      "Set url in the registration to where the appservice listens, give it to the homeserver, and restart it."
    )
    : fixed(
      "homeserver admin",
      "The homeserver's copy of the registration has no url, but ours has one: its copy is out of date.",
      reload
    )

/**
 * Tells what a failed ping means; pure and total.
 *
 * **Example** (Explaining a ping that failed)
 *
 * ```ts
 * import { Diagnosis, PingError } from "@appservice-ping/domain"
 *
 * const error = new PingError.BadStatus({ status: 401, body: "{\"errcode\":\"M_UNKNOWN_TOKEN\"}" })
 * const { actor, temporary } = Diagnosis.diagnose(error)
 * actor // => "operator"
 * temporary // => false
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const diagnose = (
  error: PingError.PingError | TransportError.TransportError,
  context: Context = {}
): Diagnosis => {
  const leg = ConnectionDiagnosis.toAppservice(registrationUrl(context))
  return new Diagnosis(Match.valueTags(error, {
    M_BAD_JSON: () =>
      fixed("operator", "The homeserver did not accept the form of the ping.", "Update the appservice."),
    M_BAD_STATUS: (error) => StatusDiagnosis.badStatus(error, leg, leadsToHomeserver(context)),
    M_CONNECTION_FAILED: ({ error }) =>
      ConnectionDiagnosis.explain(ConnectionSign.fromText(error), ConnectionSign.tlsFromText(error), leg),
    M_CONNECTION_TIMEOUT: () =>
      fixed(
        "operator",
        `The homeserver got no answer from ${leg.target} in time. Some homeservers also say so when the connection was reset or closed.`,
        `Check that the appservice runs and is not overloaded, and that no firewall on the way swallows packets.${leg.hint}`,
        true
      ),
    M_FORBIDDEN: () =>
      fixed(
        "operator",
        "The homeserver knows the token, but not as the as_token of this appservice: it is a user's or another appservice's.",
        "Compare id and as_token with the registration file that the homeserver reads: both must be the same."
      ),
    M_LIMIT_EXCEEDED: ({ retryAfter }) =>
      fixed("nobody", "The homeserver is asked too often.", StatusDiagnosis.waiting(retryAfter), true),
    M_MISSING_TOKEN: () =>
      fixed(
        "homeserver admin",
        "The homeserver saw no token in the request: a proxy in front of it may have taken it away.",
        "Let the proxy pass the Authorization header on."
      ),
    M_NOT_JSON: () =>
      fixed(
        "homeserver admin",
        "The body of the ping did not arrive as it was sent: a proxy in front of the homeserver may drop or change it.",
        "Let the proxy pass request bodies unchanged."
      ),
    M_UNKNOWN_TOKEN: () =>
      fixed(
        "homeserver admin",
        "The homeserver does not know the as_token: it has not loaded the registration, or an old copy of it.",
        `${reload} Check that its configuration lists the file.`
      ),
    M_UNRECOGNIZED: () =>
      fixed(
        "homeserver admin",
        "The homeserver has no ping at this path: it is older than Matrix 1.7, or a proxy does not forward the path.",
        "Update the homeserver, and let the proxy forward everything under /_matrix."
      ),
    M_URL_NOT_SET: () => urlNotSet(context),
    OtherErrcode: other,
    HomeserverUnreachable: ({ failure, url }) =>
      ConnectionDiagnosis.explain(
        failure.kind,
        ConnectionSign.tlsFromText(failure.text),
        ConnectionDiagnosis.toHomeserver(url)
      ),
    NotHomeserver: (error) => StatusDiagnosis.notHomeserver(error, ConnectionDiagnosis.toHomeserver(error.url)),
    Undecided: ({ after }) =>
      fixed(
        "nobody",
        `The homeserver gave no answer within ${
          Duration.format(after)
        }, so the ping is undecided: neither confirmed nor failed.`,
        "Ask again and wait longer: some homeservers take more than a minute to find out that a ping failed.",
        true
      )
  }))
}
