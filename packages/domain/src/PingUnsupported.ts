/**
 * The error of a homeserver that is there, and too old for the ping.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * Schema for the name of a homeserver's software, and its version if it gives that too.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ServerVersion = Schema.Struct({ name: Schema.String, version: Schema.optionalKey(Schema.String) })

/**
 * What a homeserver calls itself.
 *
 * @category models
 * @since 0.1.0
 */
export type ServerVersion = typeof ServerVersion.Type

/**
 * Renders what a homeserver calls itself: `Synapse 1.157.0`.
 *
 * @category rendering
 * @since 0.1.0
 */
export const describeServer = ({ name, version }: ServerVersion): string =>
  version === undefined ? name : `${name} ${version}`

/**
 * The homeserver says that it supports neither the ping of spec v1.7 nor the one from before it (C21, C22).
 *
 * **Details**
 *
 * `url` is where it was asked, without userinfo and query string (D8). `versions` are the versions of the spec that it
 * lists, at most the last few of them, and `server` is what it calls itself.
 *
 * @category errors
 * @since 0.1.0
 */
export class PingUnsupported
  extends Schema.TaggedError<PingUnsupported>("@appservice-ping/domain/PingUnsupported/PingUnsupported")(
    "PingUnsupported",
    {
      url: Schema.String,
      versions: Schema.Array(Schema.String),
      server: Schema.optionalKey(ServerVersion)
    }
  )
{
  override get message(): string {
    const server = this.server === undefined ? "The homeserver" : describeServer(this.server)
    const versions = this.versions.length === 0 ? "no version" : this.versions.join(", ")
    return `${server} at ${this.url} does not support the ping, which needs Matrix v1.7: it lists ${versions}`
  }
}
