/**
 * The bytes of an answer that can be sent ({@link "server/Exchange"} says which can).
 *
 * @since 0.1.0
 */
import type { Answer } from "@appservice-ping/domain/Answer"
import { STATUS_CODES } from "node:http"

/**
 * Whether an answer with this status carries a body, and so a Content-Length.
 *
 * @category predicates
 * @since 0.1.0
 */
export const hasBody = (status: number): boolean => status >= 200 && status !== 204 && status !== 304

/**
 * The headers, name and value in turn, as `writeHead` takes them fastest.
 *
 * @category getters
 * @since 0.1.0
 */
export const headersOf = (answer: Answer): Array<string> => {
  const headers: Array<string> = []
  for (const name in answer.headers) {
    const value = answer.headers[name]
    if (value !== undefined) headers.push(name, value)
  }
  if (hasBody(answer.status)) headers.push("content-length", String(Buffer.byteLength(answer.body)))
  return headers
}

/**
 * The last answer on a connection as text, of an answer that can be sent.
 *
 * @category getters
 * @since 0.1.0
 */
export const lastAnswer = (answer: Answer, method: string | undefined): string => {
  const headers = headersOf({ ...answer, headers: { ...answer.headers, connection: "close" } })
  let head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ""}\r\n`
  for (let i = 0; i < headers.length; i += 2) {
    head += `${headers[i] ?? ""}: ${headers[i + 1] ?? ""}\r\n`
  }
  return `${head}\r\n${method === "HEAD" || !hasBody(answer.status) ? "" : answer.body}`
}
