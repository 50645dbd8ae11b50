/** Takes the steps of the doctor, one after the other. */
import * as VerifiedPing from "@appservice-ping/client/VerifiedPing"
import * as Registration from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import { Clock, Duration, Effect, type Redacted, Result } from "effect"
import type { HttpClient } from "effect/http"
import * as Conclusion from "../../doctor/Conclusion.ts"
import type { Findings, RegistrationFinding, Subject } from "../../doctor/Finding.ts"
import * as RegistrationCheck from "../../doctor/RegistrationCheck.ts"
import type { Report } from "../../doctor/Report.ts"
import * as Step from "../../doctor/Step.ts"
import type { CommandFailure } from "../CommandFailure.ts"
import { plain } from "../text.ts"
import { readText } from "../textFile.ts"
import { direct } from "./direct.ts"
import { contact, findListener, pingThrough } from "./steps.ts"
import { whoami } from "./whoami.ts"

/** What the user asked for. */
export interface DoctorOptions {
  readonly registration: string
  readonly homeserverRegistration: string | undefined
  readonly homeserver: URL
  /** Whether to stand in for the appservice; where it is not said, that depends on whether one listens. */
  readonly listen: boolean | undefined
  /** How long each call of each step may take. */
  readonly timeout: Duration.Duration | undefined
}

/** Who watches the steps. */
export interface Observer {
  readonly started: (id: Step.StepId) => Effect.Effect<void>
  readonly ended: (step: Step.Step) => Effect.Effect<void>
}

const timeouts = {
  question: Duration.seconds(10),
  direct: Duration.seconds(30),
  ping: Duration.seconds(90)
} as const

/** Longer than a sentence of each oddity. */
const detailLengthMax = 1000

interface Files {
  readonly registration: Result.Result<Registration.Registration, Registration.RegistrationError>
  readonly copy: Result.Result<Registration.Registration, Registration.RegistrationError> | undefined
  readonly worldReadable: boolean
}

const readFiles = Effect.fnUntraced(function*(
  options: DoctorOptions
): Effect.fn.Return<Files, CommandFailure> {
  const own = yield* readText(options.registration, "a registration")
  const copy = options.homeserverRegistration === undefined
    ? undefined
    : yield* readText(options.homeserverRegistration, "a registration")
  return {
    registration: Registration.fromText(own.text, options.registration),
    copy: copy === undefined || options.homeserverRegistration === undefined
      ? undefined
      : Registration.fromText(copy.text, options.homeserverRegistration),
    worldReadable: own.worldReadable
  }
})

const problemsOf = (
  result: Result.Result<Registration.Registration, Registration.RegistrationError> | undefined
): ReadonlyArray<string> =>
  result === undefined || Result.isSuccess(result) ? [] : result.failure.message.split("\n").map((text) => plain(text))

const checkRegistration = ({ copy, registration, worldReadable }: Files, homeserver: URL): RegistrationFinding => {
  if (Result.isFailure(registration) || (copy !== undefined && Result.isFailure(copy))) {
    return { _tag: "Invalid", problems: [...problemsOf(registration), ...problemsOf(copy)] }
  }
  return {
    _tag: "Read",
    id: plain(registration.success.id),
    url: RegistrationCheck.shownUrl(Registration.urlOf(registration.success)),
    oddities: RegistrationCheck.oddities(registration.success, { homeserver, worldReadable }),
    differs: copy === undefined ? undefined : RegistrationCheck.differences(registration.success, copy.success)
  }
}

const secretsOf = ({ copy, registration }: Files): ReadonlyArray<Redacted.Redacted> =>
  [registration, copy].flatMap((result) =>
    result !== undefined && Result.isSuccess(result) ? [result.success.as_token, result.success.hs_token] : []
  )

/** The findings while they are gathered. */
type Gathered = { -readonly [K in keyof Findings]: Findings[K] }

/** Takes all steps, and concludes. */
export const run: (
  options: DoctorOptions,
  observer: Observer
) => Effect.Effect<Report, CommandFailure, HttpClient.HttpClient> = Effect.fnUntraced(function*(options, observer) {
  const { homeserver } = options
  const files = yield* readFiles(options)
  const secrets = secretsOf(files)
  const found: Gathered = { registration: checkRegistration(files, homeserver) }
  // Without a registration that can be used there is nothing to ask with.
  const registration = found.registration._tag === "Read" ? Result.getOrUndefined(files.registration) : undefined
  const url = registration === undefined ? undefined : Registration.urlOf(registration)
  const target = registration === undefined || url === undefined ? undefined : { registration, url }
  const subject: Subject = { homeserver, url }
  const steps: Array<Step.Step> = []
  const verified = yield* VerifiedPing.make()

  const shown = (text: string) => plain(Token.scrub(text, secrets), detailLengthMax)
  const take = Effect.fnUntraced(function*<R>(id: Step.StepId, look: Effect.Effect<unknown, never, R> | undefined) {
    yield* observer.started(id)
    const from = yield* Clock.monotonicTimeNanos
    if (look !== undefined) yield* look
    const millis = Math.round(Number((yield* Clock.monotonicTimeNanos) - from) / 1e6)
    const { detail, status } = Step.describe(id, found, subject)
    const duration_ms = look === undefined ? null : millis
    const step: Step.Step = { id, title: Step.titles[id], status, detail: shown(detail), duration_ms }
    steps.push(step)
    yield* observer.ended(step)
  })

  const question = options.timeout ?? timeouts.question
  yield* take("registration", Effect.void)
  yield* take(
    "homeserver",
    registration && Effect.map(contact(homeserver, question), (told) => {
      found.homeserver = told.homeserver
      found.versions = told.versions
    })
  )
  yield* take("versions", found.versions && Effect.void)
  yield* take(
    "token",
    registration && found.versions && Effect.map(whoami(homeserver, registration, question), (finding) => {
      found.token = finding
    })
  )
  yield* take(
    "listener",
    target && Effect.map(
      findListener({ file: options.registration, registration: target.registration }, new URL(target.url), {
        listen: options.listen,
        timeout: question,
        received: verified.received
      }),
      (finding) => {
        found.listener = finding
      }
    )
  )
  const transactionId = "doctor"
  yield* take(
    "direct",
    target && Effect.map(
      direct({ ...target, transactionId, timeout: options.timeout ?? timeouts.direct }),
      (finding) => {
        found.direct = finding
      }
    )
  )
  const path = found.versions?._tag === "Supported" ? found.versions.path : undefined
  yield* take(
    "ping",
    registration && path && Effect.map(
      pingThrough(
        { homeserver, registration, path, transactionId, timeout: options.timeout ?? timeouts.ping },
        found.listener?._tag === "StandIn" ? verified : undefined
      ),
      (finding) => {
        found.ping = finding
      }
    )
  )

  const { ok, verdict } = Conclusion.conclude(found, subject)
  return { ok, steps, verdict: { ...verdict, cause: shown(verdict.cause), advice: shown(verdict.advice) } }
}, Effect.scoped)
