/** An answer as {@link "node/NodeListener"} writes it, byte for byte. */
import type { Answer } from "@appservice-ping/domain/Answer"
import { hasBody, headersOf, lastAnswer } from "@appservice-ping/node/AnswerBytes"
import { DateTime } from "effect"
import { STATUS_CODES } from "node:http"

/** An answer that is ready to be sent, in both forms: as bytes, and as what a client reads of them. */
export interface Rendered {
  readonly status: number
  readonly head: string
  /** Without the body where the request was a `HEAD` or the status has none. */
  readonly body: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  /** Whether another request can follow on the connection. */
  readonly keepsAlive: boolean
}

export interface RenderOptions {
  readonly method: string
  /** Whether the request allows another one on its connection. */
  readonly keepsAlive: boolean
  /** Milliseconds since 1970, for the `Date` header. */
  readonly now: number
}

let dateSecond = Number.NaN
let dateText = ""

/** The same text for a whole second, as servers do. */
const dateOf = (now: number): string => {
  const second = Math.floor(now / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = DateTime.toDateUtc(DateTime.makeUnsafe(second * 1000)).toUTCString()
  }
  return dateText
}

const renderLast = (answer: Answer, method: string): Rendered => {
  const text = lastAnswer(answer, method)
  const end = text.indexOf("\r\n\r\n") + 4
  const list = headersOf({ ...answer, headers: { ...answer.headers, connection: "close" } })
  return {
    status: answer.status,
    head: text.slice(0, end),
    body: text.slice(end),
    headers: Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i] ?? "", list[2 * i + 1] ?? ""] as const),
    keepsAlive: false
  }
}

export const render = (answer: Answer, options: RenderOptions): Rendered => {
  if (answer.headers["connection"] === "close") return renderLast(answer, options.method)
  const list = headersOf(answer)
  list.push("Date", dateOf(options.now), "Connection", options.keepsAlive ? "keep-alive" : "close")
  if (options.keepsAlive) list.push("Keep-Alive", "timeout=5")
  let head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? "unknown"}\r\n`
  const headers: Array<readonly [string, string]> = []
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] ?? ""
    const value = list[i + 1] ?? ""
    head += `${name}: ${value}\r\n`
    headers.push([name, value])
  }
  return {
    status: answer.status,
    head: `${head}\r\n`,
    body: options.method === "HEAD" || !hasBody(answer.status) ? "" : answer.body,
    headers,
    keepsAlive: options.keepsAlive
  }
}

const encoder = new TextEncoder()

/** The bytes of an answer, and where its body begins. */
export const toBytes = ({ body, head }: Rendered): { readonly bytes: Uint8Array; readonly headLength: number } => {
  const bodyBytes = encoder.encode(body)
  const bytes = new Uint8Array(head.length + bodyBytes.length)
  for (let i = 0; i < head.length; i++) bytes[i] = head.charCodeAt(i)
  bytes.set(bodyBytes, head.length)
  return { bytes, headLength: head.length }
}
