/**
 * The checks of the doctor: what each is called, and what one line says about what it saw.
 *
 * @since 0.1.0
 */
import { type Diagnosable, diagnose, type Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { BadStatus } from "@appservice-ping/domain/PingError"
import { describeServer } from "@appservice-ping/domain/PingUnsupported"
import { Duration } from "effect"
import type {
  Answered,
  DirectEvidence,
  Evidence,
  HomeserverEvidence,
  ListenerEvidence,
  PingEvidence,
  RegistrationEvidence,
  Subject,
  TokenEvidence,
  VersionsEvidence
} from "./Evidence.ts"
import { contextOf } from "./internal/context.ts"
import { saidOf } from "./internal/said.ts"
import * as Sight from "./internal/sight.ts"
import { explains } from "./internal/weigh.ts"
import { explain } from "./RegistrationCheck.ts"

/**
 * How a check went.
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "ok" | "failed" | "warning" | "skipped"

/**
 * The checks in their order, and their titles.
 *
 * @category models
 * @since 0.1.0
 */
export const titles = {
  registration: "Registration file",
  homeserver: "Homeserver reachable",
  versions: "Homeserver knows the ping",
  token: "as_token valid",
  listener: "Something listens at url",
  direct: "Direct call to url",
  ping: "Ping by the homeserver"
} as const

/**
 * The name of a check.
 *
 * @category models
 * @since 0.1.0
 */
export type CheckId = keyof typeof titles

/**
 * The report of one check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Line {
  readonly status: Status
  readonly detail: string
}

/**
 * One check as it is reported.
 *
 * @category models
 * @since 0.1.0
 */
export interface Check extends Line {
  readonly id: CheckId
  readonly title: string
  /** How long it took; `null` where it was skipped. */
  readonly duration_ms: number | null
}

/**
 * The checks in their order.
 *
 * @category models
 * @since 0.1.0
 */
export const ids: ReadonlyArray<CheckId> = [
  "registration",
  "homeserver",
  "versions",
  "token",
  "listener",
  "direct",
  "ping"
]

const line = (status: Status, detail: string): Line => ({ status, detail })

const registration = (seen: RegistrationEvidence): Line => {
  if (seen._tag === "Invalid") return line("failed", seen.problems.join("; "))
  const differs = seen.differs ?? []
  const odd = seen.oddities.map(explain)
  if (differs.length > 0) odd.unshift(`the homeserver's copy differs in ${differs.join(", ")}`)
  if (odd.length === 0) {
    return line(
      "ok",
      `id ${seen.id}, url ${seen.url}${seen.differs === undefined ? "" : ", both copies agree"}`
    )
  }
  const isBad = seen.url === undefined || differs.length > 0 ||
    seen.oddities.some(({ _tag }) => _tag === "UrlIsHomeserver")
  return line(isBad ? "failed" : "warning", odd.join("; "))
}

const phases = {
  dns: "the host name could not be resolved",
  connect: "no connection",
  tls: "connected, but no secure connection",
  http: "connected, but no HTTP answer"
} as const

const homeserver = (seen: HomeserverEvidence): Line => {
  switch (seen._tag) {
    case "Reached":
      return line("ok", `${seen.peer.address}${seen.tls ? " over TLS" : ""}`)
    case "Silent":
      return line("failed", `${phases.http} within ${Duration.format(seen.after)}`)
    case "Unreachable": {
      const { failure } = seen.error
      return line("failed", seen.phase === "dns" ? failure.text : `${phases[seen.phase]}: ${failure.text}`)
    }
  }
}

const nameOf = (error: Diagnosable): string => error._tag === "OtherErrcode" ? error.errcode : error._tag

/** The evidence so far, which explains everything. */
interface About {
  readonly evidence: Partial<Evidence>
  readonly subject: Subject
}

const explained = (error: Diagnosable, { evidence, subject }: About): Diagnosis =>
  diagnose(error, contextOf(evidence, subject))

const failed = (error: Diagnosable, about: About): string => `${nameOf(error)}: ${explained(error, about).cause}`

const versions = (seen: VersionsEvidence, about: About): Line => {
  if (seen._tag === "Supported") {
    const path = seen.path === "unstable" ? ", on the path from before spec v1.7" : ""
    const name = seen.server === undefined ? "it does not say what it is" : describeServer(seen.server)
    return line("ok", `${name}${path}`)
  }
  // The diagnosis takes this errcode for an answer to a ping, which was not asked for yet.
  return line(
    "failed",
    seen.error._tag === "M_UNRECOGNIZED"
      ? "M_UNRECOGNIZED: there is nothing at /_matrix/client/versions"
      : failed(seen.error, about)
  )
}

const token = (seen: TokenEvidence, about: About): Line => {
  switch (seen._tag) {
    case "Known":
      return seen.isOurs
        ? line("ok", `the homeserver knows it as ${seen.userId}`)
        : line("warning", `the homeserver knows it as ${seen.userId}, which is not the sender_localpart of the file`)
    case "NotOffered":
      return line("skipped", "this homeserver does not say which user a token belongs to")
    case "Refused":
      return line("failed", failed(seen.error, about))
    case "Unclear":
      return line(
        "warning",
        seen.error._tag === "M_FORBIDDEN"
          ? "M_FORBIDDEN: the homeserver does not say which user this token belongs to"
          : failed(seen.error, about)
      )
  }
}

const nothing = {
  notAsked: "the connection was refused, and --no-listen keeps the doctor from standing in",
  elsewhere: "the connection was refused, and the address is not one of this machine, so the doctor cannot stand in",
  https: "the connection was refused, and the doctor cannot stand in for an https url",
  notPermitted: "the connection was refused, and the doctor may not listen there"
} as const

const listener = (seen: ListenerEvidence): Line => {
  switch (seen._tag) {
    case "Found":
      return seen.asked
        ? line("warning", "something listens already, so the doctor does not stand in; stop it for a verified ping")
        : line("ok", `something does, at ${seen.peer.address}`)
    case "StandIn":
      return seen.asked
        ? line("ok", "the doctor listens there as the appservice")
        : line("warning", "nothing does; for the next checks the doctor listens there as the appservice")
    case "Nothing":
      return line(seen.why === "notAsked" ? "failed" : "warning", nothing[seen.why])
    case "Unreachable":
      return line("warning", `cannot be seen from here: ${phases[seen.phase]}`)
  }
}

const wrongTokens = {
  refused: "and a wrong token is refused",
  accepted: "but a wrong token is accepted too",
  unclear: "but what it does with a wrong token is unclear"
} as const

const answered = (seen: Answered): Line => {
  switch (Sight.sightOf(seen)) {
    case "confirmed":
      return line(
        seen.wrongToken === "refused" ? "ok" : "warning",
        `answered in ${seen.millis} ms as seen from here, ${wrongTokens[seen.wrongToken]}`
      )
    case "ownPingsOnly":
      return line("ok", "accepts the hs_token, and refuses the ping because its framework answers only its own")
    case "withoutPing":
      return line(
        "warning",
        `status ${seen.status}: its framework has no ping, but it refuses a wrong token as an appservice does`
      )
    case "answersEverything":
      return line("failed", `status ${seen.status} to any token, and not as an appservice answers`)
    case "homeserver":
      return line("failed", "a homeserver answers there, not an appservice")
    case "tlsPort":
      return line("failed", "the port speaks TLS, but the url says http")
    case "forwardProxy":
      return line("failed", `status ${seen.status}, as a proxy answers that does not pass the ping on`)
    case "redirect":
      return line("failed", `it redirects to ${seen.location}`)
    default:
      return line("failed", "")
  }
}

const direct = (seen: DirectEvidence, about: About): Line => {
  if (seen._tag === "Answered") {
    const found = answered(seen)
    return found.detail === ""
      ? line("failed", failed(new BadStatus({ status: seen.status, body: seen.body }), about))
      : found
  }
  if (seen.speaksTls) return line("failed", "the port speaks TLS, but the url says http")
  const { listener } = about.evidence
  // Where another machine is meant, its name or its network may be out of reach from here alone.
  const isElsewhere = Sight.isOpening(seen) && !(listener?._tag === "Nothing" && listener.why === "notAsked")
  return line(isElsewhere ? "warning" : "failed", `no answer: ${seen.failure.text}`)
}

const ping = (seen: PingEvidence, about: About): Line => {
  if (seen._tag === "Succeeded") {
    return line(
      "ok",
      `${seen.verified ? "confirmed: it arrived here" : "the homeserver got an answer"} in ${seen.millis} ms`
    )
  }
  const found = explained(seen.error, about)
  if (found.healthy) {
    return line("ok", "the homeserver reached the appservice, whose framework answers only its own pings")
  }
  const said = saidOf(seen.error, contextOf(about.evidence, about.subject))
  const { direct } = about.evidence
  const isOwnPings = said !== undefined && direct !== undefined &&
    Sight.sightOf(direct) === "ownPingsOnly" && explains(direct, said)
  return isOwnPings
    ? line("warning", "the homeserver got an answer that is no success: the framework answers only its own pings")
    : line("failed", failed(seen.error, about))
}

const skips: { readonly [S in CheckId]: string } = {
  registration: "not read",
  homeserver: "needs a registration",
  versions: "needs a homeserver that answers",
  token: "needs an address that has shown itself to be a homeserver",
  listener: "needs a url",
  direct: "needs a url",
  ping: "needs a homeserver that knows the ping"
}

/**
 * Says in a line what a check saw.
 *
 * @category rendering
 * @since 0.1.0
 */
export const describe = (id: CheckId, evidence: Partial<Evidence>, subject: Subject): Line => {
  const skipped = line("skipped", skips[id])
  const about: About = { evidence, subject }
  switch (id) {
    case "registration":
      return evidence.registration === undefined ? skipped : registration(evidence.registration)
    case "homeserver":
      return evidence.homeserver === undefined ? skipped : homeserver(evidence.homeserver)
    case "versions":
      return evidence.versions === undefined ? skipped : versions(evidence.versions, about)
    case "token":
      return evidence.token === undefined ? skipped : token(evidence.token, about)
    case "listener":
      return evidence.listener === undefined ? skipped : listener(evidence.listener)
    case "direct":
      return evidence.direct === undefined ? skipped : direct(evidence.direct, about)
    case "ping":
      return evidence.ping === undefined ? skipped : ping(evidence.ping, about)
  }
}
