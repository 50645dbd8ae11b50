/**
 * What is odd about a registration, and in which fields two copies of it differ; pure, and without a value of a token.
 *
 * @since 0.1.0
 */
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import { type Registration, targetOf, urlOf } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import { Redacted } from "effect"
import type { CopiedField, Oddity } from "./Evidence.ts"

/** Words of examples and generators that nobody would get as a token by chance. */
const placeholder =
  /^(?:[<{[(].*[>}\])]|x{3,}|\*+|\.+|(?:as|hs).?token|token|secret|password)$|change.?me|replace|placeholder|generated|example|random.?string|(?:^|[-_.])(?:fixme|insert|todo|your)(?:$|[-_.])/i

const isPlaceholder = (token: Redacted.Redacted): boolean => placeholder.test(Redacted.value(token))

const wildcardHosts: ReadonlySet<string> = new Set(["0.0.0.0", "[::]"])

const place = (url: URL): string => `${url.origin}${url.pathname.replace(/\/+$/, "")}`

const urlOddities = (target: AppserviceUrl.Target, homeserver: URL): ReadonlyArray<Oddity> => {
  if (target._tag === "Other") return [{ _tag: "UrlIsOther", scheme: target.scheme }]
  if (target._tag !== "Http") return [{ _tag: "UrlNotSet" }]
  const { url } = target
  const host = url.hostname
  const odd: Array<Oddity> = []
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    odd.push({ _tag: "UrlHasSecrets" })
  }
  if (wildcardHosts.has(host)) odd.push({ _tag: "UrlIsWildcard", host })
  if (place(url) === place(homeserver)) odd.push({ _tag: "UrlIsHomeserver" })
  if (/\/_matrix(?:\/|$)/.test(url.pathname)) odd.push({ _tag: "UrlHasMatrixPath" })
  return odd
}

/**
 * Finds what is odd about a registration, in the order in which a person should read it.
 *
 * @category checks
 * @since 0.1.0
 */
export const oddities = (
  registration: Registration,
  context: { readonly homeserver: URL; readonly worldReadable: boolean }
): ReadonlyArray<Oddity> => {
  const fields = ["as_token", "hs_token"] as const
  return [
    ...fields.filter((field) => isPlaceholder(registration[field])).map((field): Oddity => ({
      _tag: "PlaceholderToken",
      field
    })),
    ...Token.equals(registration.as_token, registration.hs_token) ? [{ _tag: "SameTokens" } as const] : [],
    ...urlOddities(targetOf(registration), context.homeserver),
    ...context.worldReadable ? [{ _tag: "WorldReadable" } as const] : []
  ]
}

/**
 * Finds the fields of the ping in which two copies of a registration differ.
 *
 * **Details**
 *
 * A trailing slash of `url` makes no difference (A8), nor do `null` and the empty text (D6).
 *
 * @category checks
 * @since 0.1.0
 */
export const differences = (one: Registration, other: Registration): ReadonlyArray<CopiedField> => {
  const same: { readonly [F in CopiedField]: boolean } = {
    id: one.id === other.id,
    url: urlOf(one)?.replace(/\/+$/, "") === urlOf(other)?.replace(/\/+$/, ""),
    as_token: Token.equals(one.as_token, other.as_token),
    hs_token: Token.equals(one.hs_token, other.hs_token)
  }
  return (["id", "url", "as_token", "hs_token"] as const).filter((field) => !same[field])
}

/**
 * Says what is odd in one sentence, without a value of the registration but the host of its url.
 *
 * @category rendering
 * @since 0.1.0
 */
export const explain = (oddity: Oddity): string => {
  switch (oddity._tag) {
    case "PlaceholderToken":
      return `${oddity.field} looks like the placeholder of an example; generate a long random one`
    case "SameTokens":
      return "as_token and hs_token are the same; each side must have a secret of its own"
    case "UrlNotSet":
      return "url is not set, so the homeserver has nowhere to send anything"
    case "UrlIsOther":
      return `url is no HTTP address: its scheme is ${oddity.scheme}, and a homeserver calls only an http or https URL`
    case "UrlHasSecrets":
      return "url has userinfo, a query string or a fragment, which not every homeserver sends on"
    case "UrlIsWildcard":
      return `url leads to ${oddity.host}, which is an address to listen on, not one to connect to`
    case "UrlIsHomeserver":
      return "url is the address of the homeserver; it must be the appservice's"
    case "UrlHasMatrixPath":
      return "url ends in a path of the API; the homeserver adds /_matrix itself"
    case "WorldReadable":
      return "every user of this machine can read the file with its tokens; chmod 640 helps, if the homeserver's user can still read it"
  }
}

/**
 * The url as a person may see it; `undefined` where it is not set.
 *
 * @category rendering
 * @since 0.1.0
 */
export const shownUrl = (url: string | null | undefined): string | undefined => {
  const target = AppserviceUrl.target(url ?? null)
  if (target._tag === "Http") return AppserviceUrl.redact(target.url)
  return target._tag === "Other" ? `with the scheme ${target.scheme}` : undefined
}
