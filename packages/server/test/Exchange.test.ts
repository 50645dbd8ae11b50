import { type Handler, under } from "@appservice-ping/server/Exchange"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { request } from "./support/exchange.ts"

/** Answers with the target it was given. */
const echo: Handler = ({ target }) => Effect.succeed({ status: 200, headers: {}, body: target })

const targetUnder = (url: string, target: string, elsewhere?: Handler) =>
  Effect.map(under(new URL(url).pathname, echo, elsewhere)(request({ target })), ({ body }) => body)

describe("Exchange.under", () => {
  it.effect("A8 takes the path of the url off, with and without slashes at its end", () =>
    Effect.gen(function*() {
      for (const url of ["http://bridge/a/b", "http://bridge/a/b/", "http://bridge/a/b//"]) {
        assert.strictEqual(yield* targetUnder(url, "/a/b/_matrix/app/v1/ping?x=1"), "/_matrix/app/v1/ping?x=1")
        assert.strictEqual(yield* targetUnder(url, "http://bridge/a/b/_matrix"), "/_matrix")
      }
      assert.strictEqual(yield* targetUnder("http://bridge", "/_matrix/app/v1/ping"), "/_matrix/app/v1/ping")
    }))

  it.effect("A8 knows no endpoint outside the path, unless something else answers there", () =>
    Effect.gen(function*() {
      for (const target of ["/_matrix/app/v1/ping", "/a/bc/_matrix/app/v1/ping", "/a/b", "*"]) {
        assert.strictEqual(yield* targetUnder("http://bridge/a/b", target), "/")
        assert.strictEqual(yield* targetUnder("http://bridge/a/b", target, echo), target)
      }
    }))
})
