/** An answer that a handler gives, whatever it is: a mount must make valid HTTP of it. */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import { Effect, Layer } from "effect"
import type { Input } from "./Corpus.ts"
import type { Services } from "./Mounts.ts"

/** Reads an answer of lines: the status as a number or as the text that it is, the headers, and the body. */
export const read = (bytes: Uint8Array): unknown => {
  const text = Buffer.from(bytes).toString("latin1")
  const headEnd = text.indexOf("\r\n\r\n")
  const [status = "", ...lines] = (headEnd === -1 ? text : text.slice(0, headEnd)).split("\r\n")
  if (status === "undefined") return undefined
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const colon = line.indexOf(":")
    headers[line.slice(0, Math.max(0, colon))] = line.slice(colon + 1).replace(/^ /, "")
  }
  return {
    status: status === "NaN" || !Number.isNaN(Number(status)) ? Number(status) : status,
    headers: { ...headers },
    body: headEnd === -1 ? "" : text.slice(headEnd + 4)
  }
}

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null

const name = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const value = /^[\t\x20-\x7e\x80-\xff]*$/

/** The status of a valid answer; `undefined` for one that no mount can send. */
export const statusOf = (answer: unknown): number | undefined => {
  if (!isObject(answer) || !isObject(answer["headers"]) || typeof answer["body"] !== "string") return undefined
  const { headers, status } = answer
  if (typeof status !== "number" || !Number.isInteger(status) || status < 200 || status > 599) return undefined
  return Object.entries(headers).every(([key, one]) => name.test(key) && typeof one === "string" && value.test(one))
    ? status
    : undefined
}

/** Answers that were agreed on, each for the header `x-fuzz` of its request. */
export const makeServices = (): { readonly services: Services; readonly agreed: Map<string, Input> } => {
  const agreed = new Map<string, Input>()
  const handle: Handler = (request) => {
    const { bytes } = agreed.get(request.header("x-fuzz") ?? "") ?? { bytes: Buffer.from("204\r\n") }
    const first = Buffer.from(bytes.subarray(0, 16)).toString("latin1").split("\r\n")[0] ?? ""
    if (first === "throw") throw new Error("the handler threw")
    if (first === "die") return Effect.die(new Error("the handler died"))
    // A handler in JavaScript may give what it likes.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return Effect.sync(() => read(bytes) as Answer)
  }
  return {
    agreed,
    services: {
      homeserver: Layer.succeed(Homeserver.Homeserver, { handle }),
      appservice: Layer.succeed(Appservice.Appservice, { handle })
    }
  }
}
