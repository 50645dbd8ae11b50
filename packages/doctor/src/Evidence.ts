/**
 * The evidence of each check of the doctor, as plain data: the checks gather it, and the conclusion rests on it.
 *
 * @since 0.1.0
 */
import type { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import type { Diagnosable } from "@appservice-ping/domain/Diagnosis"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { ServerVersion } from "@appservice-ping/domain/PingUnsupported"
import type { RegistrationWarning } from "@appservice-ping/domain/RegistrationWarning"
import type { HomeserverUnreachable, TransportError } from "@appservice-ping/domain/TransportError"
import type { Duration } from "effect"

/**
 * A field in which two copies of a registration can differ.
 *
 * @category models
 * @since 0.1.0
 */
export type CopiedField = "id" | "url" | "as_token" | "hs_token"

/**
 * Something odd about a registration that may work all the same.
 *
 * @category models
 * @since 0.1.0
 */
export type Oddity =
  | { readonly _tag: "PlaceholderToken"; readonly field: "as_token" | "hs_token" }
  | { readonly _tag: "SameTokens" }
  | { readonly _tag: "UrlNotSet" }
  | { readonly _tag: "UrlIsOther"; readonly scheme: string }
  | { readonly _tag: "Warning"; readonly warning: RegistrationWarning }
  | { readonly _tag: "UrlIsWildcard"; readonly host: string }
  | { readonly _tag: "UrlIsHomeserver" }
  | { readonly _tag: "UrlHasMatrixPath" }
  | { readonly _tag: "WorldReadable" }

/**
 * The registration, and the homeserver's copy of it if that was given.
 *
 * @category models
 * @since 0.1.0
 */
export type RegistrationEvidence =
  | { readonly _tag: "Invalid"; readonly problems: ReadonlyArray<string> }
  | {
    readonly _tag: "Read"
    readonly id: string
    /** The url as a person may see it; `undefined` where it is not set. */
    readonly url: string | undefined
    readonly oddities: ReadonlyArray<Oddity>
    /** The fields in which the two copies differ; `undefined` where only one was given. */
    readonly differs: ReadonlyArray<CopiedField> | undefined
  }

/**
 * How far a connection came.
 *
 * @category models
 * @since 0.1.0
 */
export type Phase = "dns" | "connect" | "tls"

/**
 * Where a connection led: the address that the host name was resolved to, and what is known of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Peer {
  /** The address with its port. */
  readonly address: string
  /** Whether the address is one of this machine: loopback, or an address of one of its interfaces. */
  readonly isThisMachine: boolean
}

/**
 * Whether the homeserver answers over HTTP, or where the way to it ends.
 *
 * @category models
 * @since 0.1.0
 */
export type HomeserverEvidence =
  | { readonly _tag: "Reached"; readonly peer: Peer; readonly tls: boolean }
  | {
    readonly _tag: "Unreachable"
    readonly phase: Phase | "http"
    readonly error: HomeserverUnreachable
    /** Whether an http URL leads to a port that speaks TLS. */
    readonly speaksTls: boolean
  }
  | { readonly _tag: "Silent"; readonly after: Duration.Duration }

/**
 * Whether the homeserver knows the ping.
 *
 * @category models
 * @since 0.1.0
 */
export type VersionsEvidence =
  | { readonly _tag: "Supported"; readonly path: "stable" | "unstable"; readonly server: ServerVersion | undefined }
  | { readonly _tag: "Failed"; readonly error: Diagnosable }

/**
 * Whether the homeserver knows the `as_token`, and which user it belongs to.
 *
 * @category models
 * @since 0.1.0
 */
export type TokenEvidence =
  /** `isOurs`: whether the user is the registration's `sender_localpart`. */
  | { readonly _tag: "Known"; readonly userId: string; readonly isOurs: boolean }
  | { readonly _tag: "NotOffered" }
  | { readonly _tag: "Refused"; readonly error: PingError }
  | { readonly _tag: "Unclear"; readonly error: PingError | TransportError }

/**
 * The listener at the registration's url, as seen from here.
 *
 * @category models
 * @since 0.1.0
 */
export type ListenerEvidence =
  /** Something listens; `asked` where the doctor was to stand in, and could not. */
  | { readonly _tag: "Found"; readonly asked: boolean; readonly peer: Peer }
  /** The doctor answers in the appservice's place. */
  | { readonly _tag: "StandIn"; readonly asked: boolean }
  /** Nothing listens, and the doctor does not stand in. */
  | { readonly _tag: "Nothing"; readonly why: "notAsked" | "elsewhere" | "https" | "notPermitted" }
  /** The way there ends before a listener would be seen. */
  | { readonly _tag: "Unreachable"; readonly phase: Phase; readonly failure: ConnectionFailure }

/**
 * The result of a request with a token that is not the `hs_token`.
 *
 * @category models
 * @since 0.1.0
 */
export type WrongToken = "refused" | "accepted" | "unclear"

/**
 * The answer at the appservice's url to the doctor, who calls it as the homeserver does.
 *
 * **Details**
 *
 * The first request carries a wrong token, and the `hs_token` is sent only where that leaves open what answers: a
 * website that answers everything, redirects or knows no such path never sees it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answered {
  readonly _tag: "Answered"
  readonly millis: number
  readonly status: number
  /** The start of the body, without tokens. */
  readonly body: string
  readonly wrongToken: WrongToken
  /** The answer for a path that no appservice has (A6); `undefined` if it was not requested. */
  readonly unknownPath: WrongToken | undefined
  /** The answer for an empty transaction with a wrong token; `undefined` if it was not sent. */
  readonly transaction: WrongToken | undefined
  /** Whether a homeserver answers there. */
  readonly isHomeserver: boolean
  /** Where a redirect leads, without its query string. */
  readonly location: string | undefined
  /** Whether an http url leads to a port that speaks TLS. */
  readonly speaksTls: boolean
}

/**
 * No complete answer came to the doctor's own call.
 *
 * @category models
 * @since 0.1.0
 */
export interface NoAnswer {
  readonly _tag: "NoAnswer"
  readonly failure: ConnectionFailure
  /** Whether an http url leads to a port that speaks TLS. */
  readonly speaksTls: boolean
}

/**
 * How the appservice's url answers the doctor.
 *
 * @category models
 * @since 0.1.0
 */
export type DirectEvidence = Answered | NoAnswer

/**
 * The homeserver's report of its own call.
 *
 * @category models
 * @since 0.1.0
 */
export type PingEvidence =
  /** `verified` where the doctor's own listener saw the ping arrive. */
  | { readonly _tag: "Succeeded"; readonly millis: number; readonly verified: boolean }
  | {
    readonly _tag: "Failed"
    readonly error: Diagnosable
    /** How long the homeserver took to say so; `undefined` where it was not measured. */
    readonly elapsed: Duration.Duration | undefined
  }

/**
 * The evidence of all checks; a missing check was skipped.
 *
 * @category models
 * @since 0.1.0
 */
export interface Evidence {
  readonly registration: RegistrationEvidence
  readonly homeserver?: HomeserverEvidence | undefined
  readonly versions?: VersionsEvidence | undefined
  readonly token?: TokenEvidence | undefined
  readonly listener?: ListenerEvidence | undefined
  readonly direct?: DirectEvidence | undefined
  readonly ping?: PingEvidence | undefined
}

/**
 * The addresses that the evidence is about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  /** The homeserver's URL as the user gave it. */
  readonly homeserver: URL
  /** The registration's url, where it is set. */
  readonly url: string | undefined
}
