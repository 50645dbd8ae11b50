/** Evidence of checks that nobody made. */
import type { Answered, DirectEvidence, Evidence, PingEvidence, Subject } from "@appservice-ping/doctor/Evidence"
import { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import type { Diagnosable } from "@appservice-ping/domain/Diagnosis"
import * as PingError from "@appservice-ping/domain/PingError"

export const subject: Subject = { homeserver: new URL("https://matrix.example"), url: "http://bridge.example:29317" }

export const local: Subject = { ...subject, url: "http://localhost:29317" }

export const peer = (address: string, isThisMachine = false) => ({ address, isThisMachine })

/** An appservice that confirms the ping, and refuses a wrong token. */
export const confirmed: Answered = {
  _tag: "Answered",
  millis: 3,
  status: 200,
  body: "{}",
  wrongToken: "refused",
  unknownPath: undefined,
  transaction: undefined,
  isHomeserver: false,
  location: undefined,
  speaksTls: false
}

/** Another answer at the url. */
export const answer = (status: number, fields: Partial<Answered> = {}): Answered => ({
  ...confirmed,
  status,
  body: "",
  wrongToken: status === 401 || status === 403 ? "refused" : "unclear",
  ...fields
})

/** A call to the url without an answer. */
export const broken = (
  kind: ConnectionFailure["kind"],
  text: string = `the connection failed: ${kind}`,
  speaksTls = false
): DirectEvidence => ({ _tag: "NoAnswer", failure: new ConnectionFailure({ kind, text }), speaksTls })

/** A Matrix error in JSON. */
export const matrixError = (errcode: string, error = "") => JSON.stringify({ errcode, error })

export const failed = (error: Diagnosable): PingEvidence => ({ _tag: "Failed", error, elapsed: undefined })

/** The homeserver's words about a connection that failed. */
export const says = (error: string): PingEvidence => failed(new PingError.ConnectionFailed({ error }))

/** The homeserver got this status from the appservice. */
export const got = (status: number, body = ""): PingEvidence => failed(new PingError.BadStatus({ status, body }))

/** All is well. */
export const good: Evidence = {
  registration: {
    _tag: "Read",
    id: "telegram",
    url: "http://bridge.example:29317/",
    oddities: [],
    differs: undefined
  },
  homeserver: { _tag: "Reached", peer: peer("192.0.2.1:443"), tls: true },
  versions: { _tag: "Supported", path: "stable", server: undefined },
  token: { _tag: "Known", userId: "@telegrambot:example", isOurs: true },
  listener: { _tag: "Found", asked: false, peer: peer("192.0.2.7:29317") },
  direct: confirmed,
  ping: { _tag: "Succeeded", millis: 5, verified: false }
}
