/** Resolves a name to its one address. */
import { ListenError } from "@appservice-ping/node/NodeListener"
import { Effect } from "effect"
import { lookup } from "node:dns"
import * as Net from "node:net"

const notFound = { code: "ENOTFOUND" }

/** An address is itself. A name may have several addresses, and the ports of a proxy have to be on one of them. */
export const addressOf = (host: string, port: number): Effect.Effect<string, ListenError> =>
  Net.isIP(host) !== 0 ? Effect.succeed(host) : Effect.callback((resume) => {
    if (host === "") return resume(Effect.fail(ListenError.fromUnknown(host, port, notFound)))
    lookup(host, (error, address) => {
      resume(
        error === null && Net.isIP(address) !== 0
          ? Effect.succeed(address)
          : Effect.fail(ListenError.fromUnknown(host, port, error ?? notFound))
      )
    })
  })
