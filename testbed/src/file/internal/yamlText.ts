/** Writes plain data as YAML that every YAML 1.2 parser reads alike: strings in quotes unless they are plain words. */

const indentation = "  "

/** A plain word that no version of YAML takes for a number, a boolean, null or a date. */
const isPlain = (text: string): boolean =>
  /^[A-Za-z][\w-]{0,80}$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n|\.nan|\.inf)$/i.test(text)

/** Long text is folded, because readers bound the length of a line. */
const foldAt = 1000

const quoted = (text: string, indent: string): string => {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
  const pieces = escaped.match(new RegExp(`(?:\\\\u.{4}|\\\\.|[^\\\\]){1,${foldAt}}`, "g")) ?? [""]
  // A break that is escaped is no part of the text; an escaped space keeps one at the start of a line.
  return `"${
    pieces.map((piece, index) => index > 0 && piece.startsWith(" ") ? `\\${piece}` : piece).join(`\\\n${indent}`)
  }"`
}

const scalar = (value: unknown, indent: string): string =>
  typeof value === "string" ? (isPlain(value) ? value : quoted(value, indent)) : JSON.stringify(value)

const isScalar = (value: unknown): boolean => typeof value !== "object" || value === null

const key = (name: string): string => isPlain(name) ? name : quoted(name, indentation)

const entries = (value: object): ReadonlyArray<readonly [string, unknown]> => Object.entries(value)

const flow = (values: ReadonlyArray<unknown>): string | undefined => {
  const text = `[${values.map((value) => scalar(value, "")).join(", ")}]`
  return values.every(isScalar) && text.length <= 80 ? text : undefined
}

const block = (value: unknown, indent: string): string => {
  if (Array.isArray(value)) {
    return value.map((item) => {
      const inner = after(item, indent + indentation)
      // The first field of a mapping stands beside the dash.
      return `${indent}-${inner.startsWith("\n") ? ` ${inner.trimStart()}` : inner}`
    }).join("\n")
  }
  return entries(value === null || typeof value !== "object" ? {} : value)
    .map(([name, member]) => `${indent}${key(name)}:${after(member, indent + indentation)}`)
    .join("\n")
}

/** What stands after a key or a dash: on the same line, or indented below. */
const after = (value: unknown, indent: string): string => {
  if (Array.isArray(value)) {
    const line = flow(value)
    return line === undefined ? `\n${block(value, indent)}` : ` ${line}`
  }
  if (isScalar(value) || typeof value !== "object" || value === null) return ` ${scalar(value, indent)}`
  return entries(value).length === 0 ? " {}" : `\n${block(value, indent)}`
}

export const toYamlText = (value: object): string => entries(value).length === 0 ? "{}\n" : `${block(value, "")}\n`
