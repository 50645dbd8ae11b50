/**
 * Looks at every part of the way from the homeserver to the appservice, and concludes what is wrong.
 *
 * @since 0.1.0
 */
import * as VerifiedPing from "@appservice-ping/client/VerifiedPing"
import { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { plain } from "@appservice-ping/domain/PlainText"
import * as Registration from "@appservice-ping/domain/Registration"
import type * as RegistrationWarning from "@appservice-ping/domain/RegistrationWarning"
import * as Token from "@appservice-ping/domain/Token"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import { Clock, Duration, Effect, type Redacted } from "effect"
import type { HttpClient } from "effect/http"
import * as Check from "./Check.ts"
import * as Conclusion from "./Conclusion.ts"
import { look } from "./DirectCall.ts"
import type { Evidence, RegistrationEvidence, Subject } from "./Evidence.ts"
import { contact, findListener, pingThrough } from "./internal/checks.ts"
import { whoami } from "./internal/whoami.ts"
import * as RegistrationCheck from "./RegistrationCheck.ts"
import type { Report } from "./Report.ts"

/**
 * A registration, or why it cannot be used.
 *
 * @category models
 * @since 0.1.0
 */
export type Source = Registration.Registration | Registration.RegistrationError

/**
 * The parts to check, and the bounds of the checks.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  readonly registration: Source
  readonly homeserver: URL
  /** The homeserver's copy of the registration, to compare. */
  readonly copy?: Source | undefined
  /** Facts about the registration's text, such as the lines of its fields. */
  readonly text?: RegistrationWarning.Text | undefined
  /** Whether every user of this machine can read the registration's file. Default: `false`. */
  readonly isWorldReadable?: boolean | undefined
  /** Whether to answer in the appservice's place. Default: only where nothing listens. */
  readonly listen?: boolean | undefined
  /** How long each call may take. Default: 10 seconds, 30 for the direct call, 90 for the ping. */
  readonly timeout?: Duration.Input | undefined
  /** Runs before each check. */
  readonly onStart?: ((id: Check.CheckId) => Effect.Effect<void>) | undefined
  /** Runs after each check. */
  readonly onEnd?: ((check: Check.Check) => Effect.Effect<void>) | undefined
}

const timeouts = {
  question: Duration.seconds(10),
  direct: Duration.seconds(30),
  ping: Duration.seconds(90)
} as const

/** Longer than a sentence of each oddity. */
const maxDetailLength = 1000

const isError = (source: Source): source is Registration.RegistrationError =>
  source instanceof Registration.RegistrationError

const problemsOf = (source: Source | undefined): ReadonlyArray<string> =>
  source === undefined || !isError(source) ? [] : source.message.split("\n").map((text) => plain(text))

const checkRegistration = (
  { copy, homeserver, isWorldReadable, registration, text }: Options
): RegistrationEvidence => {
  if (isError(registration) || (copy !== undefined && isError(copy))) {
    return { _tag: "Invalid", problems: [...problemsOf(registration), ...problemsOf(copy)] }
  }
  return {
    _tag: "Read",
    id: plain(registration.id),
    url: RegistrationCheck.shownUrl(registration.url),
    oddities: RegistrationCheck.oddities(registration, { homeserver, worldReadable: isWorldReadable ?? false, text }),
    differs: copy === undefined ? undefined : RegistrationCheck.differences(registration, copy)
  }
}

const secretsOf = ({ copy, registration }: Options): ReadonlyArray<Redacted.Redacted> =>
  [registration, copy].flatMap((source) =>
    source === undefined || isError(source) ? [] : [source.as_token, source.hs_token]
  )

/** The evidence while it is gathered. */
type Gathered = { -readonly [K in keyof Evidence]: Evidence[K] }

const transactionId = "doctor"

