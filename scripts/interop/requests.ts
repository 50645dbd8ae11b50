/** Sends a real appservice the requests of the rules A1 to A9, and compares its answers with those of its peer. */
import * as Json from "@appservice-ping/domain/Json"
import * as AppserviceHandler from "@appservice-ping/testbed/peer/AppserviceHandler"
import * as AppservicePeers from "@appservice-ping/testbed/peer/AppservicePeers"
import { Effect, Redacted } from "effect"
import { request } from "node:http"
import { isDeepStrictEqual } from "node:util"
import { ping, requestsWith, right, type Sent } from "../../testbed/test/peer/support/requests.ts"
import type { Fields } from "./Peer.ts"

interface Answered {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

const millisMax = 20_000

/** `node:http` sends a length with every POST, so that this cannot be asked. */
const leftOut: ReadonlySet<string> = new Set(["A4 no body, no length"])

interface Filled {
  readonly method: string
  readonly target: string
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: Uint8Array
}

const fill = (sent: Sent, hsToken: string): Filled => {
  const { body = "{}", method = "POST", target = ping } = sent
  return {
    method,
    target,
    authorization: "authorization" in sent ? sent.authorization : right(hsToken),
    contentType: "contentType" in sent ? sent.contentType : "application/json",
    body: typeof body === "string" ? new TextEncoder().encode(body) : body
  }
}

const askReal = ({ port }: URL, { authorization, body, contentType, method, target }: Filled): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const headers = {
      ...authorization === undefined ? {} : { authorization },
      ...contentType === undefined ? {} : { "content-type": contentType },
      ...body.length === 0 && method !== "POST" ? {} : { "content-length": body.length }
    }
    const outgoing = request({
      host: "127.0.0.1",
      port,
      method,
      path: target,
      headers,
      agent: false,
      timeout: millisMax
    }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", reject)
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          contentType: response.headers["content-type"] ?? "",
          body: Buffer.concat(chunks).toString()
        }))
    })
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${millisMax} ms`)))
    outgoing.on("error", reject)
    outgoing.end(body)
  })

const askPeer = (name: AppservicePeers.Name, hsToken: string, sent: Filled): Promise<Answered> =>
  Effect.runPromise(Effect.gen(function*() {
    const { handle } = yield* AppserviceHandler.make(AppservicePeers.peers[name], {
      registration: { hs_token: Redacted.make(hsToken) }
    })
    const { body, headers, status } = yield* handle({
      method: sent.method,
      target: sent.target,
      header: (name) =>
        name === "authorization" ? sent.authorization : name === "content-type" ? sent.contentType : undefined,
      body: () => Effect.succeed(sent.body)
    })
    return { status, contentType: headers["content-type"] ?? "", body }
  }))

/** Below its first line, a stack names the files of an installation. */
const withoutFiles = (body: string): string =>
  body.replaceAll(/<br> &nbsp; &nbsp;at (?!JSON\.parse)[^<]*/g, "").trimEnd()

const isSame = (real: Answered, peer: Answered): boolean => {
  const json = Json.parse(real.body)
  const isSameBody = json === undefined
    ? withoutFiles(real.body) === withoutFiles(peer.body)
    : isDeepStrictEqual(json, Json.parse(peer.body))
  return real.status === peer.status && real.contentType === peer.contentType && isSameBody
}

const shown = ({ body, contentType, status }: Answered): string => `${status} ${contentType} ${body.slice(0, 200)}`

/** How many requests were compared, and what differs. */
export const compare = async (
  name: AppservicePeers.Name,
  { hs_token, url }: Fields
): Promise<{ readonly requests: number; readonly differences: ReadonlyArray<string> }> => {
  const differences: Array<string> = []
  const all = Object.entries(requestsWith(hs_token)).filter(([title]) => !leftOut.has(title))
  for (const [title, sent] of all) {
    const filled = fill(sent, hs_token)
    const [real, peer] = [await askReal(new URL(url), filled), await askPeer(name, hs_token, filled)]
    if (!isSame(real, peer)) differences.push(`${title}: answers ${shown(real)}, and its peer ${shown(peer)}`)
  }
  return { requests: all.length, differences }
}
