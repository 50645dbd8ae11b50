/**
 * What each check of the doctor saw, as plain data: the checks gather it, and the conclusion reads it.
 *
 * @since 0.1.0
 */
import type { Diagnosable } from "@appservice-ping/domain/Diagnosis"
import type { BadStatus, ConnectionFailed, ConnectionTimeout, PingError } from "@appservice-ping/domain/PingError"
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
  | { readonly _tag: "UrlHasSecrets" }
  | { readonly _tag: "UrlIsWildcard"; readonly host: string }
  | { readonly _tag: "UrlIsHomeserver" }
  | { readonly _tag: "UrlHasMatrixPath" }
  | { readonly _tag: "UrlIsLocal"; readonly host: string }
  | { readonly _tag: "WorldReadable" }

/**
 * What the registration file holds, and what the homeserver's copy of it does, where that was given.
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
 * Whether the homeserver answers over HTTP, or where the way to it ends.
 *
 * @category models
 * @since 0.1.0
 */
export type HomeserverEvidence =
  | { readonly _tag: "Reached"; readonly address: string; readonly tls: boolean }
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
  | { readonly _tag: "Supported"; readonly path: "stable" | "unstable"; readonly server: string | undefined }
  | { readonly _tag: "Failed"; readonly error: Diagnosable }

/**
 * Whether the homeserver knows the `as_token`, and whose it is.
 *
 * @category models
 * @since 0.1.0
 */
export type TokenEvidence =
  /** `isOurs` tells whether the user is the registration's `sender_localpart`. */
  | { readonly _tag: "Known"; readonly userId: string; readonly isOurs: boolean }
  | { readonly _tag: "NotOffered" }
  | { readonly _tag: "Refused"; readonly error: PingError }
  | { readonly _tag: "Unclear"; readonly error: PingError | TransportError }

/**
 * What listens where the registration's url leads, as seen from here.
 *
 * @category models
 * @since 0.1.0
 */
export type ListenerEvidence =
  /** Something listens; `asked` where the doctor was to stand in, and could not. */
  | { readonly _tag: "Found"; readonly asked: boolean }
  /** The doctor answers in the appservice's place. */
  | { readonly _tag: "StandIn"; readonly asked: boolean }
  /** Nothing listens, and the doctor does not stand in. */
  | { readonly _tag: "Nothing"; readonly why: "notAsked" | "elsewhere" | "https" | "notPermitted" }
  /** It cannot be told from here whether anything listens. */
  | { readonly _tag: "Unreachable"; readonly phase: Phase }

/**
 * How the appservice's url answers the doctor, who calls it as the homeserver does.
 *
 * @category models
 * @since 0.1.0
 */
export type DirectEvidence =
  | {
    readonly _tag: "Confirmed"
    readonly millis: number
    /** What became of a call with a token that is not the `hs_token`. */
    readonly wrongToken: "refused" | "accepted" | "unclear"
    /** Whether the answer is the JSON object that an appservice gives. */
    readonly isAppservice: boolean
  }
  | {
    readonly _tag: "Failed"
    readonly error: BadStatus | ConnectionFailed | ConnectionTimeout
    /** Whether a homeserver answers there. */
    readonly isHomeserver: boolean
    /** Where a redirect leads, without its query string. */
    readonly location: string | undefined
    /** Whether an http url leads to a port that speaks TLS. */
    readonly speaksTls: boolean
  }

/**
 * What the homeserver says of its own call.
 *
 * @category models
 * @since 0.1.0
 */
export type PingEvidence =
  /** `verified` where the doctor's own listener saw the ping arrive. */
  | { readonly _tag: "Succeeded"; readonly millis: number; readonly verified: boolean }
  | { readonly _tag: "Failed"; readonly error: Diagnosable }

/**
 * What all checks saw; a check that is not there was skipped.
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
 * The places that the evidence are about.
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
