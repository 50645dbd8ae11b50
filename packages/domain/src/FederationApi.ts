/**
 * The contract of `GET /_matrix/federation/v1/version`, which a client calls beside the ping.
 *
 * It is separate from the contract of the ping, because no server has to implement it to be pinged through. See
 * https://spec.matrix.org/v1.7/server-server-api/#get_matrixfederationv1version
 *
 * @since 0.1.0
 */
import { Predicate, Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as Json from "./Json.ts"
import type { ServerVersion } from "./PingUnsupported.ts"

/**
 * Schema for the answer of `GET /_matrix/federation/v1/version`; every field may be absent.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FederationVersion = Schema.Struct({
  server: Schema.optionalKey(
    Schema.Struct({ name: Schema.optionalKey(Schema.String), version: Schema.optionalKey(Schema.String) })
  )
})

/**
 * `GET /_matrix/federation/v1/version`: what the homeserver calls itself.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class GetServerVersion extends HttpApiEndpoint.get("getServerVersion", "/_matrix/federation/v1/version", {
  success: FederationVersion
}).annotate(OpenApi.Summary, "Returns the name and the version of the homeserver's software.") {}

/**
 * The endpoints of the contract, at the top level of a derived client.
 *
 * @category groups
 * @since 0.1.0
 */
export class Endpoints extends HttpApiGroup.make("Server version", { topLevel: true }).add(GetServerVersion) {}

/**
 * The contract of what a client asks beside the ping.
 *
 * @category contracts
 * @since 0.1.0
 */
export class FederationApi extends HttpApi.make("FederationApi").add(Endpoints) {}

const textLengthMax = 64

/** What a stranger says of itself ends up in logs and on terminals, so it is one short line of visible characters. */
const shown = (value: unknown): string | undefined => {
  if (typeof value !== "string") return undefined
  const visible = value.slice(0, 4 * textLengthMax).replaceAll(/[^\p{L}\p{N}\p{P}\p{S}]+/gu, " ").trim()
  const text = [...visible].slice(0, textLengthMax).join("").trimEnd()
  return text === "" ? undefined : text
}

/**
 * Reads what a homeserver calls itself from an answer's body; `undefined` where it does not say so.
 *
 * **Details**
 *
 * Total. The texts are one line each, of at most 64 visible characters.
 *
 * **Example** (Reading the version of a homeserver)
 *
 * ```ts
 * import { FederationApi } from "@appservice-ping/domain"
 *
 * FederationApi.serverVersion("{\"server\":{\"name\":\"Synapse\",\"version\":\"1.157.0\"}}")
 * // => { name: "Synapse", version: "1.157.0" }
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const serverVersion = (body: string): ServerVersion | undefined => {
  const json = Json.parse(body)
  const server = Predicate.isObject(json) ? json["server"] : undefined
  if (!Predicate.isObject(server)) return undefined
  const name = shown(server["name"])
  const version = shown(server["version"])
  return name === undefined ? undefined : { name, ...(version === undefined ? {} : { version }) }
}
