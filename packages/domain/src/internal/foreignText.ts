/** What is kept of a text that someone else wrote: no secret, and not more of it than anybody reads. */
import type { Redacted } from "effect"
import * as Token from "../Token.ts"

/** How much is kept of a foreign text, in characters, where the caller does not say. */
export const maxLengthDefault = 2048

/** So much more is searched than is kept, because a secret that the cut goes through must be found as a whole. */
const margin = 16 * 1024

/** Cuts a text, but not a character in two. */
export const cut = (text: string, maxLength: number): string =>
  text.length <= maxLength ? text : text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, "")

const bound = (maxLength: number | undefined): number =>
  maxLength !== undefined && Number.isFinite(maxLength) && maxLength >= 0 ? Math.floor(maxLength) : maxLengthDefault

/** Takes the secrets out of a foreign text, and cuts it. */
export const read = (
  text: string,
  options: {
    readonly tokens?: ReadonlyArray<Redacted.Redacted> | undefined
    readonly maxTextLength?: number | undefined
  }
): string => {
  const maxLength = bound(options.maxTextLength)
  return cut(Token.scrub(cut(text, maxLength + margin), options.tokens ?? []), maxLength)
}
