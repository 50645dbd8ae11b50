import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import { Homeserver } from "@appservice-ping/server/homeserver/Homeserver"
import * as HttpMount from "@appservice-ping/server/HttpMount"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Deferred, Effect, Exit, Layer, Logger, Redacted, Ref } from "effect"
import { HttpRouter, HttpServer, HttpServerError, HttpServerResponse } from "effect/http"
import { homeserver, tokens } from "./support/services.ts"

const origin = "http://matrix.example"

const ping = (init: RequestInit = {}): Request =>
  new Request(`${origin}/_matrix/client/v1/appservice/telegram/ping`, {
    method: "POST",
    headers: { authorization: `Bearer ${tokens.as}` },
    body: "{}",
    ...init
  })

const appservicePing = (prefix: string = ""): Request =>
  new Request(`${origin}${prefix}/_matrix/app/v1/ping`, {
    method: "POST",
    headers: { authorization: `Bearer ${tokens.hs}` }
  })

const appservice = Appservice.layer({ registration: { hs_token: Redacted.make(tokens.hs) } })

/** A body that is streamed, as a server hands it over. */
const streamOf = (source: UnderlyingDefaultSource<Uint8Array>): RequestInit => {
  const init = { body: new ReadableStream(source), duplex: "half" }
  return init
}

/** A web handler that is gone when the test ends. */
const scoped = <A extends { readonly dispose: () => Promise<void> }>(make: () => A) =>
  Effect.acquireRelease(Effect.sync(make), ({ dispose }) => Effect.promise(dispose))

/** The handler's promise was rejected. */
class Rejected extends Data.TaggedError("Rejected")<{ readonly error: unknown }> {}

/** Status and body of an answer, or why there is none. */
const fetchFrom = (web: { readonly handler: (request: Request) => Promise<Response> }, request: Request) =>
  Effect.tryPromise({
    try: async () => {
      const response = await web.handler(request)
      return { status: response.status, text: await response.text(), headers: response.headers }
    },
    catch: (error) => new Rejected({ error })
  })

const app = <E>(...routes: ReadonlyArray<Layer.Layer<never, E, HttpRouter.HttpRouter>>) =>
  scoped(() => {
    const all = Layer.mergeAll(
      HttpRouter.add("GET", "/health", HttpServerResponse.text("healthy")),
      HttpRouter.add("GET", "/_matrix/client/v3/sync", HttpServerResponse.text("synced")),
      ...routes
    )
    return HttpRouter.toWebHandler(Layer.provideMerge(all, HttpServer.layerServices), { disableLogger: true })
  })

/** What each side says of an endpoint that it does not have. */
const unrecognized = {
  homeserver: "{\"errcode\":\"M_UNRECOGNIZED\",\"error\":\"Unrecognized request\"",
  appservice: "{\"errcode\":\"M_UNRECOGNIZED\",\"error\":\"The appservice has no such endpoint\""
} as const

