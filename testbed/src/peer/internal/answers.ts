/** The answers that peers give, on either leg. */
import type { Answer } from "@appservice-ping/domain/Answer"

export const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body)
})

export const error = (status: number, errcode: string, error: string): Answer => json(status, { errcode, error })

export const text = (status: number, contentType: string, body: string): Answer => ({
  status,
  headers: { "content-type": contentType },
  body
})

export const withHeaders = (answer: Answer, headers: Answer["headers"]): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers }
})

/** The versions of the client-server API from before the spec had one number. */
export const legacyVersions: ReadonlyArray<string> = [
  "r0.0.1",
  "r0.1.0",
  "r0.2.0",
  "r0.3.0",
  "r0.4.0",
  "r0.5.0",
  "r0.6.0",
  "r0.6.1"
]

/** The stable versions of the spec from `v1.<from>` to `v1.<to>`. */
export const stableVersions = (from: number, to: number): ReadonlyArray<string> =>
  Array.from({ length: to - from + 1 }, (_, index) => `v1.${from + index}`)
