import { ControlApi } from "@appservice-ping/testbed/control/ControlApi"
import * as ControlClient from "@appservice-ping/testbed/control/ControlClient"
import * as ControlServer from "@appservice-ping/testbed/control/ControlServer"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import { toText } from "@appservice-ping/testbed/play/Journal"
import * as Session from "@appservice-ping/testbed/play/Session"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Scope, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { OpenApi } from "effect/http-api"
import { TestClock } from "effect/testing"
import { bodyOf, rawRequest, request, statusOf } from "./support/rawRequest.ts"

/** As many of the types as are listed, and how many more there are. */
const someTypes = `one of ${Fault.types.slice(0, 12).map((type) => JSON.stringify(type)).join(", ")} and ${
  Fault.types.length - 12
} more`

const Test = Layer.merge(Session.Session.layer({ seed: 7 }), NodeHttpClient.layerNodeHttp)

const start = (options?: Partial<ControlServer.ServeOptions>) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    const { url } = yield* ControlServer.serve({ port: 0, ...options })
    return { session, url, client: yield* ControlClient.make(url) }
  })

const unavailable = Plan.of("to_appservice", Fault.status(503))

/** The status that the appservice's leg would answer with now; 0 where all is well. */
const millisLeft = ({ heals_in }: { readonly heals_in?: Duration.Duration }): number | undefined =>
  heals_in === undefined ? undefined : Duration.toMillis(heals_in)

const struck = (session: Session.Session["Service"], transactionId = "ping") =>
  Effect.gen(function*() {
    const { connection } = yield* session.connection("to_appservice", false)
    const { applied, decision } = yield* session.request({
      leg: "to_appservice",
      connection,
      tls: false,
      exchange: 1,
      method: "POST",
      path: "/_matrix/app/v1/ping",
      transactionId
    })
    if (decision.rule !== undefined) yield* applied
    return decision.fault?.type === "status" ? decision.fault.status : 0
  })

const put = (url: URL, body: string, query = "", headers: { readonly [name: string]: string } = {}) =>
  request(url, `PUT /plan${query}`, { Host: url.host, "Content-Type": "application/json", ...headers }, body)

