import * as Ping from "@appservice-ping/client/Ping"
import { diagnose } from "@appservice-ping/domain/Diagnosis"
import { listen } from "@appservice-ping/node/NodeListener"
import * as AppservicePeers from "@appservice-ping/testbed/peer/AppservicePeers"
import * as HomeserverHandler from "@appservice-ping/testbed/peer/HomeserverHandler"
import * as HomeserverPeers from "@appservice-ping/testbed/peer/HomeserverPeers"
import { type Row, rows } from "@appservice-ping/testbed/peer/PeerTable"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as Fixture from "../rules/support/Fixture.ts"
import { type Behaviour, wireNetwork } from "./support/Network.ts"

/** The table plays hundreds of pings, and the first test of it waits for all of them. */
const tableTimeout = 60_000

const all = Effect.runSync(Effect.cached(rows()))

/** The ping failed, and the diagnosis cannot say what of. */
const isVague = ({ cause }: Row): boolean => cause !== undefined && /nothing says why|does not say why/.test(cause)

const nameOf = ({ appservice, case: what, homeserver }: Row): string =>
  [what, homeserver, ...appservice === undefined ? [] : [appservice]].join(", ")

/** Whether the framework of the appservice has the ping at all. */
const hasPing = ({ appservice }: Row): boolean =>
  appservice === undefined || AppservicePeers.peers[appservice].ownPing !== undefined

/** What continuwuity does not tell, because its text is the same for all of them. */
const silentCases: ReadonlySet<string> = new Set([
  "silence before the answer",
  "reset in the body",
  "closed in the body",
  "silence in the body"
])

/** Whether the homeserver's own text leaves open what went wrong; Conduit's always does. */
const isSilent = ({ case: what, homeserver }: Row): boolean =>
  homeserver === "conduit" || (homeserver === "continuwuity" && silentCases.has(what))

/** What the diagnosis has to say, where the homeserver tells it. */
const causes: ReadonlyArray<readonly [what: string, cause: string, homeservers: ReadonlyArray<HomeserverPeers.Name>]> =
  [
    ["the homeserver has another as_token", "does not know the as_token", HomeserverPeers.names],
    ["the homeserver has another id", "not as the as_token of this appservice", HomeserverPeers.names],
    ["the homeserver's copy has no url", "its copy is out of date", HomeserverPeers.names],
    ["unknown host", "could not be found", ["synapse", "tuwunel", "continuwuity"]],
    ["connection refused", "was refused", ["synapse", "tuwunel", "continuwuity"]],
    ["connection never accepted", "in time", ["synapse", "tuwunel", "conduit"]],
    ["connection never accepted", "timed out", ["continuwuity"]],
    ["untrusted certificate", "not trusted", ["tuwunel", "continuwuity"]],
    ["reset before the answer", "broken off", ["tuwunel", "continuwuity"]],
    ["reset before the answer", "in time", ["synapse"]],
    ["closed before the answer", "closed before", ["continuwuity"]],
    ["silence before the answer", "in time", ["synapse", "tuwunel", "conduit"]],
    ["not HTTP", "does not speak HTTP", ["synapse", "continuwuity"]],
    ["closed in the body", "closed before", ["synapse"]],
    ["silence in the body", "undecided", ["synapse"]],
    ["redirect 301 to a web page", "redirects", ["synapse"]],
    ["redirect 302 to a web page", "redirects", ["synapse"]],
    ["redirect 303 to a web page", "not in JSON", ["synapse"]],
    ["redirect 307 to a web page", "redirects", ["synapse"]],
    ["redirect 308 to a web page", "redirects", ["synapse"]],
    ["a redirect loop", "redirects", ["synapse", "tuwunel", "continuwuity"]],
    ["the url leads to the homeserver", "leads to a homeserver", ["synapse", "tuwunel"]],
    ["another service: a web page", "not in JSON", ["synapse"]],
    ["another service: 404", "has no ping (status 404)", ["synapse", "tuwunel"]],
    ["a proxy asks for a login", "A web page with status 401", ["synapse", "tuwunel"]],
    ["a proxy does not reach the appservice", "answered 502", ["synapse", "tuwunel"]],
    ["a proxy says 503", "answered 503", ["synapse", "tuwunel"]],
    ["the appservice fails inside", "failed inside", ["synapse", "tuwunel"]],
    ["the appservice is asked too often", "too often", ["synapse", "tuwunel"]]
  ]

