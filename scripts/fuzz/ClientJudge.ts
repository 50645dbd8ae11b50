/** Judges what a client made of an answer. */
import { Cause, Exit } from "effect"
import { inspect } from "node:util"
import { type Called, timeoutMillis } from "./Clients.ts"
import { tokens } from "./Corpus.ts"
import type { Finding, FindingKind } from "./Finding.ts"

/** How much later than its deadline a call may end, in milliseconds: other cases run beside it. */
const slackMillis = 3000

/**
 * The most that an app could print of an error, in characters: a few foreign texts, each of them cut. A homeserver hands
 * the body of a bad status on, at most 64 KiB of it (D4).
 */
const maxShownLength = (where: string): number => (where.startsWith("Ping") ? 64 : 1024) * 1024

/** What the kernel holds between the two ends of a connection, and twice the largest body that a client reads. */
const maxReadBytes = 8 * 1024 * 1024

const tags = new Set(["HomeserverUnreachable", "NotHomeserver", "Undecided", "OtherErrcode"])

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string" ? error._tag : ""

const isTyped = (error: unknown): boolean => tags.has(tagOf(error)) || /^M_[A-Z_]+$/.test(tagOf(error))

const decoders: ReadonlyArray<(text: string) => string> = [
  (text) => text,
  (text) => text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  (text) => text.replaceAll(/\\+u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  (text) => text.replaceAll(/\\+(["\\/])/g, "$1"),
  (text) =>
    text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot));/gi, (_, hex, decimal, name) => {
      if (name !== undefined) return { amp: "&", lt: "<", gt: ">", quot: "\"" }[String(name).toLowerCase()] ?? ""
      return String.fromCharCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
    })
]

const base64 = Object.entries(tokens).map(([name, token]) =>
  [name, Buffer.from(token).toString("base64").slice(0, Math.floor(token.length * 8 / 6))] as const
)

/** The tokens that a text holds in whole: as they are, encoded in one or two of the usual ways, or in base64. */
export const leaksIn = (text: string): ReadonlyArray<string> => {
  const decoded = decoders.flatMap((one) => decoders.map((other) => other(one(text))))
  return [
    ...Object.entries(tokens).flatMap(([name, token]) => decoded.some((form) => form.includes(token)) ? [name] : []),
    ...base64.flatMap(([name, token]) => text.includes(token) ? [`${name} in base64`] : [])
  ]
}

/** Everything that an app could print of an error. */
const shown = (error: unknown): string =>
  [
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: 8, maxStringLength: null, maxArrayLength: null }),
    error instanceof Error ? error.message : ""
  ].join("\n")

export const judge = (where: string, { exit, millis, readBytes }: Called): ReadonlyArray<Finding> => {
  const found: Array<Finding> = []
  const add = (kind: FindingKind, text: string): void => {
    found.push({ kind, where, text })
  }
  if (millis > timeoutMillis + slackMillis) add("hang", `the call ended after ${millis.toFixed(0)} ms`)
  if (readBytes > maxReadBytes) add("over-read", `${(readBytes / 1024 / 1024).toFixed(0)} MiB of an answer were read`)
  if (Exit.isSuccess(exit)) return found
  const error = Cause.squash(exit.cause)
  if (!Cause.hasFails(exit.cause) || !isTyped(error)) {
    add("untyped", inspect(error).slice(0, 200))
    return found
  }
  const text = shown(error)
  if (text.length > maxShownLength(where)) add("too large", `${tagOf(error)} has ${text.length} characters`)
  for (const leak of leaksIn(text)) add("secret", `the ${leak} in ${tagOf(error)}: ${text.slice(0, 200)}`)
  return found
}
