/**
 * What a homeserver says it supports, and whether that includes the appservice ping (C21).
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * Schema for the answer of `GET /_matrix/client/versions`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Versions = Schema.Struct({
  versions: Schema.Array(Schema.String).annotate({ description: "The versions of the spec the homeserver supports." }),
  unstable_features: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Boolean).annotate({
      description: "Features outside those versions; one that is not listed is not supported."
    })
  )
})

/**
 * The answer of `GET /_matrix/client/versions`.
 *
 * @category models
 * @since 0.1.0
 */
export type Versions = typeof Versions.Type

/**
 * Which path a homeserver answers pings on: the spec's, the MSC's, or none.
 *
 * @category models
 * @since 0.1.0
 */
export type PingSupport = "stable" | "unstable" | "none"

/**
 * Checks whether a homeserver supports a version of the spec or a later one, of the form `v1.7` (C21).
 *
 * **Details**
 *
 * The numbers are compared, not the texts: `v1.10` is later than `v1.7`. Versions such as `r0.6.1` are older than all.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isAtLeast = (versions: Versions, major: number, minor: number): boolean =>
  versions.versions.some((version) => {
    const [, ofMajor, ofMinor] = /^v(\d{1,4})\.(\d{1,4})$/.exec(version) ?? []
    return Number(ofMajor) > major || (Number(ofMajor) === major && Number(ofMinor) >= minor)
  })

/**
 * Returns the path on which a homeserver answers pings (C21).
 *
 * **Details**
 *
 * `v1.7` or later, or `unstable_features["fi.mau.msc2659.stable"]`, is the stable path; `fi.mau.msc2659` alone is the
 * unstable one. Versions such as `r0.6.1` are older than all of them.
 *
 * **Example** (Reading the versions of a homeserver)
 *
 * ```ts
 * import { Versions } from "@appservice-ping/domain"
 *
 * Versions.pingSupport({ versions: ["v1.6"], unstable_features: { "fi.mau.msc2659": true } }) // => "unstable"
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const pingSupport = (versions: Versions): PingSupport => {
  const features = versions.unstable_features ?? {}
  if (isAtLeast(versions, 1, 7) || features["fi.mau.msc2659.stable"] === true) return "stable"
  return features["fi.mau.msc2659"] === true ? "unstable" : "none"
}
