// What a check says must fit the question it asked, not the ping that comes later.
import * as Check from "@appservice-ping/doctor/Check"
import type { Evidence } from "@appservice-ping/doctor/Evidence"
import { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import { Forbidden, LimitExceeded, Unrecognized } from "@appservice-ping/domain/PingError"
import { HomeserverUnreachable } from "@appservice-ping/domain/TransportError"
import { assert, describe, it } from "@effect/vitest"
import { answer } from "./support/evidence.ts"

const subject = { homeserver: new URL("https://matrix.example"), url: "http://bridge.example:29317" }

const told = (id: Check.CheckId, evidence: Partial<Evidence>): string => {
  const { detail, status } = Check.describe(id, evidence, subject)
  return `${status} ${detail}`
}

describe("a check of the doctor", () => {
  it("says of an address without versions that they are missing, and not the ping", () => {
    assert.strictEqual(
      told("versions", { versions: { _tag: "Failed", error: new Unrecognized({}) } }),
      "failed M_UNRECOGNIZED: there is nothing at /_matrix/client/versions"
    )
  })

  it("explains another failure of the versions as it is", () => {
    const failure = new ConnectionFailure({ kind: "refused", text: "refused" })
    const error = new HomeserverUnreachable({ url: "https://matrix.example/", failure })
    assert.match(
      told("versions", { versions: { _tag: "Failed", error } }),
      /^failed HomeserverUnreachable: Nothing listens/
    )
  })

  it("says of a homeserver that refuses the question whose a token is no more than that", () => {
    assert.strictEqual(
      told("token", { token: { _tag: "Unclear", error: new Forbidden({}) } }),
      "warning M_FORBIDDEN: the homeserver does not say which user this token belongs to"
    )
    assert.match(
      told("token", { token: { _tag: "Unclear", error: new LimitExceeded({}) } }),
      /^warning M_LIMIT_EXCEEDED: The homeserver is asked too often/
    )
  })

  it("says of a proxy at the url that a proxy answers, and not whose it is", () => {
    assert.strictEqual(
      told("direct", { direct: answer(407) }),
      "failed status 407, as a proxy answers that does not pass the ping on"
    )
  })

  it("that was not taken says what it needs", () => {
    assert.strictEqual(told("token", {}), "skipped needs an address that has shown itself to be a homeserver")
  })
})
