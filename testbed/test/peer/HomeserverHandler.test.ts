import type { Answer } from "@appservice-ping/domain/Answer"
import { type Name, names, peers } from "@appservice-ping/testbed/peer/HomeserverPeers"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fixture from "../rules/support/Fixture.ts"
import { type Asked, homeserver, modes, ping, short } from "./support/Modes.ts"
import type { Behaviour } from "./support/Network.ts"

const ok: Answer = { status: 200, headers: { "content-type": "application/json" }, body: "{}" }

const answer = (status: number, body: string = "", headers: Answer["headers"] = {}): Behaviour => ({
  does: "answer",
  answer: { status, headers, body }
})

const healthy: Behaviour = { does: "answer", answer: ok }

type Expected = { readonly [K in Name]: string }

const all = (text: string): Expected => ({ synapse: text, tuwunel: text, continuwuity: text, conduit: text })

const fieldOf = (answered: Answer, field: string): unknown => {
  const body: unknown = JSON.parse(answered.body)
  return typeof body === "object" && body !== null ? new Map(Object.entries(body)).get(field) : undefined
}

interface TokenCase {
  readonly name: string
  readonly asked: Asked
  readonly expected: Expected
}

/** What is answered before the appservice is asked. */
const requests: ReadonlyArray<TokenCase> = [
  {
    name: "C2 no token",
    asked: ping({ token: null }),
    expected: { ...all("401 M_MISSING_TOKEN"), continuwuity: "401 M_UNAUTHORIZED" }
  },
  {
    name: "C3 an unknown token",
    asked: ping({ token: "nobody-s-token" }),
    expected: { ...all("401 M_UNKNOWN_TOKEN"), continuwuity: "401 M_UNAUTHORIZED" }
  },
  {
    name: "C4 a user's token",
    asked: ping({ token: Fixture.tokens.user }),
    expected: { ...all("401 M_UNAUTHORIZED"), synapse: "403 M_FORBIDDEN" }
  },
  { name: "C5 the id of another appservice", asked: ping({ id: "irc" }), expected: all("403 M_FORBIDDEN") },
  { name: "C6 a body that is no object", asked: ping({ body: "[]" }), expected: all("400 M_BAD_JSON") },
  {
    name: "C6 a body that is no JSON",
    asked: ping({ body: "{not json" }),
    expected: { ...all("400 M_BAD_JSON"), synapse: "400 M_NOT_JSON", tuwunel: "400 M_NOT_JSON" }
  },
  {
    name: "C16 an unknown endpoint",
    asked: { ...ping(), target: "/_matrix/client/v1/appservice/telegram/pong" },
    expected: all("404 M_UNRECOGNIZED")
  },
  {
    name: "C16 another method",
    asked: { ...ping(), method: "GET", body: "" },
    expected: all("405 M_UNRECOGNIZED")
  },
  {
    name: "C1 the scheme Basic",
    asked: { ...ping({ token: null }), headers: [["Authorization", "Basic dXNlcjpwYXNz"]] },
    expected: { ...all("401 M_MISSING_TOKEN"), continuwuity: "401 M_UNAUTHORIZED", conduit: "500 M_UNKNOWN" }
  },
  {
    name: "C3 an unknown token in the query",
    asked: ping({ token: null, query: "?access_token=nobody-s-token" }),
    // Conduit's handler panics.
    expected: { ...all("401 M_UNKNOWN_TOKEN"), continuwuity: "401 M_UNAUTHORIZED", conduit: "500" }
  }
]

interface AnswerCase {
  readonly name: string
  readonly behaviour: Behaviour
  readonly expected: Expected
}

const connectionFailed: Expected = { ...all("502 M_CONNECTION_FAILED"), continuwuity: "500 M_UNKNOWN" }

const badStatus: Expected = {
  ...all("502 M_BAD_STATUS"),
  continuwuity: "500 M_UNKNOWN",
  conduit: "502 M_CONNECTION_FAILED"
}

