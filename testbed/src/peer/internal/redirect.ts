/** What a homeserver's HTTP client makes of a redirect: pure. */
import type { Redirects } from "../HomeserverPeer.ts"
import type { Head } from "./http1.ts"
import type { PeerRequest } from "./peerRequest.ts"

export type Decision =
  /** It is an answer like any other. */
  | { readonly _tag: "Answer" }
  /** It is asked again, elsewhere. */
  | { readonly _tag: "Follow"; readonly request: PeerRequest }
  /** It is taken for a failure. */
  | { readonly _tag: "Refuse" }
  /** It leads nowhere, and is taken for a failure. */
  | { readonly _tag: "NoLocation" }

const answer: Decision = { _tag: "Answer" }
const refuse: Decision = { _tag: "Refuse" }
const noLocation: Decision = { _tag: "NoLocation" }

/** The URL that the next server is given, with its query string; a server without TLS is not given one with TLS. */
const refererOf = (from: URL, to: URL): string | undefined => {
  if (from.protocol === "https:" && to.protocol === "http:") return undefined
  const referer = new URL(from)
  referer.username = ""
  referer.password = ""
  referer.hash = ""
  return referer.href
}

const without = (headers: PeerRequest["headers"], ...names: ReadonlyArray<string>): PeerRequest["headers"] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))

const next = (redirects: Redirects, request: PeerRequest, url: URL, isGet: boolean): PeerRequest => {
  const referer = redirects.referer ? refererOf(request.url, url) : undefined
  const dropped = [
    "referer",
    ...url.origin === request.url.origin ? [] : ["authorization"],
    ...isGet ? ["content-type"] : []
  ]
  return {
    method: isGet ? "GET" : request.method,
    url,
    headers: { ...without(request.headers, ...dropped), ...referer === undefined ? {} : { referer } },
    body: isGet ? "" : request.body
  }
}

/** Decides about an answer to a request. */
export const decide = (
  redirects: Redirects,
  request: PeerRequest,
  { headers, status }: Pick<Head, "headers" | "status">
): Decision => {
  const isGet = redirects.asGet.includes(status)
  const isRefused = redirects.refused.includes(status)
  if (!isGet && !isRefused && !redirects.asPost.includes(status)) return answer
  // A GET, which only an earlier redirect can have made of it, may be redirected by all of them.
  if (isRefused && request.method === "POST") return refuse
  const location = headers["location"]
  const url = location === undefined ? null : URL.parse(location, request.url)
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return redirects.withoutLocation === "answer" ? answer : noLocation
  }
  return { _tag: "Follow", request: next(redirects, request, url, isGet) }
}
