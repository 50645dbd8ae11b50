/** Bounds that bound nothing are refused where they are given, by name. */
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Redacted } from "effect"
import { homeserver } from "./support/services.ts"

const defectOf = <A>(layer: Layer.Layer<A>): Effect.Effect<string> =>
  Effect.scoped(Layer.build(layer)).pipe(
    Effect.exit,
    Effect.map((exit) => Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "built")
  )

const registration = { hs_token: Redacted.make("hs-token") }

describe("a bound that bounds nothing", () => {
  for (const bad of [Number.NaN, -1]) {
    for (
      const option of [
        "maxBodyBytes",
        "maxConcurrentPings",
        "maxConcurrentPingsPerAppservice",
        "maxBodyBytesInFlight",
        "maxRegisteredUsers",
        "hookTimeout",
        "busyRetryAfter",
        "identifyTimeout"
      ]
    ) {
      it.effect(`is refused by the homeserver: ${option}: ${bad}`, () =>
        Effect.gen(function*() {
          assert.include(yield* defectOf(homeserver({ homeserver: { [option]: bad } })), `${option}: expected`)
        }))
    }
    for (const option of ["timeout", "maxBodyBytes", "maxOverdue"]) {
      it.effect(`is refused by its call to an appservice: ${option}: ${bad}`, () =>
        Effect.gen(function*() {
          assert.include(yield* defectOf(homeserver({ outgoing: { [option]: bad } })), `${option}: expected`)
        }))
    }
    for (const option of ["maxBodyBytes", "hookTimeout"]) {
      it.effect(`is refused by the appservice: ${option}: ${bad}`, () =>
        Effect.gen(function*() {
          assert.include(yield* defectOf(Appservice.layer({ registration, [option]: bad })), `${option}: expected`)
        }))
    }
  }

  it.effect("is not 0, which bounds everything", () =>
    Effect.gen(function*() {
      const nothing = { maxBodyBytes: 0, maxConcurrentPings: 0, maxRegisteredUsers: 0, hookTimeout: 0 }
      assert.strictEqual(yield* defectOf(homeserver({ homeserver: nothing, outgoing: { timeout: 0 } })), "built")
    }))
})