/**
 * Takes all checks, one after the other, and concludes.
 *
 * **Details**
 *
 * Never fails: what goes wrong is evidence. Where nothing listens at the registration's url, it listens there itself
 * until it is done, to test the rest of the way.
 *
 * **Example** (Answering `!doctor` in a room)
 *
 * ```ts
 * import { Doctor, Report } from "@appservice-ping/doctor"
 * import type { Registration } from "@appservice-ping/domain"
 * import { Effect } from "effect"
 *
 * const answer = (homeserver: URL, registration: Registration.Registration) =>
 *   Doctor.examine({ homeserver, registration, listen: false }).pipe(
 *     Effect.map((report) => Report.lines(report).join("\n"))
 *   )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const examine: (options: Options) => Effect.Effect<Report, never, HttpClient.HttpClient> = Effect.fnUntraced(
  function*(options) {
    const { homeserver } = options
    const secrets = secretsOf(options)
    const found: Gathered = { registration: checkRegistration(options) }
    // Without a registration that can be used there is nothing to ask with.
    const registration = found.registration._tag === "Read" && !isError(options.registration)
      ? options.registration
      : undefined
    // Only an HTTP address can be called; the homeserver's checks need none.
    const url = registration !== undefined && Registration.targetOf(registration)._tag === "Http"
      ? Registration.urlOf(registration)
      : undefined
    const target = registration === undefined || url === undefined ? undefined : { registration, url }
    const subject: Subject = { homeserver, url }
    const timeout = options.timeout === undefined ? undefined : Duration.fromInputUnsafe(options.timeout)
    const checks: Array<Check.Check> = []
    const verified = yield* VerifiedPing.make()

    const shown = (text: string) => plain(Token.scrub(text, secrets), maxDetailLength)
    const take = Effect.fnUntraced(function*<R>(
      id: Check.CheckId,
      look: Effect.Effect<unknown, never, R> | undefined
    ) {
      if (options.onStart !== undefined) yield* options.onStart(id)
      const from = yield* Clock.monotonicTimeNanos
      if (look !== undefined) yield* look
      const millis = Math.round(Number((yield* Clock.monotonicTimeNanos) - from) / 1e6)
      const { detail, status } = Check.describe(id, found, subject)
      const duration_ms = look === undefined ? null : millis
      const check: Check.Check = { id, title: Check.titles[id], status, detail: shown(detail), duration_ms }
      checks.push(check)
      if (options.onEnd !== undefined) yield* options.onEnd(check)
    })

    const question = timeout ?? timeouts.question
    yield* take("registration", Effect.void)
    yield* take(
      "homeserver",
      registration && Effect.map(contact(homeserver, question), (seen) => {
        found.homeserver = seen.homeserver
        found.versions = seen.versions
      })
    )
    yield* take("versions", found.versions && Effect.void)
    // A token goes only to a server that has shown itself to be a homeserver.
    const isHomeserver = found.versions?._tag === "Supported" ||
      (found.versions?._tag === "Failed" && found.versions.error._tag === "PingUnsupported")
    yield* take(
      "token",
      registration && isHomeserver ?
        Effect.map(whoami(homeserver, registration, question), (seen) => {
          found.token = seen
        }) :
        undefined
    )
    yield* take(
      "listener",
      target && Effect.map(
        findListener(target.registration, new URL(target.url), {
          listen: options.listen,
          timeout: question,
          received: verified.received
        }),
        (seen) => {
          found.listener = seen
        }
      )
    )
    yield* take(
      "direct",
      target && Effect.map(
        look({ ...target, transactionId, timeout: timeout ?? timeouts.direct }),
        (seen) => {
          found.direct = seen
        }
      )
    )
    const path = found.versions?._tag === "Supported" ? found.versions.path : undefined
    yield* take(
      "ping",
      registration && path && Effect.map(
        pingThrough(
          { homeserver, registration, path, transactionId, timeout: timeout ?? timeouts.ping },
          found.listener?._tag === "StandIn" ? verified : undefined
        ),
        (seen) => {
          found.ping = seen
        }
      )
    )

    const conclusion = Conclusion.conclude(found, subject)
    const { advice, cause } = conclusion.diagnosis
    const diagnosis = new Diagnosis({ ...conclusion.diagnosis, cause: shown(cause), advice: shown(advice) })
    return { ...conclusion, checks, diagnosis }
  },
  Effect.scoped,
  Effect.provide(NodeTransport.layer())
)
