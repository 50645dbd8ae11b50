import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { Diagnosable, diagnose, Diagnosis } from "@appservice-ping/domain/Diagnosis"
import * as PingError from "@appservice-ping/domain/PingError"
import * as TransportError from "@appservice-ping/domain/TransportError"
import { AnsweredElsewhere, SeenButFailed } from "@appservice-ping/domain/VerifiedPingError"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import { leaks } from "./support/canary.ts"
import {
  badStatus,
  type Expected,
  failed,
  homeserverUrl,
  json,
  notHomeserver,
  other,
  page,
  textOf
} from "./support/diagnoses.ts"

describe("diagnose what the homeserver says of the token", () => {
  it.each<Expected>([
    ["an unknown token", new PingError.UnknownToken({}), "homeserver admin", false, /does not know the as_token/],
    ["no token", new PingError.MissingToken({}), "homeserver admin", false, /Authorization header/],
    ["a token of someone else", new PingError.Forbidden({}), "operator", false, /a user's or another appservice's/]
  ])("%s", (_, error, actor, temporary, says) => {
    assert.deepInclude(diagnose(error), { actor, temporary })
    assert.match(textOf(diagnose(error)), says)
  })
})

describe("diagnose an appservice that rejects the hs_token", () => {
  it.each<Expected>([
    ["mautrix-go", badStatus(401, json("M_UNKNOWN_TOKEN")), "operator", false, /rejects the hs_token/],
    ["mautrix-go, no token", badStatus(401, json("M_MISSING_TOKEN")), "operator", false, /Authorization header/],
    ["matrix-bot-sdk", badStatus(401, json("AUTH_FAILED")), "operator", false, /rejects the hs_token/],
    ["trixnity", badStatus(403, json("M_FORBIDDEN")), "operator", false, /rejects the hs_token/],
    ["trixnity, no token", badStatus(401, json("M_UNAUTHORIZED")), "operator", false, /rejects the hs_token/],
    ["AUTH_FAILED with another status", badStatus(400, json("AUTH_FAILED")), "operator", false, /rejects the hs_token/],
    ["401 without a body", badStatus(401), "operator", false, /rejects the hs_token/],
    ["403 with text", badStatus(403, "forbidden"), "operator", false, /rejects the hs_token/],
    ["403 with a page", badStatus(403, page), "operator", false, /a proxy .*hs_token/]
  ])("%s", (_, error, actor, temporary, says) => {
    assert.deepInclude(diagnose(error), { actor, temporary })
    assert.match(textOf(diagnose(error)), says)
    assert.match(diagnose(error).advice, /same registration file/)
  })
})

