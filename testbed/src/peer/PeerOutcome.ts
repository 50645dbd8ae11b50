/**
 * What a homeserver's HTTP client saw of its request to an appservice: facts, which each client puts into its own words.
 *
 * @since 0.1.0
 */
import { Data } from "effect"

/**
 * How a connection ended, or that it did not within the client's time. `alert` is a TLS alert that came after the
 * handshake.
 *
 * @category models
 * @since 0.1.0
 */
export type Ended = "fin" | "rst" | "alert" | "timeout"

/**
 * What is wrong with a certificate.
 *
 * @category models
 * @since 0.1.0
 */
export type CertificateProblem = "self_signed" | "untrusted" | "expired" | "not_yet_valid" | "wrong_host"

/**
 * A certificate and what is wrong with it; times are in seconds since 1970.
 *
 * @category models
 * @since 0.1.0
 */
export interface CertificateFacts {
  readonly problems: ReadonlyArray<CertificateProblem>
  readonly validFrom: number
  readonly validTo: number
}

/**
 * How the body of an answer is delimited.
 *
 * @category models
 * @since 0.1.0
 */
export type Framing = "none" | "length" | "chunked" | "until_close"

/**
 * How far a reader of chunks had come, by the names of the states that it went through.
 *
 * @category models
 * @since 0.1.0
 */
export type ChunkState = "size" | "data" | "data_end" | "trailer" | "finished"

/**
 * Why there is no answer.
 *
 * @category models
 * @since 0.1.0
 */
export type PeerFailure = Data.TaggedEnum<{
  /** The host name has no address; `temporary` if the name server could not be asked. */
  NotResolved: { readonly temporary: boolean }
  NotConnected: { readonly why: "refused" | "unreachable" | "rst" | "timeout" }
  /** The TLS handshake did not come to its end: `alert` and `version` are what the server said, `plain` is no TLS. */
  NotSecured: { readonly why: "alert" | "version" | "plain" | "other" | Ended }
  BadCertificate: CertificateFacts
  /** The connection ended before the first byte of the answer. */
  Unanswered: { readonly how: Ended }
  /** The connection ended in the head of the answer, or its head was longer than the client takes. */
  HeadBroken: { readonly how: Ended | "too_long" }
  /** The head cannot be read; the problem is in the words of the client. */
  HeadMalformed: { readonly problem: string }
  /** The connection ended in the body of the answer. */
  BodyBroken: {
    readonly how: Ended
    readonly framing: Framing
    readonly chunk: ChunkState
    readonly status: number
    readonly reason: string
  }
  /** A chunk of the body has no size that can be read. */
  BodyMalformed: { readonly chunk: ChunkState }
  /** A redirect that this client does not follow. */
  NotFollowed: { readonly status: number; readonly url: URL }
  /** A redirect without a `Location`. */
  NoLocation: { readonly status: number; readonly url: URL }
  TooManyRedirects: { readonly status: number; readonly url: URL }
}>

/**
 * Constructors and matchers of {@link PeerFailure}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const PeerFailure = Data.taggedEnum<PeerFailure>()

/**
 * An answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerAnswer {
  readonly _tag: "Answered"
  readonly status: number
  /** The reason phrase as it came; empty if there was none. */
  readonly reason: string
  /** The headers, by lower-case name; of repeated ones the first. */
  readonly headers: { readonly [name: string]: string | undefined }
  /** `undefined` if the body was not read, or broke off and that does not matter to the client. */
  readonly body: Uint8Array | undefined
}

/**
 * An answer, or why there is none.
 *
 * @category models
 * @since 0.1.0
 */
export type PeerOutcome = PeerAnswer | PeerFailure
