/**
 * The yardstick: both sides of the ping written by hand on `node:http`, with the same checks, bounds and answers as the
 * handlers they are compared with, and nothing else.
 */
import { timingSafeEqual } from "node:crypto"
import * as http from "node:http"
import { performance } from "node:perf_hooks"
import type { Fixture } from "./fixture.ts"

const requestBytesMax = 1024 * 1024
const answerBytesMax = 64 * 1024
const deadlineMillis = 30_000

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization"
}

const answer = (response: http.ServerResponse, status: number, headers: object, value: unknown): void => {
  const body = JSON.stringify(value)
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers
  })
  response.end(body)
}

const isToken = (header: string | undefined, token: Buffer): boolean => {
  const [scheme, value] = (header ?? "").split(" ", 2)
  const bytes = Buffer.from(value ?? "")
  return scheme?.toLowerCase() === "bearer" && bytes.length === token.length && timingSafeEqual(bytes, token)
}

const readBody = (stream: http.IncomingMessage, max: number, done: (body: Buffer | undefined) => void): void => {
  const chunks: Array<Buffer> = []
  let length = 0
  stream.on("data", (chunk: Buffer) => {
    length += chunk.length
    if (length > max) done(undefined)
    else chunks.push(chunk)
  })
  stream.on("end", () => done(Buffer.concat(chunks)))
  stream.on("error", () => done(undefined))
}

const parse = (body: Buffer): { readonly transaction_id?: string } | undefined => {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"))
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
    if ("transaction_id" in value && typeof value.transaction_id !== "string") return undefined
    return value
  } catch {
    return undefined
  }
}

/** The homeserver's side. */
export const homeserver = (fixture: Fixture): http.Server => {
  const token = Buffer.from(fixture.asToken)
  const path = `/_matrix/client/v1/appservice/${encodeURIComponent(fixture.id)}/ping`
  return http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://bench")
    if (pathname !== path) return answer(response, 404, cors, { errcode: "M_UNRECOGNIZED", error: "Unrecognized" })
    if (request.method !== "POST") return answer(response, 405, cors, { errcode: "M_UNRECOGNIZED", error: "Method" })
    if (!isToken(request.headers.authorization, token)) {
      return answer(response, 401, cors, { errcode: "M_UNKNOWN_TOKEN", error: "Unknown token" })
    }
    readBody(request, requestBytesMax, (body) => {
      const ping = body === undefined ? undefined : parse(body)
      if (ping === undefined) return answer(response, 400, cors, { errcode: "M_NOT_JSON", error: "Not JSON" })
      const payload = JSON.stringify(ping)
      const start = performance.now()
      const outgoing = http.request(fixture.appserviceUrl, {
        agent: false,
        method: "POST",
        headers: {
          authorization: `Bearer ${fixture.hsToken}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(payload),
          connection: "close"
        }
      })
      const deadline = setTimeout(() => outgoing.destroy(new Error("deadline")), deadlineMillis)
      outgoing.on("error", () => {
        clearTimeout(deadline)
        if (!response.headersSent) {
          answer(response, 502, cors, { errcode: "M_CONNECTION_FAILED", error: "Connection failed" })
        }
      })
      outgoing.on("response", (incoming) => {
        readBody(incoming, answerBytesMax, () => {
          clearTimeout(deadline)
          answer(response, 200, cors, { duration_ms: Math.round(performance.now() - start) })
        })
      })
      outgoing.end(payload)
    })
  })
}

/** The appservice's side. */
export const appservice = (fixture: Fixture): http.Server => {
  const token = Buffer.from(fixture.hsToken)
  return http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://bench")
    if (pathname !== "/_matrix/app/v1/ping") {
      return answer(response, 404, {}, { errcode: "M_UNRECOGNIZED", error: "Unrecognized" })
    }
    if (request.method !== "POST") return answer(response, 405, {}, { errcode: "M_UNRECOGNIZED", error: "Method" })
    if (!isToken(request.headers.authorization, token)) {
      return answer(response, 403, {}, { errcode: "M_FORBIDDEN", error: "Wrong token" })
    }
    readBody(request, requestBytesMax, (body) => {
      const ping = body === undefined ? undefined : parse(body)
      if (ping === undefined) return answer(response, 400, {}, { errcode: "M_NOT_JSON", error: "Not JSON" })
      answer(response, 200, {}, {})
    })
  })
}
