/** What Python says about bytes, texts and JSON; Synapse repeats it word by word. */
import { Result } from "effect"

/** Bytes as Python shows them, from a text of one character a byte. */
export const pythonBytes = (latin1: string): string => {
  const quote = latin1.includes("'") && !latin1.includes("\"") ? "\"" : "'"
  const escaped = [...latin1].map((character) => {
    const code = character.charCodeAt(0)
    if (character === "\\" || character === quote) return `\\${character}`
    if (character === "\n") return "\\n"
    if (character === "\r") return "\\r"
    if (character === "\t") return "\\t"
    return code < 32 || code > 126 ? `\\x${code.toString(16).padStart(2, "0")}` : character
  })
  return `b${quote}${escaped.join("")}${quote}`
}

/** Deeper than this its decoder of JSON gives up. */
const maxDepth = 990

const whitespace = /[ \t\n\r]*/y
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y
const literals = ["null", "true", "false"]
const constants = ["NaN", "Infinity", "-Infinity"]

class PythonJsonError {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const at = (problem: string, text: string, index: number): PythonJsonError => {
  const before = text.slice(0, index)
  const line = before.split("\n").length
  const column = index - before.lastIndexOf("\n")
  return new PythonJsonError(`JSONDecodeError: ${problem}: line ${line} column ${column} (char ${index})`)
}

const skip = (text: string, index: number): number => {
  whitespace.lastIndex = index
  return whitespace.test(text) ? whitespace.lastIndex : index
}

type Scanned = Result.Result<number, PythonJsonError>

const scanString = (text: string, begin: number): Scanned => {
  for (let index = begin + 1;; index++) {
    const character = text[index]
    if (character === undefined) return Result.fail(at("Unterminated string starting at", text, begin))
    if (character === "\"") return Result.succeed(index + 1)
    if (character < " ") return Result.fail(at("Invalid control character at", text, index))
    if (character !== "\\") continue
    const escape = text[index + 1]
    if (escape === undefined) return Result.fail(at("Unterminated string starting at", text, begin))
    if (escape === "u") {
      if (!/^[\da-f]{4}$/i.test(text.slice(index + 2, index + 6))) {
        return Result.fail(at("Invalid \\uXXXX escape", text, index + 1))
      }
      index += 5
    } else if ("\"\\/bfnrt".includes(escape)) index += 1
    else return Result.fail(at("Invalid \\escape", text, index))
  }
}

const scanItems = (text: string, begin: number, depth: number, isObject: boolean): Scanned => {
  const close = isObject ? "}" : "]"
  let index = skip(text, begin + 1)
  if (text[index] === close) return Result.succeed(index + 1)
  for (;;) {
    if (isObject) {
      if (text[index] !== "\"") {
        return Result.fail(at("Expecting property name enclosed in double quotes", text, index))
      }
      const key = scanString(text, index)
      if (Result.isFailure(key)) return key
      index = skip(text, key.success)
      if (text[index] !== ":") return Result.fail(at("Expecting ':' delimiter", text, index))
      index = skip(text, index + 1)
    }
    const value = scanValue(text, index, depth + 1)
    if (Result.isFailure(value)) return value
    index = skip(text, value.success)
    if (text[index] === close) return Result.succeed(index + 1)
    if (text[index] !== ",") return Result.fail(at("Expecting ',' delimiter", text, index))
    index = skip(text, index + 1)
  }
}

const scanValue = (text: string, index: number, depth: number): Scanned => {
  const character = text[index]
  if (character === "\"") return scanString(text, index)
  if (character === "{" || character === "[") {
    return depth > maxDepth
      ? Result.fail(
        new PythonJsonError(
          `RecursionError: maximum recursion depth exceeded while decoding a JSON ${
            character === "[" ? "array" : "object"
          } from a unicode string`
        )
      )
      : scanItems(text, index, depth, character === "{")
  }
  const literal = literals.find((word) => text.startsWith(word, index))
  if (literal !== undefined) return Result.succeed(index + literal.length)
  const constant = constants.find((word) => text.startsWith(word, index))
  if (constant !== undefined) {
    return Result.fail(new PythonJsonError(`ValueError: Invalid JSON value: '${constant}'`))
  }
  numberPattern.lastIndex = index
  return numberPattern.test(text)
    ? Result.succeed(numberPattern.lastIndex)
    : Result.fail(at("Expecting value", text, index))
}

const invalidUtf8 = (bytes: Uint8Array): string => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  for (let position = 0; position < bytes.length; position++) {
    for (const length of [1, 2, 3, 4]) {
      try {
        decoder.decode(bytes.subarray(position, position + length))
        position += length - 1
        break
      } catch {
        if (length < 4 && position + length < bytes.length) continue
        const byte = bytes[position]?.toString(16).padStart(2, "0")
        return `UnicodeDecodeError: 'utf-8' codec can't decode byte 0x${byte} in position ${position}: invalid start byte`
      }
    }
  }
  return "UnicodeDecodeError: 'utf-8' codec can't decode the body"
}

/** Why Python's strict decoder of JSON refuses a body; `undefined` if it takes it. */
export const jsonProblem = (bytes: Uint8Array): string | undefined => {
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return invalidUtf8(bytes)
  }
  const begin = skip(text, 0)
  const value = scanValue(text, begin, 1)
  if (Result.isFailure(value)) return value.failure.text
  const end = skip(text, value.success)
  return end === text.length ? undefined : at("Extra data", text, end).text
}

/** Why a text in this JSON cannot be sent as UTF-8; `undefined` if it can. */
export const unencodable = (text: unknown, json: string): string | undefined => {
  if (typeof text !== "string") return undefined
  const index = [...text].findIndex((character) => /^[\ud800-\udfff]$/.test(character))
  if (index === -1) return undefined
  const code = text.charCodeAt([...text].slice(0, index).join("").length).toString(16)
  const position = Array.from(json.slice(0, json.indexOf(`\\u${code}`))).length
  return `UnicodeEncodeError: 'utf-8' codec can't encode character '\\u${code}' in position ${position}: surrogates not allowed`
}
