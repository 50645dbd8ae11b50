/** What a homeserver takes from a client's ping, and what it sends on to the appservice: pure. */
import type { Registration } from "@appservice-ping/domain/Registration"
import { Redacted, Result } from "effect"
import type { HomeserverPeer, Refusal } from "../HomeserverPeer.ts"
import type { PeerRequest } from "../PeerTransport.ts"
import * as Body from "./body.ts"

/** What the client gave as `transaction_id`, `undefined` for none, or why its body is refused (C6). */
export const transactionIdOf = (peer: HomeserverPeer, bytes: Uint8Array): Result.Result<unknown, Refusal> => {
  const { empty, notJson, notObject, wrongType } = peer.requestBody
  if (bytes.length === 0) return empty === "accepted" ? Result.succeed(undefined) : Result.fail(empty)
  const parsed = Body.jsonOf(bytes)
  if (parsed === undefined) return Result.fail(notJson)
  if (!Body.isObject(parsed.value)) return Result.fail(notObject)
  const id = parsed.value["transaction_id"] ?? undefined
  return id === undefined || typeof id === "string" || wrongType === "forwarded"
    ? Result.succeed(id)
    : Result.fail(wrongType)
}

const bodyOf = (peer: HomeserverPeer, transactionId: unknown): { readonly transaction_id?: unknown } => {
  if (transactionId !== undefined) return { transaction_id: transactionId }
  return peer.absentTransactionId === "null" ? { transaction_id: null } : {}
}

/** The request to the appservice, at the endpoint of its ping. */
export const outgoing = (
  peer: HomeserverPeer,
  registration: Registration,
  endpoint: URL,
  transactionId: unknown
): PeerRequest => {
  const token = Redacted.value(registration.hs_token)
  const url = new URL(endpoint)
  if (peer.outboundToken === "bearer and query") {
    // Appended as it is, as these homeservers do.
    url.search = `${url.search === "" ? "?" : `${url.search}&`}access_token=${token}`
  }
  return {
    method: "POST",
    url,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "user-agent": `${peer.server.name}/${peer.server.version}`
    },
    body: JSON.stringify(bodyOf(peer, transactionId))
  }
}
