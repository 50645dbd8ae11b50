/** Holds the peer of Synapse to what the real one answered its clients, rule by rule. */
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import * as HomeserverHandler from "@appservice-ping/testbed/peer/HomeserverHandler"
import * as HomeserverPeers from "@appservice-ping/testbed/peer/HomeserverPeers"
import * as PeerTransport from "@appservice-ping/testbed/peer/PeerTransport"
import * as Session from "@appservice-ping/testbed/play/Session"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import * as Fixture from "../../rules/support/Fixture.ts"
import { inProcess } from "./inProcess.ts"
import { type RuleCell, ruleCells } from "./measured.ts"

/** A request of a client; what is not said is as it should be. */
interface Sent {
  readonly method?: string
  readonly target?: string
  readonly authorization?: string | undefined
  readonly body?: string | Uint8Array
}

const path = Fixture.path()
const bearer = (token: string): string => `Bearer ${token}`
const query = (text: string): Sent => ({ target: `${path}?${text}` })
const body = (body: string | Uint8Array): Sent => ({ body })
const get = (target: string): Sent => ({ method: "GET", target, body: "" })
const unnamed: Sent = { authorization: undefined }

const anotherId = { target: Fixture.path("irc") }
const withoutUrl: Sent = { target: Fixture.path("no-url"), authorization: bearer("as-without-url") }
const percent: Sent = { target: Fixture.path("100%"), authorization: bearer("as-percent") }
const slash: Sent = { target: Fixture.path("a/b"), authorization: bearer("as-slash") }

const whoami = "/_matrix/client/v3/account/whoami"
const versions = "/_matrix/client/versions"
const version = "/_matrix/federation/v1/version"

const requests: { readonly [name: string]: Sent } = {
  healthy: {},
  "C2 no token": unnamed,
  "C3 unknown": { authorization: bearer("nobodys") },
  "C4 user": { authorization: bearer(Fixture.tokens.user) },
  "C5 id": anotherId,
  "C1 lower scheme": { authorization: `bearer ${Fixture.tokens.as}` },
  "C1 basic scheme": { authorization: "Basic dXNlcjpwYXNz" },
  "C1 query token": { ...unnamed, ...query(`access_token=${Fixture.tokens.as}`) },
  "C1 header+query differ": query("access_token=another"),
  "C1 header+query same": query(`access_token=${Fixture.tokens.as}`),
  "C6 empty": body(""),
  "C6 not json": body("{not json"),
  "C6 []": body("[]"),
  "C6 null": body("null"),
  "C6 not utf8": body(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)),
  "C6 NaN": body("{\"transaction_id\":NaN}"),
  "C6 empty, other id": { ...anotherId, ...body("") },
  "C6 empty, url null": { ...withoutUrl, ...body("") },
  "C8 url null": withoutUrl,
  "C6 no content type": {},
  "C6 deep": body("[".repeat(20_000) + "]".repeat(20_000)),
  "C7 id number": body("{\"transaction_id\":5}"),
  "C7 id null": body("{\"transaction_id\":null}"),
  "C7 id obj": body("{\"transaction_id\":{}}"),
  "C7 empty id": body("{\"transaction_id\":\"\"}"),
  "C7 lone surrogate": body("{\"transaction_id\":\"\\ud800\"}"),
  "C7 NUL": body("{\"transaction_id\":\"\\u0000\"}"),
  "C7 200 kB id": body(`{"transaction_id":"${"x".repeat(200_000)}"}`),
  "C7 1.1 MB id": body(`{"transaction_id":"${"x".repeat(1_100_000)}"}`),
  "C6 dup keys": body("{\"transaction_id\":\"a\",\"transaction_id\":\"b\"}"),
  "C14 ?user_id own bot": query("user_id=%40bot%3Alab.test"),
  "C14 ?user_id stranger": query("user_id=%40nobody%3Alab.test"),
  "C14 ?user_id own, unregistered": query("user_id=%40bot_444bcb3a_x%3Alab.test"),
  "C14 ?user_id junk": query("user_id=junk"),
  "C14 ?foo": query("foo=bar"),
  "C14 ?device_id": query("device_id=ABC"),
  "C16 GET": get(path),
  "C16 HEAD": { method: "HEAD", body: "" },
  "C16 PUT": { method: "PUT" },
  "C16 DELETE": { method: "DELETE" },
  "C16 unknown": { target: `${path}/nothing` },
  "C16 trailing slash": { target: `${path}/` },
  "C16 non-matrix": { target: "/nothing" },
  "C16 GET no token": { ...get(path), ...unnamed },
  "C17 OPTIONS": { method: "OPTIONS", body: "", ...unnamed },
  "C17 OPTIONS unknown": { method: "OPTIONS", target: "/_matrix/client/v1/nothing", body: "", ...unnamed },
  "C20 id pct": percent,
  "C20 other case": { target: Fixture.path("Telegram") },
  "C20 id %2Fok": slash,
  "C22 unstable": { target: Fixture.unstablePath() },
  "empty id": { target: Fixture.path("") },
  "r0 path": { target: path.replace("/v1/", "/r0/") },
  "v3 path": { target: path.replace("/v1/", "/v3/") },
  [`GET ${whoami}`]: get(whoami),
  [`GET no token ${whoami}`]: { ...get(whoami), ...unnamed },
  [`GET ${versions}`]: get(versions),
  [`GET no token ${versions}`]: { ...get(versions), ...unnamed },
  [`GET ${version}`]: get(version),
  [`GET no token ${version}`]: { ...get(version), ...unnamed },
  "whoami unknown": { ...get(whoami), authorization: bearer("nobodys") }
}

