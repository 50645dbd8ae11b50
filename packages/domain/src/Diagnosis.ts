/**
 * Diagnoses a failed ping for the people who run a bridge: who must act, what is wrong, what to do, and whether
 * trying again can help.
 *
 * @since 0.1.0
 */
import { type Duration, Effect, Match, Order, Schema } from "effect"
import type { ConnectionFailure } from "./ConnectionFailure.ts"
import * as ConnectionDiagnosis from "./internal/connectionDiagnosis.ts"
import * as HomeserverDiagnosis from "./internal/homeserverDiagnosis.ts"
import * as Signs from "./internal/sign/read.ts"
import * as StatusDiagnosis from "./internal/statusDiagnosis.ts"
import * as VerifiedDiagnosis from "./internal/verifiedDiagnosis.ts"
import * as PingError from "./PingError.ts"
import { PingUnsupported, type ServerVersion } from "./PingUnsupported.ts"
import * as ServerWords from "./ServerWords.ts"
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
 * The person or party that must act.
 *
 * @category models
 * @since 0.1.0
 */
export type Actor = typeof Actor.Type

/**
 * Schema for the weight of the evidence that a cause rests on, the heaviest first.
 *
 * **Details**
 *
 * - `seen`: we saw it ourselves on the wire
 * - `code`: a peer said it with an errcode of the ping's own
 * - `status`: a peer said it with an HTTP status
 * - `text`: it was guessed from a text that a peer wrote for people
 *
 * @category schemas
 * @since 0.1.0
 */
export const Weight = Schema.Literals(["seen", "code", "status", "text"])

/**
 * The weight of the evidence that a cause rests on.
 *
 * @category models
 * @since 0.1.0
 */
export type Weight = typeof Weight.Type

/**
 * Orders weights, the heaviest first.
 *
 * @category instances
 * @since 0.1.0
 */
export const byWeight: Order.Order<Weight> = Order.mapInput(Order.Number, (weight) => Weight.literals.indexOf(weight))

/**
 * Schema for how sure a cause is: it follows from the evidence, or it is only one of the things that explain it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Certainty = Schema.Literals(["certain", "possible"])

/**
 * How sure a cause is.
 *
 * @category models
 * @since 0.1.0
 */
export type Certainty = typeof Certainty.Type

/**
 * The meaning of a failed ping; the one type for everything that diagnoses.
 *
 * **Details**
 *
 * `temporary` is true where the same ping can succeed later although nobody acts. `cause` is worded as a fact where
 * `certainty` is `certain`, and as a possibility where it is `possible`. `healthy` is true where the homeserver reaches
 * the appservice and its token is accepted, although the answer is no success: nobody has to act then. The texts repeat
 * nothing that a peer wrote, only its errcode and status, because a peer's text may hold a token (D8).
 *
 * Without `certainty` and `weight`, the constructor claims the least: a possible cause, guessed from a text.
 *
 * @category models
 * @since 0.1.0
 */
export class Diagnosis extends Schema.Class<Diagnosis>("@appservice-ping/domain/Diagnosis")({
  actor: Actor,
  cause: Schema.String,
  advice: Schema.String,
  temporary: Schema.Boolean,
  certainty: Certainty.pipe(Schema.withConstructorDefault(Effect.succeed("possible"))),
  weight: Weight.pipe(Schema.withConstructorDefault(Effect.succeed("text"))),
  healthy: Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(false)))
}) {}

/**
 * Facts that the caller knows beside the error.
 *
 * @category models
 * @since 0.1.0
 */
