// Goal: whatever a homeserver says, in its own dialect, ends in the same cause. Method: the answer as it is on the
// wire, read and explained; one row for each case and peer.
import * as Answer from "@appservice-ping/domain/Answer"
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { diagnose, type Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { ConnectionTimeout } from "@appservice-ping/domain/PingError"
import { HomeserverUnreachable, Undecided } from "@appservice-ping/domain/TransportError"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Result } from "effect"
import { homeserverUrl, page, textOf } from "./support/diagnoses.ts"

const appserviceUrl = "http://bridge.example:29318/"

const context = { url: appserviceUrl, homeserver: "https://matrix.example" }

/** TLS is only a cause where the url says https. */
const urlOf = (body: unknown): string =>
  JSON.stringify(body).includes("certificate") ? appserviceUrl.replace("http:", "https:") : appserviceUrl

const explain = (status: number, body: unknown): Diagnosis => {
  const answer = { status, headers: {}, body: typeof body === "string" ? body : JSON.stringify(body) }
  const result = Answer.decode(answer, { url: new URL(homeserverUrl), now: 0 })
  return Result.isFailure(result)
    ? diagnose(result.failure, { ...context, url: urlOf(body) })
    : assert.fail("a success")
}

const failed = (error: string) => ({ errcode: "M_CONNECTION_FAILED", error })

const unknown = (error: string) => ({ errcode: "M_UNKNOWN", error })

const badStatus = (status: number, body: string) => ({ errcode: "M_BAD_STATUS", error: "bad status", status, body })

const twisted = (name: string) => `ResponseNeverReceived: [<twisted.python.failure.Failure ${name}: x>]`

const reqwest = (cause: string) => `error sending request for url (${appserviceUrl}_matrix/app/v1/ping): ${cause}`

type Row = readonly [
  name: string,
  status: number,
  body: unknown,
  actor: Diagnosis["actor"],
  temporary: boolean,
  says: RegExp
]

