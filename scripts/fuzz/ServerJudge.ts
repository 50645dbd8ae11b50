/** Judges what a server answered to an input. */
import { tokens } from "./Corpus.ts"
import type { Observed } from "./Exchange.ts"
import type { Finding, FindingKind } from "./Finding.ts"
import { type Answers, type HttpAnswer, parse } from "./HttpAnswers.ts"
import type { Parsed, ParsedRequest } from "./Reference.ts"

/** Status and errcode; what the mounts have to agree on. */
export interface Said {
  readonly status: number
  readonly errcode: string | undefined
}

/** What is known of a mount. */
export interface Traits {
  readonly name: string
  /** Whether it answers for itself what the parser refuses; an app of another server leaves that to the server. */
  readonly ownsParser: boolean
  /** Whether it answers what is not under `/_matrix`. */
  readonly ownsAllPaths: boolean
}

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const saidOf = ({ body, status }: Pick<HttpAnswer, "body" | "status">): Said => {
  const json = parseJson(body)
  return { status, errcode: isObject(json) && typeof json["errcode"] === "string" ? json["errcode"] : undefined }
}

/** A registration that came before is refused the second time, and which came first is chance. */
const normal = ({ errcode, status }: Said): string =>
  errcode === "M_USER_IN_USE" ? "200" : `${status} ${errcode ?? ""}`.trim()

/** What `node:http` answers itself, with no body, before an app hears of it. */
const isNodes = ({ body, status }: HttpAnswer): boolean =>
  body === "" && [400, 408, 411, 413, 417, 431].includes(status)

const problemOf = ({ body, headers, status }: HttpAnswer, isHead: boolean): string | undefined => {
  if (status === 204) return body === "" ? undefined : "a 204 with a body"
  if (isHead) return undefined
  const json = parseJson(body)
  if (headers.get("content-type") !== "application/json" || !isObject(json)) {
    return `no JSON object: ${body.slice(0, 80)}`
  }
  if (status < 400) return undefined
  return typeof json["errcode"] === "string" && typeof json["error"] === "string" && json["error"] !== ""
    ? undefined
    : `no errcode and error: ${body.slice(0, 80)}`
}

/** The secrets that a text holds, as they are and percent-encoded. */
export const secretsIn = (text: string): ReadonlyArray<string> =>
  Object.entries(tokens).flatMap(([name, token]) =>
    text.includes(token) || text.includes(encodeURIComponent(token)) ? [name] : []
  )

/**
 * Tells whether every mount has to give the answer that the handler gives: the listener refuses what a proxy in front
 * may have read in another way.
 */
export const isPlain = ({ headers, version }: ParsedRequest): boolean => {
  const { expect, host, "transfer-encoding": transferEncoding, upgrade } = headers
  if (version !== "1.1" && version !== "1.0") return false
  if (host === undefined ? version === "1.1" : host.includes(",")) return false
  if (expect !== undefined || upgrade !== undefined) return false
  return transferEncoding === undefined || (version === "1.1" && transferEncoding.toLowerCase() === "chunked")
}

const isUnderMatrix = ({ target }: ParsedRequest): boolean => /^\/_matrix(?:\/|\?|$)/.test(target)

/** Reads the answers to requests; a server may have read a HEAD where the parser refused what came. */
const readAnswers = (
  bytes: Uint8Array,
  { requests }: Parsed
): Answers & { readonly methods: ReadonlyArray<string> } => {
  const methods = requests.map(({ method, version }) => version.startsWith("1.") ? method : "")
  const read = parse(bytes, methods)
  // What a wrong length cuts off is none of the next answer.
  if (read.problem === undefined && read.answers.every(({ body }) => !body.startsWith("HTTP/1.1 "))) {
    return { ...read, methods }
  }
  const otherMethods = [...methods, "HEAD"]
  const other = parse(bytes, otherMethods)
  return other.problem === undefined ? { ...other, methods: otherMethods } : { ...read, methods }
}

/** Judges one connection; `expected` is what the handler says to the first request. */
export const judge = (
  mount: Traits,
  observed: Observed,
  parsed: Parsed,
  expected: Said | undefined
): ReadonlyArray<Finding> => {
  const found: Array<Finding> = []
  const add = (kind: FindingKind, text: string): void => {
    found.push({ kind, where: mount.name, text })
  }
  const [first] = parsed.requests
  const { answers, methods, problem } = readAnswers(observed.bytes, parsed)
  if (!observed.isClosed) add("hang", `the connection is open after ${observed.millis.toFixed(0)} ms`)
  if (problem !== undefined) add("framing", problem)
  for (const secret of secretsIn(Buffer.from(observed.bytes).toString("utf8"))) {
    add("secret", `the ${secret} in an answer`)
  }
  for (const [index, answer] of answers.entries()) {
    const request = parsed.requests[index]
    if (answer.status >= 500) add("server error", `${answer.status} ${answer.body.slice(0, 80)}`)
    if (!answer.isWhole) continue
    if (!mount.ownsParser && isNodes(answer)) continue
    if (!mount.ownsAllPaths && answer.status === 404 && (request === undefined || !isUnderMatrix(request))) continue
    const form = problemOf(answer, methods[index] === "HEAD" || request?.method === "HEAD")
    if (form !== undefined) add("form", `${answer.status}: ${form}`)
  }
  if (first === undefined) return found
  const [answer] = answers
  if (answer === undefined) {
    if (problem === undefined && mount.ownsParser) {
      add("unanswered", `no answer to ${first.method} ${first.target.slice(0, 80)}`)
    }
    return found
  }
  if (!mount.ownsParser && isNodes(answer)) return found
  if (expected === undefined || !isPlain(first) || (!mount.ownsAllPaths && !isUnderMatrix(first))) return found
  const said = first.method === "HEAD" ? { status: answer.status, errcode: expected.errcode } : saidOf(answer)
  // A reader of its own may refuse what Node's parser lets through, such as two spaces in the request line.
  if (!mount.ownsParser && said.status === 400 && said.errcode === "M_UNRECOGNIZED") return found
  if (normal(said) !== normal(expected)) {
    add("disagreement", `${normal(said)}, where the handler says ${normal(expected)}`)
  }
  return found
}

/** Judges what a mount made of the answer of a handler, which is a valid one of this status, or any other and a 500. */
export const judgeMounted = (where: string, observed: Observed, status: number): ReadonlyArray<Finding> => {
  const { answers, problem } = parse(observed.bytes, [])
  const [answer] = answers
  const found: Array<Finding> = []
  if (!observed.isClosed) found.push({ kind: "hang", where, text: "the connection is open" })
  if (problem !== undefined) found.push({ kind: "framing", where, text: problem })
  else if (answer === undefined) found.push({ kind: "unanswered", where, text: "no answer" })
  else if (answers.length > 1 || !answer.isWhole) found.push({ kind: "framing", where, text: "not one whole answer" })
  else if (answer.status !== status) {
    found.push({ kind: "disagreement", where, text: `${answer.status}, where ${status} is right` })
  }
  return found
}