const url = "http://appservice.test:29300"

const registrations: ReadonlyArray<Registration> = [
  {
    ...Fixture.registration({ url }),
    namespaces: { users: [{ regex: "@bot_444bcb3a.*:lab\\.test", exclusive: true }] }
  },
  Fixture.other,
  Fixture.registration({ id: "no-url", asToken: "as-without-url" }),
  // Nothing listens there.
  Fixture.registration({ id: "100%", asToken: "as-percent", url: "http://appservice.test:29301" }),
  Fixture.registration({ id: "a/b", asToken: "as-slash", url })
]

const ask = (sent: Sent): Effect.Effect<Answer, Virtual.Stuck> =>
  Virtual.run(Effect.scoped(Effect.gen(function*() {
    const appservice = yield* Layer.build(Appservice.layer({ registration: Fixture.registration() }))
    const session = yield* Session.make()
    const connect = yield* inProcess([
      { url: new URL(url), session, handle: Context.get(appservice, Appservice.Appservice).handle }
    ])
    const handle = yield* Effect.orDie(HomeserverHandler.make(HomeserverPeers.peers.synapse, {
      registrations,
      transport: PeerTransport.make({ connect }),
      userToken: Redacted.make(Fixture.tokens.user),
      serverName: "lab.test"
    }))
    const { body = "{}", method = "POST", target = path } = sent
    const authorization = "authorization" in sent ? sent.authorization : bearer(Fixture.tokens.as)
    return yield* handle({
      method,
      target,
      header: (name) => name === "authorization" ? authorization : undefined,
      body: () => Effect.succeed(typeof body === "string" ? new TextEncoder().encode(body) : body)
    })
  })))

const cors = ["origin", "methods", "headers"].map((name) => `access-control-allow-${name}`)

const keysOf = (answer: Answer, isHead: boolean): { readonly [field: string]: unknown } => {
  if (isHead || answer.headers["content-type"] !== "application/json") return {}
  const value: unknown = JSON.parse(answer.body)
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}

const assertHeld = (cell: RuleCell, answer: Answer, isHead: boolean): void => {
  const body = keysOf(answer, isHead)
  const errcodeOrKeys = body["errcode"] ?? (Object.keys(body).toSorted().join(",") || "-")
  assert.strictEqual(answer.status, cell.status)
  assert.strictEqual(errcodeOrKeys, cell.errcodeOrKeys)
  const error = typeof body["error"] === "string" ? body["error"] : ""
  assert.strictEqual(error.slice(0, cell.error.length), cell.error)
  if (cell.error === "") assert.strictEqual(error, "")
  assert.strictEqual(answer.headers["content-type"] ?? "-", cell.contentType)
  for (const name of cors) assert.strictEqual(name in answer.headers, cell.cors, name)
}

export const heldToRules = (file: string): void => {
  describe("synapse answers as the real one did", () => {
    for (const cell of ruleCells(file)) {
      it.effect(`${cell.name}: ${cell.status} ${cell.errcodeOrKeys}`, () =>
        Effect.gen(function*() {
          const sent = requests[cell.name]
          assert.isDefined(sent, `no request is called ${cell.name}`)
          if (sent !== undefined) assertHeld(cell, yield* ask(sent), sent.method === "HEAD")
        }))
    }
  })
}
