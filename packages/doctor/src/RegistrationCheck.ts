/**
 * Finds oddities of a registration, and the fields in which two copies of it differ; pure, and without tokens.
 *
 * @since 0.1.0
 */
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import { type Registration, targetOf, urlOf } from "@appservice-ping/domain/Registration"
import * as RegistrationWarning from "@appservice-ping/domain/RegistrationWarning"
import * as Token from "@appservice-ping/domain/Token"
import type { CopiedField, Oddity } from "./Evidence.ts"

const wildcardHosts: ReadonlySet<string> = new Set(["0.0.0.0", "[::]"])

const place = (url: URL): string => `${url.origin}${url.pathname.replace(/\/+$/, "")}`

const urlOddities = (target: AppserviceUrl.Target, homeserver: URL): ReadonlyArray<Oddity> => {
  if (target._tag === "Other") return [{ _tag: "UrlIsOther", scheme: target.scheme }]
  if (target._tag !== "Http") return [{ _tag: "UrlNotSet" }]
  const { url } = target
  const host = url.hostname
  const odd: Array<Oddity> = []
  if (wildcardHosts.has(host)) odd.push({ _tag: "UrlIsWildcard", host })
  if (place(url) === place(homeserver)) odd.push({ _tag: "UrlIsHomeserver" })
  if (/\/_matrix(?:\/|$)/.test(url.pathname)) odd.push({ _tag: "UrlHasMatrixPath" })
  return odd
}

/** What the oddities above do not say yet. */
const warnings = (registration: Registration, text: RegistrationWarning.Text | undefined): ReadonlyArray<Oddity> =>
  RegistrationWarning.of(registration, text).flatMap((warning): ReadonlyArray<Oddity> => {
    const isSaid = warning.field === "as_token" || warning.field === "hs_token" ||
      (warning.field === "url" && targetOf(registration)._tag === "Other")
    return isSaid ? [] : [{ _tag: "Warning", warning }]
  })

/**
 * Finds what is odd about a registration, in the order in which a person should read it.
 *
 * @category checks
 * @since 0.1.0
 */
export const oddities = (
  registration: Registration,
  context: {
    readonly homeserver: URL
    readonly worldReadable: boolean
    /** What is known of the registration's text. */
    readonly text?: RegistrationWarning.Text | undefined
  }
): ReadonlyArray<Oddity> => {
  const fields = ["as_token", "hs_token"] as const
  return [
    ...fields.filter((field) => RegistrationWarning.isPlaceholder(registration[field])).map((field): Oddity => ({
      _tag: "PlaceholderToken",
      field
    })),
    ...Token.equals(registration.as_token, registration.hs_token) ? [{ _tag: "SameTokens" } as const] : [],
    ...urlOddities(targetOf(registration), context.homeserver),
    ...warnings(registration, context.text),
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
    case "Warning":
      return RegistrationWarning.explain(oddity.warning).replace(/\.$/, "")
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