describe("rows", () => {
  it.effect(
    "has each case with each homeserver, and where it matters with each framework, once",
    () =>
      Effect.gen(function*() {
        const found = yield* all
        assert.strictEqual(new Set(found.map(nameOf)).size, found.length)
        for (const what of new Set(found.map((row) => row.case))) {
          const those = found.filter((row) => row.case === what)
          const frameworks = those.some(({ appservice }) => appservice !== undefined) ? AppservicePeers.names.length : 1
          assert.lengthOf(those, HomeserverPeers.names.length * frameworks, what)
        }
      }),
    tableTimeout
  )

  it.effect("is the same each time", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* rows(), yield* all)
    }), tableTimeout)

  it.effect("diagnoses every failure, and no success", () =>
    Effect.gen(function*() {
      for (const row of yield* all) {
        assert.strictEqual(row.error === "Success", row.answer === "200", nameOf(row))
        assert.strictEqual(row.cause === undefined, row.error === "Success", nameOf(row))
        assert.strictEqual(row.actor === undefined, row.error === "Success", nameOf(row))
      }
    }))

  it.effect("confirms a ping that nothing is wrong with, but for frameworks without the ping, or for their own only", () =>
    Effect.gen(function*() {
      for (const row of (yield* all).filter(({ case: what }) => what.startsWith("nothing"))) {
        const pongs = hasPing(row) && row.appservice !== "matrix_bot_sdk_element"
        assert.strictEqual(row.error === "Success", pongs, nameOf(row))
      }
    }))

  it.effect("never says that nothing says why where the homeserver has told it", () =>
    Effect.gen(function*() {
      const found = yield* all
      const vague = found.filter((row) => isVague(row) && !isSilent(row))
      assert.deepStrictEqual(vague.map(nameOf), [])
    }))

  for (const [what, cause, homeservers] of causes) {
    it.effect(`${what}: ${cause}`, () =>
      Effect.gen(function*() {
        const found = (yield* all).filter((row) => row.case === what && homeservers.includes(row.homeserver))
        assert.lengthOf(found, homeservers.length)
        for (const row of found) assert.include(row.cause, cause, nameOf(row))
      }))
  }

  it.effect("finds a drifted hs_token in every framework's dialect, behind the homeservers that show the answer", () =>
    Effect.gen(function*() {
      const found = yield* all
      const drifted = found.filter((row) =>
        row.case === "the homeserver has another hs_token" && hasPing(row) && !isSilent(row)
      )
      assert.isAbove(drifted.length, 0)
      for (const row of drifted) {
        assert.strictEqual(row.actor, "operator", nameOf(row))
        assert.include(row.cause, "rejects the hs_token", nameOf(row))
        assert.isFalse(row.temporary, nameOf(row))
      }
    }))

  it.effect("does not take a port without TLS for a bad certificate", () =>
    Effect.gen(function*() {
      const found = (yield* all).filter((row) => row.case === "plain HTTP on a TLS port")
      assert.lengthOf(found, 4)
      for (const row of found) assert.notInclude(row.cause, "certificate", nameOf(row))
    }))

  it.effect("D8 shows nothing of the tokens that a homeserver wrote into its answer", () =>
    Effect.gen(function*() {
      for (const row of yield* all) assert.notInclude(JSON.stringify(row), "token-of-the-peer-table")
    }))
})

const page = { status: 404, headers: { "content-type": "text/plain" }, body: "404 page not found\n" }

/** The cases that a real socket can play without waiting. */
const onSocket: ReadonlyArray<readonly [what: string, behaviour: Behaviour]> = [
  ["nothing", { does: "answer", answer: { status: 200, headers: { "content-type": "application/json" }, body: "{}" } }],
  ["unknown host", { does: "not resolve" }],
  ["connection refused", { does: "refuse" }],
  ["reset before the answer", { does: "break", how: "rst", at: "head" }],
  ["closed before the answer", { does: "break", how: "fin", at: "head" }],
  ["not HTTP", { does: "break", how: "garbage", at: "head" }],
  ["reset in the body", { does: "break", how: "rst", at: "body", status: 200 }],
  ["closed in the body", { does: "break", how: "fin", at: "body", status: 200 }],
  ["another service: 404", { does: "answer", answer: page }]
]

describe("on a socket", () => {
  for (const homeserver of HomeserverPeers.names) {
    for (const [what, behaviour] of onSocket) {
      it.live(`${what}, ${homeserver}: what the client makes of it is the same as in memory`, () =>
        Effect.scoped(Effect.gen(function*() {
          const network = yield* wireNetwork()
          const place = yield* network.place(behaviour)
          const registration = Fixture.registration({ url: place.url })
          const handle = yield* HomeserverHandler.make(HomeserverPeers.peers[homeserver], {
            registrations: [registration],
            transport: yield* network.transport
          })
          const { url } = yield* listen(handle, { port: 0, shutdownGrace: 0 })
          const result = yield* Effect.result(Ping.ping({ homeserver: url, registration })).pipe(
            Effect.provide(NodeHttpClient.layerNodeHttp)
          )
          const error = Result.isFailure(result) ? result.failure : undefined
          const diagnosis = error === undefined
            ? undefined
            : diagnose(error, { url: place.url, homeserver: url.href })
          const expected = (yield* all).find((row) =>
            row.case === what && row.homeserver === homeserver && (row.appservice ?? "mautrix_go") === "mautrix_go"
          )
          const withoutUrl = (text: string | undefined) => text?.replaceAll(/https?:\/\/[^\s)]+/g, "URL")
          assert.strictEqual(error?._tag ?? "Success", expected?.error)
          assert.strictEqual(withoutUrl(diagnosis?.cause), withoutUrl(expected?.cause))
          assert.strictEqual(diagnosis?.actor, expected?.actor)
          assert.strictEqual(diagnosis?.temporary, expected?.temporary)
        })))
    }
  }

  for (const homeserver of ["tuwunel", "continuwuity"] as const) {
    it.live(`D8 ${homeserver} writes the hs_token into its answer, and the client takes it out`, () =>
      Effect.scoped(Effect.gen(function*() {
        const network = yield* wireNetwork()
        const place = yield* network.place({ does: "stall", at: "head" })
        const registration = Fixture.registration({ url: place.url })
        const answers: Array<string> = []
        const handle = yield* HomeserverHandler.make(HomeserverPeers.peers[homeserver], {
          registrations: [registration],
          transport: yield* network.transport,
          timeouts: { request: "200 millis" }
        })
        const { url } = yield* listen(
          (request) => Effect.tap(handle(request), ({ body }) => Effect.sync(() => answers.push(body))),
          { port: 0, shutdownGrace: 0 }
        )
        const error = yield* Effect.flip(Ping.ping({ homeserver: url, registration })).pipe(
          Effect.provide(NodeHttpClient.layerNodeHttp)
        )
        assert.include(answers.join(), Fixture.tokens.hs)
        assert.notInclude(JSON.stringify(error), Fixture.tokens.hs)
        assert.include(JSON.stringify(error), "access_token=<redacted>")
      })))
  }
})