export interface Context {
  /** The registration's `url`: it is named, because the homeserver uses it, and a `localhost` is explained. */
  readonly url?: string | null | undefined
  /** The URL of the homeserver that was asked: a `url` that leads back to it, or not to this machine, is noticed. */
  readonly homeserver?: string | undefined
  /** The registration's `id`: some homeservers repeat it in their texts, where it is no sign of anything. */
  readonly id?: string | undefined
  /** The homeserver's name and version: the advice uses that server's words. */
  readonly server?: ServerVersion | undefined
  /** How long the client waited for the answer: a call that failed at once did not time out. */
  readonly elapsed?: Duration.Duration | undefined
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
 * Returns whether {@link diagnose} explains an error.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDiagnosable: (error: unknown) => error is Diagnosable = Schema.is(Diagnosable)

/**
 * Explains a failed ping; pure and total.
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
  new Diagnosis({ certainty: "certain", weight: weightOf(error), ...findingOf(error, context) })

/** What we saw ourselves weighs more than an errcode, and that more than a status or a text. */
const weightOf = (error: Diagnosable): Weight => {
  switch (error._tag) {
    case "M_BAD_STATUS":
      return "status"
    case "M_CONNECTION_FAILED":
      return "text"
    case "OtherErrcode":
      return error.errcode === "M_UNKNOWN" ? "text" : "code"
    case "AnsweredElsewhere":
    case "HomeserverUnreachable":
    case "NotHomeserver":
    case "SeenButFailed":
    case "TooManyPending":
    case "Undecided":
      return "seen"
    default:
      return "code"
  }
}

const failureFinding = (failure: ConnectionFailure, leg: ConnectionDiagnosis.Leg): Finding => {
  // The text is our own, so it only says more of what the kind says.
  const { part, sign, tls } = Signs.read(failure.text, { urls: [] })
  const isMore = failure.kind === "malformed" || failure.kind === "unreachable" || failure.kind === "unknown"
  return ConnectionDiagnosis.explain(
    isMore && moreThanKind.has(sign) ? sign : failure.kind,
    leg,
    { part, tls: failure.kind === "tls" ? Signs.tlsOf(failure.text) : tls }
  )
}

/** The diagnosis of an error of no special kind. */
const moreThanKind: ReadonlySet<Signs.Sign> = new Set(["httpToTls", "proxy", "token", "url"])

const findingOf = (error: Diagnosable, context: Context): Finding => {
  const url = registrationUrl(context)
  const words = ServerWords.of(context.server)
  const leg = ConnectionDiagnosis.toAppservice(url, context.homeserver, words.reload)
  const of: HomeserverDiagnosis.Case = {
    leg,
    words,
    known: { id: context.id, urls: [url, context.homeserver] },
    leadsToHomeserver: leadsToHomeserver(context),
    homeserver: context.homeserver,
    elapsed: context.elapsed
  }
  return Match.valueTags(error, {
    M_BAD_JSON: () => HomeserverDiagnosis.badJson,
    M_BAD_STATUS: (error) => HomeserverDiagnosis.badStatus(error, of),
    M_CONNECTION_FAILED: ({ error }) => HomeserverDiagnosis.connectionFailed(error, of),
    M_CONNECTION_TIMEOUT: () => HomeserverDiagnosis.connectionTimeout(of),
    M_FORBIDDEN: () => HomeserverDiagnosis.forbidden,
    M_LIMIT_EXCEEDED: ({ retryAfter }) => HomeserverDiagnosis.limitExceeded(retryAfter),
    M_MISSING_TOKEN: () => HomeserverDiagnosis.missingToken,
    M_NOT_JSON: () => HomeserverDiagnosis.notJson,
    M_UNKNOWN_TOKEN: () => HomeserverDiagnosis.unknownToken(of),
    M_UNRECOGNIZED: () => HomeserverDiagnosis.unrecognized(of),
    M_URL_NOT_SET: () => HomeserverDiagnosis.urlNotSet(url !== undefined, of),
    OtherErrcode: (error) => HomeserverDiagnosis.other(error, of),
    HomeserverUnreachable: ({ failure, url }) => failureFinding(failure, ConnectionDiagnosis.toHomeserver(url)),
    NotHomeserver: (error) => StatusDiagnosis.notHomeserver(error, ConnectionDiagnosis.toHomeserver(error.url)),
    Undecided: ({ after, failure, url }) => {
      const leg = ConnectionDiagnosis.toHomeserver(url)
      return failure === undefined
        ? HomeserverDiagnosis.noAnswer(after, leg)
        : ConnectionDiagnosis.undecided(failureFinding(failure, leg))
    },
    AnsweredElsewhere: (error) =>
      VerifiedDiagnosis.answeredElsewhere(
        ConnectionDiagnosis.toAppservice(url ?? error.url, context.homeserver, words.reload)
      ),
    SeenButFailed: ({ error }) => VerifiedDiagnosis.seenButFailed(error, findingOf(error, context), leg),
    TooManyPending: ({ maxPending }) => VerifiedDiagnosis.tooManyPending(maxPending),
    PingUnsupported: HomeserverDiagnosis.unsupported
  })
}