const brokenBody: Expected = {
  synapse: "502 M_CONNECTION_FAILED",
  tuwunel: "200",
  continuwuity: "500 M_UNKNOWN",
  conduit: "200"
}

/** What is answered for what the appservice does. */
const answers: ReadonlyArray<AnswerCase> = [
  { name: "C9 a healthy appservice", behaviour: healthy, expected: all("200") },
  { name: "C10 a 418", behaviour: answer(418, "teapot"), expected: badStatus },
  { name: "C10 a 503", behaviour: answer(503, "{}"), expected: badStatus },
  {
    name: "C10 a 304, which nobody follows",
    behaviour: answer(304),
    expected: { ...badStatus, conduit: "200" }
  },
  {
    name: "D2 a 200 without JSON",
    behaviour: answer(200, "<html>"),
    expected: { ...all("200"), synapse: "502 M_CONNECTION_FAILED" }
  },
  {
    name: "D2 a 204",
    behaviour: answer(204),
    expected: { ...all("200"), synapse: "502 M_CONNECTION_FAILED" }
  },
  {
    name: "D1 a redirect without a target",
    behaviour: answer(307),
    expected: { ...badStatus, synapse: "502 M_CONNECTION_FAILED", conduit: "200" }
  },
  { name: "C11 a refused connection", behaviour: { does: "refuse" }, expected: connectionFailed },
  { name: "C11 an unknown host", behaviour: { does: "not resolve" }, expected: connectionFailed },
  {
    name: "C11 a reset before the first byte",
    behaviour: { does: "break", how: "rst", at: "head" },
    expected: { ...connectionFailed, synapse: "504 M_CONNECTION_TIMEOUT" }
  },
  {
    name: "C11 a close before the first byte",
    behaviour: { does: "break", how: "fin", at: "head" },
    expected: { ...connectionFailed, synapse: "504 M_CONNECTION_TIMEOUT" }
  },
  {
    name: "C11 what is no HTTP",
    behaviour: { does: "break", how: "garbage", at: "head" },
    expected: connectionFailed
  },
  {
    name: "C11 a close in the body",
    behaviour: { does: "break", how: "fin", at: "body", status: 200 },
    expected: brokenBody
  },
  {
    name: "C11 a reset in the body",
    behaviour: { does: "break", how: "rst", at: "body", status: 200 },
    expected: brokenBody
  },
  {
    name: "C11 a close in the body of a 503",
    behaviour: { does: "break", how: "fin", at: "body", status: 503 },
    expected: { ...badStatus, synapse: "502 M_CONNECTION_FAILED" }
  }
]

