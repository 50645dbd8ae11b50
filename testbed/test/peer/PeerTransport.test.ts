import { listen } from "@appservice-ping/node/NodeListener"
import * as Certificates from "@appservice-ping/testbed/carrier/tls/Certificates"
import * as WireProxy from "@appservice-ping/testbed/carrier/wire/WireProxy"
import type { PeerFailure } from "@appservice-ping/testbed/peer/PeerOutcome"
import * as PeerTransport from "@appservice-ping/testbed/peer/PeerTransport"
import * as Session from "@appservice-ping/testbed/play/Session"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as RawServer from "../../../packages/node/test/support/RawServer.ts"
import { wireNetwork } from "./support/Network.ts"

const request = new TextEncoder().encode("POST / HTTP/1.1\r\nhost: there\r\ncontent-length: 0\r\n\r\n")

const open = (transport: PeerTransport.PeerTransport, url: string) =>
  Effect.flatMap(transport.open(new URL(url)), ({ plain }) => plain)

const secure = (transport: PeerTransport.PeerTransport, url: string) =>
  Effect.flatMap(transport.open(new URL(url)), ({ secure }) => secure)

const failure = <A>(effect: Effect.Effect<A, PeerFailure, Scope.Scope>): Effect.Effect<PeerFailure, A, Scope.Scope> =>
  Effect.flip(effect)

/** Reads until the connection ends: what came, and how it ended. */
const readAll = Effect.fnUntraced(function*(connection: PeerTransport.PeerConnection) {
  let text = ""
  for (;;) {
    const arrival = yield* connection.read
    if (arrival._tag === "Ended") return [text, arrival.how] as const
    text += new TextDecoder().decode(arrival.bytes)
  }
})

describe("a transport on sockets", () => {
  for (const [how, end] of [["fin", RawServer.fin], ["rst", RawServer.rst]] as const) {
    it.live(`brings what came before a ${how}, and the ${how}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* RawServer.serve(end("HTTP/1.1 200 OK\r\n\r\nhalf"))
        const connection = yield* open(PeerTransport.make(), server.url.href)
        yield* connection.write(request)
        assert.deepStrictEqual(yield* readAll(connection), ["HTTP/1.1 200 OK\r\n\r\nhalf", how])
        assert.isFalse(connection.isIdle())
        assert.lengthOf(server.requests, 1)
      })))
  }

  it.live("lets go of a connection when its scope closes", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* RawServer.serve(RawServer.stall("HTTP/1.1 200 OK\r\n\r\nhalf"))
      yield* Effect.scoped(Effect.gen(function*() {
        const connection = yield* open(PeerTransport.make(), server.url.href)
        yield* connection.write(request)
        yield* connection.read
      }))
      yield* server.left(1)
    })))

  it.live("says why there is no connection", () =>
    Effect.scoped(Effect.gen(function*() {
      const network = yield* wireNetwork()
      const transport = yield* network.transport
      const refused = yield* network.place({ does: "refuse" })
      assert.deepInclude(yield* failure(open(transport, refused.url)), { _tag: "NotConnected", why: "refused" })
      const unknown = yield* network.place({ does: "not resolve" })
      assert.deepInclude(yield* failure(open(transport, unknown.url)), { _tag: "NotResolved", temporary: false })
    })))

  it.live("says that a port does not speak TLS", () =>
    Effect.scoped(Effect.gen(function*() {
      const plain = yield* listen(() => Effect.never, { port: 0, shutdownGrace: 0 })
      const failed = yield* failure(secure(PeerTransport.make(), plain.url.href.replace("http:", "https:")))
      assert.deepInclude(failed, { _tag: "NotSecured", why: "plain" })
    })))

  it.live("goes through a handshake, and tells what is wrong with the certificate", () =>
    Effect.scoped(Effect.gen(function*() {
      const session = yield* Session.make()
      const upstream = yield* listen(() => Effect.never, { port: 0, shutdownGrace: 0 })
      const proxy = yield* WireProxy.listen({ leg: "to_appservice", upstream, session, tls: true })
      const trusting = yield* secure(PeerTransport.make({ ca: Certificates.ca }), proxy.url.href)
      assert.deepStrictEqual(trusting.certificate.problems, [])
      const distrusting = yield* secure(PeerTransport.make(), proxy.url.href)
      assert.deepStrictEqual(distrusting.certificate.problems, ["untrusted"])
    })))
})