describe("diagnose an appservice's bad status", () => {
  it.each<Expected>([
    ["404", badStatus(404, "404 page not found"), "operator", false, /another service/],
    ["404 of a Matrix service", badStatus(404, json("M_UNRECOGNIZED")), "operator", false, /too old/],
    ["405", badStatus(405), "operator", false, /another service/],
    ["301", badStatus(301), "operator", false, /redirects/],
    ["308", badStatus(308), "operator", false, /redirects/],
    ["400 of a bot SDK", badStatus(400, "<html>Bad Request</html>"), "operator", false, /form of the ping/],
    ["400 M_NOT_JSON", badStatus(400, json("M_NOT_JSON")), "operator", false, /form of the ping/],
    ["408", badStatus(408), "operator", true, /did not get the whole ping in time \(status 408\)/],
    ["425", badStatus(425), "operator", true, /not ready/],
    ["429", badStatus(429), "nobody", true, /asked too often/],
    ["500", badStatus(500), "operator", true, /failed inside/],
    ["502 of a proxy", badStatus(502, page), "operator", true, /A proxy in front/],
    ["503 of a proxy", badStatus(503, page), "operator", true, /A proxy in front/],
    ["504 of a proxy", badStatus(504), "operator", true, /A proxy in front/],
    ["522 of a proxy", badStatus(522, page), "operator", true, /A proxy in front/],
    ["530 of a proxy", badStatus(530), "operator", true, /A proxy in front/],
    ["503 of the appservice", badStatus(503, json("M_UNKNOWN")), "operator", true, /not ready/],
    ["418", badStatus(418), "operator", false, /did not confirm the ping \(status 418\)/],
    ["no status at all", new PingError.BadStatus({}), "operator", false, /did not confirm the ping\./]
  ])("%s", (_, error, actor, temporary, says) => {
    assert.deepInclude(diagnose(error), { actor, temporary })
    assert.match(textOf(diagnose(error)), says)
  })

  it.each([
    ["Synapse's text", badStatus(404, json("M_UNRECOGNIZED", "Unrecognized request"))],
    ["Synapse's start page", badStatus(405, "<html><h1>It works! Synapse is running</h1></html>")],
    ["hewwo from tuwunel", badStatus(404, "hewwo from tuwunel woof!")]
  ])("a url that leads to a homeserver: %s", (_, error) => {
    assert.match(diagnose(error).cause, /leads to a homeserver/)
  })

  it.each([
    ["that names a homeserver", badStatus(401, json("M_UNKNOWN_TOKEN", "Synapse sent a token we do not know")), {}],
    ["with the errcode alone", badStatus(400, json("AUTH_FAILED", "check your synapse config")), {}],
    ["without an errcode", badStatus(403, "Forbidden, says the bridge behind synapse"), {}],
    [
      "behind one proxy with the homeserver",
      badStatus(401, json("M_UNKNOWN_TOKEN")),
      { url: "https://matrix.example", homeserver: "https://matrix.example" }
    ]
  ])("a refusal of the hs_token %s is the appservice's, because no homeserver checks it", (_, error, context) => {
    assert.match(diagnose(error, context).cause, /rejects the hs_token/)
  })

  it("a url that leads to the homeserver that was asked", () => {
    const homeserver = "https://matrix.example"
    for (const url of ["https://matrix.example", "https://matrix.example/", "https://MATRIX.example:443//"]) {
      assert.match(diagnose(badStatus(405), { url, homeserver }).cause, /leads to a homeserver/)
    }
    for (
      const url of ["https://matrix.example/bridge", "http://matrix.example", "https://bridge.example", null, "", "x"]
    ) {
      assert.notMatch(diagnose(badStatus(405), { url, homeserver }).cause, /leads to a homeserver/)
    }
  })
})

describe("diagnose M_URL_NOT_SET", () => {
  it.each([undefined, null, ""])("C8 where our copy has no url either: %j", (url) => {
    const diagnosis = diagnose(new PingError.UrlNotSet({}), { url })
    assert.strictEqual(diagnosis.actor, "operator")
    assert.isFalse(diagnosis.temporary)
    assert.match(diagnosis.advice, /Set url in the registration/)
  })

  it("C8 where only the homeserver's copy has none", () => {
    const diagnosis = diagnose(new PingError.UrlNotSet({}), { url: "http://bridge:29318" })
    assert.strictEqual(diagnosis.actor, "homeserver admin")
    assert.isFalse(diagnosis.temporary)
    assert.match(diagnosis.cause, /out of date/)
  })
})

