// What an answer says to a person, and what a log says: no other test would notice an empty text.
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import * as Exchange from "@appservice-ping/server/Exchange"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import { Homeserver } from "@appservice-ping/server/homeserver/Homeserver"
import * as HttpMount from "@appservice-ping/server/HttpMount"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import { ask, request, type RequestOptions } from "./support/exchange.ts"
import { homeserver, ok, registration, tokens } from "./support/services.ts"

const errorOf = (body: unknown): unknown => typeof body === "object" && body !== null && "error" in body && body.error

/** The lines that an effect logs. */
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    yield* Effect.provide(effect, Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))]))
    return lines
  })

const register = "/_matrix/client/v3/register"

describe("an error of the homeserver", () => {
  const rows: ReadonlyArray<readonly [string, RequestOptions, string]> = [
    ["no token", {}, "Missing access token; send it as an Authorization: Bearer header"],
    [
      "two tokens",
      { target: "/_matrix/client/v1/appservice/telegram/ping?access_token=a&access_token=b" },
      "Two different access tokens; send one, as an Authorization: Bearer header"
    ],
    ["an unknown token", { token: "unknown" }, "Unknown access token"],
    [
      "a user id that is none",
      { token: tokens.as, target: "/_matrix/client/v1/appservice/telegram/ping?user_id=nobody" },
      "The user_id is neither @bot:localhost nor in the user namespaces of the registration; the name of this homeserver is localhost"
    ],
    ["a user's token", { token: tokens.user }, "The access token belongs to a user, not to an appservice"],
    [
      "another appservice",
      { token: tokens.as, target: "/_matrix/client/v1/appservice/irc/ping" },
      "The access token belongs to another appservice than the one in the path"
    ],
    ["a type that is none", { token: tokens.as, target: register, body: "{\"type\":1}" }, "type must be a string"],
    [
      "another type",
      { token: tokens.as, target: register, body: "{\"type\":\"m.login.password\"}" },
      "Only appservices register users here; send the type m.login.application_service"
    ],
    [
      "no username",
      { token: tokens.as, target: register, body: "{\"type\":\"m.login.application_service\",\"username\":1}" },
      "username must be a string"
    ]
  ]
  for (const [name, options, error] of rows) {
    it.effect(`C15 says what is wrong: ${name}`, () =>
      Effect.gen(function*() {
        const { handle } = yield* Homeserver
        assert.strictEqual(errorOf((yield* ask(handle, options)).body), error)
      }).pipe(Effect.provide(homeserver())))
  }

  it.effect("C15 says what is wrong: a registration without a url", () =>
    Effect.gen(function*() {
      const { handle } = yield* Homeserver
      const { body } = yield* ask(handle, { token: tokens.as })
      assert.strictEqual(errorOf(body), "The registration of the appservice has no url")
    }).pipe(Effect.provide(homeserver({ registration: registration({ url: null }) }))))

  it.effect("C15 says what is wrong: an appservice that switches protocols", () =>
    Effect.gen(function*() {
      const { handle } = yield* Homeserver
      const { body } = yield* ask(handle, { token: tokens.as })
      assert.match(String(errorOf(body)), /^The appservice switched protocols, which nobody asked for, at http/)
    }).pipe(Effect.provide(homeserver({ send: () => Effect.succeed({ ...ok, status: 101 }) }))))
})

describe("an error of the appservice", () => {
  it.effect("A2 says what is wrong with the token", () =>
    Effect.gen(function*() {
      const { handle } = yield* Appservice.Appservice
      const of = (token?: string) =>
        Effect.map(
          ask(handle, { target: "/_matrix/app/v1/ping", ...(token === undefined ? {} : { token }) }),
          ({ body }) => errorOf(body)
        )
      assert.strictEqual(yield* of(), "Missing hs_token; send it as an Authorization: Bearer header")
      assert.strictEqual(yield* of("other"), "Wrong hs_token")
    }).pipe(Effect.provide(Appservice.layer({ registration: registration() }))))
})

