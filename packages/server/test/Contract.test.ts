/** The servers against their own contracts: what they answer is declared, and a client derived from them reads it. */
import { AccountApi } from "@appservice-ping/domain/AccountApi"
import { AppserviceApi } from "@appservice-ping/domain/AppserviceApi"
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import { HomeserverApi } from "@appservice-ping/domain/HomeserverApi"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import { BodyError, type Handler } from "@appservice-ping/server/Exchange"
import { Homeserver } from "@appservice-ping/server/homeserver/Homeserver"
import * as HttpMount from "@appservice-ping/server/HttpMount"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { type HttpApi, HttpApiClient, type HttpApiGroup, OpenApi } from "effect/http-api"
import { request, type RequestOptions } from "./support/exchange.ts"
import { homeserver, ok, registration, type Send, tokens } from "./support/services.ts"

/** What every server may answer without its contract saying so: the endpoint is not its, the body too large, a defect. */
const undeclared = new Set([404, 405, 413, 500])

const distinct = (statuses: ReadonlyArray<number>): ReadonlyArray<number> =>
  [...new Set(statuses)].toSorted((a, b) => a - b)

/** The statuses that a contract declares, by method and path. */
const declared = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): ReadonlyMap<string, ReadonlyArray<number>> =>
  new Map(
    Object.entries(OpenApi.fromApi(api).paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => {
        const { responses } = operation as { readonly responses: object }
        return [`${method.toUpperCase()} ${path}`, distinct(Object.keys(responses).map(Number))] as const
      })
    )
  )

const body = new BodyError({ reason: "TooLarge" })

/** Every way in which a handler of the homeserver answers. */
const homeserverCases: ReadonlyArray<
  readonly [options: Parameters<typeof homeserver<never>>[0], request: RequestOptions, status: number]
> = [
  [{}, { token: tokens.as }, 200],
  [{}, { token: tokens.as, body: "" }, 400],
  [{}, { token: tokens.as, body: "[]" }, 400],
  [{ registration: registration({ url: null }) }, { token: tokens.as }, 400],
  [{}, {}, 401],
  [{}, { token: "unknown" }, 401],
  [{}, { token: tokens.user }, 403],
  [{}, { token: tokens.as, target: "/_matrix/client/v1/appservice/telegram/ping?user_id=@alice:localhost" }, 403],
  [{ homeserver: { maxConcurrentPings: 0 } }, { token: tokens.as }, 429],
  [{ send: () => Effect.succeed({ ...ok, status: 404 }) }, { token: tokens.as }, 502],
  [{ send: () => Effect.fail(new ConnectionFailure({ kind: "refused", text: "" })) }, { token: tokens.as }, 502],
  [{ send: () => Effect.fail(new ConnectionFailure({ kind: "timeout", text: "" })) }, { token: tokens.as }, 504],
  [{}, { token: tokens.as, target: "/_matrix/client/v1/appservice/telegram/pong" }, 404],
  [{}, { token: tokens.as, method: "PATCH" }, 405],
  [{}, { token: tokens.as, body }, 413],
  [{ send: () => Effect.die("no") }, { token: tokens.as }, 500]
]

const appserviceCases: ReadonlyArray<readonly [request: RequestOptions, status: number]> = [
  [{ token: tokens.hs }, 200],
  [{ token: tokens.hs, body: "{" }, 400],
  [{ token: tokens.hs, body: "[]" }, 400],
  [{}, 401],
  [{ token: "wrong" }, 403],
  [{ token: tokens.hs, target: "/_matrix/app/v1/pong" }, 404],
  [{ token: tokens.hs, method: "PATCH" }, 405],
  [{ token: tokens.hs, body }, 413]
]

/** Everything answered, but for what needs no declaration. */
const toBeDeclared = (statuses: ReadonlyArray<number>): ReadonlyArray<number> =>
  distinct(statuses.filter((status) => !undeclared.has(status)))

const homeserverLayer = (options: Parameters<typeof homeserver<never>>[0]): Effect.Effect<Handler> =>
  Effect.scoped(Effect.map(Layer.build(homeserver(options)), (context) => Context.get(context, Homeserver).handle))

const appserviceLayer = Appservice.layer({ registration: { hs_token: Redacted.make(tokens.hs) } })

