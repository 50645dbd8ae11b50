// Each rule with evidence that it applies to: what it concludes, and what that rests on.
import { conclude, ruleNames } from "@appservice-ping/doctor/Conclusion"
import type { Evidence, Subject } from "@appservice-ping/doctor/Evidence"
import { ConnectionFailure } from "@appservice-ping/domain/ConnectionFailure"
import type { Actor, Certainty } from "@appservice-ping/domain/Diagnosis"
import {
  ConnectionTimeout,
  Forbidden,
  LimitExceeded,
  OtherErrcode,
  UnknownToken
} from "@appservice-ping/domain/PingError"
import { PingUnsupported } from "@appservice-ping/domain/PingUnsupported"
import { HomeserverUnreachable, NotHomeserver } from "@appservice-ping/domain/TransportError"
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import {
  answer,
  broken,
  confirmed,
  failed,
  good,
  got,
  local,
  matrixError,
  peer,
  says,
  subject
} from "./support/evidence.ts"

interface Row {
  readonly title: string
  readonly rule: string
  readonly seen: Partial<Evidence>
  readonly ok?: boolean
  readonly actor?: Actor
  readonly cause: RegExp
  readonly advice?: RegExp
  readonly certainty?: Certainty
  readonly restsOn?: ReadonlyArray<string>
  readonly about?: Subject
}

const read = (fields: object) => ({ registration: { ...good.registration, ...fields } as Evidence["registration"] })

const without = { versions: undefined, token: undefined, listener: undefined, direct: undefined, ping: undefined }

const homeserverUrl = "https://matrix.example/"

const unreachable = (kind: ConnectionFailure["kind"], speaksTls = false): Partial<Evidence> => ({
  ...without,
  homeserver: {
    _tag: "Unreachable",
    phase: "connect",
    error: new HomeserverUnreachable({ url: homeserverUrl, failure: new ConnectionFailure({ kind, text: kind }) }),
    speaksTls
  }
})

const server = (name: string): Evidence["versions"] => ({ _tag: "Supported", path: "stable", server: { name } })

const bare = new NotHomeserver({ url: homeserverUrl, status: 404, body: "" })

const unknown = failed(new OtherErrcode({ errcode: "M_UNKNOWN", status: 500 }))

const invalidResponse = says("Received invalid response from appservice")

const failedToPing = says("Failed to ping appservice")

const squid = "<html><head><title>ERROR: The requested URL could not be retrieved</title></head></html>"

