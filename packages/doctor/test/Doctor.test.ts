// The checks on real sockets: what each frame on the wire is, and what the doctor concludes from it.
import * as Doctor from "@appservice-ping/doctor/Doctor"
import type { Answer } from "@appservice-ping/domain/Answer"
import { listen } from "@appservice-ping/node/NodeListener"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { assertNoToken, canaries, registration } from "./support/registrations.ts"

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body)
})

/** A request as it came: its method, its path and its token. */
interface Came {
  readonly method: string
  readonly path: string
  readonly token: string | undefined
}

/** A server on loopback that answers so, and remembers what came. */
const serving = (answer: (came: Came) => Answer) =>
  Effect.suspend(() => {
    const received: Array<Came> = []
    const handle: Handler = ({ header, method, target }) =>
      Effect.sync(() => {
        const came = { method, path: target, token: header("authorization")?.replace("Bearer ", "") }
        received.push(came)
        return answer(came)
      })
    return Effect.map(Effect.orDie(listen(handle, { port: 0 })), ({ url }) => ({ url, received }))
  })

/** A homeserver that calls itself Conduit and says this of its own call. */
const conduit = (ping: Answer) =>
  serving(({ path }) =>
    path.endsWith("/versions")
      ? json(200, { versions: ["v1.11"] })
      : path.endsWith("/federation/v1/version")
      ? json(200, { server: { name: "Conduit", version: "0.11.0" } })
      : path.endsWith("/whoami")
      ? json(200, { user_id: "@telegrambot:example.org" })
      : ping
  )

const invalidResponse = json(502, {
  errcode: "M_CONNECTION_FAILED",
  error: "Received invalid response from appservice"
})

const success = json(200, { duration_ms: 3 })

const examine = (appservice: { readonly url: URL }, ping: Answer) =>
  Effect.gen(function*() {
    const homeserver = yield* conduit(ping)
    const report = yield* Doctor.examine({
      homeserver: homeserver.url,
      registration: registration({ url: appservice.url.origin }),
      listen: false,
      timeout: "5 seconds"
    }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))
    assertNoToken(JSON.stringify(report))
    return report
  })

const refused = json(401, { errcode: "M_UNKNOWN_TOKEN", error: "no" })

const notFound = json(404, { errcode: "M_UNRECOGNIZED", error: "Endpoint not implemented" })

const isPing = ({ path }: Came): boolean => path === "/_matrix/app/v1/ping"

const hasToken = ({ token }: Came): boolean => token === canaries.hs_token

type Row = readonly [
  title: string,
  answer: (came: Came) => Answer,
  said: Answer,
  ok: boolean,
  rule: string,
  requests: ReadonlyArray<string>
]

const page: Answer = { status: 200, headers: { "content-type": "text/html" }, body: "<!doctype html>" }

/** What the appservice sees of the doctor: the method, the last part of the path, and whether the token was the right one. */
const shown = (came: Came): string =>
  `${came.method} ${came.path.split("/").at(-1)}${hasToken(came) ? " hs_token" : ""}`

const ping = "POST ping"

const rows: ReadonlyArray<Row> = [
  [
    "an appservice",
    (came) => hasToken(came) ? json(200, {}) : refused,
    success,
    true,
    "well",
    [ping, `${ping} hs_token`]
  ],
  [
    "A6 a service that answers every path with success never sees the hs_token",
    () => json(200, { ok: true }),
    success,
    false,
    "url-answers-everything",
    [ping, "POST appservice-ping-doctor"]
  ],
  [
    "a web site never sees the hs_token",
    () => page,
    success,
    false,
    "url-answers-everything",
    [ping, "POST appservice-ping-doctor"]
  ],
  [
    "D1 a redirect to a login page, which the homeserver followed",
    () => ({ status: 302, headers: { location: "https://login.example/?from=ping" }, body: "" }),
    success,
    false,
    "url-redirects",
    [ping, ping]
  ],
  [
    "an appservice that does not look at tokens",
    (came) => isPing(came) ? json(200, {}) : notFound,
    success,
    true,
    "well",
    [ping, "POST appservice-ping-doctor"]
  ],
  [
    "a framework without the ping: another path refuses a wrong token",
    (came) => came.path.includes("/transactions/") ? refused : notFound,
    invalidResponse,
    false,
    "framework-without-ping",
    [ping, "PUT appservice-ping-doctor", "GET versions"]
  ],
  [
    "another service: no path refuses a wrong token",
    () => notFound,
    invalidResponse,
    false,
    "url-has-no-ping",
    [ping, "PUT appservice-ping-doctor", "GET versions"]
  ],
  [
    "element's SDK, which refuses pings that it has not sent",
    (came) => hasToken(came) ? json(400, { errcode: "BAD_REQUEST", error: "No ping request expected" }) : refused,
    invalidResponse,
    true,
    "own-pings-only",
    [ping, `${ping} hs_token`]
  ],
  [
    "an appservice with another hs_token, and a homeserver that says little",
    () => refused,
    invalidResponse,
    false,
    "appservice-refuses-token",
    [ping, `${ping} hs_token`]
  ]
]

describe("the doctor on real sockets", () => {
  for (const [title, answer, said, ok, rule, requests] of rows) {
    it.live(title, () =>
      Effect.gen(function*() {
        const appservice = yield* serving(answer)
        const report = yield* examine(appservice, said)
        assert.strictEqual(report.rule, rule)
        assert.strictEqual(report.ok, ok)
        assert.deepStrictEqual(appservice.received.map(shown), requests)
        // What a check found wrong never ends in success.
        if (ok) assert.isTrue(report.checks.every(({ status }) => status !== "failed"))
      }))
  }

  it.live("D8 sends no token to what has not shown itself to be a homeserver", () =>
    Effect.gen(function*() {
      const website = yield* serving(() => page)
      const appservice = yield* serving((came) => hasToken(came) ? json(200, {}) : refused)
      const report = yield* Doctor.examine({
        homeserver: website.url,
        registration: registration({ url: appservice.url.origin }),
        listen: false,
        timeout: "5 seconds"
      }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))
      assert.isFalse(report.ok)
      assert.deepStrictEqual(website.received.map(shown), ["GET versions"])
      assert.isUndefined(website.received[0]?.token)
    }))

  const resolved: Effect.Effect<string | undefined, never, Scope.Scope> = Effect.gen(function*() {
    const appservice = yield* serving((came) => hasToken(came) ? json(200, {}) : refused)
    const report = yield* examine(
      { url: new URL(appservice.url.origin.replace("127.0.0.1", "localhost")) },
      json(502, { errcode: "M_CONNECTION_FAILED", error: "Connection refused (os error 111)" })
    )
    assert.strictEqual(report.rule, "url-is-own-machine")
    return report.diagnosis.certainty
  })

  it.live("judges where the homeserver is by the address that it connected to", () =>
    Effect.gen(function*() {
      // It is on loopback here, so that only a container can be meant, which nobody saw.
      assert.strictEqual(yield* resolved, "possible")
    }))
})
