/**
 * The URL under which this machine reaches a server that listens on an address.
 *
 * @since 0.1.0
 */

const hostOf = (host: string): string => {
  if (host === "0.0.0.0") return "127.0.0.1"
  if (host === "::") return "[::1]"
  return host.includes(":") ? `[${host}]` : host
}

/**
 * Makes the URL; a server that listens on every address is reached over loopback.
 *
 * @category constructors
 * @since 0.1.0
 */
export const listeningUrl = (host: string, port: number, isSecure = false): URL =>
  new URL(`${isSecure ? "https" : "http"}://${hostOf(host)}:${port}`)