describe("what the contracts declare", () => {
  for (
    const path of [
      "/_matrix/client/v1/appservice/{appserviceId}/ping",
      "/_matrix/client/unstable/fi.mau.msc2659/appservice/{appserviceId}/ping"
    ]
  ) {
    it.effect(`C15 is what the homeserver answers at ${path}, neither more nor less`, () =>
      Effect.gen(function*() {
        const answered: Array<number> = []
        for (const [options, asked, status] of homeserverCases) {
          const handle = yield* homeserverLayer(options)
          const target = asked.target ?? path.replace("{appserviceId}", "telegram")
          const answer = yield* handle(request({ ...asked, target }))
          assert.strictEqual(answer.status, status)
          answered.push(status)
        }
        assert.deepStrictEqual(toBeDeclared(answered), declared(HomeserverApi).get(`POST ${path}`))
      }))
  }

  for (const version of ["v3", "r0"]) {
    it.effect(`D12 is what the homeserver answers at /_matrix/client/${version}/register and /account/whoami`, () =>
      Effect.gen(function*() {
        const handle = yield* homeserverLayer({ homeserver: { versions: { versions: ["v1.17"] } } })
        const body = "{\"type\":\"m.login.application_service\",\"username\":\"bot\"}"
        const bodies = [body, body, "", "[]"]
        const asked = {
          register: bodies.map((body) => ({ body, token: tokens.as })),
          "account/whoami": [{ token: tokens.as }, { token: tokens.as, query: "?device_id=A" }]
        }
        for (const [path, requests] of Object.entries(asked)) {
          const target = `/_matrix/client/${version}/${path}`
          const method = path === "register" ? "POST" : "GET"
          const answered: Array<number> = []
          for (
            const { query = "", ...options } of [...requests, {}, { token: tokens.user }] as ReadonlyArray<
              RequestOptions & { readonly query?: string }
            >
          ) answered.push((yield* handle(request({ method, ...options, target: target + query }))).status)
          assert.deepStrictEqual(toBeDeclared(answered), declared(AccountApi).get(`${method} ${target}`))
        }
      }))
  }

  it.effect("C21 is what the homeserver answers to GET /_matrix/client/versions", () =>
    Effect.gen(function*() {
      const handle = yield* homeserverLayer({})
      const target = "/_matrix/client/versions"
      const answered: Array<number> = []
      for (const method of ["GET", "HEAD", "POST"]) {
        for (const token of [undefined, "unknown", tokens.as]) {
          answered.push((yield* handle(request({ method, target, ...token === undefined ? {} : { token } }))).status)
        }
      }
      assert.deepStrictEqual(distinct(answered), [200, 405])
      assert.deepStrictEqual(toBeDeclared(answered), declared(HomeserverApi).get(`GET ${target}`))
    }))

  for (const path of ["/_matrix/app/v1/ping", "/_matrix/app/unstable/fi.mau.msc2659/ping"]) {
    it.effect(`A4 is what the appservice answers at ${path}, neither more nor less`, () =>
      Effect.gen(function*() {
        const { handle } = Context.get(yield* Layer.build(appserviceLayer), Appservice.Appservice)
        const answered: Array<number> = []
        for (const [asked, status] of appserviceCases) {
          const answer = yield* handle(request({ ...asked, target: asked.target ?? path }))
          assert.strictEqual(answer.status, status)
          answered.push(status)
        }
        assert.deepStrictEqual(toBeDeclared(answered), declared(AppserviceApi).get(`POST ${path}`))
      }))
  }

  it("covers every endpoint", () => {
    assert.deepStrictEqual([...declared(HomeserverApi).keys(), ...declared(AppserviceApi).keys()].toSorted(), [
      "GET /_matrix/client/versions",
      "POST /_matrix/app/unstable/fi.mau.msc2659/ping",
      "POST /_matrix/app/v1/ping",
      "POST /_matrix/client/unstable/fi.mau.msc2659/appservice/{appserviceId}/ping",
      "POST /_matrix/client/v1/appservice/{appserviceId}/ping"
    ])
  })
})

/** An HTTP client whose every request goes to a handler in this process. */
const clientOf = ({ handler }: HttpMount.WebHandler): Layer.Layer<HttpClient.HttpClient> =>
  FetchHttpClient.layer.pipe(
    Layer.provide(Layer.succeed(FetchHttpClient.Fetch, (input, init) => handler(new Request(input, init))))
  )

const withToken = (token: string) =>
  HttpClient.mapRequest(HttpClientRequest.setHeader("authorization", `Bearer ${token}`))

const scoped = (make: () => HttpMount.WebHandler) =>
  Effect.acquireRelease(Effect.sync(make), ({ dispose }) => Effect.promise(dispose))