const tokens: ReadonlyArray<Row> = [
  ["Synapse: no token", 401, { errcode: "M_MISSING_TOKEN" }, "homeserver admin", false, /saw no token/],
  [
    "Synapse: unknown token",
    401,
    { errcode: "M_UNKNOWN_TOKEN" },
    "homeserver admin",
    false,
    /not loaded the registration/
  ],
  ["Synapse: a user's token", 403, { errcode: "M_FORBIDDEN" }, "operator", false, /a user's or another appservice's/],
  ["Synapse: another id", 403, { errcode: "M_FORBIDDEN" }, "operator", false, /Compare id and as_token/],
  ["Tuwunel: a user's token", 401, { errcode: "M_UNAUTHORIZED" }, "homeserver admin", false, /not a user's/],
  [
    "continuwuity: no token",
    401,
    { errcode: "M_UNAUTHORIZED" },
    "homeserver admin",
    false,
    /does not know the as_token/
  ],
  ["continuwuity: unknown token", 401, { errcode: "M_UNAUTHORIZED" }, "homeserver admin", false, /does not know/],
  ["Conduit: unknown token", 401, { errcode: "M_UNKNOWN_TOKEN" }, "homeserver admin", false, /does not know/],
  [
    "before v1.7: no url",
    400,
    { errcode: "FI.MAU.MSC2659_URL_NOT_SET" },
    "homeserver admin",
    false,
    /copy is out of date/
  ]
]

const drift = /rejects the hs_token.*same registration file/
const drifts: ReadonlyArray<Row> = [
  ["Synapse, mautrix", 502, badStatus(401, "{\"errcode\":\"M_UNKNOWN_TOKEN\"}"), "operator", false, drift],
  ["Synapse, matrix-bot-sdk", 502, badStatus(401, "{\"errcode\":\"AUTH_FAILED\"}"), "operator", false, drift],
  ["Synapse, trixnity", 502, badStatus(403, "{\"errcode\":\"M_FORBIDDEN\"}"), "operator", false, drift],
  [
    "Tuwunel, trixnity without a token",
    502,
    badStatus(401, "{\"errcode\":\"M_UNAUTHORIZED\"}"),
    "operator",
    false,
    drift
  ],
  ["before v1.7", 502, { ...badStatus(401, ""), errcode: "FI.MAU.MSC2659_BAD_STATUS" }, "operator", false, drift],
  ["Conduit, with a status", 502, failed("Appservice returned bad status 401 Unauthorized"), "operator", false, drift],
  ["Conduit, with a status code", 502, failed("HTTP status code: 403"), "operator", false, drift]
]

const others: ReadonlyArray<Row> = [
  [
    "Synapse: a homeserver there",
    502,
    badStatus(404, "{\"errcode\":\"M_UNRECOGNIZED\",\"error\":\"Unrecognized request\"}"),
    "operator",
    false,
    /leads to a homeserver/
  ],
  ["Synapse: another service there", 502, badStatus(404, "404 page not found"), "operator", false, /another service/],
  ["Conduit: another service there", 502, failed("status: 404"), "operator", false, /another service/],
  ["Synapse: a proxy's page", 502, badStatus(502, page), "operator", true, /A proxy in front of the appservice/],
  ["Tuwunel: a proxy's page", 502, badStatus(503, page), "operator", true, /A proxy in front of the appservice/],
  ["our own: a redirect", 502, badStatus(301, ""), "operator", false, /redirects/],
  ["Synapse: a redirect", 502, failed(twisted("twisted.web.error.PageRedirect")), "operator", false, /redirects/],
  [
    "Synapse: a page with 200",
    502,
    failed("JSONDecodeError: Expecting value: line 1 column 1"),
    "operator",
    false,
    /not in JSON/
  ]
]

const connections: ReadonlyArray<Row> = [
  ["glibc: DNS", 502, failed("[Errno -2] Name or service not known"), "operator", true, /host name of/],
  ["macOS: DNS", 502, failed("nodename nor servname provided, or not known"), "operator", true, /host name of/],
  [
    "Go: a name server that fails",
    502,
    failed("dial tcp: lookup bridge on 127.0.0.11:53: server misbehaving"),
    "operator",
    true,
    /host name of/
  ],
  ["Node: DNS", 502, failed("getaddrinfo ENOTFOUND bridge"), "operator", true, /host name of/],
  ["Node: DNS for now", 502, failed("getaddrinfo EAI_AGAIN bridge"), "operator", true, /host name of/],
  ["Node: reset", 502, failed("read ECONNRESET"), "network", true, /broken off/],
  ["Node: no route", 502, failed("connect EHOSTUNREACH 192.0.2.1:29318"), "network", true, /no way through/],
  ["asyncio: refused", 502, failed("[Errno 111] Connect call failed"), "operator", true, /Nothing listens/],
  ["Go: its own deadline", 502, failed("context deadline exceeded"), "network", true, /timed out/],
  [
    "Synapse: DNS",
    502,
    failed("DNSLookupError: no results for hostname lookup: bridge"),
    "operator",
    true,
    /host name of/
  ],
  ["Synapse: refused", 502, failed("ConnectionRefusedError: Connection refused"), "operator", true, /Nothing listens/],
  [
    "Synapse: reset",
    504,
    { errcode: "M_CONNECTION_TIMEOUT", error: "timed out" },
    "operator",
    true,
    /in time.*reset or closed/
  ],
  ["Synapse: timeout", 504, { errcode: "M_CONNECTION_TIMEOUT" }, "operator", true, /got no answer from .* in time/],
  [
    "Synapse: close in the body",
    502,
    failed(twisted("twisted.internet.error.ConnectionDone")),
    "operator",
    true,
    /was closed/
  ],
  [
    "Synapse: TLS",
    502,
    failed("ResponseNeverReceived: [SSL.Error: certificate verify failed]"),
    "operator",
    false,
    /not trusted/
  ],
  [
    "Tuwunel: refused",
    502,
    failed(reqwest("tcp connect error: Connection refused (os error 111)")),
    "operator",
    true,
    /Nothing listens/
  ],
  ["Tuwunel: reset", 502, failed(reqwest("Connection reset by peer (os error 104)")), "network", true, /broken off/],
  [
    "Tuwunel: DNS",
    502,
    failed(reqwest("dns error: failed to lookup address information")),
    "operator",
    true,
    /host name/
  ],
  [
    "continuwuity: refused",
    500,
    unknown(reqwest("tcp connect error: Connection refused (os error 111)")),
    "operator",
    true,
    /Nothing listens/
  ],
  ["continuwuity: timeout", 500, unknown(reqwest("operation timed out")), "network", true, /timed out/],
  [
    "continuwuity: TLS",
    500,
    unknown(reqwest("invalid peer certificate: UnknownIssuer")),
    "operator",
    false,
    /not trusted/
  ],
  [
    "continuwuity: anything",
    500,
    unknown("Internal error"),
    "homeserver admin",
    true,
    /does not say why.*unreachable or may have answered with a bad status/
  ],
  ["continuwuity: nothing", 500, { errcode: "M_UNKNOWN" }, "homeserver admin", true, /does not say why/],
  [
    "Conduit: refused",
    502,
    failed(reqwest("tcp connect error: Connection refused")),
    "operator",
    true,
    /Nothing listens/
  ],
  ["Conduit: anything", 502, failed("Could not reach appservice"), "homeserver admin", true, /nothing says why/],
  ["Conduit: timeout", 504, { errcode: "M_CONNECTION_TIMEOUT" }, "operator", true, /in time/]
]

const ofHomeserver: ReadonlyArray<Row> = [
  ["too old", 404, { errcode: "M_UNRECOGNIZED" }, "operator", false, /older than Matrix 1\.7/],
  ["Dendrite-like 405", 405, { errcode: "M_UNRECOGNIZED" }, "operator", false, /older than Matrix 1\.7/],
  ["rate limit", 429, { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 2500 }, "nobody", true, /Wait 3 seconds/],
  [
    "rate limit without an end",
    429,
    { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 9e15 },
    "nobody",
    true,
    /Wait more than a month/
  ],
  ["a proxy that starts", 502, page, "homeserver admin", true, /A proxy in front of the homeserver/],
  ["a redirect", 301, "", "operator", false, /redirects/],
  ["another service", 404, "not found", "operator", false, /is not a homeserver/]
]

describe("diagnose what a peer says", () => {
  const groups = [["of the as_token", tokens], ["of the hs_token", drifts], [
    "of what answers at the url",
    others
  ]] as const
  for (const [group, rows] of [...groups, ["of the connection", connections], ["of itself", ofHomeserver]] as const) {
    it.each(rows)(`${group}: %s`, (_, status, body, actor, temporary, says) => {
      const diagnosis = explain(status, body)
      assert.deepInclude(diagnosis, { actor, temporary })
      assert.match(textOf(diagnosis), says)
    })
  }

  it.each([...drifts, ...others.filter(([name]) => !name.includes("homeserver there")), ...connections])(
    "names the url that the homeserver was told to use: %s",
    (_, status, body) => {
      assert.include(explain(status, body).cause, `the appservice (${urlOf(body)})`)
    }
  )

  it.each([...tokens, ...drifts, ...others, ...connections, ...ofHomeserver])("gives advice: %s", (_, status, body) => {
    assert.match(explain(status, body).advice, /^[A-Z].{10,}\.$/s)
  })

  it("does not take an errcode of another kind for a failed connection", () => {
    assert.match(explain(500, { errcode: "COM.EXAMPLE_X", error: "connection refused" }).cause, /COM\.EXAMPLE_X/)
    assert.match(explain(400, unknown("connection refused")).cause, /does not say why/)
  })
})

describe("diagnose localhost in the registration", () => {
  const local = { url: "http://localhost:29318", homeserver: "https://matrix.example" }
  const timeout = new ConnectionTimeout({})

  it("where the homeserver is elsewhere: it is the homeserver's own, which is named", () => {
    assert.match(diagnose(timeout, local).advice, /container of the homeserver itself, here matrix\.example: if the/)
  })

  it("where the homeserver is local too: it may still be another container", () => {
    for (const homeserver of ["http://localhost:8008", "http://127.0.0.1:8008", undefined]) {
      assert.match(diagnose(timeout, { ...local, homeserver }).advice, /container of the homeserver itself: if the/)
    }
  })

  it("where another service answers there", () => {
    const error = Answer.decode(
      { status: 502, headers: {}, body: JSON.stringify(badStatus(404, "not found")) },
      { url: new URL(homeserverUrl), now: 0 }
    )
    if (Result.isSuccess(error)) return assert.fail("a success")
    assert.match(diagnose(error.failure, local).advice, /"localhost" means .* here matrix\.example/)
    assert.notMatch(diagnose(error.failure, context).advice, /localhost|container/)
  })
})

describe("diagnose the homeserver's URL", () => {
  const of = (code: string) =>
    diagnose(new HomeserverUnreachable({ url: homeserverUrl, failure: ConnectionFailure.fromUnknown({ code }) }))

  it("that says https where the port speaks plain HTTP, as the operator's", () => {
    assert.deepInclude(of("ERR_SSL_WRONG_VERSION_NUMBER"), { actor: "operator", temporary: false })
    assert.match(of("ERR_SSL_WRONG_VERSION_NUMBER").advice, /http:\/\//)
  })

  it("whose certificate is bad, as the homeserver admin's", () => {
    assert.strictEqual(of("CERT_HAS_EXPIRED").actor, "homeserver admin")
  })

  it("that took longer than the client would wait, as undecided", () => {
    const error = new Undecided({ url: homeserverUrl, after: Duration.seconds(10) })
    assert.match(textOf(diagnose(error)), /within 10 seconds.*neither confirmed nor failed.*wait longer/)
  })
})
