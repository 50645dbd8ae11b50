/** What the homeservers in Rust have in common, which are of one family. */
import { Result } from "effect"
import type { HomeserverPeer, Redirects } from "../HomeserverPeer.ts"

export const originOnly = { "access-control-allow-origin": "*" } as const

/** reqwest follows redirects as browsers do, and gives the next server the whole URL. */
export const redirects = (maxHops: number): Redirects => ({
  asGet: [301, 302, 303],
  asPost: [307, 308],
  refused: [],
  maxHops,
  referer: true,
  withoutLocation: "answer"
})

export const inRust = {
  preflight: {
    status: 200,
    headers: {
      ...originOnly,
      "access-control-allow-methods": "GET,HEAD,PATCH,POST,PUT,DELETE,OPTIONS",
      "access-control-allow-headers": "origin,x-requested-with,content-type,accept,authorization"
    },
    body: ""
  },
  hasUnstablePath: true,
  checks: ["body", "id", "url"],
  outgoingBody: (transactionId) =>
    Result.succeed(JSON.stringify(transactionId === undefined ? {} : { transaction_id: transactionId })),
  outgoingToken: "header and query"
} as const satisfies Partial<HomeserverPeer>
