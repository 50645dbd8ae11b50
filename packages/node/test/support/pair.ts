/** A homeserver and an appservice behind listeners of their own, as the two commands run them. */
import * as Registration from "@appservice-ping/domain/Registration"
import { listen, type ListenOptions } from "@appservice-ping/node/NodeListener"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { assert } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { type RawAnswer, talk } from "./RawClient.ts"

export const asToken = "as_token_of_the_pair"
export const hsToken = "hs_token_of_the_pair"

/** The CORS headers that stand on every answer of a homeserver (C17). */
export const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization"
} as const

/** A side to talk to: its port, and a request of its own that is good. */
export interface Side {
  readonly port: number
  readonly good: string
  readonly cors: boolean
}

const registration = (url: string) =>
  Effect.fromResult(Registration.fromUnknown({
    id: "irc",
    url,
    as_token: asToken,
    hs_token: hsToken,
    sender_localpart: "irc",
    namespaces: {}
  }))

/** A request with a body; its lines after the first two are the test's. */
export const post = (path: string, token: string, body: string, ...lines: ReadonlyArray<string>): string =>
  [
    `POST ${path} HTTP/1.1`,
    "Host: pair",
    `Authorization: Bearer ${token}`,
    ...lines,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body
  ].join("\r\n")

export const pingPath = "/_matrix/client/v1/appservice/irc/ping"

/** Starts both sides; `options` bound both listeners. */
export const makePair = Effect.fnUntraced(function*(options?: Omit<ListenOptions, "port">) {
  const appservice = yield* Effect.provide(
    Appservice.Appservice,
    Appservice.layer({ registration: yield* registration("") })
  )
  const below = yield* listen(appservice.handle, { ...options, port: 0 })
  const homeserver = yield* Effect.provide(
    Homeserver.Homeserver,
    Homeserver.layer().pipe(Layer.provide([
      AppserviceRegistry.layer([yield* registration(below.url.href)]),
      OutgoingPing.layer().pipe(Layer.provide(NodeTransport.layer()))
    ]))
  )
  const above = yield* listen(homeserver.handle, { ...options, port: 0, headers: cors })
  const sides: { readonly homeserver: Side; readonly appservice: Side } = {
    homeserver: { port: above.port, good: post(pingPath, asToken, "{}"), cors: true },
    appservice: { port: below.port, good: post("/_matrix/app/v1/ping", hsToken, "{}"), cors: false }
  }
  return sides
}, Effect.orDie)

/** Asserts that an answer is a Matrix error in full, of this status and errcode. */
export const assertError = (side: Side, answer: RawAnswer | undefined, status: number, errcode: string): void => {
  assert.strictEqual(answer?.status, status, answer?.statusLine)
  assert.strictEqual(answer?.headers["content-type"], "application/json")
  for (const [name, value] of Object.entries(cors)) {
    assert.strictEqual(answer?.headers[name], side.cors ? value : undefined, name)
  }
  const body = JSON.parse(answer?.body ?? "")
  assert.strictEqual(body.errcode, errcode)
  assert.isString(body.error)
}

/** Asserts that the side still answers a good ping. */
export const assertHealthy = Effect.fnUntraced(function*(side: Side) {
  const { answers } = yield* talk(side.port, side.good, { answers: 1 })
  assert.strictEqual(answers[0]?.statusLine, "HTTP/1.1 200 OK")
})
