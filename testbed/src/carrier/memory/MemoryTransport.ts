/**
 * The homeserver's call to an appservice in the same process: `NodeTransport` on a memory network.
 *
 * @since 0.1.0
 */
import { fromUnknown } from "@appservice-ping/domain/ConnectionFailure"
import type { Connect } from "@appservice-ping/node/Connect"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import { type OutgoingRequest, OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import { Effect } from "effect"
import * as Certificates from "../tls/Certificates.ts"
import { carry, type MemoryNetwork } from "./MemoryNetwork.ts"

/**
 * Options of the transport.
 *
 * @category options
 * @since 0.1.0
 */
export type MemoryTransportOptions = Pick<NodeTransport.NodeTransportOptions, "maxHeaderBytes" | "maxInformational">

const encoder = new TextEncoder()

/**
 * Makes the transport on a network. It trusts the certificates of the testbed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (network: MemoryNetwork, options: MemoryTransportOptions = {}): OutgoingTransport["Service"] => {
  const sendOver = (connect: Connect, request: OutgoingRequest) =>
    carry(request.url, NodeTransport.make({ ...options, ca: Certificates.ca, connect }).send(request))
  return OutgoingTransport.of({
    send: (request) => {
      if (options.maxHeaderBytes !== undefined) return sendOver(network.connect, request)
      const plain = { method: "POST", headers: request.headers, body: encoder.encode(request.body) }
      return Effect.flatMap(
        Effect.mapError(network.exchange(request.url, plain), fromUnknown),
        (exchanged) =>
          exchanged._tag === "Decided"
            ? sendOver(exchanged.connect, request)
            : Effect.succeed({
              status: exchanged.answer.status,
              body: encoder.encode(exchanged.answer.body).subarray(0, request.maxBodyBytes)
            })
      )
    }
  })
}
