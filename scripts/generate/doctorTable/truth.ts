/** What is true for each fault on the leg to the appservice: the families of causes that fit, and who has to act. */
import type { Actor } from "@appservice-ping/domain/Diagnosis"
import type { Fault } from "@appservice-ping/testbed/fault/Fault"
import * as Latency from "@appservice-ping/testbed/fault/Latency"
import { Duration } from "effect"

/** A family of causes, as the words of a diagnosis tell them apart. */
export type Family =
  | "answers everything"
  | "closed"
  | "dns"
  | "homeserver"
  | "login"
  | "malformed"
  | "not json"
  | "not running"
  | "no ping"
  | "proxy"
  | "rate"
  | "redirect"
  | "reset"
  | "silent"
  | "status"
  | "tls"
  | "token"
  | "unsaid"
  | "well"

const families: ReadonlyArray<readonly [Family, RegExp]> = [
  ["well", /^Nothing is wrong|^The homeserver says that it reaches the appservice;|answers only its own pings/],
  ["dns", /host name of .* could not be found/],
  ["not running", /not running|Nothing listens where|connection was refused/],
  ["answers everything", /accepts any token/],
  ["redirect", /redirects to/],
  ["homeserver", /leads to a homeserver/],
  [
    "token",
    /rejects the hs_token|hs_token did not arrive|does not check the hs_token|not the one that the homeserver sends/
  ],
  ["login", /web page with status 40[13]/],
  ["no ping", /has no ping|does not know the ping|status 304/],
  ["tls", /secure connection|speaks? TLS|certificate/],
  ["rate", /asked too often/],
  ["malformed", /HTTP correctly|not valid HTTP|breaks the rules of HTTP|could not be read|no length|without a length/],
  ["not json", /not in JSON|not JSON/],
  ["silent", /in time|timed out|no answer from/],
  ["reset", /broken off/],
  ["closed", /closed before|ended before/],
  ["proxy", /proxy in front of .* answered/],
  ["status", /\bstatus \d{3}|answered \d{3}|failed inside|not ready|did not accept the form/],
  ["unsaid", /nothing says why|does not say why|not say why/]
]

/** The family of a cause. */
export const familyOf = (cause: string): Family | undefined => families.find(([, words]) => words.test(cause))?.[0]

/** What fits a fault: any of these families, and who may have to act. */
export interface Truth {
  readonly families: ReadonlyArray<Family>
  readonly actors: ReadonlyArray<Actor>
}

const truth = (families: ReadonlyArray<Family>, ...actors: ReadonlyArray<Actor>): Truth => ({ families, actors })

/** A connection that breaks off looks alike for a reset and a close, and in the middle of an answer for a bad one. */
const broken = truth(["reset", "closed", "malformed"], "network", "operator")

const silent = truth(["silent"], "operator", "network")

const malformed = truth(["malformed", "closed", "reset"], "operator", "network")

const well = truth(["well"], "nobody", "operator")

/** Some faults answer every request in the application's place, whatever its token and its path are. */
const answersAll = truth(["answers everything", "not json"], "operator")

const or = (...all: ReadonlyArray<Truth>): Truth => ({
  families: all.flatMap(({ families }) => families),
  actors: all.flatMap(({ actors }) => actors)
})

const ofStatus = (status: number, body = ""): Truth => {
  if (status >= 200 && status < 300) return or(well, truth(["answers everything", "not json", "token"], "operator"))
  if (status >= 300 && status < 400) return truth(["redirect", "status", "no ping"], "operator")
  if (status === 401 || status === 403) return truth(["token", "login", "status"], "operator")
  if (status === 404 || status === 405 || status === 410) {
    return truth(["no ping", ...body.includes("Unrecognized request") ? ["homeserver" as const] : []], "operator")
  }
  if (status === 429) return truth(["rate"], "nobody")
  if (status === 408) return or(truth(["status"], "operator"), silent)
  if (status === 502 || status === 504 || status >= 520) return truth(["proxy", "status"], "operator")
  return truth(["status", "proxy"], "operator")
}

