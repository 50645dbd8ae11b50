import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

const path = "/_matrix/app/v1/ping"

describe("AppserviceUrl.isAppserviceUrl", () => {
  it.each([
    "http://localhost:29318",
    "https://bridge.example",
    "HTTP://BRIDGE.EXAMPLE/",
    "http://127.0.0.1:29400/cases/reset-mid-body",
    "http://[::1]:29318/",
    "http://user:password@bridge.example"
  ])("takes %s", (url) => {
    assert.isTrue(AppserviceUrl.isAppserviceUrl(url))
  })

  it.each([
    "",
    "bridge.example:29318",
    "localhost:29318",
    "/path",
    "//bridge.example",
    "unix:///run/bridge.sock",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://",
    "http://bridge.example:99999",
    "http://[::1",
    "http:/bridge.example",
    "http:bridge.example",
    "http:///bridge.example",
    "http:\\\\bridge.example",
    "http://bridge.example\\path",
    " http://bridge.example",
    "http://bridge.example\n",
    "http://bridge\t.example",
    "null"
  ])("refuses %s", (url) => {
    assert.isFalse(AppserviceUrl.isAppserviceUrl(url))
  })
})

describe("AppserviceUrl.target", () => {
  it.each([[null], [""]])("C8, D6 says of %j that there is none", (text) => {
    assert.deepStrictEqual(AppserviceUrl.target(text), { _tag: "NotSet" })
  })

  it.each([
    ["websocket", "websocket"],
    ["unix:///run/bridge.sock", "unix"],
    ["unix:/run/bridge.sock", "unix"],
    ["unix:@bridge", "unix"],
    ["UNIX:///run/my bridge.sock", "unix"],
    ["ws://bridge.example", "ws"],
    ["wss://user:canary@bridge.example/ws", "wss"],
    ["http+unix://%2Frun%2Fbridge.sock", "http+unix"],
    ["file:///run/bridge", "file"],
    ["fd://3", "fd"],
    ["disabled", "disabled"]
  ])("names the scheme of %s, and no more of it", (text, scheme) => {
    assert.deepStrictEqual(AppserviceUrl.target(text), { _tag: "Other", scheme })
  })

  it.each([
    ["http:/127.0.0.1:29318", "an http or https URL with two slashes after the colon, such as http://localhost:29318"],
    ["http:\\\\h:1", "an http or https URL with two slashes after the colon, such as http://localhost:29318"],
    ["http:///h:1", "an http or https URL with two slashes after the colon, such as http://localhost:29318"],
    ["https:h", "an http or https URL with two slashes after the colon, such as http://localhost:29318"],
    ["http://h\\bridge", "an http or https URL with slashes, not backslashes"],
    [" http://h", "an http or https URL without U+0020 space at its start"],
    ["http://h\u00a0", "an http or https URL without U+00A0 no-break space at its end"],
    ["\ufeffhttp://h", "an http or https URL without U+FEFF zero width no-break space at its start"],
    ["http://h/a b", "an http or https URL without U+0020 space in it"],
    ["http://ho\tst", "an http or https URL without U+0009 tab in it"],
    ["http://h\u200bost", "an http or https URL without U+200B zero width space in it"],
    ["http://", "an http or https URL, or null"],
    ["http://h:99999", "an http or https URL, or null"],
    ["bridge.example:29318", "an http or https URL, or null"],
    ["127.0.0.1:29318", "an http or https URL, or null"],
    ["//bridge.example", "an http or https URL, or null"],
    ["http//bridge.example", "an http or https URL, or null"],
    ["bridge.example", "an http or https URL, or null"]
  ])("says what is expected instead of %j", (text, expected) => {
    assert.deepStrictEqual(AppserviceUrl.target(text), { _tag: "Invalid", expected })
  })
})

