import { diagnose } from "@appservice-ping/domain/Diagnosis"
import * as PingError from "@appservice-ping/domain/PingError"
import { PingUnsupported } from "@appservice-ping/domain/PingUnsupported"
import { NotHomeserver, Undecided } from "@appservice-ping/domain/TransportError"
import {
  AnsweredElsewhere,
  SeenButFailed,
  TooManyPending,
  VerifiedPingError
} from "@appservice-ping/domain/VerifiedPingError"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import { homeserverUrl, textOf } from "./support/diagnoses.ts"

const elsewhere = (url?: string) =>
  new AnsweredElsewhere({ ...(url === undefined ? {} : { url }), duration_ms: 3, settleTime: Duration.seconds(1) })

describe("the errors of a verified ping", () => {
  it("say what the homeserver's answer does not fit", () => {
    assert.match(
      elsewhere("http://bridge:29318/").message,
      /succeeded, but it did not arrive here.*http:\/\/bridge:29318/
    )
    assert.match(elsewhere().message, /the url of its registration$/)
    const timeout = new PingError.ConnectionTimeout({ error: "slow" })
    assert.match(new SeenButFailed({ error: timeout }).message, /arrived here.*M_CONNECTION_TIMEOUT: slow$/)
    assert.match(new TooManyPending({ maxPending: 7 }).message, /7 pings are under way/)
  })

  it.prop("survive JSON", [VerifiedPingError], ([error]) => {
    const codec = Schema.toCodecJson(VerifiedPingError)
    const wire: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(codec)(error)))
    const decoded = Schema.decodeUnknownSync(codec)(wire)
    assert.strictEqual(decoded._tag, error._tag)
    assert.strictEqual(decoded.message, error.message)
  })
})

describe("diagnose a verified ping", () => {
  it("that something else answered, and names the url it answers at", () => {
    for (
      const diagnosis of [
        diagnose(elsewhere("http://bridge:29318/")),
        diagnose(elsewhere(), { url: "http://bridge:29318/" })
      ]
    ) {
      assert.deepInclude(diagnosis, { actor: "operator", temporary: false })
      assert.match(diagnosis.cause, /^Something else answers as the appservice \(http:\/\/bridge:29318\/\)/)
      assert.match(diagnosis.advice, /older copy.*other instances.*proxy/)
    }
  })

  it("that something else answered on the homeserver's own localhost", () => {
    const context = { url: "http://localhost:29318", homeserver: "https://matrix.example" }
    assert.match(diagnose(elsewhere(), context).advice, /"localhost" means .* homeserver itself, here matrix\.example/)
  })

  const undecided = new Undecided({ url: homeserverUrl, after: Duration.seconds(1) })
  it.each<readonly [string, SeenButFailed["error"], boolean, RegExp]>([
    ["a timeout", new PingError.ConnectionTimeout({}), true, /says M_CONNECTION_TIMEOUT.*way back/],
    ["a broken connection", new PingError.ConnectionFailed({ error: "closed early" }), true, /M_CONNECTION_FAILED/],
    ["a proxy's 502", new PingError.BadStatus({ status: 502 }), true, /with status 502.*a proxy must pass/],
    ["a bad status without one", new PingError.BadStatus({}), false, /with a bad status/],
    ["500 M_UNKNOWN", new PingError.OtherErrcode({ errcode: "M_UNKNOWN", status: 500 }), true, /says that it failed/],
    ["no answer", undecided, true, /its own answer did not arrive here.*in front of the homeserver/],
    ["a page", new NotHomeserver({ url: homeserverUrl, status: 504, body: "" }), true, /its own answer did not arrive/]
  ])("that arrived, and the homeserver says otherwise: %s", (_, error, temporary, says) => {
    const diagnosis = diagnose(new SeenButFailed({ error }))
    assert.deepInclude(diagnosis, { actor: "network", temporary })
    assert.match(diagnosis.cause, /^The ping arrived here/)
    assert.match(textOf(diagnosis), says)
  })

  it("that was one too many", () => {
    assert.deepInclude(diagnose(new TooManyPending({ maxPending: 7 })), { actor: "operator", temporary: true })
    assert.match(textOf(diagnose(new TooManyPending({ maxPending: 7 }))), /7 pings are under way.*maxPending/)
  })
})

describe("diagnose a homeserver that is too old", () => {
  it("by its name and version, and the version that is needed", () => {
    const diagnosis = diagnose(
      new PingUnsupported({ url: homeserverUrl, versions: ["v1.6"], server: { name: "Synapse", version: "1.79.0" } })
    )
    assert.deepInclude(diagnosis, { actor: "homeserver admin", temporary: false })
    assert.match(diagnosis.cause, /Synapse 1\.79\.0, is too old.*Matrix v1\.6, and v1\.7 is needed/)
    assert.match(diagnosis.advice, /^Update the homeserver/)
  })

  it("also where it says nothing of itself", () => {
    const diagnosis = diagnose(new PingUnsupported({ url: homeserverUrl, versions: [] }))
    assert.match(diagnosis.cause, /^The homeserver is too old for the ping: it supports no version/)
  })
})
