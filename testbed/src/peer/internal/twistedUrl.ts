/** What Synapse's HTTP client says of a url that it cannot use. */

/** Why a url cannot be used; `undefined` if it can. */
export const urlProblem = (destination: string): string | undefined => {
  const [, scheme = "", authority = ""] = /^([a-z][a-z\d+.-]*):(?:\/\/([^/?#]*))?/i.exec(destination) ?? []
  if (scheme !== "http" && scheme !== "https") return `SchemeNotSupported: Unsupported scheme: b'${scheme}'`
  const at = authority.lastIndexOf("@")
  if (at !== -1) {
    const user = authority.slice(0, at).split(":", 1)[0] ?? ""
    return `ValueError: invalid hostname: ${user}:@${hostOf(authority.slice(at + 1))}`
  }
  if (authority.endsWith(":")) return `URLParseError: port must not be empty: '${authority}'`
  const host = hostOf(authority)
  if (/^[\d.]+$/.test(host)) return undefined
  const odd = [...host].findIndex((character) => !/[a-z\d.-]/i.test(character) && character <= "\u007f")
  if (odd !== -1) {
    const point = host.codePointAt(odd) ?? 0
    return `InvalidCodepoint: Codepoint U+${point.toString(16).toUpperCase().padStart(4, "0")} at position ${
      odd + 1
    } of '${host}' not allowed`
  }
  return host.split(".").some((label) => label.length > 63) ? "IDNAError: Label too long" : undefined
}

const hostOf = (authority: string): string => {
  const [, literal] = /^\[([^\]]*)\]/.exec(authority) ?? []
  return literal ?? authority.replace(/:\d*$/, "")
}
