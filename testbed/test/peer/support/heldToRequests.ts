/** Holds the peer of an appservice framework to what the real one answered, request by request. */
import * as AppserviceHandler from "@appservice-ping/testbed/peer/AppserviceHandler"
import * as AppservicePeers from "@appservice-ping/testbed/peer/AppservicePeers"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fixture from "../../rules/support/Fixture.ts"
import { appserviceCells } from "./measured.ts"

/** A request; what is not said is as it should be. */
interface Sent {
  readonly method?: string
  readonly target?: string
  readonly authorization?: string | undefined
  readonly contentType?: string | undefined
  readonly body?: string | Uint8Array
}

const right = `Bearer ${Fixture.tokens.hs}`
const wrong = "Bearer another-token"
const ping = Fixture.appservicePath
const withQuery = (token: string, path = ping): string => `${path}?access_token=${token}`

/** The requests of both measurements, by the names that they have there. */
const requests: { readonly [name: string]: Sent } = {
  "A5 string id": { body: "{\"transaction_id\":\"abc\"}" },
  "A5 good": { body: "{\"transaction_id\":\"abc\"}" },
  "A5 {}": {},
  "A4 {}": {},
  "A4 null id": { body: "{\"transaction_id\":null}" },
  "A4 empty body": { body: "" },
  "A4 empty, no ctype": { body: "", contentType: undefined },
  "A4 no body, no length": { body: "", contentType: undefined },
  "A4 {} no ctype": { contentType: undefined },
  "A4 no content type": { contentType: undefined },
  "A4 {} text/plain": { contentType: "text/plain" },
  "A4 not json": { body: "{not json" },
  "A4 not JSON": { body: "{not json" },
  "A4 not UTF-8": { body: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d) },
  "A4 not json octet": { body: "{not json", contentType: "application/octet-stream" },
  "A4 array": { body: "[]" },
  "A4 []": { body: "[]" },
  "A4 string": { body: "\"x\"" },
  "A4 json null": { body: "null" },
  "A4 null": { body: "null" },
  "A4 number id": { body: "{\"transaction_id\":5}" },
  "A4 id 5": { body: "{\"transaction_id\":5}" },
  "A4 empty body, wrong token": { body: "", authorization: wrong },
  "A2 wrong token": { authorization: wrong },
  "A2 hdr ok query wrong": { target: withQuery("another-token") },
  "A2 header good, query wrong": { target: withQuery("another-token") },
  "A2 hdr wrong query ok": { authorization: wrong, target: withQuery(Fixture.tokens.hs) },
  "A2 header wrong, query good": { authorization: wrong, target: withQuery(Fixture.tokens.hs) },
  "A2 wrong, bad json": { authorization: wrong, body: "{not json" },
  "A1 query only ok": { authorization: undefined, target: withQuery(Fixture.tokens.hs) },
  "query only good": { authorization: undefined, target: withQuery(Fixture.tokens.hs) },
  "A1 query only wrong": { authorization: undefined, target: withQuery("another-token") },
  "A1 lower-case bearer": { authorization: `bearer ${Fixture.tokens.hs}` },
  "scheme 'bearer'": { authorization: `bearer ${Fixture.tokens.hs}` },
  "no scheme": { authorization: Fixture.tokens.hs },
  "A3 no token": { authorization: undefined },
  "A3 no token, empty": { authorization: undefined, body: "" },
  "A6 GET ping": { method: "GET", body: "" },
  "A6 GET": { method: "GET", body: "" },
  "A6 GET ping no token": { method: "GET", body: "", authorization: undefined },
  "A6 GET no token": { method: "GET", body: "", authorization: undefined },
  "A6 PUT ping": { method: "PUT" },
  "A6 PUT": { method: "PUT" },
  "A6 OPTIONS ping": { method: "OPTIONS", body: "" },
  "A6 unknown": { target: "/_matrix/app/v1/nothing" },
  "A6 unknown route": { target: "/_matrix/app/v1/nothing" },
  "A6 unknown no token": { target: "/_matrix/app/v1/nothing", authorization: undefined },
  "A6 unknown route no token": { target: "/_matrix/app/v1/nothing", authorization: undefined },
  "A7 legacy /ping": { target: "/ping" },
  "A7 /ping": { target: "/ping" },
  "A8 //ping": { target: `/${ping}` },
  "A8 double slash": { target: `/${ping}` },
  "A8 trailing slash": { target: `${ping}/` },
  "A9 unstable": { target: Fixture.appserviceUnstablePath },
  "root GET": { method: "GET", target: "/", body: "" }
}

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const ask = Effect.fnUntraced(function*(name: AppservicePeers.Name, sent: Sent) {
  const { handle, received } = yield* AppserviceHandler.make(AppservicePeers.peers[name], {
    registration: Fixture.registration()
  })
  const { body = "{}", method = "POST", target = ping } = sent
  const authorization = "authorization" in sent ? sent.authorization : right
  const contentType = "contentType" in sent ? sent.contentType : "application/json"
  const answer = yield* handle({
    method,
    target,
    header: (name) => name === "authorization" ? authorization : name === "content-type" ? contentType : undefined,
    body: () => Effect.succeed(typeof body === "string" ? new TextEncoder().encode(body) : body)
  })
  return { answer, received: yield* received }
})

export const heldToRequests = (name: AppservicePeers.Name, file: string): void => {
  describe(`${name} answers as the real one did`, () => {
    for (const cell of appserviceCells(file)) {
      it.effect(`${cell.name}: ${cell.status}`, () =>
        Effect.gen(function*() {
          const sent = requests[cell.name]
          assert.isDefined(sent, `no request is called ${cell.name}`)
          if (sent === undefined) return
          const { answer, received } = yield* ask(name, sent)
          assert.strictEqual(answer.status, cell.status)
          assert.strictEqual(answer.headers["content-type"] ?? "", cell.contentType)
          const expected = json(cell.body)
          if (expected !== undefined) assert.deepStrictEqual(json(answer.body), expected)
          // A long body was cut, and a line end at its end was not recorded.
          else assert.isTrue(answer.body.startsWith(cell.body), answer.body)
          assert.lengthOf(received, cell.status === 200 ? 1 : 0)
        }))
    }
  })
}

/** A framework without the ping refuses a wrong token on another route of the API, and so shows that it is an appservice. */
export const refusesElsewhere = (name: AppservicePeers.Name, status: number, errcode: string): void => {
  it.effect(`A2 ${name} refuses a wrong token on another route: ${status} ${errcode}`, () =>
    Effect.gen(function*() {
      for (
        const target of ["/_matrix/app/v1/users/%40nobody%3Aexample.test", "/_matrix/app/v1/rooms/%23no%3Aexample.test"]
      ) {
        const { answer } = yield* ask(name, { method: "GET", target, body: "", authorization: wrong })
        assert.strictEqual(answer.status, status)
        assert.include(answer.body, `"${errcode}"`)
      }
      const { answer } = yield* ask(name, { method: "PUT", target: "/_matrix/app/v1/transactions/1" })
      assert.strictEqual(answer.status, 200)
    }))
}
