/** Distinguishes requests of programs on this machine from those that a web page could send. */
import type { Refused } from "../ControlApi.ts"

const loopbackName = /^(?:localhost|[\w-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i

/** The host without its port. */
const hostOf = (header: string): string => header.replace(/:\d*$/, "").toLowerCase()

/**
 * The header for which a request is refused.
 *
 * `Sec-Fetch-Mode` alone is let through: Node's `fetch` sends it, and browsers send `Sec-Fetch-Site` beside it. A name
 * that is not this machine's own may have been made to lead here by the owner of the name (DNS rebinding).
 */
export const refusedFor = (
  headers: { readonly [name: string]: string | undefined },
  allowedHosts: ReadonlyArray<string>
): Refused["header"] | undefined => {
  if (headers["origin"] !== undefined) return "Origin"
  if (headers["sec-fetch-site"] !== undefined) return "Sec-Fetch-Site"
  if (headers["sec-fetch-dest"] !== undefined) return "Sec-Fetch-Dest"
  if (headers["sec-fetch-user"] !== undefined) return "Sec-Fetch-User"
  const host = hostOf(headers["host"] ?? "")
  return loopbackName.test(host) || allowedHosts.some((allowed) => hostOf(allowed) === host) ? undefined : "Host"
}