/** Nothing in such an answer can be taken for one. */
const unreadable = truth(["malformed"], "operator", "network")

/** An answer that says wrongly where it ends, and from which a client can read `{}` all the same. */
const readable = or(well, answersAll)

const ofFraming: { readonly [D in Extract<Fault, { readonly type: "framing" }>["defect"]]: Truth } = {
  bad_chunk_size: unreadable,
  length_and_chunked: unreadable,
  duplicate_length: unreadable,
  negative_length: unreadable,
  length_too_long: truth(["closed"], "operator", "network"),
  extra_bytes: readable,
  body_on_204: readable,
  http_1_0: readable,
  until_close: readable
}

/** About as long as the shortest answer is, with its head. */
const answerBytes = 120

/** Within this everybody waits, the doctor and each homeserver. */
const patientMillis = 5000

/** The doctor's own call has 30 seconds, so that it sees beyond this nothing but silence. */
const impatientMillis = 45_000

/** What comes `millis` late. */
const slowed = (millis: number, otherwise: Truth): Truth =>
  millis <= patientMillis ? otherwise : millis >= impatientMillis ? silent : or(silent, otherwise)

/** Longer than this it takes at most once in a hundred times. */
const longestMillis = (latency: Latency.Latency): number =>
  Duration.isDuration(latency) || latency.distribution !== "wave"
    ? Duration.toMillis(Latency.sample(latency, 0.99, 0))
    : Duration.toMillis(latency.mean) + Duration.toMillis(latency.amplitude)

/** What is true; `undefined` where the fault says too little to be judged, such as a script. */
export const truthOf = (
  fault: Fault,
  statusOf: (name: string) => { readonly status: number; readonly body: string }
): Truth | undefined => {
  switch (fault.type) {
    case "dns":
      return truth(["dns", "silent"], "operator", "network")
    case "refused":
      return truth(["not running"], "operator")
    case "never_accepted":
      return truth(["silent"], "operator", "network")
    case "tls":
      return truth(["tls"], "operator")
    case "redirect":
      return truth(["redirect"], "operator")
    case "status":
      return ofStatus(fault.status, fault.body)
    case "peer_answer": {
      const { body, status } = statusOf(fault.answer)
      return ofStatus(status, body)
    }
    case "rate_limited":
      return truth(["rate"], "nobody")
    case "reset_peer":
    case "close":
    case "lost_answer":
      return or(
        broken,
        fault.type === "lost_answer" ? silent : well,
        "phase" in fault && fault.phase === "handshake" ? truth(["tls"], "operator", "network") : broken,
        "framing" in fault && fault.framing === "until_close" ? answersAll : broken
      )
    case "crash":
      return or(broken, truth(["not running"], "operator"), well)
    case "stall":
      return or(silent, well)
    case "limit_data":
      return or(broken, silent, well)
    case "framing":
      return ofFraming[fault.defect]
    case "head":
      return unreadable
    case "body":
      return or(malformed, well, truth(["answers everything", "not json"], "operator"), ofStatus(fault.status ?? 200))
    case "informational":
      return or(malformed, broken, silent, well, truth(["status"], "operator"))
    case "drip":
      return slowed(Duration.toMillis(fault.gap) * answerBytes, ofStatus(fault.status ?? 200))
    case "bandwidth":
      return slowed(1000 * answerBytes / fault.bytes_per_second, well)
    case "slicer":
      return slowed(Duration.toMillis(fault.gap ?? Duration.zero) * answerBytes / fault.size, well)
    case "latency":
      return slowed(longestMillis(fault.latency), well)
    case "slow_close":
    case "pass":
    case "duplicate":
    case "replayed":
      return well
    case "script":
      return undefined
  }
}
