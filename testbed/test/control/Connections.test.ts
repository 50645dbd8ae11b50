import { ca } from "@appservice-ping/testbed/carrier/tls/Certificates"
import * as ControlClient from "@appservice-ping/testbed/control/ControlClient"
import * as ControlServer from "@appservice-ping/testbed/control/ControlServer"
import * as Surroundings from "@appservice-ping/testbed/control/Surroundings"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Agent, request } from "node:http"
import { answer, kinds, setup, type SetupOptions } from "../carrier/wire/support/Setup.ts"

/** A proxy with its control API, and a client that keeps its connections, as Synapse does. */
const start = (options: SetupOptions = {}) =>
  Effect.gen(function*() {
    const made = yield* setup(options)
    const surroundings = { leg: "to_appservice", tls: options.tls ?? false } as const
    const { url } = yield* Effect.provideService(
      ControlServer.serve({ port: 0, surroundings, ca }),
      Session.Session,
      made.session
    )
    const agent = yield* Effect.acquireRelease(
      Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 1 })),
      (agent) => Effect.sync(() => agent.destroy())
    )
    /** The status of an answer, or the code of the error. */
    const ask = Effect.callback<number | string | undefined>((resume) => {
      const outgoing = request(made.proxy.url, { agent, headers: { host: "bridge.example" } }, (answer) => {
        answer.resume().once("end", () => resume(Effect.succeed(answer.statusCode)))
      })
      outgoing.once("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? error.message)))
      outgoing.end()
      return Effect.sync(() => outgoing.destroy())
    })
    /** How many connections the client has. */
    const held = Effect.sync(() =>
      [agent.sockets, agent.freeSockets].flatMap((all) => Object.values(all).flat()).length
    )
    return { ...made, ask, held, control: yield* ControlClient.make(url) }
  }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))

const connections = (session: Session.Session["Service"]) =>
  Effect.map(session.journal, (entries) => kinds(entries).filter((kind) => kind === "connected").length)

describe("connections that a client keeps", { timeout: 20_000 }, () => {
  it.live("a plan that comes into force ends them, so that a fault of a connection strikes the next request", () =>
    Effect.gen(function*() {
      const { ask, control, session } = yield* start()
      assert.strictEqual(yield* ask, 200)
      assert.strictEqual(yield* ask, 200)
      assert.strictEqual(yield* connections(session), 1)
      yield* control.putPlan({ query: {}, payload: Plan.of("to_appservice", Fault.resetPeer({ phase: "accept" })) })
      assert.strictEqual(yield* ask, "ECONNRESET")
      assert.strictEqual((yield* control.getReport()).rules[0]?.outcome, "applied")
    }))

  it.live("DELETE /plan heals what hangs: the stalled connection is reset, and the next request works", () =>
    Effect.gen(function*() {
      const { ask, control } = yield* start()
      const plan = Plan.of("to_appservice", Fault.stall({ phase: "before_headers" }))
      yield* control.putPlan({ query: {}, payload: plan })
      const stalled = yield* Effect.forkChild(ask)
      yield* Effect.repeat(control.getReport(), { until: ({ rules }) => rules[0]?.outcome === "applied" })
      yield* control.deletePlan()
      assert.strictEqual(yield* Fiber.join(stalled), "ECONNRESET")
      assert.strictEqual(yield* ask, 200)
    }))

  it.live("DELETE /plan lets go of an answer that is delayed", () =>
    Effect.gen(function*() {
      const { ask, control } = yield* start()
      yield* control.putPlan({ query: {}, payload: Plan.of("to_appservice", Fault.latency("1 hour")) })
      const delayed = yield* Effect.forkChild(ask)
      yield* Effect.repeat(control.getReport(), { until: ({ rules }) => rules[0]?.outcome === "applied" })
      yield* control.deletePlan()
      assert.strictEqual(yield* Fiber.join(delayed), "ECONNRESET")
    }))

  it.live("an exchange without a fault goes on when a plan comes into force, and its connection ends after it", () =>
    Effect.gen(function*() {
      const { ask, control, held, session } = yield* start({
        handle: () => Effect.as(Effect.sleep("300 millis"), answer)
      })
      const asking = yield* Effect.forkChild(ask)
      yield* Effect.repeat(session.journal, { until: (entries) => kinds(entries).includes("asked") })
      yield* control.putPlan({ query: {}, payload: Plan.of("to_appservice", Fault.status(503)) })
      assert.strictEqual(yield* Fiber.join(asking), 200)
      // A client that asks before it has seen the end would ask on a connection that is over.
      yield* Effect.repeat(held, { until: (count) => count === 0 })
      assert.strictEqual(yield* ask, 503)
      assert.strictEqual(yield* connections(session), 2)
    }))

  it.live("DELETE /connections resets all of them at once", () =>
    Effect.gen(function*() {
      const { ask, control, session } = yield* start()
      assert.strictEqual(yield* ask, 200)
      yield* control.deleteConnections()
      assert.include(kinds(yield* session.journal), "closed server rst")
      assert.strictEqual(yield* ask, 200)
      assert.strictEqual(yield* connections(session), 2)
    }))

  it.live("GET /ca gives the authority to trust", () =>
    Effect.gen(function*() {
      const { control } = yield* start()
      assert.strictEqual(yield* control.getCa(), ca)
    }))

  it.live("asks a server that has several names for the one that it is given", () =>
    Effect.gen(function*() {
      const hosts: Array<string | undefined> = []
      const { ask } = yield* Effect.gen(function*() {
        const behind = yield* setup({
          handle: ({ header }) =>
            Effect.sync(() => {
              hosts.push(header("host"))
              return answer
            })
        })
        return yield* start({ upstream: { ...behind.upstream, name: "matrix.example" } }).pipe(
          Effect.map((started) => ({ ...started, port: behind.upstream.port }))
        )
      })
      assert.strictEqual(yield* ask, 200)
      assert.match(hosts[0] ?? "", /^matrix\.example:\d+$/)
    }))
})