describe("clients derived from the contracts", () => {
  const client = (send: Send, token: string = tokens.as, id: string = "telegram") =>
    Effect.gen(function*() {
      const web = yield* scoped(() =>
        HttpMount.homeserverWebHandler(homeserver({ send, registration: registration({ id }) }))
      )
      return yield* HttpApiClient.make(HomeserverApi, {
        baseUrl: "http://matrix.example",
        transformClient: withToken(token)
      }).pipe(Effect.provide(clientOf(web)))
    })

  const params = { appserviceId: AppserviceId.make("telegram") }

  it.effect("C9 read a success, at both paths", () =>
    Effect.gen(function*() {
      const sent: Array<string> = []
      const { getVersions, pingAppservice, pingAppserviceUnstable } = yield* client((request) =>
        Effect.sync(() => {
          sent.push(request.body)
          return ok
        })
      )
      const { duration_ms } = yield* pingAppservice({ params, payload: { transaction_id: "stable" } })
      assert.isTrue(Number.isInteger(duration_ms))
      yield* pingAppserviceUnstable({ params, payload: { transaction_id: "unstable" } })
      yield* pingAppservice({ params, payload: {} })
      assert.deepStrictEqual(sent, ["{\"transaction_id\":\"stable\"}", "{\"transaction_id\":\"unstable\"}", "{}"])
      assert.deepStrictEqual((yield* getVersions()).versions, ["v1.7"])
    }))

  it.effect("C20 carry any id there", () =>
    Effect.gen(function*() {
      for (const id of ["IRC Bridge", "a/b", "%", "%2F", "ü😀", "a+b?c#d;e", "..x", "x".repeat(500)]) {
        const { pingAppservice } = yield* client(() => Effect.succeed(ok), tokens.as, id)
        const { duration_ms } = yield* pingAppservice({ params: { appserviceId: AppserviceId.make(id) }, payload: {} })
        assert.isTrue(Number.isInteger(duration_ms))
      }
    }))

  it.effect("C10 read every error as the typed one it was", () =>
    Effect.gen(function*() {
      for (
        const [tag, send, token, id] of [
          ["M_BAD_STATUS", () => Effect.succeed({ ...ok, status: 418 }), tokens.as, "telegram"],
          [
            "M_CONNECTION_FAILED",
            () => Effect.fail(new ConnectionFailure({ kind: "dns", text: "x" })),
            tokens.as,
            "telegram"
          ],
          [
            "M_CONNECTION_TIMEOUT",
            () => Effect.fail(new ConnectionFailure({ kind: "timeout", text: "x" })),
            tokens.as,
            "telegram"
          ],
          ["M_UNKNOWN_TOKEN", () => Effect.succeed(ok), "unknown", "telegram"],
          ["M_FORBIDDEN", () => Effect.succeed(ok), tokens.user, "telegram"],
          ["M_FORBIDDEN", () => Effect.succeed(ok), tokens.as, "another"],
          ["M_MISSING_TOKEN", () => Effect.succeed(ok), "", "telegram"]
        ] as const
      ) {
        const { pingAppservice } = yield* client(send, token, id)
        const error = yield* Effect.flip(pingAppservice({ params, payload: {} }))
        assert.strictEqual(error._tag, tag)
        if (error._tag === "M_BAD_STATUS") assert.deepStrictEqual([error.status, error.body], [418, "{}"])
      }
    }))

  it.effect("A5 reach the appservice, at both paths, and read its errors", () =>
    Effect.gen(function*() {
      const web = yield* scoped(() => HttpMount.appserviceWebHandler(appserviceLayer))
      const make = (token: string) =>
        HttpApiClient.make(AppserviceApi, {
          baseUrl: "http://bridge.example",
          transformClient: withToken(token)
        }).pipe(Effect.provide(clientOf(web)))
      const right = yield* make(tokens.hs)
      assert.deepStrictEqual(yield* right.ping({ payload: {} }), {})
      assert.deepStrictEqual(yield* right.pingUnstable({ payload: { transaction_id: "x" } }), {})
      const wrong = yield* make("wrong")
      assert.strictEqual((yield* Effect.flip(wrong.ping({ payload: {} })))._tag, "M_FORBIDDEN")
      const none = yield* make("")
      assert.strictEqual((yield* Effect.flip(none.ping({ payload: {} })))._tag, "M_MISSING_TOKEN")
    }))
})
