/** The answers that peers give, on either leg. */
import type { Answer } from "@appservice-ping/domain/Answer"

export const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body)
})

/** An answer that refuses a request. */
export const refusal = (
  { errcode, error, status }: { readonly status: number; readonly errcode: string; readonly error: string }
): Answer => json(status, { errcode, error })

export const text = (status: number, contentType: string, body: string): Answer => ({
  status,
  headers: { "content-type": contentType },
  body
})

export const withHeaders = (answer: Answer, headers: Answer["headers"]): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers }
})