const rows: ReadonlyArray<Row> = [
  {
    title: "a file that cannot be used",
    rule: "registration-unusable",
    seen: { registration: { _tag: "Invalid", problems: ["r.yaml: id: missing"] }, ...without, homeserver: undefined },
    actor: "operator",
    cause: /cannot be used: r\.yaml: id: missing/,
    restsOn: ["registration seen"]
  },
  {
    title: "a homeserver that takes connections and is silent",
    rule: "homeserver-silent",
    seen: { ...without, homeserver: { _tag: "Silent", after: Duration.seconds(10) } },
    actor: "homeserver admin",
    cause: /gave no answer within 10s/
  },
  {
    title: "a homeserver that is not there",
    rule: "homeserver-unreachable",
    seen: unreachable("refused"),
    actor: "homeserver admin",
    cause: /Nothing listens where the homeserver/
  },
  {
    title: "https that the homeserver speaks, and the URL does not",
    rule: "homeserver-unreachable",
    seen: unreachable("closed", true),
    actor: "operator",
    cause: /speaks TLS, but the URL says http/
  },
  {
    title: "a homeserver that is too old",
    rule: "homeserver-without-ping",
    seen: {
      ...without,
      versions: { _tag: "Failed", error: new PingUnsupported({ url: homeserverUrl, versions: ["v1.6"] }) }
    },
    actor: "homeserver admin",
    cause: /too old/
  },
  {
    title: "an address without the client API",
    rule: "homeserver-without-ping",
    seen: { ...without, versions: { _tag: "Failed", error: bare } },
    actor: "operator",
    cause: /has nothing at \/_matrix\/client\/versions/,
    advice: /\.well-known\/matrix\/client.*must not end in \/_matrix/
  },
  {
    title: "a url that is not set",
    rule: "url-not-set",
    seen: { ...read({ url: undefined }), direct: undefined, listener: undefined },
    actor: "operator",
    cause: /has no url/,
    about: { ...subject, url: undefined }
  },
  {
    title: "a url that is no HTTP address",
    rule: "url-is-no-http-address",
    seen: {
      ...read({ url: "with the scheme unix", oddities: [{ _tag: "UrlIsOther", scheme: "unix" }] }),
      direct: undefined,
      listener: undefined,
      ping: says("SchemeNotSupported")
    },
    actor: "operator",
    cause: /scheme is unix/,
    about: { ...subject, url: undefined }
  },
  {
    title: "copies that differ in what the error is due to",
    rule: "copies-differ",
    seen: { ...read({ differs: ["hs_token"] }), ping: got(401) },
    actor: "operator",
    cause: /differ in hs_token/
  },
  {
    title: "copies that differ, and a ping that works",
    rule: "copies-differ-unused",
    seen: read({ differs: ["id"] }),
    actor: "operator",
    cause: /The ping works, but the two copies of the registration differ in id/
  },
  {
    title: "a token that was never generated",
    rule: "placeholder-token",
    seen: { ...read({ oddities: [{ _tag: "PlaceholderToken", field: "hs_token" }] }), ping: got(403) },
    actor: "operator",
    cause: /hs_token looks like the placeholder/
  },
  {
    title: "a user's token on a homeserver that refuses it with M_UNAUTHORIZED",
    rule: "token-of-other-user",
    seen: {
      token: { _tag: "Known", userId: "@alice:example", isOurs: false },
      versions: server("Conduit"),
      ping: failed(new UnknownToken({}))
    },
    actor: "operator",
    cause: /as_token is that of @alice:example/,
    advice: /admin room of Conduit/,
    restsOn: ["token code", "ping code"]
  },
  {
    title: "an id that differs",
    rule: "other-id",
    seen: { ping: failed(new Forbidden({})) },
    actor: "operator",
    cause: /not with the id telegram/,
    certainty: "certain"
  },
  {
    title: "a token that whoami knows and the ping does not",
    rule: "other-id",
    seen: { ping: failed(new UnknownToken({})) },
    actor: "operator",
    cause: /may have another id/,
    certainty: "possible"
  },
  {
    title: "a token that the homeserver does not know, on Synapse",
    rule: "token-refused",
    seen: {
      token: { _tag: "Refused", error: new UnknownToken({}) },
      versions: server("Synapse"),
      ping: failed(new UnknownToken({}))
    },
    actor: "homeserver admin",
    cause: /does not know the as_token/,
    advice: /app_service_config_files.*restart Synapse/
  },
  {
    title: "a token that the homeserver does not know, on Tuwunel",
    rule: "token-refused",
    seen: {
      token: { _tag: "Refused", error: new UnknownToken({}) },
      versions: server("Tuwunel"),
      ping: failed(new UnknownToken({}))
    },
    actor: "homeserver admin",
    cause: /Tuwunel does not (?:know|take) the as_token/,
    advice: /admin room of Tuwunel.*at once/
  },
  {
    title: "a proxy that forwards only some paths",
    rule: "proxy-without-ping",
    seen: { ping: failed(bare) },
    actor: "homeserver admin",
    cause: /something in front of it answers in its place/,
    certainty: "possible"
  },
  {
    title: "element's SDK, which answers only its own pings",
    rule: "own-pings-only",
    seen: {
      direct: answer(400, { wrongToken: "refused", body: matrixError("BAD_REQUEST", "No ping request expected") }),
      ping: got(400, matrixError("BAD_REQUEST", "No ping request expected"))
    },
    ok: true,
    actor: "nobody",
    cause: /answers only its own pings/,
    restsOn: ["direct seen", "ping status"]
  },
  {
    title: "the same through a homeserver that says only that something answered",
    rule: "own-pings-only",
    seen: {
      direct: answer(400, { wrongToken: "refused", body: matrixError("BAD_REQUEST", "transaction_id did not match") }),
      ping: invalidResponse
    },
    ok: true,
    actor: "nobody",
    cause: /answers only its own pings/
  },
  {
    title: "a homeserver at the url",
    rule: "url-is-homeserver",
    seen: { direct: answer(404, { isHomeserver: true }), ping: got(404) },
    actor: "operator",
    cause: /leads to a homeserver/
  },
  {
    title: "TLS at an http url, where the homeserver says only that it failed",
    rule: "url-wants-https",
    seen: { direct: broken("closed", "closed", true), ping: failedToPing },
    actor: "operator",
    cause: /speaks TLS/
  },
  {
    title: "a redirect that the homeserver followed to a page",
    rule: "url-redirects",
    seen: { direct: answer(302, { location: "https://login.example/" }) },
    actor: "operator",
    cause: /redirects to https:\/\/login\.example\/.*The homeserver followed it/,
    restsOn: ["direct seen", "ping code"]
  },
  {
    title: "a service that answers 200 with JSON to everything",
    rule: "url-answers-everything",
    seen: { direct: { ...confirmed, wrongToken: "accepted", unknownPath: "accepted" } },
    actor: "operator",
    cause: /accepts any token.*another service/
  },
  {
    title: "a framework without the ping",
    rule: "framework-without-ping",
    seen: { direct: answer(404, { transaction: "refused" }), ping: got(404) },
    actor: "operator",
    cause: /appservice whose framework has no ping/
  },
  {
    title: "nothing at the path of the ping",
    rule: "url-has-no-ping",
    seen: { direct: answer(404, { transaction: "unclear" }), ping: got(404) },
    actor: "operator",
    cause: /may be another service/,
    certainty: "possible"
  },
  {
    title: "a token that the appservice refuses, where the homeserver says only that something answered",
    rule: "appservice-refuses-token",
    seen: { direct: answer(401, { body: matrixError("M_UNKNOWN_TOKEN") }), ping: invalidResponse },
    actor: "operator",
    cause: /rejects the hs_token of this file/
  },
  {
    title: "a drifted local file, while the ping works",
    rule: "appservice-refuses-token",
    seen: { direct: answer(403, { body: matrixError("M_FORBIDDEN") }) },
    actor: "operator",
    cause: /but takes the one that the homeserver sends/
  },
  {
    title: "a 303 that the homeserver followed to a host that it does not find",
    rule: "url-redirects",
    seen: {
      direct: answer(303, { location: "http://elsewhere.test/login" }),
      ping: says("DNSLookupError: DNS lookup failed: no results for hostname lookup: elsewhere.test.")
    },
    actor: "operator",
    cause: /redirects to http:\/\/elsewhere\.test\/login/,
    certainty: "certain"
  },
  {
    title: "a redirect here, where the homeserver does not find the url's own host",
    rule: "homeserver-met-something-else",
    seen: {
      direct: answer(303, { location: "http://elsewhere.test/login" }),
      ping: says("DNSLookupError: DNS lookup failed: no results for hostname lookup: bridge.example.")
    },
    actor: "operator",
    cause: /host name of the appservice .* could not be found/
  },
  {
    title: "a port that takes no connection, here and for the homeserver",
    rule: "url-gives-no-answer",
    seen: {
      listener: {
        _tag: "Unreachable",
        phase: "connect",
        failure: new ConnectionFailure({ kind: "timeout", text: "no connection" })
      },
      direct: broken("timeout", "no complete answer came in time"),
      ping: failed(new ConnectionTimeout({}))
    },
    cause: /^The connection to the appservice .* timed out/,
    certainty: "certain"
  },
  {
    title: "a proxy that asks for a login, at the url",
    rule: "url-leads-to-proxy",
    seen: { direct: answer(407), ping: got(407) },
    actor: "operator",
    cause: /^What answers at the url .* is a proxy, or asks for a login as one does \(status 407\)/,
    certainty: "certain",
    restsOn: ["direct seen", "ping status"]
  },
  {
    title: "the page of a proxy, at the url",
    rule: "url-leads-to-proxy",
    seen: { direct: answer(503, { body: squid }), ping: got(503, squid) },
    actor: "operator",
    cause: /is a proxy, .* \(status 503\)/,
    certainty: "certain"
  },
  {
    title: "a proxy that asks for a login, on the homeserver's way alone",
    rule: "homeserver-got-other-status",
    seen: { ping: got(407) },
    actor: "operator",
    cause: /homeserver got status 407: .* its way may lead over a proxy/,
    certainty: "possible"
  },
  {
    title: "a login page of a proxy",
    rule: "url-answers-status",
    seen: { direct: answer(401, { body: "<html>login" }), ping: got(401, "<html>login") },
    actor: "operator",
    cause: /web page with status 401/
  },
  {
    title: "a 304 that the homeserver takes for success",
    rule: "url-answers-status",
    seen: { direct: answer(304) },
    actor: "operator",
    cause: /takes the ping for answered all the same/
  },
  {
    title: "a proxy with nothing behind it, and a homeserver that says nothing",
    rule: "url-answers-status",
    seen: { direct: answer(502), ping: unknown },
    actor: "operator",
    cause: /proxy in front of the appservice .*502/
  },
  {
    title: "nothing that listens",
    rule: "appservice-not-running",
    seen: { direct: broken("refused"), ping: says("Connection refused") },
    actor: "operator",
    cause: /not running: nothing listens .*neither for the homeserver nor from here/
  },
  {
    title: "an appservice that takes connections and is silent",
    rule: "appservice-silent",
    seen: { direct: broken("timeout"), ping: failed(new ConnectionTimeout({})) },
    actor: "operator",
    cause: /no answer from the appservice .* in time/
  },
  {
    title: "an expired certificate, which the homeserver calls untrusted",
    rule: "url-gives-no-answer",
    seen: {
      direct: broken("tls", "the TLS certificate has expired"),
      ping: says("[('SSL routines', '', 'certificate verify failed')]")
    },
    actor: "operator",
    cause: /certificate has expired/,
    restsOn: ["direct seen", "ping text"],
    about: { ...subject, url: "https://bridge.example" }
  },
  {
    title: "a reset that Synapse calls a timeout",
    rule: "url-gives-no-answer",
    seen: { direct: broken("reset", "the connection was reset"), ping: failed(new ConnectionTimeout({})) },
    actor: "network",
    cause: /broken off/
  },
  {
    title: "a name that cannot be resolved, where the homeserver says nothing",
    rule: "url-gives-no-answer",
    seen: { direct: broken("dns", "the host name could not be resolved"), ping: failedToPing },
    actor: "operator",
    cause: /host name .* could not be found/
  },
  {
    title: "an answer that is cut, and a homeserver that takes it for success",
    rule: "url-gives-no-answer",
    seen: { direct: broken("closed", "the connection was closed early") },
    actor: "operator",
    cause: /closed before the answer was complete.*takes the ping for answered all the same/
  },
  {
    title: "an hs_token that only the homeserver has wrong",
    rule: "homeserver-sends-other-token",
    seen: { ping: got(401, matrixError("M_UNKNOWN_TOKEN")) },
    actor: "operator",
    cause: /accepts the hs_token of this file, but not the one that the homeserver sends/
  },
  {
    title: "a status that only the homeserver gets",
    rule: "homeserver-got-other-status",
    seen: { ping: got(502) },
    actor: "operator",
    cause: /homeserver got status 502: .*may/,
    certainty: "possible"
  },
  {
    title: "localhost, with the homeserver at an address of another machine",
    rule: "url-is-own-machine",
    seen: { ping: says("Connection refused") },
    actor: "operator",
    cause: /for the homeserver, localhost is its own machine or container/,
    certainty: "certain",
    about: local
  },
  {
    title: "localhost, with the homeserver at an address of this machine",
    rule: "url-is-own-machine",
    seen: {
      homeserver: { _tag: "Reached", peer: peer("127.0.0.1:8008", true), tls: false },
      ping: says("Connection refused")
    },
    actor: "operator",
    cause: /probably localhost is its own machine or container/,
    certainty: "possible",
    about: local
  },
  {
    title: "a name that was resolved to loopback",
    rule: "url-is-own-machine",
    seen: {
      listener: { _tag: "Found", asked: false, peer: peer("127.0.1.1:29317", true) },
      ping: says("no route to host")
    },
    actor: "operator",
    cause: /bridge\.example is its own machine or container/
  },
  {
    title: "a firewall between the two",
    rule: "homeserver-finds-no-way",
    seen: { ping: failed(new ConnectionTimeout({})) },
    actor: "network",
    cause: /does not get there/,
    certainty: "possible"
  },
  ...["PartialDownloadError", "InvalidCodepoint: Codepoint U+003A", "ValueError: invalid hostname", "gibberish"].map((
    text
  ): Row => ({
    title: `no machine or container without a sign: ${text}`,
    rule: "homeserver-met-something-else",
    seen: { ping: says(text) },
    cause: /^(?!.*own machine or container)/,
    advice: /Called from here, the appservice answers well/,
    about: local
  })),
  {
    title: "a homeserver that came further than this machine",
    rule: "homeserver-met-something-else",
    seen: { direct: broken("dns", "the host name could not be resolved"), ping: got(404) },
    actor: "operator",
    cause: /no ping|not know the ping/,
    advice: /is not reached \(the host name could not be resolved\)/
  },
  {
    title: "an error that has nothing to do with the url",
    rule: "ping-failed",
    seen: { ping: failed(new LimitExceeded({})) },
    actor: "nobody",
    cause: /asked too often/
  },
  {
    title: "an appservice that does not run, while the doctor stood in",
    rule: "stood-in",
    seen: { listener: { _tag: "StandIn", asked: false }, ping: { _tag: "Succeeded", millis: 3, verified: true } },
    actor: "operator",
    cause: /not running.*The way there is good/
  },
  {
    title: "a failed check beside a ping that works",
    rule: "check-failed",
    seen: { listener: { _tag: "Nothing", why: "notAsked" }, direct: broken("refused") },
    actor: "operator",
    cause: /the check "Something listens at url" failed/
  },
  {
    title: "all is well",
    rule: "well",
    seen: {},
    ok: true,
    actor: "nobody",
    cause: /^Nothing is wrong/,
    restsOn: ["direct seen", "ping code"]
  },
  {
    title: "a url that is out of reach from here alone",
    rule: "well",
    seen: {
      listener: {
        _tag: "Unreachable",
        phase: "dns",
        failure: new ConnectionFailure({ kind: "dns", text: "the host name could not be resolved" })
      },
      direct: broken("dns", "the host name could not be resolved")
    },
    ok: true,
    actor: "nobody",
    cause: /^The homeserver says that it reaches the appservice; the doctor could not look/,
    advice: /run the doctor where the homeserver runs/
  },
  {
    title: "a ping that was not made",
    rule: "no-ping",
    seen: { ping: undefined },
    actor: "operator",
    cause: /was not made/
  }
]

describe("a rule", () => {
  for (const { about = subject, title, ...row } of rows) {
    it(`${row.rule}: ${title}`, () => {
      const { diagnosis, ok, restsOn, rule } = conclude({ ...good, ...row.seen }, about)
      assert.strictEqual(rule, row.rule)
      assert.strictEqual(ok, row.ok ?? false)
      assert.match(diagnosis.cause, row.cause)
      if (row.advice !== undefined) assert.match(diagnosis.advice, row.advice)
      if (row.actor !== undefined) assert.strictEqual(diagnosis.actor, row.actor)
      if (row.certainty !== undefined) assert.strictEqual(diagnosis.certainty, row.certainty)
      assert.isAbove(restsOn.length, 0)
      if (row.restsOn !== undefined) {
        assert.deepStrictEqual(restsOn.map(({ check, weight }) => `${check} ${weight}`), row.restsOn)
      }
    })
  }

  it("has evidence here, each of them", () => {
    assert.deepStrictEqual(
      new Set(rows.map(({ rule }) => rule)),
      new Set(ruleNames)
    )
  })
})
