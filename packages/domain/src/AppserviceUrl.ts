/**
 * The `url` of a registration: where the homeserver reaches the appservice.
 *
 * @since 0.1.0
 */
import * as CharacterName from "./internal/characterName.ts"

/**
 * What the `url` of a registration says: where the homeserver reaches the appservice over HTTP, that it does not
 * (C8, D6), that it takes another way, or something that is none of these.
 *
 * **Details**
 *
 * `Other` is what some homeservers and bridges agree on between them, such as `unix:///run/bridge.sock` or the word
 * `websocket`; no homeserver of the spec can call it. `Invalid` says what is expected instead, without the text, which
 * may hold a password.
 *
 * @category models
 * @since 0.1.0
 */
export type Target =
  | { readonly _tag: "NotSet" }
  | { readonly _tag: "Http"; readonly url: URL }
  | { readonly _tag: "Other"; readonly scheme: string }
  | { readonly _tag: "Invalid"; readonly expected: string }

const invalid = (expected: string): Target => ({ _tag: "Invalid", expected })

const httpUrl = "an http or https URL"

/** The parser of browsers repairs what no other reads so, such as a backslash for a slash. */
const httpTarget = (text: string): Target => {
  if (!/^https?:\/\/(?!\/)/i.test(text)) {
    return invalid(`${httpUrl} with two slashes after the colon, such as http://localhost:29318`)
  }
  if (text.includes("\\")) return invalid(`${httpUrl} with slashes, not backslashes`)
  const url = URL.parse(text)
  return url === null ? invalid(`${httpUrl}, or null`) : { _tag: "Http", url }
}

const otherScheme = /^([a-z][a-z\d+-]*):(?!\d)./i

const word = /^[a-z][a-z\d_-]*$/i

/**
 * Reads the `url` of a registration as homeservers do, without a repair that only browsers make; total.
 *
 * **Example** (Reading what a bridge wrote)
 *
 * ```ts
 * import { AppserviceUrl } from "@appservice-ping/domain"
 *
 * AppserviceUrl.target("unix:///run/bridge.sock") // => { _tag: "Other", scheme: "unix" }
 * AppserviceUrl.target("http:/localhost:29318")._tag // => "Invalid"
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const target = (text: string | null): Target => {
  if (text === null || text === "") return { _tag: "NotSet" }
  const edge = CharacterName.unseenAtEdge(text)
  if (edge !== undefined) return invalid(`${httpUrl} without ${edge}`)
  if (/^https?:/i.test(text)) {
    const inside = CharacterName.unseen(text)
    return inside === undefined ? httpTarget(text) : invalid(`${httpUrl} without ${inside} in it`)
  }
  const scheme = otherScheme.exec(text)?.[1] ?? word.exec(text)?.[0]
  return scheme === undefined ? invalid(`${httpUrl}, or null`) : { _tag: "Other", scheme: scheme.toLowerCase() }
}

/**
 * Checks whether a text is a `url` that a homeserver can call: absolute, `http` or `https`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAppserviceUrl = (text: string): boolean => target(text)._tag === "Http"

/**
 * Joins a registration's `url` with the path of an endpoint, without `//` (A8).
 *
 * **Details**
 *
 * A path and a query string of `url` are kept, its userinfo and fragment are not: a ping authenticates with the
 * `hs_token` alone. Returns `undefined` when `url` is not one (see {@link isAppserviceUrl}).
 *
 * **Example** (Joining a url with a path)
 *
 * ```ts
 * import { AppserviceUrl } from "@appservice-ping/domain"
 *
 * AppserviceUrl.join("http://localhost:29318/bridge/", "/_matrix/app/v1/ping")?.href
 * // => "http://localhost:29318/bridge/_matrix/app/v1/ping"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const join = (url: string, path: `/${string}`): URL | undefined => {
  const read = target(url)
  if (read._tag !== "Http") return undefined
  const joined = read.url
  joined.pathname = joined.pathname.replace(/\/+$/, "") + path
  joined.username = ""
  joined.password = ""
  joined.hash = ""
  return joined
}

/**
 * Renders a URL for a person to read: scheme, host and path, without userinfo, query string and fragment (D8).
 *
 * @category rendering
 * @since 0.1.0
 */
export const redact = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`

const localHost =
  /^(?:(?:.+\.)?localhost\.?|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\])$/

/**
 * Checks whether a URL leads every machine to itself: `localhost`, a loopback address, or the address to listen on all.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isLocal = (url: URL): boolean => localHost.test(url.hostname)

/**
 * The host of a URL as a socket takes it: an IPv6 address without its brackets.
 *
 * @category combinators
 * @since 0.1.0
 */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1")

/**
 * The port of a URL, also where it is the scheme's own: 443 for https, and else 80.
 *
 * @category combinators
 * @since 0.1.0
 */
export const portOf = (url: URL): number => url.port === "" ? url.protocol === "https:" ? 443 : 80 : Number(url.port)
