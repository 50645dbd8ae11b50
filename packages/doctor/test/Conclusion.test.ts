import { conclude, type Conclusion } from "@appservice-ping/doctor/Conclusion"
import type { CopiedField, DirectEvidence, Evidence, Oddity, Subject } from "@appservice-ping/doctor/Evidence"
import { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import { Diagnosable } from "@appservice-ping/domain/Diagnosis"
import {
  BadStatus,
  ConnectionFailed,
  ConnectionTimeout,
  Forbidden,
  LimitExceeded,
  OtherErrcode,
  UnknownToken
} from "@appservice-ping/domain/PingError"
import { HomeserverUnreachable, NotHomeserver } from "@appservice-ping/domain/TransportError"
import { AnsweredElsewhere } from "@appservice-ping/domain/VerifiedPingError"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import {
  answer,
  broken as brokenWith,
  confirmed,
  local,
  matrixError as json,
  peer,
  subject
} from "./support/evidence.ts"

const file = (
  oddities: ReadonlyArray<Oddity> = [],
  differs?: ReadonlyArray<CopiedField>
): Evidence["registration"] => ({
  _tag: "Read",
  id: "telegram",
  url: "http://bridge.example:29317/",
  oddities,
  differs
})

const broken = (kind: ConnectionFailure["kind"], text: string = kind, speaksTls = false): DirectEvidence =>
  brokenWith(kind, text, speaksTls)

const good: Evidence = {
  registration: file(),
  homeserver: { _tag: "Reached", peer: peer("192.0.2.1:443"), tls: true },
  versions: { _tag: "Supported", path: "stable", server: undefined },
  token: { _tag: "Known", userId: "@telegrambot:example", isOurs: true },
  listener: { _tag: "Found", asked: false, peer: peer("192.0.2.7:29317") },
  direct: confirmed,
  ping: { _tag: "Succeeded", millis: 5, verified: false }
}

const failed = (error: Diagnosable): Evidence["ping"] => ({ _tag: "Failed", error, elapsed: undefined })

const refused = new ConnectionFailed({ error: "could not ping the appservice at X: the connection was refused" })

const status = (status: number, body = "") => new BadStatus({ status, body })

const unreachable = (kind: "refused" | "closed", speaksTls: boolean): Evidence["homeserver"] => ({
  _tag: "Unreachable",
  phase: kind === "refused" ? "connect" : "http",
  error: new HomeserverUnreachable({
    url: "https://matrix.example/",
    failure: new ConnectionFailure({ kind, text: `the connection was ${kind}` })
  }),
  speaksTls
})

const answered = (code: number, fields: { readonly location?: string; readonly body?: string } = {}) =>
  new NotHomeserver({ url: "https://matrix.example/", status: code, body: "", ...fields })

type Row = readonly [
  title: string,
  evidence: Partial<Evidence>,
  actor: Conclusion["diagnosis"]["actor"],
  cause: RegExp,
  advice: RegExp,
  subject?: Subject
]

const rows: ReadonlyArray<Row> = [
  [
    "a registration that cannot be read, before everything else",
    { registration: { _tag: "Invalid", problems: ["r.yaml: id: missing"] }, homeserver: unreachable("refused", false) },
    "operator",
    /cannot be used: r\.yaml: id: missing/,
    /Correct/
  ],
  [
    "a homeserver that is not there",
    { homeserver: unreachable("refused", false), versions: undefined, ping: undefined },
    "homeserver admin",
    /Nothing listens where the homeserver/,
    /Start the homeserver/
  ],
  [
    "http where TLS is spoken",
    { homeserver: unreachable("closed", true), versions: undefined, ping: undefined },
    "operator",
    /speaks TLS, but the URL says http/,
    /https/
  ],
  [
    "a homeserver that takes connections and is silent",
    { homeserver: { _tag: "Silent", after: Duration.seconds(10) }, versions: undefined, ping: undefined },
    "homeserver admin",
    /gave no answer within 10s/,
    /hangs/
  ],
  [
    "a redirect in the homeserver's place",
    {
      versions: { _tag: "Failed", error: answered(301, { location: "https://elsewhere.example/" }) },
      ping: undefined
    },
    "operator",
    /redirects to https:\/\/elsewhere\.example\//,
    /Use the address/
  ],
  [
    "a page without /_matrix in the homeserver's place",
    { versions: { _tag: "Failed", error: answered(404) }, ping: undefined },
    "operator",
    /has nothing at \/_matrix\/client\/versions/,
    /forward everything under \/_matrix/
  ],
  [
    "nginx that was asked in plain on its TLS port",
    {
      versions: {
        _tag: "Failed",
        error: answered(400, { body: "<h1>400 The plain HTTP request was sent to HTTPS port</h1>" })
      },
      ping: undefined
    },
    "operator",
    /speaks TLS/,
    /https/
  ],
  [
    "a url that is not set, before a token that is refused",
    {
      registration: { _tag: "Read", id: "telegram", url: undefined, oddities: [], differs: undefined },
      token: { _tag: "Refused", error: new UnknownToken({}) },
      ping: failed(new UnknownToken({}))
    },
    "operator",
    /has no url/,
    /Set url/,
    { ...subject, url: undefined }
  ],
  [
    "an as_token that differs in the copies",
    { registration: file([], ["as_token"]), ping: failed(new UnknownToken({})) },
    "operator",
    /differ in as_token/,
    /same registration file/
  ],
  [
    "no cause in a difference that has nothing to do with the error",
    {
      registration: file([], ["hs_token"]),
      token: { _tag: "Refused", error: new UnknownToken({}) },
      ping: failed(new UnknownToken({}))
    },
    "homeserver admin",
    /does not know the as_token/,
    /restart/
  ],
  [
    "a placeholder that the homeserver does not know",
    { registration: file([{ _tag: "PlaceholderToken", field: "as_token" }]), ping: failed(new UnknownToken({})) },
    "operator",
    /as_token looks like the placeholder/,
    /generate/
  ],
  [
    "the right as_token with another id",
    { ping: failed(new Forbidden({})) },
    "operator",
    /not with the id telegram/,
    /Compare id/
  ],
  [
    "the as_token of somebody else",
    {
      token: { _tag: "Known", userId: "@signalbot:example", isOurs: false },
      ping: failed(new Forbidden({}))
    },
    "operator",
    /that of @signalbot:example/,
    /Use the as_token/
  ],
  [
    "a token that is refused, where the ping cannot be made",
    { token: { _tag: "Refused", error: new UnknownToken({}) }, ping: failed(new UnknownToken({})) },
    "homeserver admin",
    /does not know the as_token/,
    /restart/
  ],
  [
    "a token that is refused, where the ping says nothing of it",
    { token: { _tag: "Refused", error: new UnknownToken({}) }, ping: failed(new LimitExceeded({})) },
    "homeserver admin",
    /does not know the as_token/,
    /restart/
  ],
  [
    "a token that the ping shows to be good, although the homeserver does not say whose it is",
    { token: { _tag: "Refused", error: new UnknownToken({}) }, ping: failed(status(403)) },
    "operator",
    /accepts the hs_token of this file/,
    /same registration file/
  ],
  [
    "a homeserver at the url",
    { direct: answer(404, { isHomeserver: true }), ping: failed(status(404)) },
    "operator",
    /leads to a homeserver/,
    /where the appservice itself listens/
  ],
  [
    "another service at the url",
    { direct: answer(404), ping: failed(status(404)) },
    "operator",
    /has no ping/,
    /port and path/
  ],
  [
    "a redirect at the url",
    { direct: answer(308, { location: "https://bridge.example/" }), ping: failed(status(308)) },
    "operator",
    /redirects to https:\/\/bridge\.example\//,
    /Set url/
  ],
  [
    "TLS at an http url",
    { direct: answer(400, { speaksTls: true }), ping: failed(status(400)) },
    "operator",
    /speaks TLS/,
    /https/
  ],
  [
    "a proxy that forwards only some paths to the homeserver",
    { ping: failed(answered(404)) },
    "homeserver admin",
    /something in front of it answers in its place \(status 404\)/,
    /forward everything/
  ],
  [
    "an hs_token that only the homeserver has wrong",
    { ping: failed(status(401)) },
    "operator",
    /accepts the hs_token of this file, but not the one that the homeserver sends/,
    /same registration file/
  ],
  [
    "an hs_token that the appservice has wrong",
    { direct: answer(403), ping: failed(status(401)) },
    "operator",
    /rejects the hs_token of this file, and the one that the homeserver sends/,
    /same registration file/
  ],
  [
    "no drift in a header that a proxy took away",
    {
      direct: answer(401, { body: json("M_MISSING_TOKEN") }),
      ping: failed(status(401, "{\"errcode\":\"M_MISSING_TOKEN\"}"))
    },
    "operator",
    /did not arrive/,
    /Authorization header/
  ],
  [
    "a status that is only the homeserver's",
    { ping: failed(status(502)) },
    "operator",
    /answers well .* from here, but the homeserver got status 502/,
    /Compare url/
  ],
  [
    "nothing listens, here and there",
    {
      listener: { _tag: "Nothing", why: "notAsked" },
      direct: broken("refused", "the connection was refused"),
      ping: failed(refused)
    },
    "operator",
    /not running: nothing listens at http:\/\/bridge\.example:29317\//,
    /Start the appservice/
  ],
  [
    "localhost that is the homeserver's own",
    { ping: failed(refused) },
    "operator",
    /for the homeserver, localhost is its own machine or container/,
    /Set url to a name/,
    local
  ],
  [
    "an address to listen on in the url, which leads every machine to itself",
    { ping: failed(refused) },
    "operator",
    /for the homeserver, 0\.0\.0\.0 is its own machine or container/,
    /Set url to a name/,
    { ...subject, url: "http://0.0.0.0:29317" }
  ],
  [
    "a firewall between the two",
    { ping: failed(new ConnectionTimeout({})) },
    "network",
    /answers at .* from here, but the homeserver does not get there/,
    /firewalls/
  ],
  [
    "a peer that does not say why",
    { ping: failed(new OtherErrcode({ errcode: "M_UNKNOWN", status: 500 })) },
    "homeserver admin",
    /does not say why/,
    /Called from here, the appservice answers well/
  ],
  [
    "a peer that says nothing but the url",
    { ping: failed(new ConnectionFailed({ error: "error sending request for url (http://bridge.example:29317/x)" })) },
    "homeserver admin",
    /failed/,
    /Called from here, the appservice answers well/
  ],
  [
    "a certificate that only the homeserver does not trust",
    { ping: failed(new ConnectionFailed({ error: "the TLS certificate is self-signed" })) },
    "operator",
    /certificate is not trusted/,
    /authority/
  ],
  [
    "a name that only the homeserver does not know",
    { ping: failed(new ConnectionFailed({ error: "the host name could not be resolved" })) },
    "operator",
    /host name of the appservice .* could not be found/,
    /container of the homeserver/
  ],
  ...["[Errno -2] Name or service not known", "getaddrinfo ENOTFOUND bridge"].map((error): Row => [
    `a name that only the homeserver does not know: ${error}`,
    { ping: failed(new ConnectionFailed({ error })) },
    "operator",
    /host name of the appservice .* could not be found/,
    /container of the homeserver/
  ]),
  [
    "a ping that went elsewhere",
    {
      listener: { _tag: "StandIn", asked: true },
      ping: failed(new AnsweredElsewhere({ duration_ms: 3, settleTime: Duration.seconds(1) }))
    },
    "operator",
    /Something else answers/,
    /url/
  ],
  [
    "a success of another service",
    { direct: { ...confirmed, body: "<html>", wrongToken: "accepted" } },
    "operator",
    /accepts any token.*another service/,
    /Set url/
  ],
  [
    "an appservice that does not run, while the doctor stood in",
    { listener: { _tag: "StandIn", asked: false }, ping: { _tag: "Succeeded", millis: 3, verified: true } },
    "operator",
    /not running.*The way there is good/,
    /Start the appservice/
  ]
]

describe("conclude", () => {
  for (const [title, evidence, actor, cause, advice, about = subject] of rows) {
    it(`finds ${title}`, () => {
      const { ok, diagnosis } = conclude({ ...good, ...evidence }, about)
      assert.isFalse(ok)
      assert.match(diagnosis.cause, cause)
      assert.match(diagnosis.advice, advice)
      assert.strictEqual(diagnosis.actor, actor)
    })
  }

  it("all is well", () => {
    const { ok, diagnosis } = conclude(good, subject)
    assert.isTrue(ok)
    assert.deepInclude(diagnosis, {
      actor: "nobody",
      cause: "Nothing is wrong with the ping: the homeserver reaches the appservice.",
      advice: "Nothing has to be done.",
      temporary: false
    })
  })

  it("what the homeserver reaches is well, also where the doctor does not reach it", () => {
    const { ok, diagnosis } = conclude({ ...good, direct: broken("refused", "the connection was refused") }, subject)
    assert.isTrue(ok)
    assert.strictEqual(diagnosis.actor, "nobody")
  })

  it("says what is worth a look although all is well", () => {
    const { diagnosis, ok } = conclude({
      ...good,
      registration: file([{ _tag: "WorldReadable" }]),
      direct: { ...confirmed, wrongToken: "accepted" }
    }, subject)
    assert.isTrue(ok)
    assert.strictEqual(diagnosis.actor, "operator")
    assert.include(diagnosis.advice, "Every user of this machine can read the file")
    assert.include(diagnosis.advice, "does not check the hs_token")
  })

  it("the doctor that stood in as it was asked to is no complaint", () => {
    const { ok } = conclude({
      ...good,
      listener: { _tag: "StandIn", asked: true },
      ping: { _tag: "Succeeded", millis: 3, verified: true }
    }, subject)
    assert.isTrue(ok)
  })

  it.effect.prop(
    "is total: every error of a ping has a cause, an actor and an advice",
    [Diagnosable],
    ([error]) =>
      Effect.sync(() => {
        for (const direct of [confirmed, undefined]) {
          for (const about of [subject, local]) {
            const { ok, diagnosis } = conclude({ ...good, direct, ping: failed(error) }, about)
            assert.isFalse(ok)
            assert.isAbove(diagnosis.cause.length, 10)
            assert.isAbove(diagnosis.advice.length, 10)
          }
        }
      })
  )
})