describe("an Effect HTTP app", () => {
  it.effect("has the ping alone beside its own versions", () =>
    Effect.gen(function*() {
      const web = yield* app(
        HttpRouter.add("GET", "/_matrix/client/versions", HttpServerResponse.text("its own")),
        HttpMount.layerHomeserverPing.pipe(Layer.provide(homeserver()))
      )
      assert.strictEqual((yield* fetchFrom(web, new Request(`${origin}/_matrix/client/versions`))).text, "its own")
      assert.strictEqual((yield* fetchFrom(web, ping())).status, 200)
    }))

  it.effect("C16 and A6 answer what nothing serves under /_matrix, once each, in any order and below a prefix", () =>
    Effect.gen(function*() {
      const sides = [
        HttpMount.layerAppservice.pipe(Layer.provide(appservice)),
        HttpMount.layerHomeserver.pipe(Layer.provide(homeserver()))
      ]
      for (const [first, ...others] of [sides, sides.toReversed(), [sides[1]], [sides[0]]]) {
        if (first === undefined) continue
        const web = yield* app(first, ...others.filter((side) => side !== undefined))
        const isAlone = others.length === 0
        const text = (path: string) =>
          Effect.map(fetchFrom(web, new Request(origin + path, { method: "POST" })), ({ text }) => text)
        const ofApp = yield* text("/_matrix/app/v1/nothing")
        const client = yield* text("/_matrix/client/v1/nothing")
        const neither = yield* text("/_matrix/nothing")
        for (const found of [ofApp, client, neither]) assert.include(found, "M_UNRECOGNIZED")
        assert.strictEqual(neither, client)
        assert.strictEqual(ofApp === client, isAlone)
      }
    }))

  it.effect("C16 and A6 answer for the part of the paths that is the side's own, below a prefix too", () =>
    Effect.gen(function*() {
      const below = Layer.effect(
        HttpRouter.HttpRouter,
        Effect.map(HttpRouter.HttpRouter, (router) => router.prefixed("/bridge"))
      )
      const web = yield* app(
        HttpMount.layerHomeserver.pipe(Layer.provide(homeserver()), Layer.provide(below)),
        HttpMount.layerAppservice.pipe(Layer.provide(appservice), Layer.provide(below))
      )
      for (const [side, path] of [["appservice", "app/v1/other"], ["homeserver", "client/v1/other"]] as const) {
        const { text } = yield* fetchFrom(web, new Request(`${origin}/bridge/_matrix/${path}`))
        assert.include(text, unrecognized[side])
      }
    }))

  /** What a route fails with; the types of an app would make it handle that itself. */
  const failing = (error: unknown) => Effect.fail(error) as Effect.Effect<never>

  it.effect("leaves the errors of the app's other routes under /_matrix as they are", () =>
    Effect.gen(function*() {
      const web = yield* app(
        HttpRouter.add(
          "GET",
          "/_matrix/client/unreadable",
          (request) =>
            failing(new HttpServerError.HttpServerError({ reason: new HttpServerError.RequestParseError({ request }) }))
        ),
        HttpRouter.add("GET", "/_matrix/client/broken", () => failing({ reason: { _tag: "RouteNotFound" } })),
        HttpMount.layerHomeserver.pipe(Layer.provide(homeserver()))
      )
      for (const [path, status] of [["unreadable", 400], ["broken", 500]] as const) {
        const answer = yield* fetchFrom(web, new Request(`${origin}/_matrix/client/${path}`))
        assert.deepStrictEqual([answer.status, answer.text], [status, ""])
      }
    }))

  it.effect("C17 answers what a browser asks first without a body, and without the type of one", () =>
    Effect.gen(function*() {
      const web = yield* app(HttpMount.layerHomeserver.pipe(Layer.provide(homeserver())))
      const { headers, status, text } = yield* fetchFrom(
        web,
        new Request(`${origin}/_matrix/client/versions`, { method: "OPTIONS" })
      )
      assert.deepStrictEqual([status, text, headers.get("content-type")], [204, "", null])
    }))

  it.effect("has both sides beside its other routes", () =>
    Effect.gen(function*() {
      const web = yield* app(
        HttpMount.layerHomeserver.pipe(Layer.provide(homeserver())),
        HttpMount.layerAppservice.pipe(Layer.provide(appservice))
      )
      for (
        const [request, status, text] of [
          [ping(), 200, "{\"duration_ms\":"],
          [appservicePing(), 200, "{}"],
          [new Request(`${origin}/_matrix/client/versions`), 200, "{\"versions\":"],
          [new Request(`${origin}/health`), 200, "healthy"],
          [new Request(`${origin}/_matrix/client/v3/sync`), 200, "synced"],
          [new Request(`${origin}/_matrix/client/v3/sync`, { method: "HEAD" }), 200, ""],
          [new Request(`${origin}/_matrix/client/v3/unknown`), 404, unrecognized.homeserver],
          [new Request(`${origin}/_matrix/client/v3/unknown?a=/_matrix/app/`), 404, unrecognized.homeserver],
          [new Request(`${origin}/_matrix`), 404, unrecognized.homeserver],
          [new Request(`${origin}/_matrix/app/v1/unknown`), 404, unrecognized.appservice],
          [new Request(`${origin}/_matrix/app`, { method: "PUT" }), 404, unrecognized.appservice],
          [new Request(`${origin}/_matrixes`), 404, ""],
          [new Request(`${origin}/unknown`), 404, ""]
        ] as const
      ) {
        const answer = yield* fetchFrom(web, request)
        assert.strictEqual(answer.status, status, request.url)
        assert.isTrue(answer.text.startsWith(text), answer.text)
      }
    }))

  it.effect("A4 and C6 tell an absent body from one that broke off", () =>
    Effect.gen(function*() {
      const web = yield* app(
        HttpMount.layerHomeserver.pipe(Layer.provide(homeserver())),
        HttpMount.layerAppservice.pipe(Layer.provide(appservice))
      )
      const absent = new Request(ping().url, { method: "POST", headers: { authorization: `Bearer ${tokens.as}` } })
      assert.include((yield* fetchFrom(web, absent)).text, "The request body is empty")
      assert.strictEqual((yield* fetchFrom(web, appservicePing())).text, "{}")
      const broken = ping(streamOf({ pull: (controller) => controller.error(new Error("secret")) }))
      assert.include((yield* fetchFrom(web, broken)).text, "The request body ended early")
    }))

  it.effect("A8 can have a side below a path of its own", () =>
    Effect.gen(function*() {
      const below = Layer.effect(
        HttpRouter.HttpRouter,
        Effect.map(HttpRouter.HttpRouter, (router) => router.prefixed("/bridge"))
      )
      const web = yield* app(HttpMount.layerAppservice.pipe(Layer.provide(appservice), Layer.provide(below)))
      assert.strictEqual((yield* fetchFrom(web, appservicePing("/bridge"))).text, "{}")
      assert.strictEqual((yield* fetchFrom(web, appservicePing())).text, `${unrecognized.appservice}}`)
      assert.strictEqual(
        (yield* fetchFrom(web, new Request(`${origin}/bridge/_matrix/app/v1/pong`))).text,
        `${unrecognized.appservice}}`
      )
      assert.strictEqual((yield* fetchFrom(web, new Request(`${origin}/health`))).text, "healthy")
    }))

  it.effect("C23 fails to build with the registry's error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(
        Layer.provide(
          HttpMount.layerHomeserver,
          Layer.effect(Homeserver, Effect.fail("the registry's error" as const))
        ).pipe(Layer.provide(HttpRouter.layer))
      ))
      assert.strictEqual(error, "the registry's error")
    }))
})

