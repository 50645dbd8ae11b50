/** The URL under which this machine reaches a server that listens on an address. */

const hostOf = (host: string): string => {
  if (host === "0.0.0.0") return "127.0.0.1"
  if (host === "::") return "[::1]"
  return host.includes(":") ? `[${host}]` : host
}

export const listeningUrl = (host: string, port: number, isSecure = false): URL =>
  new URL(`${isSecure ? "https" : "http"}://${hostOf(host)}:${port}`)
