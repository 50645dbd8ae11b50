import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import { HomeserverApi } from "@appservice-ping/domain/HomeserverApi"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { OpenApi } from "effect/http-api"

const decode = Schema.decodeUnknownResult(AppserviceId)

describe("AppserviceId", () => {
  it.each([
    "telegram",
    "IRC Bridge",
    "a/b?c#d%41",
    "...",
    ".hidden",
    "мост",
    "😀",
    " ",
    "a\nb",
    "x".repeat(10_000)
  ])("C20 takes free text unchanged: %j", (id) => {
    assert.deepStrictEqual<unknown>(decode(id), Result.succeed(id))
  })

  it.each(["", ".", "..", "\ud800", "a\udfffb"])("C20 refuses what no path can carry: %j", (id) => {
    assert.isTrue(Result.isFailure(decode(id)))
  })

  it.each([undefined, null, 1, true, {}, ["telegram"]])("refuses what is not text: %j", (id) => {
    assert.isTrue(Result.isFailure(decode(id)))
  })

  it.prop("C20 takes exactly the text that comes back out of one path segment", [Schema.String], ([id]) => {
    const segment = id.isWellFormed() ? encodeURIComponent(id) : ""
    const { pathname } = new URL(`https://matrix.example/before/${segment}/after`)
    const carried = segment !== "" && pathname === `/before/${segment}/after`
    assert.strictEqual(Result.isSuccess(decode(id)), carried)
  })

  it("C20 is one segment of the ping's path", () => {
    assert.containsAllKeys(OpenApi.fromApi(HomeserverApi).paths, [
      "/_matrix/client/v1/appservice/{appserviceId}/ping",
      "/_matrix/client/unstable/fi.mau.msc2659/appservice/{appserviceId}/ping"
    ])
  })
})
