import { explain, oddities, shownUrl } from "@appservice-ping/doctor/RegistrationCheck"
import * as Registration from "@appservice-ping/domain/Registration"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"

const registration = (url: string): Registration.Registration =>
  Result.getOrThrow(
    Registration.fromUnknown({
      id: "bridge",
      url,
      as_token: "f3f9bb6a0e29d6ae35ba20b4ab8f5e2f8a4e6c1a",
      hs_token: "0c9f8a7b6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a",
      sender_localpart: "bridgebot",
      namespaces: {}
    })
  )

describe("a url that is no HTTP address", () => {
  it.each([
    ["websocket", "websocket"],
    ["unix:///run/bridge/as.sock", "unix"],
    ["wss://user:canary@bridge.example/ws", "wss"]
  ])("is read, and the doctor names the scheme of %s and no more", (url, scheme) => {
    const found = oddities(registration(url), { homeserver: new URL("https://matrix.example"), worldReadable: false })
    assert.deepStrictEqual(found, [{ _tag: "UrlIsOther", scheme }])
    assert.deepStrictEqual(found.map(explain), [
      `url is no HTTP address: its scheme is ${scheme}, and a homeserver calls only an http or https URL`
    ])
    assert.strictEqual(shownUrl(url), `with the scheme ${scheme}`)
  })
})
