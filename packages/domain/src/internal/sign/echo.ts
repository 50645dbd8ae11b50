/** Takes out of a text what a peer only repeats: an id, a host, a port or a URL may hold any of the words that are read. */
import * as AppserviceUrl from "../../AppserviceUrl.ts"

/** What we know that a peer may repeat. */
export interface Known {
  readonly id?: string | undefined
  readonly urls: ReadonlyArray<string | null | undefined>
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)

const word = (text: string, flags: string): RegExp => new RegExp(`(?<![\\w-])${escaped(text)}(?![\\w-])`, flags)

/** The longest id, host and URL that is looked for; a longer one is in nobody's text. */
const maxLength = 512

const withoutUrls = (text: string): string =>
  text.replaceAll("<redacted>", "").replaceAll(/\b[a-z][a-z0-9+.-]{0,15}:\/{1,3}[^\s)"'<>\]}]*/gi, "").replaceAll(
    /\/_matrix\/[^\s)"'<>\]}]*/gi,
    ""
  )

/** Where a name is quoted behind what it names, it is a name, known or not. */
const withoutNames = (text: string): string =>
  text.replaceAll(
    /\b((?:app(?:lication)?[ _-]?service|bridge|service|bot)(?:[ _]id)?[\s=:]{1,3})(["'`])[^"'`]{0,512}\2/gi,
    "$1"
  )
    .replaceAll(
      /\b(lookup(?: for| of)?:? )(?!(?:address|error|failed|for|of|timed)\b)[\w.-]+(?: on \[?[\w.:]+)?/gi,
      "$1"
    )

/** An id of letters alone can be one of the words that are read, so it only counts where it is quoted. */
const isWord = (id: string): boolean => /^[a-z]+$/i.test(id)

const withoutId = (text: string, id: string | undefined): string => {
  if (id === undefined || id === "" || id.length > maxLength) return text
  const quoted = text.replaceAll(new RegExp(`(["'\`])${escaped(id)}\\1`, "g"), "")
  return isWord(id)
    ? quoted.replaceAll(
      new RegExp(
        `\\b((?:app(?:lication)?[ _-]?service|bridge|bot)(?:[ _]id)?\\s?[=:]?\\s?)${escaped(id)}(?![\\w-])`,
        "gi"
      ),
      "$1"
    )
    : quoted.replaceAll(word(id, "g"), "")
}

const withoutPlace = (text: string, url: URL): string => {
  const host = AppserviceUrl.hostOf(url)
  if (host === "" || host.length > maxLength) return text
  const port = AppserviceUrl.portOf(url)
  return text.replaceAll(word(host, "gi"), "").replaceAll(new RegExp(`(?:(?<=[:\\]])|port )${port}(?!\\d)`, "gi"), "")
}

/** The text without what it only repeats. */
export const withoutEchoes = (text: string, { id, urls }: Known): string =>
  urls.reduce((left: string, url) => {
    const parsed = url === null || url === undefined ? null : URL.parse(url)
    return parsed === null ? left : withoutPlace(left, parsed)
  }, withoutNames(withoutId(withoutUrls(text), id)))
