import { BodyError } from "@appservice-ping/server/Exchange"
import { AppserviceRegistry, layer as layerRegistry } from "@appservice-ping/server/homeserver/AppserviceRegistry"
import { Homeserver, type HomeserverOptions } from "@appservice-ping/server/homeserver/Homeserver"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Ref, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ask, request, summary } from "./support/exchange.ts"
import { homeserver, ok, registration, tokens } from "./support/services.ts"

const handlerOf = (options: Parameters<typeof homeserver<never>>[0] = {}) =>
  Effect.map(Layer.build(homeserver(options)), (context) => Context.get(context, Homeserver).handle)

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization"
}

const path = "/_matrix/client/v1/appservice/telegram/ping"

/** A registry that fails the test when it is asked. */
const untouched = Layer.succeed(
  AppserviceRegistry,
  AppserviceRegistry.of({ identify: () => Effect.die("the registry was asked") })
)

describe("Homeserver", () => {
  it.effect("C9 answers a ping with nothing but the duration", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf()
      assert.deepStrictEqual(yield* handle(request({ token: tokens.as })), {
        status: 200,
        headers: { "content-type": "application/json", ...cors },
        body: "{\"duration_ms\":0}"
      })
    }))

  it.effect("D5 reads the body once, and never a stranger's", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf()
      for (
        const [reads, options] of [
          [1, { token: tokens.as }],
          [0, {}],
          [0, { token: "unknown" }],
          [0, { token: tokens.user }],
          [0, { token: tokens.as, target: path.replace("telegram", "irc") }],
          [0, { method: "OPTIONS" }],
          [0, { method: "PUT" }],
          [0, { target: "/unknown" }],
          [0, { method: "GET", target: "/_matrix/client/versions" }]
        ] as const
      ) {
        const asked = request(options)
        yield* handle(asked)
        assert.strictEqual(asked.bodyReads(), reads, JSON.stringify(options))
      }
    }))

  it.effect("C2 and C17 do not ask the registry where there is no token, or nothing to be allowed", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf({ registry: untouched })
      assert.strictEqual((yield* ask(handle)).status, 401)
      for (const target of [path, path.replace("v1", "unstable/fi.mau.msc2659"), "/_matrix/client/versions"]) {
        assert.deepStrictEqual(
          yield* handle(
            request({ method: "OPTIONS", target, token: tokens.as, headers: { authorization: "garbage" } })
          ),
          { status: 204, headers: cors, body: "" }
        )
      }
      assert.strictEqual((yield* ask(handle, { method: "GET", target: "/_matrix/client/versions" })).status, 200)
      assert.strictEqual((yield* ask(handle, { target: "/unknown", token: tokens.as })).status, 404)
      assert.strictEqual((yield* ask(handle, { method: "PUT", token: tokens.as })).status, 405)
    }))

  for (
    const [name, identify] of [
      ["dies", () => Effect.die(new Error("database down"))],
      ["throws", () => {
        throw new Error("database down")
      }],
      ["interrupts itself", () => Effect.interrupt]
    ] as const
  ) {
    it.effect(`C19 answers 500 M_UNKNOWN with the CORS headers where the registry ${name}`, () =>
      Effect.gen(function*() {
        const handle = yield* handlerOf({
          registry: Layer.succeed(AppserviceRegistry, AppserviceRegistry.of({ identify }))
        })
        assert.deepStrictEqual(yield* handle(request({ token: tokens.as })), {
          status: 500,
          headers: { "content-type": "application/json", ...cors },
          body: "{\"errcode\":\"M_UNKNOWN\",\"error\":\"Internal server error\"}"
        })
        // The next request is answered as if nothing had happened.
        assert.strictEqual((yield* ask(handle)).status, 401)
      }))
  }

  it.effect("C6 says why a body could not be read, and closes the connection", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf()
      for (
        const [reason, status, errcode] of [["TooLarge", 413, "M_TOO_LARGE"], ["Aborted", 400, "M_NOT_JSON"]] as const
      ) {
        const answer = yield* handle(request({ token: tokens.as, body: new BodyError({ reason }) }))
        assert.deepInclude(summary(answer), { status, errcode })
        assert.deepStrictEqual(answer.headers, { "content-type": "application/json", connection: "close", ...cors })
      }
    }))

  it.effect("C6 reads at most 1 MiB of a body, unless told otherwise", () =>
    Effect.gen(function*() {
      const bounds: Array<number> = []
      const asked = {
        ...request({ token: tokens.as }),
        body: (maxBytes: number) => {
          bounds.push(maxBytes)
          return Effect.succeed(new TextEncoder().encode("{}"))
        }
      }
      yield* (yield* handlerOf())(asked)
      yield* (yield* handlerOf({ homeserver: { maxBodyBytes: 7 } }))(asked)
      assert.deepStrictEqual(bounds, [1024 * 1024, 7])
    }))

  it.effect("takes a request target in absolute form, as RFC 9112 has it", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf()
      for (const origin of ["http://matrix.example", "https://matrix.example:8448", "HTTP://MATRIX.EXAMPLE"]) {
        assert.strictEqual((yield* ask(handle, { target: origin + path, token: tokens.as })).status, 200)
        assert.strictEqual((yield* ask(handle, { target: `${origin}${path}?access_token=${tokens.as}` })).status, 200)
      }
      for (const target of ["*", "", "matrix.example:443", "http://[/x", "javascript:alert(1)"]) {
        assert.strictEqual((yield* ask(handle, { target, token: tokens.as })).status, 404, target)
      }
    }))

  it.effect("C21 answers with the versions it is given", () =>
    Effect.gen(function*() {
      const versions = { versions: ["r0.6.1", "v1.19"], unstable_features: { "x.y": false } }
      for (
        const [options, expected] of [
          [{ versions }, versions],
          [{ versions: { versions: [] } }, { versions: [] }],
          [{}, { versions: ["v1.7"], unstable_features: { "fi.mau.msc2659": true, "fi.mau.msc2659.stable": true } }]
        ] as ReadonlyArray<readonly [HomeserverOptions, unknown]>
      ) {
        const handle = yield* handlerOf({ homeserver: options })
        for (const method of ["GET", "HEAD"]) {
          const { body, status } = yield* ask(handle, { method, target: "/_matrix/client/versions" })
          assert.strictEqual(status, 200)
          assert.deepStrictEqual(body, expected)
        }
      }
    }))

  it.effect("C18 lets so many pings run at once, 1024 unless told otherwise", () =>
    Effect.gen(function*() {
      for (
        const [limit, options] of [[3, { maxConcurrentPings: 3 }], [1024, {
          maxConcurrentPingsPerAppservice: 1024
        }]] as const
      ) {
        const gate = yield* Deferred.make<void>()
        const handle = yield* handlerOf({
          homeserver: options,
          send: () => Effect.as(Deferred.await(gate), ok)
        })
        const running = yield* Effect.forEach(
          Array.from({ length: limit }),
          () => Effect.forkChild(ask(handle, { token: tokens.as }))
        )
        yield* Effect.yieldNow
        const refused = yield* handle(request({ token: tokens.as }))
        assert.strictEqual(refused.status, 429)
        assert.strictEqual(refused.headers["retry-after"], "1")
        assert.deepStrictEqual(summary(refused).body, {
          errcode: "M_LIMIT_EXCEEDED",
          error: "Too many pings at once",
          retry_after_ms: 1000
        })
        yield* Deferred.succeed(gate, undefined)
        for (const fiber of running) assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
        assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 200)
      }
    }))

  it.effect("C18 leaves room for others where the pings of one appservice stall: 64 of one run at once", () =>
    Effect.gen(function*() {
      const others = [registration(), registration({ id: "irc", asToken: "as-token-irc", url: "http://irc.test" })]
      const handle = yield* handlerOf({
        registry: Layer.orDie(layerRegistry(others)),
        send: ({ url }) => url.host === "irc.test" ? Effect.succeed(ok) : Effect.never
      })
      for (let i = 0; i < 64; i++) yield* Effect.forkChild(ask(handle, { token: tokens.as }))
      yield* Effect.yieldNow
      const refused = yield* handle(request({ token: tokens.as }))
      assert.deepStrictEqual(summary(refused), {
        status: 429,
        errcode: "M_LIMIT_EXCEEDED",
        body: {
          errcode: "M_LIMIT_EXCEEDED",
          error: "Too many pings at once of this appservice",
          retry_after_ms: 1000
        }
      })
      const target = "/_matrix/client/v1/appservice/irc/ping"
      assert.strictEqual((yield* ask(handle, { token: "as-token-irc", target })).status, 200)
    }))

  it.effect("C18 bounds the bytes of all bodies, and of each appservice to a quarter", () =>
    Effect.gen(function*() {
      const ids = ["a", "b", "c", "d", "e"]
      const handle = yield* handlerOf({
        registry: Layer.orDie(layerRegistry(ids.map((id) => registration({ id, asToken: `as-${id}` })))),
        homeserver: { maxBodyBytes: 1000, maxBodyBytesInFlight: 4000 },
        send: () => Effect.never
      })
      const asked = (id: string, body: string) =>
        ask(handle, { token: `as-${id}`, target: `/_matrix/client/v1/appservice/${id}/ping`, body })
      const large = JSON.stringify({ transaction_id: "x".repeat(900) })
      for (const id of ids.slice(0, 4)) {
        yield* Effect.forkChild(asked(id, large))
        yield* Effect.yieldNow
        if (id === "d") break
        const { body, status } = yield* asked(id, large)
        assert.strictEqual(status, 429)
        assert.deepInclude(body, { error: "Too many bytes of pings at once of this appservice" })
      }
      const { body, status } = yield* asked("e", large)
      assert.strictEqual(status, 429)
      assert.deepInclude(body, { error: "Too many bytes of pings at once" })
      // A body that is too large for one ping is that, and takes none of the others' room.
      assert.strictEqual((yield* asked("e", "x".repeat(1001))).status, 413)
    }))

  it.effect("C18 limits the rate of each appservice where it is told to, and says when the next ping is allowed", () =>
    Effect.gen(function*() {
      const others = [registration(), registration({ id: "irc", asToken: "as-token-irc" })]
      const handle = yield* handlerOf({
        registry: Layer.orDie(layerRegistry(others)),
        homeserver: { rateLimit: { pings: 3, per: "1 minute" } }
      })
      const one = { token: tokens.as }
      for (let i = 0; i < 3; i++) assert.strictEqual((yield* ask(handle, one)).status, 200)
      const refused = yield* handle(request(one))
      assert.deepStrictEqual([refused.status, refused.headers["retry-after"]], [429, "20"])
      assert.deepInclude(summary(refused).body, {
        errcode: "M_LIMIT_EXCEEDED",
        error: "This appservice pings too often",
        retry_after_ms: 20_000
      })
      const irc = { token: "as-token-irc", target: "/_matrix/client/v1/appservice/irc/ping" }
      assert.strictEqual((yield* ask(handle, irc)).status, 200)
      yield* TestClock.adjust("19999 millis")
      assert.strictEqual((yield* ask(handle, one)).status, 429)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* ask(handle, one)).status, 200)
      assert.strictEqual((yield* ask(handle, one)).status, 429)
      yield* TestClock.adjust("1 hour")
      for (let i = 0; i < 3; i++) assert.strictEqual((yield* ask(handle, one)).status, 200)
      assert.strictEqual((yield* ask(handle, one)).status, 429)
    }))

  it.effect("C28 limits no rate unless it is told to", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf()
      for (let i = 0; i < 200; i++) assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 200)
    }))

  it.effect("C18 gives a place back when its ping is interrupted, dies or fails", () =>
    Effect.gen(function*() {
      let send: Effect.Effect<typeof ok> = Effect.never
      const handle = yield* handlerOf({ homeserver: { maxConcurrentPings: 1 }, send: () => Effect.suspend(() => send) })
      const fiber = yield* Effect.forkChild(ask(handle, { token: tokens.as }))
      yield* Effect.yieldNow
      assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 429)
      yield* Fiber.interrupt(fiber)
      send = Effect.die("no")
      assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 500)
      send = Effect.succeed({ ...ok, status: 503 })
      assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 502)
      send = Effect.succeed(ok)
      assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 200)
    }))

  it.effect("is interrupted with the request, and the appservice is let go of", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      const interrupted = yield* Ref.make(false)
      const handle = yield* handlerOf({
        send: () =>
          Deferred.succeed(asked, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Ref.set(interrupted, true))
          )
      })
      const fiber = yield* Effect.forkChild(handle(request({ token: tokens.as })))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.isTrue(yield* Ref.get(interrupted))
    }))

  it.effect("C13 interrupts its hook after 30 seconds, and not before", () =>
    Effect.gen(function*() {
      const interrupted = yield* Ref.make(false)
      const handle = yield* handlerOf({
        homeserver: {
          onPingSucceeded: () => Effect.never.pipe(Effect.onInterrupt(() => Ref.set(interrupted, true)))
        }
      })
      assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 200)
      yield* TestClock.adjust("29999 millis")
      assert.isFalse(yield* Ref.get(interrupted))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(yield* Ref.get(interrupted))
    }))

  it.effect("C13 runs no more hooks at once than pings, and interrupts each after hookTimeout", () =>
    Effect.gen(function*() {
      const running = yield* Ref.make(0)
      const started = yield* Ref.make(0)
      const handle = yield* handlerOf({
        homeserver: {
          maxConcurrentPings: 2,
          hookTimeout: "2 seconds",
          onPingSucceeded: () =>
            Effect.acquireUseRelease(
              Effect.all([Ref.update(running, (n) => n + 1), Ref.update(started, (n) => n + 1)]),
              () => Effect.never,
              () => Ref.update(running, (n) => n - 1)
            )
        }
      })
      for (let i = 0; i < 5; i++) assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 200)
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual([yield* Ref.get(running), yield* Ref.get(started)], [2, 2])
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Ref.get(running), 0)
      assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 200)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual([yield* Ref.get(running), yield* Ref.get(started)], [1, 3])
    }))

  it.effect("C18 asks the client of a ping too many to wait busyRetryAfter", () =>
    Effect.gen(function*() {
      const handle = yield* handlerOf({
        homeserver: { maxConcurrentPings: 1, busyRetryAfter: "7 seconds" },
        send: () => Effect.never
      })
      yield* Effect.forkChild(ask(handle, { token: tokens.as }))
      yield* Effect.yieldNow
      const { headers, status } = yield* handle(request({ token: tokens.as }))
      assert.deepStrictEqual([status, headers["retry-after"]], [429, "7"])
    }))

  it.effect("D3 frees the slot of a ping at its deadline, although its transport cannot be interrupted", () =>
    Effect.gen(function*() {
      const end = yield* Deferred.make<void>()
      const handle = yield* handlerOf({
        homeserver: { maxConcurrentPings: 1 },
        outgoing: { timeout: "1 second" },
        send: () => Effect.uninterruptible(Effect.as(Deferred.await(end), ok))
      })
      const first = yield* Effect.forkChild(ask(handle, { token: tokens.as }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(first)).errcode, "M_CONNECTION_TIMEOUT")
      const second = yield* Effect.forkChild(ask(handle, { token: tokens.as }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(second)).errcode, "M_CONNECTION_TIMEOUT")
      yield* Deferred.succeed(end, undefined)
    }))

  it.effect("C33 a registry that does not answer in time is 500 M_UNKNOWN", () =>
    Effect.gen(function*() {
      for (const never of [Effect.never, Effect.uninterruptible(Effect.never)]) {
        const handle = yield* handlerOf({
          registry: Layer.succeed(AppserviceRegistry, AppserviceRegistry.of({ identify: () => never })),
          homeserver: { identifyTimeout: "3 seconds" }
        })
        const fiber = yield* Effect.forkChild(ask(handle, { token: tokens.as }))
        yield* TestClock.adjust("2999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        const { errcode, status } = yield* Fiber.join(fiber)
        assert.deepStrictEqual([status, errcode], [500, "M_UNKNOWN"])
      }
    }))

  it.effect("C13 interrupts its hook when the homeserver is shut down", () =>
    Effect.gen(function*() {
      const interrupted = yield* Ref.make(false)
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        homeserver({
          homeserver: {
            onPingSucceeded: () => Effect.never.pipe(Effect.onInterrupt(() => Ref.set(interrupted, true)))
          }
        }),
        scope
      )
      const { handle } = Context.get(context, Homeserver)
      assert.strictEqual((yield* ask(handle, { token: tokens.as })).status, 200)
      yield* TestClock.adjust("1 second")
      assert.isFalse(yield* Ref.get(interrupted))
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* Ref.get(interrupted))
    }))

  it.effect("C13 gives its hook the services of the layer, and the registration", () =>
    Effect.gen(function*() {
      class Queue
        extends Context.Service<Queue, { readonly wake: (id: string) => Effect.Effect<void> }>()("test/Queue")
      {}
      const woken = yield* Ref.make<ReadonlyArray<string>>([])
      const layer = homeserver({
        homeserver: { onPingSucceeded: ({ id }) => Queue.use((queue) => queue.wake(id)) }
      }).pipe(Layer.provide(Layer.succeed(Queue, {
        wake: (id) => Ref.update(woken, (ids) => [...ids, id])
      })))
      const context = yield* Layer.build(layer)
      yield* ask(Context.get(context, Homeserver).handle, { token: tokens.as })
      yield* Effect.yieldNow
      assert.deepStrictEqual(yield* Ref.get(woken), ["telegram"])
    }))

  it.effect("C8 and D6 answer M_URL_NOT_SET without sending anything", () =>
    Effect.gen(function*() {
      for (const url of [null, ""]) {
        const handle = yield* handlerOf({
          registration: registration({ url }),
          send: () => Effect.die("something was sent")
        })
        assert.deepInclude(yield* ask(handle, { token: tokens.as }), { status: 400, errcode: "M_URL_NOT_SET" })
      }
    }))
})
