// What a step says must fit the question it asked, not the ping that comes later.
import { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import { Forbidden, LimitExceeded, Unrecognized } from "@appservice-ping/domain/PingError"
import { HomeserverUnreachable } from "@appservice-ping/domain/TransportError"
import { assert, describe, it } from "@effect/vitest"
import type { Findings } from "appservice-ping/doctor/Finding"
import * as Step from "appservice-ping/doctor/Step"

const subject = { homeserver: new URL("https://matrix.example"), url: "http://bridge.example:29317" }

const told = (id: Step.StepId, findings: Partial<Findings>): string => {
  const { detail, status } = Step.describe(id, findings, subject)
  return `${status} ${detail}`
}

describe("a step of the doctor", () => {
  it("says of an address without versions that they are missing, and not the ping", () => {
    assert.strictEqual(
      told("versions", { versions: { _tag: "Failed", error: new Unrecognized({}) } }),
      "bad M_UNRECOGNIZED: there is nothing at /_matrix/client/versions"
    )
  })

  it("explains another failure of the versions as it is", () => {
    const failure = new ConnectionFailure({ kind: "refused", text: "refused" })
    const error = new HomeserverUnreachable({ url: "https://matrix.example/", failure })
    assert.match(
      told("versions", { versions: { _tag: "Failed", error } }),
      /^bad HomeserverUnreachable: Nothing listens/
    )
  })

  it("says of a homeserver that refuses the question whose a token is no more than that", () => {
    assert.strictEqual(
      told("token", { token: { _tag: "Unclear", error: new Forbidden({}) } }),
      "warning M_FORBIDDEN: the homeserver does not tell this token whose it is"
    )
    assert.match(
      told("token", { token: { _tag: "Unclear", error: new LimitExceeded({}) } }),
      /^warning M_LIMIT_EXCEEDED: The homeserver is asked too often/
    )
  })

  it("that was not taken says what it needs", () => {
    assert.strictEqual(told("token", {}), "skipped needs a homeserver that answers")
  })
})
