/** Reads what a server sent on a connection, as strictly as a server has to write it. */

/** One final answer. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** Whether it came in full. */
  readonly isWhole: boolean
}

/** The answers of a connection; `problem` says what is no HTTP in them. */
export interface Answers {
  readonly answers: ReadonlyArray<HttpAnswer>
  readonly problem: string | undefined
}

const statusLine = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e\x80-\xff]*$/

const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/

/** Headers that, if they came twice, would leave it to the reader where an answer ends. */
const once = new Set(["content-length", "transfer-encoding", "content-type", "connection"])

type Head = { readonly status: number; readonly headers: ReadonlyMap<string, string> } | { readonly problem: string }

const readHead = (head: string): Head => {
  const [first = "", ...lines] = head.split("\r\n")
  const status = Number(statusLine.exec(first)?.[1])
  if (!(status >= 100 && status <= 599)) return { problem: `a status line that is none: ${JSON.stringify(first)}` }
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name = "", value = ""] = field.exec(line) ?? []
    if (name === "") return { problem: `a header that is none: ${JSON.stringify(line)}` }
    const key = name.toLowerCase()
    if (headers.has(key) && once.has(key)) return { problem: `two headers ${key}` }
    headers.set(key, value)
  }
  if (headers.has("content-length") && headers.has("transfer-encoding")) {
    return { problem: "both Content-Length and Transfer-Encoding" }
  }
  return { status, headers }
}

interface Body {
  readonly body: string
  readonly end: number
  readonly isWhole: boolean
}

const readChunks = (text: string, start: number): Body | { readonly problem: string } => {
  let body = ""
  let at = start
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at)
    if (lineEnd === -1) return { body, end: text.length, isWhole: false }
    const size = text.slice(at, lineEnd)
    if (!/^[0-9a-f]{1,8}$/i.test(size)) return { problem: `a chunk size that is none: ${JSON.stringify(size)}` }
    const length = Number.parseInt(size, 16)
    const next = lineEnd + 2 + length
    if (text.length < next + 2) return { body: body + text.slice(lineEnd + 2, next), end: text.length, isWhole: false }
    if (text.slice(next, next + 2) !== "\r\n") return { problem: "a chunk that is longer than its size" }
    body += text.slice(lineEnd + 2, next)
    if (length === 0) return { body, end: next + 2, isWhole: true }
    at = next + 2
  }
}

const readBody = (head: Exclude<Head, { readonly problem: string }>, text: string, start: number, isHead: boolean) => {
  const { headers, status } = head
  if (isHead || status === 204 || status === 304) return { body: "", end: start, isWhole: true }
  if (headers.has("transfer-encoding")) return readChunks(text, start)
  const length = headers.get("content-length")
  // Without a length it ends with the connection.
  if (length === undefined) return { body: text.slice(start), end: text.length, isWhole: true }
  if (!/^\d{1,15}$/.test(length)) return { problem: `a Content-Length that is none: ${JSON.stringify(length)}` }
  const end = start + Number(length)
  return { body: text.slice(start, end), end: Math.min(end, text.length), isWhole: text.length >= end }
}

/**
 * Takes the bytes of a connection apart. `methods` are those of the requests, as far as they are known: the answer to
 * a HEAD has no body.
 */
export const parse = (bytes: Uint8Array, methods: ReadonlyArray<string>): Answers => {
  const text = Buffer.from(bytes).toString("latin1")
  const answers: Array<HttpAnswer> = []
  let at = 0
  while (at < text.length) {
    const headEnd = text.indexOf("\r\n\r\n", at)
    if (headEnd === -1) return { answers, problem: `no answer: ${JSON.stringify(text.slice(at, at + 60))}` }
    const head = readHead(text.slice(at, headEnd))
    if ("problem" in head) return { answers, problem: head.problem }
    at = headEnd + 4
    if (head.status < 200) {
      if (head.headers.has("content-length")) return { answers, problem: "an informational answer with a body" }
      continue
    }
    const body = readBody(head, text, at, methods[answers.length] === "HEAD")
    if ("problem" in body) return { answers, problem: body.problem }
    at = body.end
    answers.push({
      status: head.status,
      headers: head.headers,
      body: Buffer.from(body.body, "latin1").toString("utf8"),
      isWhole: body.isWhole
    })
  }
  return { answers, problem: undefined }
}
