import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import { assert, describe, it, vi } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import { registration } from "./support/services.ts"

/** Whom a token belongs to, as a word. */
const who = (caller: AppserviceRegistry.Caller): string =>
  caller._tag === "Appservice" ? caller.registration.id : caller._tag

const identify = (registry: AppserviceRegistry.AppserviceRegistry["Service"], token: string) =>
  Effect.map(registry.identify(Redacted.make(token)), who)

const build = (...[registrations, options]: Parameters<typeof AppserviceRegistry.layer>) =>
  AppserviceRegistry.AppserviceRegistry.use(Effect.succeed).pipe(
    Effect.provide(AppserviceRegistry.layer(registrations, options))
  )

describe("AppserviceRegistry", () => {
  it.effect("tells appservices, users and strangers apart", () =>
    Effect.gen(function*() {
      const registry = yield* build([
        registration({ id: "telegram", asToken: "token-a" }),
        registration({ id: "IRC Bridge", asToken: "token-b" })
      ], { userTokens: [Redacted.make("token-u")] })
      assert.strictEqual(yield* identify(registry, "token-a"), "telegram")
      assert.strictEqual(yield* identify(registry, "token-b"), "IRC Bridge")
      assert.strictEqual(yield* identify(registry, "token-u"), "User")
      for (const token of ["", "token-", "token-aa", "TOKEN-A", "token-a ", "token-a\u0000"]) {
        assert.strictEqual(yield* identify(registry, token), "Unknown", JSON.stringify(token))
      }
    }))

  it.effect("knows nobody when it is empty", () =>
    Effect.gen(function*() {
      const registry = yield* build([])
      assert.strictEqual(yield* identify(registry, ""), "Unknown")
    }))

  it.effect("finds each of 5000 appservices, and takes neither's token for another's", () =>
    Effect.gen(function*() {
      const ids = Array.from({ length: 5000 }, (_, i) => `bridge-${i}`)
      const registry = yield* build(ids.map((id) => registration({ id, asToken: `token of ${id}` })))
      for (const id of ids) {
        assert.strictEqual(yield* identify(registry, `token of ${id}`), id)
        assert.strictEqual(yield* identify(registry, `token of ${id}x`), "Unknown")
      }
    }))

  it.effect.prop(
    "finds any token that it was given, and no other",
    [Schema.NonEmptyString, Schema.String],
    ([token, other]) =>
      Effect.gen(function*() {
        const registry = yield* build([registration({ asToken: token })])
        assert.strictEqual(yield* identify(registry, token), "telegram")
        if (other.toWellFormed() !== token.toWellFormed()) {
          assert.strictEqual(yield* identify(registry, other), "Unknown")
        }
      })
  )

  it.effect("keeps two tokens apart that fall into one bucket", () =>
    Effect.gen(function*() {
      // With this key the buckets only know which letters a token has, and not their order.
      const random = yield* Effect.acquireRelease(
        Effect.sync(() => vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => array)),
        (spy) => Effect.sync(() => spy.mockRestore())
      )
      const registry = yield* build([
        registration({ id: "a", asToken: "abc" }),
        registration({ id: "b", asToken: "bca" })
      ], { userTokens: [Redacted.make("cab")] })
      assert.strictEqual(random.mock.calls.length, 1)
      assert.strictEqual(yield* identify(registry, "abc"), "a")
      assert.strictEqual(yield* identify(registry, "bca"), "b")
      assert.strictEqual(yield* identify(registry, "cab"), "User")
      assert.strictEqual(yield* identify(registry, "acb"), "Unknown")
    }))

  it.effect("C23 refuses an id that is there twice, whatever the tokens", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(build([
        registration({ id: "IRC \"Bridge\"", asToken: "secret-1" }),
        registration({ id: "IRC \"Bridge\"", asToken: "secret-2" })
      ]))
      assert.instanceOf(error, AppserviceRegistry.RegistryError)
      assert.strictEqual(
        error.message,
        "two registrations have the id \"IRC \\\"Bridge\\\"\"; give each appservice its own id"
      )
    }))

  it.effect("C23 refuses an as_token that is there twice, and names both ids", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(build([
        registration({ id: "a", asToken: "secret-1" }),
        registration({ id: "b", asToken: "secret-2" }),
        registration({ id: "c", asToken: "secret-1" })
      ]))
      assert.deepStrictEqual([error.field, error.ids], ["as_token", ["a", "c"]])
      assert.strictEqual(
        error.message,
        "the as_token of \"a\" and \"c\" is used twice; generate a new as_token for one of them"
      )
      assert.notInclude(String(error.stack) + JSON.stringify(error), "secret")
    }))

  it.effect("C23 refuses a user's token that is an as_token", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        build([registration({ id: "a", asToken: "secret-1" })], { userTokens: [Redacted.make("secret-1")] })
      )
      assert.deepStrictEqual([error.field, error.ids], ["as_token", ["a"]])
      assert.notInclude(error.message, "secret")
    }))

  it.effect("C23 is found among any number of registrations, wherever the two stand", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: 200 }, (_, i) => registration({ id: `bridge-${i}`, asToken: `secret-${i}` }))
      for (const at of [0, 100, 199]) {
        const twin = registration({ id: "twin", asToken: `secret-${at}` })
        const error = yield* Effect.flip(build([...many, twin]))
        assert.deepStrictEqual(error.ids, [`bridge-${at}`, "twin"])
      }
    }))

  it.effect("can be another, such as one over a database", () =>
    Effect.gen(function*() {
      const own = Layer.succeed(
        AppserviceRegistry.AppserviceRegistry,
        AppserviceRegistry.AppserviceRegistry.of({ identify: () => Effect.succeed({ _tag: "User" }) })
      )
      assert.strictEqual(
        yield* AppserviceRegistry.AppserviceRegistry.use((registry) => identify(registry, "x")).pipe(
          Effect.provide(own)
        ),
        "User"
      )
    }))
})
