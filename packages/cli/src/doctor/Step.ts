/**
 * The steps of the doctor: what each is called, and what one line says about what it saw.
 *
 * @since 0.1.0
 */
import { type Diagnosable, diagnose } from "@appservice-ping/domain/Diagnosis"
import { Duration } from "effect"
import type {
  DirectFinding,
  Findings,
  HomeserverFinding,
  ListenerFinding,
  PingFinding,
  RegistrationFinding,
  Subject,
  TokenFinding,
  VersionsFinding
} from "./Finding.ts"
import { explain } from "./RegistrationCheck.ts"

/**
 * How a step went.
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "ok" | "bad" | "warning" | "skipped"

/**
 * The steps in their order, and their titles.
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
 * The name of a step.
 *
 * @category models
 * @since 0.1.0
 */
export type StepId = keyof typeof titles

/**
 * What one step says.
 *
 * @category models
 * @since 0.1.0
 */
export interface Line {
  readonly status: Status
  readonly detail: string
}

/**
 * One step as it is reported.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step extends Line {
  readonly id: StepId
  readonly title: string
  /** How long it took; `null` where it was skipped. */
  readonly duration_ms: number | null
}

const line = (status: Status, detail: string): Line => ({ status, detail })

const seconds = (duration: Duration.Duration): string => Duration.format(duration)

const registration = (finding: RegistrationFinding): Line => {
  if (finding._tag === "Invalid") return line("bad", finding.problems.join("; "))
  const differs = finding.differs ?? []
  const odd = finding.oddities.map(explain)
  if (differs.length > 0) odd.unshift(`the homeserver's copy differs in ${differs.join(", ")}`)
  if (odd.length === 0) {
    return line(
      "ok",
      `id ${finding.id}, url ${finding.url}${finding.differs === undefined ? "" : ", both copies agree"}`
    )
  }
  const isBad = finding.url === undefined || differs.length > 0 ||
    finding.oddities.some(({ _tag }) => _tag === "UrlIsHomeserver")
  return line(isBad ? "bad" : "warning", odd.join("; "))
}

const phases = {
  dns: "the host name could not be resolved",
  connect: "no connection",
  tls: "connected, but no secure connection",
  http: "connected, but no HTTP answer"
} as const

const homeserver = (finding: HomeserverFinding): Line => {
  switch (finding._tag) {
    case "Reached":
      return line("ok", `${finding.address}${finding.tls ? " over TLS" : ""}`)
    case "Silent":
      return line("bad", `${phases.http} within ${seconds(finding.after)}`)
    case "Unreachable": {
      const { failure } = finding.error
      return line("bad", finding.phase === "dns" ? failure.text : `${phases[finding.phase]}: ${failure.text}`)
    }
  }
}

const nameOf = (error: Diagnosable): string => error._tag === "OtherErrcode" ? error.errcode : error._tag

const failed = (error: Diagnosable, { homeserver, url }: Subject): string =>
  `${nameOf(error)}: ${diagnose(error, { homeserver: homeserver.href, url }).cause}`

const versions = (finding: VersionsFinding, subject: Subject): Line => {
  if (finding._tag === "Supported") {
    const path = finding.path === "unstable" ? ", on the path from before spec v1.7" : ""
    return line("ok", `${finding.server ?? "it does not tell its name"}${path}`)
  }
  // The diagnosis takes this errcode for an answer to a ping, which was not asked for yet.
  return line(
    "bad",
    finding.error._tag === "M_UNRECOGNIZED"
      ? "M_UNRECOGNIZED: there is nothing at /_matrix/client/versions"
      : failed(finding.error, subject)
  )
}

const token = (finding: TokenFinding, subject: Subject): Line => {
  switch (finding._tag) {
    case "Known":
      return finding.isOurs
        ? line("ok", `the homeserver knows it as ${finding.userId}`)
        : line("warning", `the homeserver knows it as ${finding.userId}, which is not the sender_localpart of the file`)
    case "NotOffered":
      return line("skipped", "this homeserver does not tell whose a token is")
    case "Refused":
      return line("bad", failed(finding.error, subject))
    case "Unclear":
      return line(
        "warning",
        finding.error._tag === "M_FORBIDDEN"
          ? "M_FORBIDDEN: the homeserver does not tell this token whose it is"
          : failed(finding.error, subject)
      )
  }
}

const nothing = {
  notAsked: "the connection was refused, and --no-listen keeps the doctor from standing in",
  elsewhere: "the connection was refused, and the address is not one of this machine, so the doctor cannot stand in",
  https: "the connection was refused, and the doctor cannot stand in for an https url",
  notPermitted: "the connection was refused, and the doctor may not listen there"
} as const

const listener = (finding: ListenerFinding): Line => {
  switch (finding._tag) {
    case "Found":
      return finding.asked
        ? line("warning", "something listens already, so the doctor does not stand in; stop it for a verified ping")
        : line("ok", "something does")
    case "StandIn":
      return finding.asked
        ? line("ok", "the doctor listens there as the appservice")
        : line("warning", "nothing does; for the next steps the doctor listens there as the appservice")
    case "Nothing":
      return line(finding.why === "notAsked" ? "bad" : "warning", nothing[finding.why])
    case "Unreachable":
      return line("warning", `cannot be told from here: ${phases[finding.phase]}`)
  }
}

const wrongTokens = {
  refused: "and a wrong token is refused",
  accepted: "but a wrong token is accepted too",
  unclear: "but what it does with a wrong token is unclear"
} as const

const direct = (finding: DirectFinding, subject: Subject): Line => {
  if (finding._tag === "Confirmed") {
    const text = `answered in ${finding.millis} ms as seen from here, ${wrongTokens[finding.wrongToken]}`
    if (!finding.isAppservice) return line("warning", `${text}, with an answer that no appservice gives`)
    return line(finding.wrongToken === "refused" ? "ok" : "warning", text)
  }
  if (finding.isHomeserver) return line("bad", "a homeserver answers there, not an appservice")
  if (finding.location !== undefined) return line("bad", `it redirects to ${finding.location}`)
  return line("bad", failed(finding.error, subject))
}

const ping = (finding: PingFinding, subject: Subject): Line =>
  finding._tag === "Failed"
    ? line("bad", failed(finding.error, subject))
    : line(
      "ok",
      `${finding.verified ? "confirmed: it arrived here" : "the homeserver got an answer"} in ${finding.millis} ms`
    )

const skips: { readonly [S in StepId]: string } = {
  registration: "not read",
  homeserver: "needs a registration",
  versions: "needs a homeserver that answers",
  token: "needs a homeserver that answers",
  listener: "needs a url",
  direct: "needs a url",
  ping: "needs a homeserver that knows the ping"
}

/**
 * Says in a line what a step saw.
 *
 * @category rendering
 * @since 0.1.0
 */
export const describe = (id: StepId, findings: Partial<Findings>, subject: Subject): Line => {
  const skipped = line("skipped", skips[id])
  switch (id) {
    case "registration":
      return findings.registration === undefined ? skipped : registration(findings.registration)
    case "homeserver":
      return findings.homeserver === undefined ? skipped : homeserver(findings.homeserver)
    case "versions":
      return findings.versions === undefined ? skipped : versions(findings.versions, subject)
    case "token":
      return findings.token === undefined ? skipped : token(findings.token, subject)
    case "listener":
      return findings.listener === undefined ? skipped : listener(findings.listener)
    case "direct":
      return findings.direct === undefined ? skipped : direct(findings.direct, subject)
    case "ping":
      return findings.ping === undefined ? skipped : ping(findings.ping, subject)
  }
}
