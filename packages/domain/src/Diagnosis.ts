/**
 * What a failed ping means to the people who run a bridge: who must act, what is wrong, what to do, and whether
 * trying again can help.
 *
 * @since 0.1.0
 */
import { Match, Schema } from "effect"
import * as ConnectionDiagnosis from "./internal/connectionDiagnosis.ts"
import * as ConnectionSign from "./internal/connectionSign.ts"
import * as HomeserverDiagnosis from "./internal/homeserverDiagnosis.ts"
import * as StatusDiagnosis from "./internal/statusDiagnosis.ts"
import * as VerifiedDiagnosis from "./internal/verifiedDiagnosis.ts"
import * as PingError from "./PingError.ts"
import { PingUnsupported } from "./PingUnsupported.ts"
import * as TransportError from "./TransportError.ts"
import * as VerifiedPingError from "./VerifiedPingError.ts"

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
  /** The registration's `url`: it is named, because the homeserver was told to use it, and a `localhost` is explained. */
  readonly url?: string | null | undefined
  /** The URL of the homeserver that was asked: a `url` that leads back to it, or not to this machine, is noticed. */
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

/**
 * Schema for every error that can be explained: of a ping, of its transport, of a verified ping, and of a homeserver
 * that is too old.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Diagnosable = Schema.Union([
  PingError.PingError,
  TransportError.TransportError,
  VerifiedPingError.VerifiedPingError,
  PingUnsupported
])

/**
 * Every error that can be explained.
 *
 * @category models
 * @since 0.1.0
 */
export type Diagnosable = typeof Diagnosable.Type

/**
 * Tells whether an error is one that {@link diagnose} explains.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDiagnosable: (error: unknown) => error is Diagnosable = Schema.is(Diagnosable)

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
export const diagnose = (error: Diagnosable, context: Context = {}): Diagnosis =>
  new Diagnosis(findingOf(error, context))

const findingOf = (error: Diagnosable, context: Context): Finding => {
  const leg = ConnectionDiagnosis.toAppservice(registrationUrl(context), context.homeserver)
  const badStatus = (answer: { readonly status?: number; readonly body?: string }): Finding =>
    StatusDiagnosis.badStatus(answer, leg, leadsToHomeserver(context))
  return Match.valueTags(error, {
    M_BAD_JSON: () => HomeserverDiagnosis.badJson,
    M_BAD_STATUS: badStatus,
    M_CONNECTION_FAILED: ({ error }) => {
      const sign = ConnectionSign.fromText(error)
      const status = sign === "unknown" ? ConnectionSign.statusFromText(error) : undefined
      return status === undefined
        ? ConnectionDiagnosis.explain(sign, ConnectionSign.tlsFromText(error), leg)
        : badStatus({ status })
    },
    M_CONNECTION_TIMEOUT: () => HomeserverDiagnosis.connectionTimeout(leg),
    M_FORBIDDEN: () => HomeserverDiagnosis.forbidden,
    M_LIMIT_EXCEEDED: ({ retryAfter }) => HomeserverDiagnosis.limitExceeded(retryAfter),
    M_MISSING_TOKEN: () => HomeserverDiagnosis.missingToken,
    M_NOT_JSON: () => HomeserverDiagnosis.notJson,
    M_UNKNOWN_TOKEN: () => HomeserverDiagnosis.unknownToken,
    M_UNRECOGNIZED: () => HomeserverDiagnosis.unrecognized,
    M_URL_NOT_SET: () => HomeserverDiagnosis.urlNotSet(registrationUrl(context) !== undefined),
    OtherErrcode: (error) => HomeserverDiagnosis.other(error, leg, leadsToHomeserver(context)),
    HomeserverUnreachable: ({ failure, url }) =>
      ConnectionDiagnosis.explain(
        failure.kind,
        ConnectionSign.tlsFromText(failure.text),
        ConnectionDiagnosis.toHomeserver(url)
      ),
    NotHomeserver: (error) => StatusDiagnosis.notHomeserver(error, ConnectionDiagnosis.toHomeserver(error.url)),
    Undecided: ({ after, failure, url }) => {
      const leg = ConnectionDiagnosis.toHomeserver(url)
      return failure === undefined
        ? HomeserverDiagnosis.noAnswer(after, leg)
        : ConnectionDiagnosis.undecided(failure.kind, ConnectionSign.tlsFromText(failure.text), leg)
    },
    AnsweredElsewhere: ({ url }) =>
      VerifiedDiagnosis.answeredElsewhere(
        ConnectionDiagnosis.toAppservice(registrationUrl(context) ?? url, context.homeserver)
      ),
    SeenButFailed: ({ error }) => VerifiedDiagnosis.seenButFailed(error, findingOf(error, context), leg),
    TooManyPending: ({ maxPending }) => VerifiedDiagnosis.tooManyPending(maxPending),
    PingUnsupported: HomeserverDiagnosis.unsupported
  })
}
