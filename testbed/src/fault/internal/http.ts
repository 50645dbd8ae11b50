/** The answers that the testbed writes itself. */
import { Bytes } from "effect"
import type { Leg } from "../../step/Leg.ts"

const encoder = new TextEncoder()

export interface Head {
  readonly [name: string]: string
}

export const head = (status: number, headers: Head, version = "HTTP/1.1"): string =>
  [`${version} ${status} `, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n")

export const jsonHead: Head = { "Content-Type": "application/json", Connection: "close" }

const isBodiless = (status: number): boolean => status === 204 || status === 304

/** A whole answer, with the framing that only the testbed writes. */
export const answer = (status: number, headers: Head, body: string | Uint8Array): Uint8Array => {
  const bytes = typeof body === "string" ? encoder.encode(body) : body
  return isBodiless(status)
    ? encoder.encode(head(status, { ...headers, Connection: "close" }))
    : Bytes.concat([
      encoder.encode(head(status, { ...headers, "Content-Length": String(bytes.length), Connection: "close" })),
      bytes
    ])
}

/** The body of a ping that went well. */
export const goodBody = (leg: Leg): string => leg === "to_homeserver" ? "{\"duration_ms\":5}" : "{}"