describe("a web-standard handler", () => {
  it.effect("answers with status, headers and body", () =>
    Effect.gen(function*() {
      const web = yield* scoped(() => HttpMount.homeserverWebHandler(homeserver()))
      const answer = yield* fetchFrom(web, ping({ body: "" }))
      assert.strictEqual(answer.status, 400)
      assert.strictEqual(answer.text, "{\"errcode\":\"M_NOT_JSON\",\"error\":\"The request body is empty\"}")
      assert.deepStrictEqual(Object.fromEntries(answer.headers), {
        "content-type": "application/json",
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
        "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization"
      })
      const preflight = yield* fetchFrom(web, new Request(ping().url, { method: "OPTIONS" }))
      assert.deepStrictEqual([preflight.status, preflight.text], [204, ""])
      const head = yield* fetchFrom(web, new Request(`${origin}/_matrix/client/versions`, { method: "HEAD" }))
      assert.deepStrictEqual([head.status, head.text], [200, ""])
    }))

  it.effect("serves an appservice as well", () =>
    Effect.gen(function*() {
      const web = yield* scoped(() => HttpMount.appserviceWebHandler(appservice))
      const answer = yield* fetchFrom(web, appservicePing())
      assert.deepStrictEqual([answer.status, answer.text], [200, "{}"])
    }))

  it.effect("builds its layer once, at the first request, and releases it when it is disposed of", () =>
    Effect.gen(function*() {
      const log = yield* Ref.make<ReadonlyArray<string>>([])
      const note = (word: string) => Ref.update(log, (words) => [...words, word])
      const tracked = Layer.provideMerge(
        homeserver(),
        Layer.effectDiscard(Effect.acquireRelease(note("built"), () => note("released")))
      )
      const web = HttpMount.homeserverWebHandler(tracked)
      assert.deepStrictEqual(yield* Ref.get(log), [])
      yield* Effect.all([fetchFrom(web, ping()), fetchFrom(web, ping()), fetchFrom(web, ping())], {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(yield* Ref.get(log), ["built"])
      yield* Effect.promise(web.dispose)
      assert.deepStrictEqual(yield* Ref.get(log), ["built", "released"])
      yield* Effect.promise(web.dispose)
      assert.deepStrictEqual(yield* Ref.get(log), ["built", "released"])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(fetchFrom(web, ping()))))
    }))

  it.effect("interrupts the exchange of a request that is aborted, and rejects", () =>
    Effect.gen(function*() {
      const sent = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const web = yield* scoped(() =>
        HttpMount.homeserverWebHandler(homeserver({
          send: () =>
            Deferred.succeed(sent, undefined).pipe(
              Effect.andThen(Effect.never),
              Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
            )
        }))
      )
      const controller = new AbortController()
      const answer = Effect.runPromiseExit(fetchFrom(web, ping({ signal: controller.signal })))
      yield* Deferred.await(sent)
      controller.abort()
      yield* Deferred.await(interrupted)
      assert.isTrue(Exit.isFailure(yield* Effect.promise(() => answer)))
    }))

  it.effect("rejects a request that was aborted before it came, and sends nothing", () =>
    Effect.gen(function*() {
      const web = yield* scoped(() =>
        HttpMount.homeserverWebHandler(homeserver({ send: () => Effect.die("something was sent") }))
      )
      const exit = yield* Effect.exit(fetchFrom(web, ping({ signal: AbortSignal.abort() })))
      assert.isTrue(Exit.isFailure(exit))
      // An abort while the layer was being built does not spoil it for the next.
      assert.strictEqual((yield* fetchFrom(web, ping({ body: "" }))).status, 400)
    }))

  it.effect("interrupts running exchanges when it is disposed of", () =>
    Effect.gen(function*() {
      const sent = yield* Deferred.make<void>()
      const interrupted = yield* Ref.make(false)
      const web = HttpMount.homeserverWebHandler(homeserver({
        send: () =>
          Deferred.succeed(sent, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Ref.set(interrupted, true))
          )
      }))
      const answer = Effect.runPromiseExit(fetchFrom(web, ping()))
      yield* Deferred.await(sent)
      yield* Effect.promise(web.dispose)
      assert.isTrue(yield* Ref.get(interrupted))
      assert.isTrue(Exit.isFailure(yield* Effect.promise(() => answer)))
    }))

  it.effect("rejects with the error of a layer that fails to build", () =>
    Effect.gen(function*() {
      const web = yield* scoped(() =>
        HttpMount.homeserverWebHandler(Layer.effect(Homeserver, Effect.fail("the layer's error")))
      )
      for (let i = 0; i < 2; i++) {
        const rejected = yield* Effect.flip(fetchFrom(web, ping()))
        assert.include(String(rejected.error), "the layer's error")
      }
    }))

  it.effect("C6 reads a streamed body no further than its bound, and cancels the rest", () =>
    Effect.gen(function*() {
      let given = 0
      let cancelled = 0
      const web = yield* scoped(() => HttpMount.homeserverWebHandler(homeserver({ homeserver: { maxBodyBytes: 100 } })))
      const answer = yield* fetchFrom(
        web,
        ping(streamOf({
          pull(controller) {
            given += 30
            controller.enqueue(new Uint8Array(30).fill(0x20))
          },
          cancel() {
            cancelled++
          }
        }))
      )
      assert.strictEqual(answer.status, 413)
      assert.isBelow(given, 300)
      assert.strictEqual(cancelled, 1)
    }))

  it.effect("C6 answers 400 M_NOT_JSON to a streamed body that breaks off", () =>
    Effect.gen(function*() {
      const web = yield* scoped(() => HttpMount.homeserverWebHandler(homeserver()))
      const answer = yield* fetchFrom(
        web,
        ping(streamOf({
          pull(controller) {
            controller.error(new Error("secret"))
          }
        }))
      )
      assert.strictEqual(answer.status, 400)
      assert.strictEqual(answer.text, "{\"errcode\":\"M_NOT_JSON\",\"error\":\"The request body ended early\"}")
    }))

  it.effect("D5 does not touch the body of a stranger", () =>
    Effect.gen(function*() {
      const web = yield* scoped(() => HttpMount.homeserverWebHandler(homeserver()))
      const request = ping({ headers: {}, ...streamOf({ pull: () => new Promise(() => {}) }) })
      assert.strictEqual((yield* fetchFrom(web, request)).status, 401)
      assert.isFalse(request.bodyUsed)
    }))

  it.effect("C6 answers 400 M_NOT_JSON to a body that is shorter than it said", () =>
    Effect.gen(function*() {
      const web = yield* scoped(() => HttpMount.homeserverWebHandler(homeserver()))
      const headers = { authorization: `Bearer ${tokens.as}`, "content-length": "3" }
      const answer = yield* fetchFrom(web, ping({ headers }))
      assert.strictEqual(answer.status, 400)
      assert.strictEqual(answer.text, "{\"errcode\":\"M_NOT_JSON\",\"error\":\"The request body ended early\"}")
    }))

  it.live("C33 answers 408 to a body that takes longer than BodyTimeout", () =>
    Effect.gen(function*() {
      const layer = Layer.merge(homeserver(), Layer.succeed(HttpMount.BodyTimeout, "20 millis"))
      const web = yield* scoped(() => HttpMount.homeserverWebHandler(layer))
      const answer = yield* fetchFrom(web, ping(streamOf({ pull: () => new Promise(() => {}) })))
      assert.strictEqual(answer.status, 408)
      assert.strictEqual(
        answer.text,
        "{\"errcode\":\"M_NOT_JSON\",\"error\":\"The request body did not arrive in time\"}"
      )
      assert.strictEqual(answer.headers.get("connection"), "close")
    }))

  it.effect("answers 500 M_UNKNOWN where somebody else has read the body before, and logs how to mount it", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ cause, message }) => void logged.push(`${String(message)} ${Cause.pretty(cause)}`))
      const web = yield* scoped(() =>
        HttpMount.homeserverWebHandler(Layer.provideMerge(homeserver(), Logger.layer([logger])))
      )
      const request = ping()
      yield* Effect.promise(() => request.text())
      const answer = yield* fetchFrom(web, request)
      assert.strictEqual(answer.status, 500)
      assert.include(answer.text, "M_UNKNOWN")
      assert.include(logged.join(), "mount the handler before any body parser")
    }))
})