describe("a line of the log", () => {
  it.effect("is none where there is no hook and all is well", () =>
    Effect.gen(function*() {
      const lines = yield* logged(
        Effect.gen(function*() {
          const { handle } = yield* Homeserver
          yield* ask(handle, { token: tokens.as })
          const appservice = yield* Appservice.Appservice
          yield* ask(appservice.handle, { target: "/_matrix/app/v1/ping", token: tokens.hs })
          yield* Effect.yieldNow
        }).pipe(Effect.provide([homeserver(), Appservice.layer({ registration: registration() })]))
      )
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("C13 says which hook took too long, and that there are too many of them", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const lines = yield* logged(
        Effect.gen(function*() {
          const { handle } = yield* Homeserver
          yield* ask(handle, { token: tokens.as })
          yield* Deferred.await(started)
          yield* ask(handle, { token: tokens.as })
          yield* TestClock.adjust("30 seconds")
        }).pipe(
          Effect.provide(
            homeserver({
              homeserver: {
                maxConcurrentPings: 1,
                onPingSucceeded: () => Effect.andThen(Deferred.succeed(started, undefined), Effect.never)
              }
            })
          )
        )
      )
      assert.deepStrictEqual(lines, [
        "Too many onPingSucceeded hooks run",
        "The hook of a successful ping took too long and was interrupted"
      ])
    }))

  it.effect("C33 says that a request failed", () =>
    Effect.gen(function*() {
      const lines = yield* logged(
        Effect.flatMap(Homeserver, ({ handle }) => ask(handle, { token: tokens.as })).pipe(
          Effect.provide(homeserver({ send: () => Effect.die(new Error("broken")) }))
        )
      )
      assert.deepStrictEqual(lines, ["A request failed unexpectedly"])
    }))

  it.effect("C14 names each user namespace that cannot be read, and its appservice", () =>
    Effect.gen(function*() {
      const users = ["@a_.*", "(", "["].map((regex) => ({ regex, exclusive: true }))
      const lines = yield* logged(
        Layer.build(AppserviceRegistry.layer([{ ...registration(), namespaces: { users } }]))
      )
      assert.deepStrictEqual(
        lines,
        ["(", "["].map((regex) =>
          `The user namespace "${regex}" of the appservice "telegram" is no regular expression here, so no user is in it`
        )
      )
    }))
})

describe("a target", () => {
  it.effect("C20 in its absolute form may end with a slash in its query", () =>
    Effect.gen(function*() {
      const { handle } = yield* Homeserver
      const { status } = yield* ask(handle, { method: "GET", target: "http://a.test/_matrix/client/versions?x=/" })
      assert.strictEqual(status, 200)
    }).pipe(Effect.provide(homeserver())))

  it.effect("A8 under a path keeps a URL that is in its query", () =>
    Effect.gen(function*() {
      const targets: Array<string> = []
      const handle = Exchange.under("/bridge", ({ target }) =>
        Effect.sync(() => {
          targets.push(target)
          return Exchange.internalError
        }))
      yield* handle(request({ target: "/bridge/ping?at=http://other.test/a" }))
      yield* handle(request({ target: "http://bridge.test/bridge/ping" }))
      assert.deepStrictEqual(targets, ["/ping?at=http://other.test/a", "/ping"])
    }))
})

describe("a web handler", () => {
  it.effect("leaves out a header without a value", () =>
    Effect.gen(function*() {
      const handle: Exchange.Handler = () =>
        Effect.succeed({ status: 200, headers: { "x-none": undefined, "x-one": "1" }, body: "{}" })
      const { dispose, handler } = HttpMount.homeserverWebHandler(Layer.succeed(Homeserver, Homeserver.of({ handle })))
      const response = yield* Effect.promise(() => handler(new Request("http://a.test/")))
      assert.isNull(response.headers.get("x-none"))
      assert.strictEqual(response.headers.get("x-one"), "1")
      yield* Effect.promise(dispose)
    }))
})
