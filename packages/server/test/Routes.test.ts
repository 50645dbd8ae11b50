import { AppserviceApi } from "@appservice-ping/domain/AppserviceApi"
import { HomeserverApi } from "@appservice-ping/domain/HomeserverApi"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Routes from "../src/internal/routes.ts"

const homeserver = Routes.fromApi(HomeserverApi)
const appservice = Routes.fromApi(AppserviceApi)

describe("routes of the homeserver's contract", () => {
  it("are its endpoints, and no others", () => {
    assert.deepStrictEqual(homeserver.paths, [
      "/_matrix/client/v1/appservice/:appserviceId/ping",
      "/_matrix/client/unstable/fi.mau.msc2659/appservice/:appserviceId/ping",
      "/_matrix/client/versions"
    ])
  })

  it("finds an endpoint and its parameter", () => {
    assert.deepStrictEqual(homeserver.match("POST", "/_matrix/client/v1/appservice/telegram/ping"), {
      _tag: "Found",
      identifier: "pingAppservice",
      params: { appserviceId: "telegram" }
    })
    assert.deepStrictEqual(homeserver.match("GET", "/_matrix/client/versions"), {
      _tag: "Found",
      identifier: "getVersions",
      params: {}
    })
  })

  it("answers HEAD where it answers GET", () => {
    assert.strictEqual(homeserver.match("HEAD", "/_matrix/client/versions")._tag, "Found")
    assert.strictEqual(homeserver.match("HEAD", "/_matrix/client/v1/appservice/telegram/ping")._tag, "WrongMethod")
  })

  it.each(["get", "POST ", "", "OPTIONS", "PROPFIND"])(
    "C16 names the method that is allowed instead of %j",
    (method) => {
      assert.deepStrictEqual(homeserver.match(method, "/_matrix/client/versions"), {
        _tag: "WrongMethod",
        allowed: ["GET"]
      })
    }
  )

  it.each([
    "",
    "/",
    "*",
    "/_matrix/client/versions/",
    "//_matrix/client/versions",
    "/_matrix/client/Versions",
    "/_matrix/client/v1/appservice/ping",
    "/_matrix/client/v1/appservice/a/b/ping",
    "/_matrix/client/v1/appservice/:appserviceId/pong",
    "/_matrix/client/v2/appservice/telegram/ping"
  ])("C16 knows no %j", (path) => {
    assert.deepStrictEqual(homeserver.match("POST", path), { _tag: "NotFound" })
  })

  it.each([
    ["%", "%"],
    ["%2", "%2"],
    ["%zz", "%zz"],
    ["%ff", "%ff"],
    ["%E0%A4%A", "%E0%A4%A"],
    ["%2F", "/"],
    ["%252F", "%2F"],
    ["a+b", "a+b"],
    ["", ""],
    ["constructor", "constructor"],
    ["__proto__", "__proto__"]
  ])("C20 reads the segment %j as %j", (segment, id) => {
    assert.deepStrictEqual(homeserver.match("POST", `/_matrix/client/v1/appservice/${segment}/ping`), {
      _tag: "Found",
      identifier: "pingAppservice",
      params: { appserviceId: id }
    })
  })

  it.prop("C20 gives back any id that a client percent-encodes", [Schema.String], ([text]) => {
    const id = text.toWellFormed()
    for (const path of ["v1", "unstable/fi.mau.msc2659"]) {
      const match = homeserver.match("POST", `/_matrix/client/${path}/appservice/${encodeURIComponent(id)}/ping`)
      assert.strictEqual(match._tag === "Found" ? match.params["appserviceId"] : undefined, id)
    }
  })

  it.prop("C16 matches nothing but its own endpoints", [Schema.String, Schema.String], ([method, path]) => {
    assert.strictEqual(homeserver.match(method, path)._tag, "NotFound")
    assert.strictEqual(homeserver.match(method, `/${path}`)._tag, "NotFound")
  })
})

describe("routes of the appservice's contract", () => {
  it("A7 are its endpoints, and no legacy path", () => {
    assert.deepStrictEqual(appservice.paths, [
      "/_matrix/app/v1/ping",
      "/_matrix/app/unstable/fi.mau.msc2659/ping"
    ])
    for (const path of ["/ping", "/_matrix/ping", "/transactions/1"]) {
      assert.strictEqual(appservice.match("POST", path)._tag, "NotFound")
    }
  })
})
