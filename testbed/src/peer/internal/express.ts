/** What Express answers by itself, before and after the routes of a framework. */
import type { AppserviceReply, AppserviceRequest } from "../AppservicePeer.ts"
import { text } from "./appserviceReply.ts"
import * as Body from "./body.ts"

const escapes: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\"": "&quot;",
  "'": "&#39;"
}

const escaped = (html: string): string => html.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character)

/** Its last handler writes the lines and the indentation of a stack so. */
const inLines = (html: string): string => html.replaceAll("\n", "<br>").replaceAll("  ", " &nbsp;")

const page = (status: number, message: string): AppserviceReply =>
  text(
    status,
    "text/html; charset=utf-8",
    `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n<pre>${
      inLines(escaped(message))
    }</pre>\n</body>\n</html>\n`
  )

/** A path without a route. */
export const cannot = ({ method, path }: AppserviceRequest): AppserviceReply => page(404, `Cannot ${method} ${path}`)

const problemOf = (body: string): string | undefined => {
  const first = body.trimStart()[0]
  if (first !== "{" && first !== "[") return `Unexpected token '${first}', "${body}" is not valid JSON`
  try {
    JSON.parse(body)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : "Unexpected end of JSON input"
  }
}

/** The body as its parser of JSON has it, which comes before every route; only objects and arrays are JSON to it. */
export const parse = (
  { body, contentType }: AppserviceRequest
): { readonly value: unknown } | { readonly refused: AppserviceReply } => {
  if (body.length === 0 || !/^application\/json\b/i.test(contentType ?? "")) return { value: undefined }
  const content = Body.lossyTextOf(body)
  const problem = problemOf(content)
  return problem === undefined
    ? { value: JSON.parse(content) }
    : { refused: page(400, `SyntaxError: ${problem}\n    at JSON.parse (<anonymous>)`) }
}
