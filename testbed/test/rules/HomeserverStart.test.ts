/** Registrations that cannot stand side by side: C23, for every mount. */
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as HttpMount from "@appservice-ping/server/HttpMount"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as Fixture from "./support/Fixture.ts"
import { effectHttpApp, type HomeserverSetup, layerHomeserver, nodeListener, transportNode } from "./support/Mounts.ts"

const setups: ReadonlyArray<
  readonly [name: string, setup: HomeserverSetup, field: string, ids: ReadonlyArray<string>]
> = [
  [
    "two registrations with one id",
    {
      registrations: [
        Fixture.registration({ asToken: "as-canary-1" }),
        Fixture.other,
        Fixture.registration({ asToken: "as-canary-2" })
      ]
    },
    "id",
    ["telegram"]
  ],
  [
    "two registrations with one as_token",
    {
      registrations: [
        Fixture.registration({ id: "telegram", asToken: "as-canary-1" }),
        Fixture.registration({ id: "IRC Bridge", asToken: "as-canary-1" })
      ]
    },
    "as_token",
    ["telegram", "IRC Bridge"]
  ],
  [
    "the same registration twice",
    { registrations: [Fixture.registration(), Fixture.registration()] },
    "id",
    ["telegram"]
  ],
  [
    "a user with an appservice's as_token",
    {
      registrations: [Fixture.registration({ asToken: "as-canary-1" })],
      userTokens: [Redacted.make("someone-canary"), Redacted.make("as-canary-1")]
    },
    "as_token",
    ["telegram"]
  ]
]

/** The error names the field and the ids, and no token. */
const assertRegistryError = (
  error: AppserviceRegistry.RegistryError,
  field: string,
  ids: ReadonlyArray<string>
): void => {
  assert.strictEqual(error._tag, "RegistryError")
  assert.strictEqual(error.field, field)
  assert.deepStrictEqual(error.ids, ids)
  for (const id of ids) assert.include(error.message, JSON.stringify(id))
  assert.include(error.message, field)
  for (const text of [error.message, String(error), JSON.stringify(error), error.stack ?? ""]) {
    assert.notInclude(text, "canary")
  }
}

for (const [name, setup, field, ids] of setups) {
  describe(`with ${name}`, () => {
    it.effect("C23 is a configuration error before anything listens", () =>
      Effect.gen(function*() {
        for (const mount of [effectHttpApp, nodeListener]) {
          assertRegistryError(yield* Effect.flip(mount.homeserver(setup)), field, ids)
        }
      }))

    it.effect("C23 rejects the first request to a web-standard handler, and every other", () =>
      Effect.gen(function*() {
        const web = HttpMount.homeserverWebHandler(layerHomeserver(setup, transportNode))
        for (let i = 0; i < 2; i++) {
          const error = yield* Effect.tryPromise({
            try: () => web.handler(new Request("http://homeserver.test/_matrix/client/versions")),
            catch: (cause) => cause as AppserviceRegistry.RegistryError
          }).pipe(Effect.flip)
          assertRegistryError(error, field, ids)
        }
        yield* Effect.promise(() => web.dispose())
      }))
  })
}

describe("registrations that can stand side by side", () => {
  it.effect("C23 allows one hs_token and one url for two appservices", () =>
    Effect.gen(function*() {
      const url = "http://127.0.0.1:29317"
      const context = yield* Layer.build(
        AppserviceRegistry.layer([
          Fixture.registration({ id: "a", asToken: "as-canary-1", url }),
          Fixture.registration({ id: "b", asToken: "as-canary-2", url }),
          // Ids and tokens are told apart by case.
          Fixture.registration({ id: "A", asToken: "AS-CANARY-1", url })
        ], { userTokens: [Redacted.make("user"), Redacted.make("user")] })
      )
      assert.isDefined(context)
    }))
})