describe("ControlServer", () => {
  describe("PUT /plan", () => {
    it.effect("puts a plan in force, tells it back, and heals it on DELETE", () =>
      Effect.gen(function*() {
        const { client, session } = yield* start()
        assert.deepStrictEqual(yield* client.getPlan(), { plan: { rules: [] } })
        assert.strictEqual(yield* struck(session), 0)
        const inForce = yield* client.putPlan({ query: {}, payload: unavailable })
        assert.deepStrictEqual(inForce, { plan: unavailable, seed: 7 })
        assert.strictEqual(yield* struck(session), 503)
        assert.deepStrictEqual(yield* client.getPlan(), inForce)
        yield* client.deletePlan()
        assert.strictEqual(yield* struck(session), 0)
        assert.deepStrictEqual(yield* client.getPlan(), { plan: { rules: [] } })
        // A second time there is nothing to heal, and that is no error.
        yield* client.deletePlan()
      }).pipe(Effect.provide(Test)))

    it.effect("replaces the plan before without a healthy moment between them", () =>
      Effect.gen(function*() {
        const { client, session } = yield* start()
        yield* client.putPlan({ query: {}, payload: unavailable })
        const seen: Array<number> = []
        yield* session.onChange(Effect.map(struck(session), (status) => {
          seen.push(status)
        }))
        yield* client.putPlan({ query: {}, payload: Plan.of("to_appservice", Fault.status(500)) })
        assert.deepStrictEqual(seen, [503, 500, 500])
      }).pipe(Effect.provide(Test)))

    it.effect("takes YAML as well as JSON, from the derived client and from a shell", () =>
      Effect.gen(function*() {
        const { client, session, url } = yield* start()
        const yaml = "rules:\n  - leg: to_appservice\n    fault:\n      type: status\n      status: 502\n"
        yield* client.putPlan({ query: {}, payload: yaml })
        assert.strictEqual(yield* struck(session), 502)
        // What `curl -X PUT --data-binary @plan.yaml` sends.
        const answer = yield* put(url, yaml.replace("502", "504"), "", {
          "Content-Type": "application/x-www-form-urlencoded"
        })
        assert.strictEqual(statusOf(answer), 200)
        assert.strictEqual(yield* struck(session), 504)
      }).pipe(Effect.provide(Test)))

    it.effect("lists every problem with the nearest name, and leaves the plan before in force", () =>
      Effect.gen(function*() {
        const { client, session, url } = yield* start()
        yield* client.putPlan({ query: {}, payload: unavailable })
        const answer = yield* put(url, `{"rules":[{"leg":"to_appservce","fault":{"type":"latencyy"}}],"sed":1}`)
        assert.strictEqual(statusOf(answer), 400)
        assert.deepStrictEqual(bodyOf(answer), {
          _tag: "Rejected",
          problems: [
            {
              file: "plan",
              line: 1,
              field: "sed",
              problem: `unknown field; did you mean "seed"?`,
              expected: `one of the fields "seed", "rules"`,
              suggestions: ["seed"],
              fix: `write "seed"`
            },
            {
              file: "plan",
              line: 1,
              field: "rules[0].leg",
              problem: `unknown value "to_appservce"; did you mean "to_appservice"?`,
              expected: `one of "to_homeserver", "to_appservice"`,
              found: `"to_appservce"`,
              suggestions: ["to_appservice"],
              fix: `write "to_appservice"`
            },
            {
              file: "plan",
              line: 1,
              field: "rules[0].fault.type",
              problem: `unknown fault "latencyy"; did you mean "latency"?`,
              expected: someTypes,
              found: `"latencyy"`,
              suggestions: ["latency"],
              fix: `write "latency"`
            }
          ]
        })
        assert.strictEqual(yield* struck(session), 503)
        const error = yield* Effect.flip(client.putPlan({ query: {}, payload: "rules: 4" }))
        assert.strictEqual(error._tag, "Rejected")
        assert.strictEqual(error.message, "plan:1: rules: found 4, expected a list")
      }).pipe(Effect.provide(Test)))

    it.effect("refuses a plan that is too large, by its length or by what comes, and takes one at the bound", () =>
      Effect.gen(function*() {
        const { url } = yield* start({ maxBodyBytes: 100 })
        const fill = (length: number) => `{"rules":[]}`.padEnd(length)
        assert.strictEqual(statusOf(yield* put(url, fill(100))), 200)
        const answer = yield* put(url, fill(101))
        assert.strictEqual(statusOf(answer), 413)
        assert.deepStrictEqual(bodyOf(answer), { _tag: "TooLarge", maxBytes: 100 })
        const chunked = yield* rawRequest(
          url,
          `PUT /plan HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n${
            fill(101)
          }\r\n0\r\n\r\n`
        )
        assert.strictEqual(statusOf(chunked), 413)
      }).pipe(Effect.provide(Test)))

    it.effect("rejects a body that is not UTF-8 and a query that it does not know", () =>
      Effect.gen(function*() {
        const { session, url } = yield* start()
        const broken = yield* Effect.promise(() =>
          fetch(new URL("/plan", url), { method: "PUT", body: Uint8Array.of(0x22, 0xff, 0x22) })
        )
        assert.strictEqual(broken.status, 400)
        assert.include(yield* Effect.promise(() => broken.text()), "text in UTF-8")
        const plan = `{"rules":[{"leg":"to_appservice","fault":{"type":"status","status":503}}]}`
        const answers = [
          yield* put(url, plan, "?tlt=5"),
          yield* put(url, plan, "?ttl=5%20parsecs"),
          yield* put(url, plan, "?ttl=-1")
        ]
        assert.deepStrictEqual(answers.map(statusOf), [400, 400, 400])
        assert.include(answers[0], `did you mean \\"ttl\\"?`)
        assert.include(answers[1], "parsecs")
        assert.strictEqual(yield* struck(session), 0)
      }).pipe(Effect.provide(Test)))
  })

  describe("ttl", () => {
    it.effect("heals by itself when its time is over, and not before", () =>
      Effect.gen(function*() {
        const { client, session, url } = yield* start()
        const inForce = yield* client.putPlan({ query: { ttl: Duration.seconds(30) }, payload: unavailable })
        assert.deepStrictEqual(inForce, { plan: unavailable, seed: 7, heals_in: Duration.seconds(30) })
        yield* TestClock.adjust("29999 millis")
        assert.strictEqual(yield* struck(session), 503)
        assert.strictEqual(millisLeft(yield* client.getPlan()), 1)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* struck(session), 0)
        assert.deepStrictEqual(yield* client.getPlan(), { plan: { rules: [] } })
        assert.strictEqual(
          statusOf(yield* put(url, `{"rules":[]}`, "?ttl=2%20seconds")),
          200
        )
        assert.strictEqual(millisLeft(yield* client.getPlan()), 2000)
        assert.strictEqual(statusOf(yield* put(url, `{"rules":[]}`, "?ttl=1500")), 200)
        assert.strictEqual(millisLeft(yield* client.getPlan()), 1500)
      }).pipe(Effect.provide(Test)))

    it.effect("of a plan that was replaced or healed does not touch the next one", () =>
      Effect.gen(function*() {
        const { client, session } = yield* start()
        yield* client.putPlan({ query: { ttl: Duration.seconds(1) }, payload: unavailable })
        yield* client.putPlan({ query: {}, payload: unavailable })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* struck(session), 503)
        yield* client.putPlan({ query: { ttl: Duration.seconds(1) }, payload: unavailable })
        yield* client.deletePlan()
        yield* client.putPlan({ query: { ttl: Duration.seconds(5) }, payload: unavailable })
        yield* TestClock.adjust("4999 millis")
        assert.strictEqual(yield* struck(session), 503)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* struck(session), 0)
      }).pipe(Effect.provide(Test)))
  })

  it.effect("GET /report tells how far each rule came, also after the plan has healed", () =>
    Effect.gen(function*() {
      const { client, session } = yield* start()
      assert.deepStrictEqual(yield* client.getReport(), { in_force: false, rules: [] })
      yield* client.putPlan({
        query: {},
        payload: {
          rules: [
            { id: "other", leg: "to_homeserver", fault: Fault.status(500) },
            // Nobody who is turned away can be counted, so that "unmatched" would say too much.
            { id: "away", leg: "to_homeserver", fault: Fault.refused },
            { id: "healthy", leg: "to_appservice", fault: Fault.pass },
            { id: "held", leg: "to_appservice", fault: Fault.status(500), when: { nth: 9 } },
            { id: "once", leg: "to_appservice", fault: Fault.status(503), when: { first: 1 } }
          ]
        }
      })
      yield* struck(session)
      yield* struck(session)
      const rules = [
        { rule: "other", outcome: "unmatched", matched: 0, suppressed: 0, fired: 0, applied: 0 },
        { rule: "away", outcome: "uncounted", matched: 0, suppressed: 0, fired: 0, applied: 0 },
        { rule: "healthy", outcome: "passed", matched: 2, suppressed: 2, fired: 0, applied: 0 },
        { rule: "held", outcome: "suppressed", matched: 2, suppressed: 2, fired: 0, applied: 0 },
        { rule: "once", outcome: "applied", matched: 2, suppressed: 1, fired: 1, applied: 1 }
      ] as const
      assert.deepStrictEqual(yield* client.getReport(), { in_force: true, rules })
      yield* client.deletePlan()
      assert.deepStrictEqual(yield* client.getReport(), { in_force: false, rules })
    }).pipe(Effect.provide(Test)))

  it.effect("GET /journal gives the entries as JSON lines, and with since only the later ones", () =>
    Effect.gen(function*() {
      const { client, session, url } = yield* start()
      yield* client.putPlan({ query: {}, payload: unavailable })
      yield* struck(session)
      const entries = yield* session.journal
      assert.deepStrictEqual(entries.map(({ what }) => what.event), ["connecting", "request", "decided", "applied"])
      const answer = yield* request(url, "GET /journal", { Host: url.host })
      assert.include(answer.toLowerCase(), "content-type: application/x-ndjson")
      const response = yield* Effect.promise(() => fetch(new URL("/journal", url)))
      assert.strictEqual(yield* Effect.promise(() => response.text()), toText(entries))
      const later = yield* Effect.flatMap(client.getJournal({ query: { since: 2 } }), Stream.runCollect)
      assert.deepStrictEqual(later, entries.slice(2))
      assert.strictEqual(statusOf(yield* request(url, "GET /journal?since=-1", { Host: url.host })), 400)
    }).pipe(Effect.provide(Test)))

  it.effect("POST /reset begins anew and leaves the plan in force", () =>
    Effect.gen(function*() {
      const { client, session } = yield* start()
      yield* client.putPlan({ query: {}, payload: Plan.of("to_appservice", Fault.status(503), { when: { first: 1 } }) })
      assert.strictEqual(yield* struck(session), 503)
      assert.strictEqual(yield* struck(session), 0)
      yield* client.reset()
      assert.deepStrictEqual(yield* session.journal, [])
      assert.strictEqual(yield* struck(session), 503)
    }).pipe(Effect.provide(Test)))

  it.effect("GET /healthz answers, and what is not in the contract is not found", () =>
    Effect.gen(function*() {
      const { client, url } = yield* start()
      assert.deepStrictEqual(yield* client.getHealth(), { status: "ok" })
      assert.strictEqual(statusOf(yield* request(url, "GET /", { Host: url.host })), 404)
      assert.strictEqual(statusOf(yield* request(url, "PATCH /plan", { Host: url.host })), 404)
    }).pipe(Effect.provide(Test)))

  describe("who may ask", () => {
    const plan = JSON.stringify({ rules: [{ leg: "to_appservice", fault: { type: "status", status: 503 } }] })

    it.effect("refuses what a browser sends, on every endpoint, and changes nothing", () =>
      Effect.gen(function*() {
        const { session, url } = yield* start()
        const marks = [
          ["Origin", "http://evil.test"],
          ["Origin", "null"],
          ["Sec-Fetch-Site", "cross-site"],
          ["Sec-Fetch-Site", "same-origin"],
          ["Sec-Fetch-Dest", "document"],
          ["Sec-Fetch-User", "?1"]
        ] as const
        for (const [name, value] of marks) {
          const answer = yield* put(url, plan, "", { [name]: value })
          assert.strictEqual(statusOf(answer), 403, name)
          assert.deepStrictEqual(bodyOf(answer), { _tag: "Refused", header: name })
        }
        const endpoints = ["GET /plan", "DELETE /plan", "GET /report", "GET /journal", "POST /reset", "GET /healthz"]
        for (const endpoint of endpoints) {
          const answer = yield* request(url, endpoint, { Host: url.host, Origin: "http://evil.test" })
          assert.strictEqual(statusOf(answer), 403, endpoint)
        }
        assert.strictEqual(yield* struck(session), 0)
        assert.strictEqual(statusOf(yield* put(url, plan)), 200)
        assert.strictEqual(yield* struck(session), 503)
      }).pipe(Effect.provide(Test)))

    it.effect("answers a preflight with nothing that a browser could take for a permission", () =>
      Effect.gen(function*() {
        const { url } = yield* start()
        const answer = yield* request(url, "OPTIONS /plan", {
          Host: url.host,
          Origin: "http://evil.test",
          "Access-Control-Request-Method": "PUT"
        })
        assert.isAtLeast(statusOf(answer), 400)
        assert.notInclude(answer.toLowerCase(), "access-control-")
      }).pipe(Effect.provide(Test)))

    it.effect("takes the host names of this machine and those that are allowed, and no other", () =>
      Effect.gen(function*() {
        const { url } = yield* start({ allowedHosts: ["testbed.internal"] })
        const ask = (host: string) => Effect.map(request(url, "GET /healthz", { Host: host }), statusOf)
        const good = ["localhost", "LOCALHOST:80", "127.0.0.1:9", "127.1.2.3", "[::1]:80", "testbed.internal:80"]
        for (const host of good) assert.strictEqual(yield* ask(host), 200, host)
        const bad = [
          "evil.test",
          `evil.test:${url.port}`,
          "127.0.0.1.evil.test",
          "localhost.evil.test",
          "a.testbed.internal",
          "evillocalhost",
          "a.b.localhost",
          "1127.0.0.1",
          "10.0.0.1",
          "[::2]",
          "127.0.0.1@evil.test"
        ]
        for (const host of bad) assert.strictEqual(yield* ask(host), 403, host)
      }).pipe(Effect.provide(Test)))

    it.effect("lets Node's fetch through, which sends Sec-Fetch-Mode", () =>
      Effect.gen(function*() {
        const { session, url } = yield* start()
        const client = yield* ControlClient.make(url).pipe(Effect.provide(FetchHttpClient.layer))
        yield* client.putPlan({ query: {}, payload: unavailable })
        assert.strictEqual(yield* struck(session), 503)
        const mode = yield* put(url, plan, "", { "Sec-Fetch-Mode": "cors" })
        assert.strictEqual(statusOf(mode), 200)
      }).pipe(Effect.provide(Test)))
  })

  describe("lifetime", () => {
    it.effect("listens on this machine only and gives the port it got", () =>
      Effect.gen(function*() {
        const { host, port, url } = yield* ControlServer.serve({ port: 0 })
        assert.strictEqual(host, "127.0.0.1")
        assert.isAbove(port, 0)
        assert.strictEqual(url.host, `127.0.0.1:${port}`)
        const error = yield* Effect.flip(ControlServer.serve({ port }))
        assert.strictEqual(error.code, "EADDRINUSE")
        const codes = yield* Effect.forEach(
          [{ port: 70_000 }, { port: -1 }, { port: 0.5 }, { port: 0, host: "" }],
          (options) => Effect.map(Effect.flip(ControlServer.serve(options)), ({ code }) => code)
        )
        assert.deepStrictEqual(codes, [
          "ERR_SOCKET_BAD_PORT",
          "ERR_SOCKET_BAD_PORT",
          "ERR_SOCKET_BAD_PORT",
          "ENOTFOUND"
        ])
      }).pipe(Effect.provide(Test)))

    it.effect("begins with a plan of its own, which it tells, replaces and heals as any other", () =>
      Effect.gen(function*() {
        const { client, session } = yield* start({ plan: unavailable })
        assert.strictEqual(yield* struck(session), 503)
        assert.deepStrictEqual((yield* client.getPlan()).plan, unavailable)
        assert.strictEqual((yield* client.getReport()).rules[0]?.outcome, "applied")
        yield* client.deletePlan()
        assert.strictEqual(yield* struck(session), 0)
      }).pipe(Effect.provide(Test)))

    it.effect("heals its plan and frees its port when its scope closes, whoever is still connected", () =>
      Effect.gen(function*() {
        const session = yield* Session.Session
        const scope = yield* Scope.make()
        const { url } = yield* Scope.provide(ControlServer.serve({ port: 0, shutdownGrace: "50 millis" }), scope)
        const client = yield* ControlClient.make(url)
        yield* client.putPlan({ query: {}, payload: unavailable })
        // Half a body: this connection is at work, so that nothing but the grace ends it.
        const isRead = yield* Deferred.make<void>()
        const half = yield* Effect.forkChild(rawRequest(
          url,
          `PUT /plan HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n{`,
          () => Deferred.doneUnsafe(isRead, Effect.void)
        ))
        yield* Deferred.await(isRead)
        assert.strictEqual(yield* struck(session), 503)
        yield* Scope.close(scope, yield* Effect.exit(Effect.void))
        assert.strictEqual(yield* struck(session), 0)
        assert.strictEqual(yield* Fiber.join(half), "HTTP/1.1 100 Continue\r\n\r\n")
        const again = yield* ControlServer.serve({ port: Number(url.port) })
        assert.strictEqual(again.port, Number(url.port))
      }).pipe(Effect.scoped, Effect.provide(Test)))

    it.effect("keeps serving while a plan breaks every leg", () =>
      Effect.gen(function*() {
        const { client } = yield* start()
        yield* client.putPlan({
          query: {},
          payload: {
            rules: [{ leg: "to_homeserver", fault: Fault.refused }, { leg: "to_appservice", fault: Fault.refused }]
          }
        })
        assert.deepStrictEqual(yield* client.getHealth(), { status: "ok" })
      }).pipe(Effect.provide(Test)))
  })

  it("declares every status that it answers with", () => {
    const { paths } = OpenApi.fromApi(ControlApi)
    const statuses = Object.fromEntries(
      Object.entries(paths).flatMap(([path, { delete: remove, get, post, put }]) =>
        Object.entries({ delete: remove, get, post, put }).flatMap(([method, operation]) =>
          operation === undefined ? [] : [[`${method} ${path}`, Object.keys(operation.responses).toSorted()]]
        )
      )
    )
    assert.deepStrictEqual(statuses, {
      "put /plan": ["200", "400", "403", "413"],
      "get /plan": ["200", "400", "403"],
      "delete /connections": ["204", "400", "403"],
      "get /ca": ["200", "400", "403"],
      "delete /plan": ["204", "400", "403"],
      "get /report": ["200", "400", "403"],
      "get /journal": ["200", "400", "403"],
      "post /reset": ["204", "400", "403"],
      "get /healthz": ["200", "400", "403"]
    })
  })
})
