/** Cuts what a stranger sent, so that neither the journal nor a counter keeps it whole. */
import { createHash } from "node:crypto"

const copy = (text: string): string => Buffer.from(text, "utf16le").toString("utf16le")

/**
 * The text, or its start and how long it was. Both are copies: a path is a slice of its head, and would keep all of that
 * in memory.
 */
export const shortened = (text: string, maxBytes: number): string => {
  // A unit of a text has no more than three bytes.
  if (text.length * 3 <= maxBytes) return copy(text)
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return copy(text)
  const start = bytes.subarray(0, maxBytes).toString().replace(/\uFFFD+$/, "")
  return `${start}… (${bytes.length} bytes)`
}

/** A key that is different for different texts, and short for long ones. */
export const keyOf = (text: string, maxBytes: number): string =>
  text.length <= maxBytes ? text : createHash("sha256").update(Buffer.from(text, "utf16le")).digest("base64")