describe("diagnose the other answers of a homeserver", () => {
  it.each<Expected>([
    [
      "M_UNRECOGNIZED",
      new PingError.Unrecognized({}),
      "operator",
      false,
      /worker.*older than Matrix 1\.7.*\.well-known.*proxy/
    ],
    ["M_NOT_JSON", new PingError.NotJson({}), "homeserver admin", false, /proxy.*drop or change/],
    ["M_BAD_JSON", new PingError.BadJson({}), "operator", false, /form of the ping/],
    ["M_LIMIT_EXCEEDED", new PingError.LimitExceeded({}), "nobody", true, /too often/],
    ["M_UNKNOWN 500", other("M_UNKNOWN", 500), "homeserver admin", true, /does not say why/],
    ["M_UNKNOWN 400", other("M_UNKNOWN", 400), "homeserver admin", false, /does not say why/],
    ["M_USER_LOCKED", other("M_USER_LOCKED", 401), "homeserver admin", false, /locked/],
    ["M_USER_SUSPENDED", other("M_USER_SUSPENDED", 403), "homeserver admin", false, /suspended/],
    ["M_USER_DEACTIVATED", other("M_USER_DEACTIVATED", 403), "homeserver admin", false, /deactivated/],
    ["M_RESOURCE_LIMIT_EXCEEDED", other("M_RESOURCE_LIMIT_EXCEEDED", 403), "homeserver admin", false, /limit/],
    ["M_TOO_LARGE", other("M_TOO_LARGE", 413), "operator", false, /too large/],
    ["M_UNKNOWN_DEVICE", other("M_UNKNOWN_DEVICE", 400), "operator", false, /device/],
    ["a custom errcode", other("COM.EXAMPLE_X", 418), "homeserver admin", false, /COM\.EXAMPLE_X \(status 418\)/],
    ["a custom errcode with 503", other("COM.EXAMPLE_X", 503), "homeserver admin", true, /COM\.EXAMPLE_X/]
  ])("C19 %s", (_, error, actor, temporary, says) => {
    assert.deepInclude(diagnose(error), { actor, temporary })
    assert.match(textOf(diagnose(error)), says)
  })

  it("C18 says how long to wait", () => {
    const retryAfter = Duration.seconds(90)
    assert.match(diagnose(new PingError.LimitExceeded({ retryAfter })).advice, /Wait 1 minute 30 seconds/)
    const busy = new PingError.OtherErrcode({ errcode: "M_UNKNOWN", status: 400, retryAfter })
    assert.match(diagnose(busy).advice, /Wait 1 minute 30 seconds/)
    assert.isTrue(diagnose(busy).temporary)
  })

  it.each(["syt_canary", "a canary", "canary", "", "M_X\ncanary", `M_${"X".repeat(1000)}`])(
    "D8 does not repeat an errcode that is none: %j",
    (errcode) => {
      assert.match(diagnose(other(errcode, 400)).cause, /answered an error \(status 400\)/)
    }
  )
})

describe("diagnose an answer that no homeserver gives", () => {
  it.each<readonly [number, Diagnosis["actor"], boolean, RegExp]>([
    [502, "homeserver admin", true, /A proxy in front of the homeserver/],
    [503, "homeserver admin", true, /A proxy in front of the homeserver/],
    [504, "homeserver admin", true, /A proxy in front of the homeserver/],
    [521, "homeserver admin", true, /A proxy in front of the homeserver/],
    [500, "homeserver admin", true, /failed inside/],
    [301, "operator", false, /redirects/],
    [307, "operator", false, /redirects/],
    [0, "operator", false, /redirects/],
    [401, "homeserver admin", false, /refused the ping/],
    [403, "homeserver admin", false, /refused the ping/],
    [407, "operator", true, /own proxy/],
    [413, "operator", false, /too large/],
    [408, "homeserver admin", true, /did not get the whole ping in time/],
    [425, "homeserver admin", true, /proxy/i],
    [429, "nobody", true, /too often/],
    [404, "operator", false, /not a homeserver.*\.well-known/],
    [405, "operator", false, /not a homeserver/],
    [200, "operator", false, /not a homeserver/],
    [418, "operator", false, /not a homeserver/]
  ])("%i", (status, actor, temporary, says) => {
    assert.deepInclude(diagnose(notHomeserver(status)), { actor, temporary })
    assert.match(textOf(diagnose(notHomeserver(status))), says)
    assert.include(diagnose(notHomeserver(status)).cause, `the homeserver (${homeserverUrl})`)
  })

  it("C18 says how long to wait", () => {
    const error = new TransportError.NotHomeserver({
      url: homeserverUrl,
      status: 429,
      body: "",
      retryAfter: Duration.seconds(5)
    })
    assert.match(diagnose(error).advice, /Wait 5 seconds/)
  })
})