describe("AppserviceUrl.join", () => {
  it.each([
    ["http://localhost:29318", "http://localhost:29318/_matrix/app/v1/ping"],
    ["http://localhost:29318/", "http://localhost:29318/_matrix/app/v1/ping"],
    ["http://localhost:29318//", "http://localhost:29318/_matrix/app/v1/ping"],
    ["https://h.example/bridge", "https://h.example/bridge/_matrix/app/v1/ping"],
    ["https://h.example/bridge/", "https://h.example/bridge/_matrix/app/v1/ping"],
    ["https://h.example/a/b///", "https://h.example/a/b/_matrix/app/v1/ping"],
    ["https://h.example/my%20bridge/ü", "https://h.example/my%20bridge/%C3%BC/_matrix/app/v1/ping"],
    ["http://[::1]:8080/x", "http://[::1]:8080/x/_matrix/app/v1/ping"],
    ["https://h.example/bridge?shard=2", "https://h.example/bridge/_matrix/app/v1/ping?shard=2"]
  ])("A8 joins %s without //", (url, joined) => {
    assert.strictEqual(AppserviceUrl.join(url, path)?.href, joined)
  })

  it("D8 sends neither userinfo nor fragment", () => {
    const joined = AppserviceUrl.join("https://user:canary@h.example/bridge#canary", path)
    assert.strictEqual(joined?.href, "https://h.example/bridge/_matrix/app/v1/ping")
  })

  it.each(["", "bridge.example:29318", "file:///etc/passwd"])("joins nothing with %j", (url) => {
    assert.isUndefined(AppserviceUrl.join(url, path))
  })

  it.prop("A8 the path comes last, after exactly one slash", [Schema.String], ([text]) => {
    // A text that no reader takes alike, such as one with a space, is none to call.
    const url = `http://h.example/${text}`
    const joined = AppserviceUrl.join(url, path)
    assert.strictEqual(joined === undefined, AppserviceUrl.target(url)._tag !== "Http")
    assert.strictEqual(joined?.pathname.endsWith(path) ?? true, true)
    assert.strictEqual(joined?.pathname.endsWith(`/${path}`) ?? false, false)
  })
})

describe("AppserviceUrl.redact", () => {
  it.each([
    ["https://user:canary@h.example:8448/path?access_token=canary#canary", "https://h.example:8448/path"],
    ["https://canary@h.example", "https://h.example/"],
    ["http://[::1]:8080/a/b?", "http://[::1]:8080/a/b"]
  ])("D8 shows of %s only scheme, host and path", (url, shown) => {
    assert.strictEqual(AppserviceUrl.redact(new URL(url)), shown)
  })
})

describe("AppserviceUrl.isLocal", () => {
  it.each([
    "http://localhost:29318",
    "http://LOCALHOST.",
    "http://bridge.localhost",
    "http://127.0.0.1",
    "http://127.1.2.3",
    "http://0.0.0.0:29318",
    "http://[::]",
    "http://[::1]:29318",
    "http://[::ffff:127.0.0.1]"
  ])("means the machine it is used on: %s", (url) => {
    assert.isTrue(AppserviceUrl.isLocal(new URL(url)))
  })

  it.each([
    "http://localhost.example",
    "http://notlocalhost",
    "http://192.0.2.1",
    "http://127.0.0.1.example",
    "http://[2001:db8::1]",
    "http://[::ffff:192.0.2.1]"
  ])("means the same machine everywhere: %s", (url) => {
    assert.isFalse(AppserviceUrl.isLocal(new URL(url)))
  })
})

describe("AppserviceUrl.hostOf and AppserviceUrl.portOf", () => {
  it.each([
    ["http://bridge.example", "bridge.example", 80],
    ["https://bridge.example", "bridge.example", 443],
    ["https://bridge.example:80/", "bridge.example", 80],
    ["http://127.0.0.1:29318/path", "127.0.0.1", 29_318],
    ["http://[::1]:29318", "::1", 29_318]
  ])("take %s apart", (url, host, port) => {
    assert.deepStrictEqual([AppserviceUrl.hostOf(new URL(url)), AppserviceUrl.portOf(new URL(url))], [host, port])
  })
})
