/** What a homeserver's peer meets where its appservice should be, in memory and on a real socket. */
import type { Answer } from "@appservice-ping/domain/Answer"
import { lastAnswer } from "@appservice-ping/node/AnswerBytes"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as PeerTransport from "@appservice-ping/testbed/peer/PeerTransport"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import type { Step } from "@appservice-ping/testbed/step/Step"
import { Effect, type Scope } from "effect"
import * as Net from "node:net"
import * as RawServer from "../../../../packages/node/test/support/RawServer.ts"
import { inProcess } from "./inProcess.ts"

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

/** Where places are, and how they are reached. */
export interface Network {
  readonly transport: Effect.Effect<PeerTransport.PeerTransport, never, Scope.Scope>
  /** Makes a place; a test makes its places before it reaches for them. */
  readonly place: (behaviour: Behaviour) => Effect.Effect<Place, never, Scope.Scope>
}

const halfBody = (status: number): string =>
  `HTTP/1.1 ${status} Half\r\ncontent-type: application/json\r\ncontent-length: 20\r\nconnection: close\r\n\r\n{"cut":`

const write = (text: string): Step => ({ step: "write", bytes: new TextEncoder().encode(text) })

/** What has to strike in memory, so that it behaves like this. */
const faultOf = (behaviour: Behaviour): Fault.Fault => {
  switch (behaviour.does) {
    case "answer":
      return Fault.pass
    case "refuse":
      return Fault.refused
    case "not resolve":
      return { type: "dns", failure: "not_found" }
    case "break": {
      if (behaviour.at === "body") {
        const steps: ReadonlyArray<Step> = [
          { step: "forward" },
          write(halfBody(behaviour.status)),
          { step: "close", how: behaviour.how }
        ]
        return { type: "script", steps }
      }
      return behaviour.how === "garbage"
        ? {
          type: "script",
          steps: [{ step: "forward" }, write("SSH-2.0-OpenSSH_9.9\r\n"), { step: "close", how: "fin" }]
        }
        : Fault.lostAnswer(behaviour.how)
    }
    case "stall":
      if (behaviour.at === "connect") return { type: "never_accepted" }
      return behaviour.at === "body"
        ? { type: "script", steps: [{ step: "forward" }, write(halfBody(behaviour.status)), { step: "hang" }] }
        : Fault.lostAnswer("hang")
  }
}

const ok: Answer = { status: 200, headers: {}, body: "{}" }

/** More places than any test makes. */
const maxPlaces = 6

interface Slot {
  readonly url: URL
  readonly seen: Array<Seen>
  answer: Answer
  readonly session: Session.Session["Service"]
}

const recordingHandler = (slot: Slot): Handler => (request) =>
  Effect.map(Effect.orDie(request.body(1024 * 1024)), (body) => {
    const names = ["authorization", "content-type", "referer", "host", "connection"]
    slot.seen.push({
      method: request.method,
      target: request.target,
      headers: Object.fromEntries(names.map((name) => [name, request.header(name)])),
      body: new TextDecoder().decode(body)
    })
    return slot.answer
  })

/** Places in this process. */
export const memoryNetwork = (): Effect.Effect<Network, never, Scope.Scope> =>
  Effect.gen(function*() {
    const slots = yield* Effect.forEach(
      Array.from({ length: maxPlaces }, (_, index) => index + 1),
      (index): Effect.Effect<Slot> =>
        Effect.map(Session.make(), (session) => ({
          url: new URL(`http://place-${index}.test:29300`),
          seen: [],
          answer: ok,
          session
        }))
    )
    const connect = yield* inProcess(
      slots.map((slot) => ({ url: slot.url, session: slot.session, handle: recordingHandler(slot) }))
    )
    let made = 0
    return {
      transport: Effect.succeed(PeerTransport.make({ connect })),
      place: Effect.fnUntraced(function*(behaviour: Behaviour) {
        const slot = slots[made++]
        if (slot === undefined) return yield* Effect.die("too many places")
        if (behaviour.does === "answer") slot.answer = behaviour.answer
        yield* slot.session.inject(Plan.of("to_appservice", faultOf(behaviour)))
        return { url: slot.url.origin, seen: slot.seen }
      })
    }
  })

const seenOnWire = (text: string): Seen => {
  const end = text.indexOf("\r\n\r\n")
  const [requestLine = "", ...lines] = text.slice(0, end).split("\r\n")
  const [method = "", target = ""] = requestLine.split(" ")
  const headers: { [name: string]: string } = {}
  for (const line of lines) headers[line.slice(0, line.indexOf(":")).toLowerCase()] = line.slice(line.indexOf(":") + 2)
  return { method, target, headers, body: text.slice(end + 4) }
}

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

/** Places on loopback sockets. */
export const wireNetwork = (): Effect.Effect<Network> =>
  Effect.succeed({
    transport: Effect.succeed(
      PeerTransport.make({ connect: (place, callback) => callback(null, Net.connect({ ...place, lookup })) })
    ),
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
