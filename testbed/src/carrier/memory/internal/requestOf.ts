/** A request as a server gets it. */
import { BodyError } from "@appservice-ping/server/Exchange"
import { Effect } from "effect"
import { transactionIdOf } from "../../../play/transactionIdOf.ts"
import type { Arrived } from "./Connection.ts"

export const requestOf = (
  url: URL,
  method: string,
  headers: { readonly [name: string]: string | undefined },
  body: Uint8Array,
  keepAlive: boolean
): Arrived => {
  const connection = headers["connection"] ?? (keepAlive ? "keep-alive" : "close")
  return {
    path: url.pathname,
    transactionId: transactionIdOf(body),
    keepsAlive: !/(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(connection),
    request: {
      method,
      target: url.pathname + url.search,
      header: (name) => {
        switch (name) {
          case "host":
            return headers[name] ?? url.host
          case "connection":
            return connection
          case "content-length":
            return String(body.length)
          default:
            return headers[name]
        }
      },
      body: (maxBytes) =>
        body.length > maxBytes ? Effect.fail(new BodyError({ reason: "TooLarge" })) : Effect.succeed(body)
    }
  }
}
