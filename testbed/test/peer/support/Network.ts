/** What a homeserver's profile meets where its appservice should be, in memory and on a real socket. */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { lastAnswer } from "@appservice-ping/node/AnswerBytes"
import * as NodePeerTransport from "@appservice-ping/testbed/peer/NodePeerTransport"
import type { PeerRequest, PeerResponse, PeerTransport } from "@appservice-ping/testbed/peer/PeerTransport"
import { Effect, type Scope } from "effect"
import * as Net from "node:net"
import * as RawServer from "../../../../packages/node/test/support/RawServer.ts"

/** What happens to the homeserver's request. */
export type Behaviour =
  | { readonly does: "answer"; readonly answer: Answer }
  | { readonly does: "refuse" }
  | { readonly does: "not resolve" }
  | { readonly does: "break"; readonly how: "fin" | "rst" | "garbage"; readonly at: "head" }
  | { readonly does: "break"; readonly how: "fin" | "rst"; readonly at: "body"; readonly status: number }
  /** Only in memory does a connection stall. */
  | { readonly does: "stall"; readonly at: "connect" | "head" }
  | { readonly does: "stall"; readonly at: "body"; readonly status: number }

/** A request that reached a place. */
export interface Seen {
  readonly method: string
  /** Path and query string. */
  readonly target: string
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string
}

/** A place where something answers: its URL, and the requests that came. */
export interface Place {
  readonly url: string
  readonly seen: ReadonlyArray<Seen>
}

const kinds = { fin: "closed", rst: "reset", garbage: "malformed" } as const

const failure = (kind: ConnectionFailure.Kind) =>
  Effect.fail(new ConnectionFailure.ConnectionFailure({ kind, text: "as the test wants it" }))

const encoder = new TextEncoder()

/** A network in memory: places by their origin. A place that nobody made is refused. */
export interface Network {
  readonly transport: PeerTransport
  readonly place: (behaviour: Behaviour) => Effect.Effect<Place, never, Scope.Scope>
}

const seenInMemory = (request: PeerRequest): Seen => ({
  method: request.method,
  target: request.url.pathname + request.url.search,
  headers: request.headers,
  body: request.body
})

export const memoryNetwork = (): Network => {
  const places = new Map<string, { readonly behaviour: Behaviour; readonly seen: Array<Seen> }>()
  return {
    transport: {
      open: (url) => {
        const found = places.get(url.origin)
        if (found === undefined || found.behaviour.does === "refuse") return failure("refused")
        const { behaviour, seen } = found
        if (behaviour.does === "not resolve") return failure("dns")
        if (behaviour.does === "stall" && behaviour.at === "connect") return Effect.never
        return Effect.succeed({
          send: (request) =>
            Effect.suspend((): Effect.Effect<PeerResponse, ConnectionFailure.ConnectionFailure> => {
              seen.push(seenInMemory(request))
              if (behaviour.does === "answer") {
                const { body, headers, status } = behaviour.answer
                return Effect.succeed({ status, headers, body: () => Effect.succeed(encoder.encode(body)) })
              }
              if (behaviour.at !== "body") {
                return behaviour.does === "stall" ? Effect.never : failure(kinds[behaviour.how])
              }
              const body = () => behaviour.does === "stall" ? Effect.never : failure(kinds[behaviour.how])
              return Effect.succeed({ status: behaviour.status, headers: {}, body })
            })
        })
      }
    },
    place: (behaviour) =>
      Effect.sync(() => {
        const url = `http://place-${places.size + 1}.test:29300`
        const seen: Array<Seen> = []
        places.set(url, { behaviour, seen })
        return { url, seen }
      })
  }
}

const seenOnWire = (text: string): Seen => {
  const end = text.indexOf("\r\n\r\n")
  const [requestLine = "", ...lines] = text.slice(0, end).split("\r\n")
  const [method = "", target = ""] = requestLine.split(" ")
  const headers: { [name: string]: string } = {}
  for (const line of lines) headers[line.slice(0, line.indexOf(":")).toLowerCase()] = line.slice(line.indexOf(":") + 2)
  return { method, target, headers, body: text.slice(end + 4) }
}

const halfBody = (status: number): string =>
  `HTTP/1.1 ${status} Half\r\ncontent-type: application/json\r\ncontent-length: 20\r\nconnection: close\r\n\r\n{"cut":`

const playOnWire = (behaviour: Behaviour) => (socket: Net.Socket): void => {
  switch (behaviour.does) {
    case "answer":
      return void socket.end(lastAnswer(behaviour.answer, "POST"))
    case "break": {
      const bytes = behaviour.at === "body" ? halfBody(behaviour.status) : ""
      return behaviour.how === "garbage"
        ? void socket.end("SSH-2.0-OpenSSH_9.9\r\n")
        : (behaviour.how === "fin" ? RawServer.fin : RawServer.rst)(bytes)(socket)
    }
    case "stall":
      return RawServer.stall(behaviour.at === "body" ? halfBody(behaviour.status) : "")(socket)
    default:
      return void socket.destroy()
  }
}

/** The port is held on one address of this machine, so that it is refused on another one and nobody can take it. */
const refusedUrl: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer()
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
      })
  ),
  (server) => {
    const address = server.address()
    return `http://127.0.0.2:${typeof address === "object" && address !== null ? address.port : 0}`
  }
)

const unknownHost = "unknown.test"

/** No test asks a name server: how long that takes is nobody's to say. */
const lookup: Net.LookupFunction = (hostname, _options, callback) => {
  callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: "ENOTFOUND" }), [])
}

export const wireNetwork = (): Network => ({
  transport: NodePeerTransport.make({ lookup }),
  place: (behaviour) =>
    Effect.gen(function*() {
      if (behaviour.does === "refuse") return { url: yield* refusedUrl, seen: [] }
      if (behaviour.does === "not resolve") return { url: `http://${unknownHost}:29300`, seen: [] }
      const server = yield* RawServer.serve(playOnWire(behaviour))
      return {
        url: server.url.origin,
        get seen() {
          return server.requests.map(seenOnWire)
        }
      }
    })
})