describe("a plan that cannot mean here what it says", () => {
  const at = { leg: "to_appservice", tls: false } as const
  const refusals: ReadonlyArray<readonly [title: string, rule: Plan.Rule, path: string, reason: RegExp]> = [
    ["a rule for the other leg", { leg: "to_homeserver", fault: Fault.status(500) }, "rules[0].leg", /other leg/],
    ["dns", { leg: "to_appservice", fault: { type: "dns", failure: "not_found" } }, "rules[0].fault", /look up/],
    ["tls without TLS", { leg: "to_appservice", fault: { type: "tls", defect: "expired" } }, "rules[0].fault", /TLS/],
    [
      "refused, counted",
      { leg: "to_appservice", fault: Fault.refused, when: { nth: 2 } },
      "rules[0].fault",
      /when\.nth with refused/
    ],
    [
      "never accepted, by chance",
      { leg: "to_appservice", fault: { type: "never_accepted" }, when: { probability: 0.5 } },
      "rules[0].fault",
      /when\.probability with never_accepted/
    ],
    [
      "refused in a sequence",
      { leg: "to_appservice", sequence: [{ fault: Fault.pass }, { fault: Fault.refused }] },
      "rules[0].sequence[1].fault",
      /sequence with refused/
    ],
    ["refused so often", { leg: "to_appservice", fault: Fault.refused, budget: 1 }, "rules[0].fault", /budget/]
  ]
  for (const [title, rule, path, reason] of refusals) {
    it.live(`${title}: is refused with the reason, and nothing comes into force`, () =>
      Effect.gen(function*() {
        const { control } = yield* start()
        const error = yield* Effect.flip(control.putPlan({ query: {}, payload: { rules: [rule] } }))
        assert.strictEqual(error._tag, "Rejected")
        const [problem] = Surroundings.problems({ rules: [rule] }, at)
        assert.strictEqual(problem?.field, path)
        assert.match(problem?.problem ?? "", reason)
        assert.deepStrictEqual((yield* control.getPlan()).plan.rules, [])
      }))
  }

  it("takes a refusal for a time, and a fault of TLS where there is TLS", () => {
    const plan: Plan.Plan = {
      rules: [
        { leg: "to_appservice", fault: Fault.refused },
        { leg: "to_appservice", fault: { type: "tls", defect: "expired" }, when: { nth: 2 } }
      ]
    }
    assert.deepStrictEqual(Surroundings.problems(plan, { leg: "to_appservice", tls: true }), [])
  })
})
