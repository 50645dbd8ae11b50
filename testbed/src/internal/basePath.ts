/** Serves a handler under the path of a registration's `url` (A8). */
import type { Handler } from "@appservice-ping/server/Exchange"

/** Requests under the path lose it; to the handler, all others are for an endpoint it does not know. */
export const under = (url: URL, handle: Handler): Handler => {
  const base = url.pathname.replace(/\/+$/, "")
  return base === "" ?
    handle :
    (request) =>
      handle({ ...request, target: request.target.startsWith(`${base}/`) ? request.target.slice(base.length) : "/" })
}
