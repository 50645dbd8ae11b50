/** Holds the peer of an appservice framework to what the real one answered, request by request. */
import * as AppserviceHandler from "@appservice-ping/testbed/peer/AppserviceHandler"
import * as AppservicePeers from "@appservice-ping/testbed/peer/AppservicePeers"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fixture from "../../rules/support/Fixture.ts"
import { appserviceCells } from "./measured.ts"
import { ping, requestsWith, right as rightWith, type Sent, wrong } from "./requests.ts"

const requests = requestsWith(Fixture.tokens.hs)

const right = rightWith(Fixture.tokens.hs)

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

/** What was measured with `npm run interop`, which sends every request to every framework. */
export const heldToRequest = (name: AppservicePeers.Name, title: string, status: number, body: string): void => {
  it.effect(`${title}: ${name} answers ${status}`, () =>
    Effect.gen(function*() {
      const { answer } = yield* ask(name, requests[title] ?? {})
      assert.strictEqual(answer.status, status)
      assert.include(answer.body, body)
    }))
}
