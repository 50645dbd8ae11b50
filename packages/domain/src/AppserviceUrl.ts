/**
 * The `url` of a registration: where the homeserver reaches the appservice.
 *
 * @since 0.1.0
 */

/**
 * Tells whether a text is a `url` that a homeserver can call: absolute, `http` or `https`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAppserviceUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "http:" || url.protocol === "https:")
}

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
  if (!isAppserviceUrl(url)) return undefined
  const joined = new URL(url)
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
 * Tells whether a URL leads every machine to itself: `localhost`, a loopback address, or the address to listen on all.
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