describe("diagnose Undecided", () => {
  const undecided = (after: Duration.Input) =>
    diagnose(new TransportError.Undecided({ url: homeserverUrl, after: Duration.fromInputUnsafe(after) }))

  it("is neither a success nor a failure, and nobody's fault", () => {
    const diagnosis = undecided("90 seconds")
    assert.strictEqual(diagnosis.actor, "nobody")
    assert.isTrue(diagnosis.temporary)
    assert.match(diagnosis.cause, /within 1 minute 30 seconds.*undecided: neither confirmed nor failed/)
  })

  it("advises a longer wait where the client's deadline was shorter than a homeserver's can be", () => {
    assert.match(undecided("89 seconds").advice, /wait longer, 1 minute 30 seconds or more/)
    assert.notMatch(undecided("90 seconds").advice, /wait longer/)
    assert.match(undecided("90 seconds").advice, /logs of the homeserver \(https:.*stops half way/)
  })

  it.each<readonly [ConnectionFailure.Kind, Diagnosis["actor"], RegExp]>([
    ["reset", "network", /was broken off/],
    ["closed", "homeserver admin", /was closed/],
    ["malformed", "operator", /does not speak HTTP correctly/],
    ["timeout", "network", /timed out/],
    ["unknown", "operator", /nothing says why/]
  ])("names the failure where the connection broke: %s", (kind, actor, says) => {
    const failure = new ConnectionFailure.ConnectionFailure({ kind, text: "x" })
    const diagnosis = diagnose(
      new TransportError.Undecided({ url: homeserverUrl, after: Duration.seconds(1), failure })
    )
    assert.deepInclude(diagnosis, { actor, temporary: true })
    assert.match(diagnosis.cause, says)
    assert.match(diagnosis.cause, /undecided: it may or may not have arrived/)
    assert.include(diagnosis.cause, `the homeserver (${homeserverUrl})`)
    assert.match(diagnosis.advice, /^Ask again\./)
  })
})

describe("diagnose", () => {
  const anyError = Diagnosable

  it.prop("is total, and says something to each point", [
    anyError,
    Schema.Struct({
      url: Schema.optionalKey(Schema.NullOr(Schema.String)),
      homeserver: Schema.optionalKey(Schema.String)
    })
  ], ([error, context]) => {
    const diagnosis = diagnose(error, context)
    assert.instanceOf(diagnosis, Diagnosis)
    for (const text of [diagnosis.cause, diagnosis.advice]) {
      assert.match(text, /^[A-Z"].*\.$/s)
      assert.notInclude(text, "undefined")
      assert.isBelow(text.length, 1000)
    }
  })

  it.prop("is a value that survives JSON", [anyError], ([error]) => {
    const diagnosis = diagnose(error)
    const wire: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Diagnosis)(diagnosis)))
    assert.deepStrictEqual(Schema.decodeUnknownSync(Diagnosis)(wire), diagnosis)
    assert.hasAllKeys(wire, ["actor", "advice", "cause", "certainty", "healthy", "temporary", "weight"])
  })

  it.prop(
    "D8 repeats no text that a peer wrote",
    [Schema.Literals([200, 302, 401, 404, 418, 500, 502])],
    ([status]) => {
      const canary = "canary-0123456789"
      const text = `${canary} http://u:${canary}@h/${canary}?${canary}`
      const body = JSON.stringify({ errcode: canary, error: text })
      const failure = new ConnectionFailure.ConnectionFailure({ kind: "tls", text })
      const url = `https://u:${canary}@matrix.example/?${canary}`
      for (
        const error of [
          new PingError.BadJson({ error: text }),
          new PingError.BadStatus({ error: text, status, body }),
          new PingError.BadStatus({ error: text, status, body: text }),
          failed(text),
          new PingError.ConnectionTimeout({ error: text }),
          new PingError.Forbidden({ error: text }),
          new PingError.LimitExceeded({ error: text }),
          new PingError.MissingToken({ error: text }),
          new PingError.NotJson({ error: text }),
          new PingError.OtherErrcode({ errcode: canary, status, error: text }),
          new PingError.UnknownToken({ error: text }),
          new PingError.Unrecognized({ error: text }),
          new PingError.UrlNotSet({ error: text }),
          new TransportError.HomeserverUnreachable({ url, failure }),
          new TransportError.NotHomeserver({ url, status, body: text, contentType: text, location: text }),
          new TransportError.Undecided({ url, after: Duration.seconds(1) }),
          new TransportError.Undecided({ url, after: Duration.seconds(1), failure }),
          new AnsweredElsewhere({ url, duration_ms: 1, settleTime: Duration.seconds(1) }),
          new SeenButFailed({ error: new PingError.BadStatus({ error: text, status, body }) }),
          new SeenButFailed({ error: new PingError.OtherErrcode({ errcode: canary, status, error: text }) }),
          new SeenButFailed({ error: new TransportError.NotHomeserver({ url, status, body: text }) })
        ]
      ) {
        assert.deepStrictEqual(leaks(diagnose(error, { url, homeserver: url }), [canary]), [])
      }
    }
  )
})