for (const mode of modes) {
  for (const name of names) {
    describe(`${name} ${mode.name}`, () => {
      for (const { asked, expected, name: what } of requests) {
        it.live(`${what}: ${expected[name]}`, () =>
          mode.run(Effect.gen(function*() {
            const network = yield* mode.network()
            const place = yield* network.place(healthy)
            const ask = yield* homeserver(mode, name, network, { url: place.url })
            assert.strictEqual(short(yield* ask(asked)), expected[name])
            assert.lengthOf(place.seen, 0)
          })))
      }

      for (const { behaviour, expected, name: what } of answers) {
        it.live(`${what}: ${expected[name]}`, () =>
          mode.run(Effect.gen(function*() {
            const network = yield* mode.network()
            const place = yield* network.place(behaviour)
            const ask = yield* homeserver(mode, name, network, { url: place.url })
            const answered = yield* ask(ping())
            assert.strictEqual(short(answered), expected[name])
            assert.lengthOf(place.seen, behaviour.does === "refuse" || behaviour.does === "not resolve" ? 0 : 1)
            if (answered.status === 200) assert.isTrue(Number.isInteger(fieldOf(answered, "duration_ms")))
          })))
      }

      it.live("A1 asks with its token as the peer does", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place(healthy)
          const ask = yield* homeserver(mode, name, network, { url: `${place.url}/bridge/` })
          const askWithQuery = yield* homeserver(mode, name, network, { url: `${place.url}/?key=1` })
          yield* ask(ping({ query: "?user_id=%40bot%3Ahomeserver.test" }))
          yield* askWithQuery(ping())
          const [seen, seenWithQuery] = place.seen
          assert.strictEqual(seen?.method, "POST")
          assert.strictEqual(seen?.headers["authorization"], `Bearer ${Fixture.tokens.hs}`)
          assert.strictEqual(
            seen?.target,
            `/bridge${Fixture.appservicePath}${name === "synapse" ? "" : `?access_token=${Fixture.tokens.hs}`}`
          )
          assert.strictEqual(
            seenWithQuery?.target,
            `${Fixture.appservicePath}?key=1${name === "synapse" ? "" : `&access_token=${Fixture.tokens.hs}`}`
          )
        })))

      it.live("D9 sends no transaction_id, or null, where none was given", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place(healthy)
          const ask = yield* homeserver(mode, name, network, { url: place.url })
          yield* ask(ping())
          yield* ask(ping({ body: "{\"transaction_id\":null}" }))
          yield* ask(ping({ body: "{\"transaction_id\":\"mautrix-go_42\"}" }))
          const absent = name === "synapse" ? "{\"transaction_id\":null}" : "{}"
          assert.deepStrictEqual(
            place.seen.map(({ body }) => body),
            [absent, absent, "{\"transaction_id\":\"mautrix-go_42\"}"]
          )
        })))

      it.live("C20 takes the id out of its percent-encoding", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place(healthy)
          const ask = yield* homeserver(mode, name, network, { url: place.url, id: "IRC Bridge/1" })
          assert.strictEqual(short(yield* ask(ping({ id: "IRC Bridge/1" }))), "200")
          assert.strictEqual(short(yield* ask(ping({ id: "IRC Bridge/2" }))), "403 M_FORBIDDEN")
          assert.lengthOf(place.seen, 1)
        })))

      it.live("C6 an empty body", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place(healthy)
          const ask = yield* homeserver(mode, name, network, { url: place.url })
          const answered = short(yield* ask(ping({ body: "" })))
          assert.strictEqual(answered, name === "synapse" ? "400 M_NOT_JSON" : "200")
          assert.deepStrictEqual(place.seen.map(({ body }) => body), name === "synapse" ? [] : ["{}"])
        })))

      it.live("C6 a transaction_id that is no string", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place(healthy)
          const ask = yield* homeserver(mode, name, network, { url: place.url })
          const body = "{\"transaction_id\":{\"a\":1}}"
          const answered = short(yield* ask(ping({ body })))
          assert.strictEqual(answered, name === "synapse" ? "200" : "400 M_BAD_JSON")
          assert.deepStrictEqual(place.seen.map(({ body }) => body), name === "synapse" ? [body] : [])
        })))

      it.live("C8 no url, checked before the body or after it", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const ask = yield* homeserver(mode, name, network, { url: null })
          assert.strictEqual(short(yield* ask(ping())), "400 M_URL_NOT_SET")
          assert.strictEqual(
            short(yield* ask(ping({ body: "[]" }))),
            name === "synapse" ? "400 M_URL_NOT_SET" : "400 M_BAD_JSON"
          )
        })))

      it.live("D6 an empty url is no url, but to Conduit", () =>
        mode.run(Effect.gen(function*() {
          const ask = yield* homeserver(mode, name, yield* mode.network(), { url: "" })
          const answered = short(yield* ask(ping()))
          assert.strictEqual(answered, name === "conduit" ? "502 M_CONNECTION_FAILED" : "400 M_URL_NOT_SET")
        })))

      it.live("C22 the unstable path, which only Synapse has dropped", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place(healthy)
          const ask = yield* homeserver(mode, name, network, { url: place.url })
          const answered = short(yield* ask({ ...ping(), target: Fixture.unstablePath() }))
          assert.strictEqual(answered, name === "synapse" ? "404 M_UNRECOGNIZED" : "200")
          assert.lengthOf(place.seen, name === "synapse" ? 0 : 1)
        })))

      it.live("C10 shows the appservice's status and body, or keeps them", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place(answer(418, "teapot"))
          const ask = yield* homeserver(mode, name, network, { url: place.url })
          const answered = yield* ask(ping())
          const shown = name === "synapse" || name === "tuwunel"
          assert.strictEqual(fieldOf(answered, "status"), shown ? 418 : undefined)
          assert.strictEqual(fieldOf(answered, "body"), shown ? "teapot" : undefined)
        })))

      it.live("C12 gives up on an answer that does not come", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place({ does: "stall", at: "head" })
          const ask = yield* homeserver(mode, name, network, { url: place.url, timeouts: { request: mode.soon } })
          assert.strictEqual(
            short(yield* ask(ping())),
            name === "continuwuity" ? "500 M_UNKNOWN" : "504 M_CONNECTION_TIMEOUT"
          )
          assert.lengthOf(place.seen, 1)
        })))

      it.live("C16 answers OPTIONS anywhere, and has its own idea of CORS elsewhere (C17)", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const ask = yield* homeserver(mode, name, network, {})
          const preflight = yield* ask({ ...ping({ token: null }), method: "OPTIONS" })
          assert.strictEqual(preflight.status, name === "synapse" ? 204 : 200)
          assert.strictEqual(preflight.headers["access-control-allow-origin"], "*")
          assert.include(preflight.headers["access-control-allow-headers"]?.toLowerCase(), "authorization")
          const refused = yield* ask(ping({ token: null }))
          assert.strictEqual(refused.headers["access-control-allow-origin"], "*")
          assert.strictEqual("access-control-allow-methods" in refused.headers, name === "synapse")
          const wrongMethod = yield* ask({ ...ping(), method: "GET", body: "" })
          assert.strictEqual("access-control-allow-origin" in wrongMethod.headers, name !== "conduit")
        })))

      it.live("C21 says what it is and what it supports", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const ask = yield* homeserver(mode, name, network, {})
          const get = (target: string) => ask({ method: "GET", target, headers: [], body: "" })
          assert.deepStrictEqual(JSON.parse((yield* get("/_matrix/client/versions")).body), peers[name].versions)
          assert.deepStrictEqual(JSON.parse((yield* get("/_matrix/federation/v1/version")).body), {
            server: peers[name].server
          })
        })))

      it.live("gives an appservice and a user their ids, and a stranger nothing", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const ask = yield* homeserver(mode, name, network, {})
          const askWithoutBot = yield* homeserver(mode, name, network, { users: [] })
          const whoami = (token: string | undefined, to = ask) =>
            to({
              method: "GET",
              target: "/_matrix/client/v3/account/whoami",
              headers: token === undefined ? [] : [Fixture.bearer(token)],
              body: ""
            })
          assert.strictEqual(fieldOf(yield* whoami(Fixture.tokens.as), "user_id"), "@bot:homeserver.test")
          assert.strictEqual(fieldOf(yield* whoami(Fixture.tokens.user), "user_id"), "@user:homeserver.test")
          assert.strictEqual(
            short(yield* whoami(Fixture.tokens.as, askWithoutBot)),
            name === "conduit" ? "403 M_FORBIDDEN" : "200"
          )
          assert.strictEqual(short(yield* whoami("nobody-s-token")), "401 M_UNKNOWN_TOKEN")
          assert.strictEqual(
            short(yield* whoami(undefined)),
            name === "continuwuity" ? "401 M_UNAUTHORIZED" : "401 M_MISSING_TOKEN"
          )
        })))
    })
  }
}
