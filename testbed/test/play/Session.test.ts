import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import { toText } from "@appservice-ping/testbed/play/Journal"
import * as Session from "@appservice-ping/testbed/play/Session"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"

const request = (session: Session.Session["Service"], transactionId: string) =>
  Effect.gen(function*() {
    const { connection } = yield* session.connection("to_appservice", false)
    return yield* session.request({
      leg: "to_appservice",
      connection,
      tls: false,
      exchange: 1,
      method: "POST",
      path: "/_matrix/app/v1/ping",
      transactionId
    })
  })

describe("Session", () => {
  it.effect("counts a rule as matched, suppressed and fired, and as applied only when it was played", () =>
    Effect.gen(function*() {
      const session = yield* Session.make()
      const injection = yield* session.inject(
        Plan.of("to_appservice", Fault.status(503), { when: { first: 1 } })
      )
      const first = yield* request(session, "a")
      assert.strictEqual(first.decision.action._tag, "Play")
      assert.deepStrictEqual(yield* injection.report, [{
        rule: "rule-1",
        matched: 1,
        suppressed: 0,
        fired: 1,
        applied: 0
      }])
      yield* first.applied
      assert.strictEqual((yield* request(session, "a")).decision.action._tag, "Pass")
      assert.deepStrictEqual(yield* injection.report, [{
        rule: "rule-1",
        matched: 2,
        suppressed: 1,
        fired: 1,
        applied: 1
      }])
      assert.include(toText(yield* session.journal), "\"attempt\":2")
    }))

  it.effect("refuses connections after a crash for as long as it says, and not longer", () =>
    Effect.gen(function*() {
      const session = yield* Session.make()
      yield* session.inject(Plan.of("to_appservice", Fault.crash({ down_for: "5 seconds" }), { when: { nth: 1 } }))
      assert.strictEqual((yield* request(session, "a")).decision.action._tag, "Crash")
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual((yield* session.peek("to_appservice", false))._tag, "Refuse")
      assert.strictEqual(yield* session.nextEdge, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* session.peek("to_appservice", false))._tag, "Pass")
    }))

  it.effect("keeps no entry where none are to be kept, and counts all of them as dropped", () =>
    Effect.gen(function*() {
      const session = yield* Session.make({ maxEntries: 0 })
      for (let n = 0; n < 3; n++) yield* session.write({ event: "hung", leg: "to_appservice", connection: 1 })
      assert.deepStrictEqual(yield* session.journal, [])
      assert.strictEqual(yield* session.dropped, 3)
    }))

  it.effect("tells whoever listens of a reset", () =>
    Effect.gen(function*() {
      const session = yield* Session.make()
      const seen: Array<string> = []
      yield* session.inject(Plan.of("to_appservice", Fault.crash({ down_for: "1 hour" }), { when: { nth: 1 } }))
      yield* session.onChange(
        Effect.map(session.peek("to_appservice", false), ({ _tag }) => void seen.push(_tag))
      )
      yield* request(session, "a")
      assert.strictEqual((yield* session.peek("to_appservice", false))._tag, "Refuse")
      yield* session.reset
      assert.deepStrictEqual(seen, ["Pass", "Pass"])
      assert.strictEqual((yield* session.peek("to_appservice", false))._tag, "Pass")
    }))

  const statusOf = (session: Session.Session["Service"], transactionId = "ping") =>
    Effect.map(
      request(session, transactionId),
      ({ decision: { fault } }) => fault?.type === "status" ? fault.status : 0
    )

  const unavailable = Plan.of("to_appservice", Fault.status(503))

  describe("a plan", () => {
    it.effect("heals when its scope ends, with success or with failure", () =>
      Effect.gen(function*() {
        const session = yield* Session.make()
        for (const end of [Effect.void, Effect.fail("broken"), Effect.die("defect")]) {
          const inside = yield* session.inject(unavailable).pipe(
            Effect.andThen(statusOf(session)),
            Effect.tap(end),
            Effect.scoped,
            Effect.exit
          )
          assert.strictEqual(Exit.isSuccess(inside), end === Effect.void)
          assert.strictEqual(yield* statusOf(session), 0)
        }
      }))

    it.effect("heals when whoever injected it is interrupted", () =>
      Effect.gen(function*() {
        const session = yield* Session.make()
        const inForce = yield* Deferred.make<void>()
        const fiber = yield* session.inject(unavailable).pipe(
          Effect.andThen(Deferred.succeed(inForce, undefined)),
          Effect.andThen(Effect.never),
          Effect.scoped,
          Effect.forkChild
        )
        yield* Deferred.await(inForce)
        assert.strictEqual(yield* statusOf(session), 503)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* statusOf(session), 0)
      }))

    it.effect("is asked before those that were there, and takes their place only where it strikes", () =>
      Effect.gen(function*() {
        const session = yield* Session.make()
        const old = yield* session.inject(unavailable)
        const scope = yield* Scope.make()
        yield* Scope.provide(
          session.inject(Plan.of("to_appservice", Fault.status(500), { when: { first: 1 } })),
          scope
        )
        assert.deepStrictEqual([yield* statusOf(session), yield* statusOf(session)], [500, 503])
        // The older one is not even asked where the newer one strikes.
        assert.strictEqual((yield* old.report)[0]?.matched, 1)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* statusOf(session), 503)
      }))

    it.effect("takes its seed from where it was injected, from itself or from the session", () =>
      Effect.gen(function*() {
        const session = yield* Session.make({ seed: 3 })
        assert.strictEqual((yield* session.inject(unavailable)).seed, 3)
        assert.strictEqual((yield* session.inject({ ...unavailable, seed: 5 })).seed, 5)
        assert.strictEqual((yield* session.inject({ ...unavailable, seed: 5 }, { seed: 7 })).seed, 7)
        assert.strictEqual((yield* (yield* Session.make()).inject(unavailable)).seed, 0)
      }))

    it.effect("counts its time from when it was injected", () =>
      Effect.gen(function*() {
        const session = yield* Session.make()
        yield* TestClock.adjust("1 minute")
        yield* session.inject(Plan.of("to_appservice", Fault.status(503), { when: { until: Duration.seconds(1) } }))
        assert.strictEqual(yield* session.nextEdge, 1000)
        yield* TestClock.adjust("999 millis")
        assert.strictEqual(yield* statusOf(session), 503)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* statusOf(session), 0)
        assert.isUndefined(yield* session.nextEdge)
      }))
  })

  it.effect("tells its listeners of each plan and each healing, in their order, until their scope ends", () =>
    Effect.gen(function*() {
      const session = yield* Session.make()
      const seen: Array<string> = []
      const listen = (name: string) =>
        session.onChange(Effect.map(session.peek("to_appservice", false), (action) => {
          seen.push(`${name} ${action._tag}`)
        }))
      yield* listen("a")
      const scope = yield* Scope.make()
      yield* Scope.provide(listen("b"), scope)
      assert.deepStrictEqual(seen.splice(0), ["a Pass", "b Pass"])
      yield* Effect.scoped(session.inject(Plan.of("to_appservice", Fault.refused)))
      assert.deepStrictEqual(seen.splice(0), ["a Refuse", "b Refuse", "a Pass", "b Pass"])
      yield* Scope.close(scope, Exit.void)
      yield* Effect.scoped(session.inject(Plan.of("to_appservice", Fault.refused)))
      assert.deepStrictEqual(seen, ["a Refuse", "a Pass"])
    }))

  it.effect("peeks without counting", () =>
    Effect.gen(function*() {
      const session = yield* Session.make()
      const injection = yield* session.inject(Plan.of("to_appservice", Fault.refused, { when: { first: 1 } }))
      assert.strictEqual((yield* session.peek("to_appservice", false))._tag, "Refuse")
      assert.strictEqual((yield* session.peek("to_appservice", false))._tag, "Refuse")
      assert.strictEqual((yield* injection.report)[0]?.matched, 0)
      assert.deepStrictEqual(yield* session.journal, [])
      assert.strictEqual((yield* session.connection("to_appservice", false)).decision.action._tag, "Refuse")
      assert.strictEqual((yield* session.peek("to_appservice", false))._tag, "Pass")
    }))

  describe("numbers", () => {
    it.effect("connections for each leg, and attempts for each leg and transaction id, from 1", () =>
      Effect.gen(function*() {
        const session = yield* Session.make()
        const connections = [
          yield* session.connection("to_appservice", false),
          yield* session.connection("to_homeserver", false),
          yield* session.connection("to_appservice", false)
        ]
        assert.deepStrictEqual(connections.map(({ connection }) => connection), [1, 1, 2])
        const ask = (leg: "to_appservice" | "to_homeserver", transactionId: string | undefined) =>
          session.request({
            leg,
            connection: 1,
            tls: false,
            exchange: 1,
            method: "POST",
            path: "/",
            transactionId
          })
        yield* ask("to_appservice", "a")
        yield* ask("to_appservice", "b")
        yield* ask("to_appservice", "a")
        yield* ask("to_homeserver", "a")
        yield* ask("to_appservice", undefined)
        yield* ask("to_appservice", undefined)
        const attempts = (yield* session.journal).flatMap(({ what }) => what.event === "request" ? [what.attempt] : [])
        assert.deepStrictEqual(attempts, [1, 1, 2, 1, 1, 2])
      }))

    it.effect("attempts of the newest transaction ids only, as many as it is told", () =>
      Effect.gen(function*() {
        const session = yield* Session.make({ maxTransactionIds: 2 })
        for (const id of ["a", "b", "a", "c", "a", "b"]) yield* request(session, id)
        const attempts = (yield* session.journal).flatMap(({ what }) =>
          what.event === "request" ? [[what.transaction_id, what.attempt]] : []
        )
        // "b" is the oldest when "c" comes, and begins anew; "a" has come again in between.
        assert.deepStrictEqual(attempts, [["a", 1], ["b", 1], ["a", 2], ["c", 1], ["a", 3], ["b", 1]])
      }))

    it.effect("begin anew with a reset, and the plans stay in force as if they were new", () =>
      Effect.gen(function*() {
        const session = yield* Session.make()
        const injection = yield* session.inject(
          Plan.of("to_appservice", Fault.status(503), { when: { first: 1, until: Duration.seconds(2) } })
        )
        yield* TestClock.adjust("1 second")
        yield* Effect.flatMap(request(session, "a"), ({ applied }) => applied)
        assert.strictEqual(yield* injection.applied, 1)
        yield* TestClock.adjust("1 second")
        yield* session.reset
        assert.deepStrictEqual(yield* session.journal, [])
        assert.strictEqual(yield* injection.applied, 0)
        assert.strictEqual(yield* statusOf(session, "a"), 503)
        assert.deepStrictEqual(
          (yield* session.journal).map(({ n, time, what }) => [n, time, what.event]),
          [[1, 0, "connecting"], [2, 0, "request"], [3, 0, "decided"]]
        )
        assert.include(toText(yield* session.journal), "\"attempt\":1")
      }))
  })

  describe("journal", () => {
    it.effect("keeps the newest entries, as many as it is told, and counts the others", () =>
      Effect.gen(function*() {
        const session = yield* Session.make({ maxEntries: 4 })
        const kept: Array<ReadonlyArray<number>> = []
        for (let n = 1; n <= 9; n++) {
          yield* session.write({ event: "hung", leg: "to_appservice", connection: n })
          kept.push((yield* session.journal).map((entry) => entry.n))
          assert.strictEqual(yield* session.dropped, Math.max(0, n - 4))
        }
        assert.deepStrictEqual(kept.slice(2), [
          [1, 2, 3],
          [1, 2, 3, 4],
          [2, 3, 4, 5],
          [3, 4, 5, 6],
          [4, 5, 6, 7],
          [5, 6, 7, 8],
          [6, 7, 8, 9]
        ])
      }))

    it.effect("explains a decision: what was held back and why, the rule, the seed and the draws", () =>
      Effect.gen(function*() {
        const session = yield* Session.make({ seed: 11 })
        yield* session.inject({
          rules: [
            { id: "rare", leg: "to_appservice", fault: Fault.status(500), when: { probability: 0 } },
            { id: "late", leg: "to_appservice", fault: Fault.status(501), when: { nth: 2 } },
            { id: "always", leg: "to_appservice", fault: Fault.status(503) }
          ]
        })
        yield* TestClock.adjust("1500 micros")
        const { applied } = yield* request(session, "a")
        yield* applied
        const journal = yield* session.journal
        const where = { leg: "to_appservice", connection: 1, exchange: 1 } as const
        const [, , rare, , decided] = journal
        const drawOf = (entry: typeof rare): number =>
          entry !== undefined && "draw" in entry.what ? entry.what.draw ?? Number.NaN : Number.NaN
        assert.isAtLeast(drawOf(rare), 0)
        assert.isAtLeast(drawOf(decided), 0)
        assert.deepStrictEqual(
          journal.map(({ time, what }) => [time, what]),
          [
            [1.5, { event: "connecting", leg: "to_appservice", connection: 1 }],
            [1.5, {
              event: "request",
              ...where,
              method: "POST",
              path: "/_matrix/app/v1/ping",
              attempt: 1,
              transaction_id: "a"
            }],
            [1.5, { event: "suppressed", ...where, rule: "rare", reason: "probability", draw: drawOf(rare) }],
            [1.5, { event: "suppressed", ...where, rule: "late", reason: "nth" }],
            [1.5, {
              event: "decided",
              ...where,
              rule: "always",
              fault: "status 503",
              action: "Play",
              seed: 11,
              draw: drawOf(decided)
            }],
            [1.5, { event: "applied", ...where, rule: "always" }]
          ]
        )
      }))

    it.effect("is the same text for the same run", () =>
      Effect.gen(function*() {
        const run = Effect.gen(function*() {
          const session = yield* Session.make({ seed: 5 })
          yield* session.inject(Plan.of("to_appservice", Fault.status(503), { when: { probability: 0.5 } }))
          for (let n = 0; n < 20; n++) yield* request(session, `ping-${n}`)
          return toText(yield* session.journal)
        })
        const text = yield* Effect.scoped(run)
        assert.strictEqual(yield* Effect.scoped(run), text)
        assert.include(text, "suppressed")
        assert.include(text, "decided")
      }))
  })

  describe("bounds in bytes", () => {
    it.effect("keeps the start of a long path and id, says how long they were, and still counts attempts apart", () =>
      Effect.gen(function*() {
        const session = yield* Session.make({ maxTextBytes: 8 })
        const long = "é".repeat(900_000)
        yield* session.inject(
          Plan.of("to_appservice", Fault.status(503), { match: { transaction_id: `${long}a` } })
        )
        assert.strictEqual((yield* request(session, `${long}a`)).decision.action._tag, "Play")
        assert.strictEqual((yield* request(session, `${long}b`)).decision.action._tag, "Pass")
        assert.strictEqual((yield* request(session, `${long}a`)).decision.action._tag, "Play")
        const journal = yield* session.journal
        assert.isBelow(toText(journal).length, 10_000)
        const requests = journal.flatMap(({ what }) => what.event === "request" ? [what] : [])
        assert.deepStrictEqual(requests.map(({ attempt }) => attempt), [1, 1, 2])
        assert.strictEqual(requests[0]?.transaction_id, "éééé… (1800001 bytes)")
        assert.strictEqual(requests[0]?.path, "/_matrix… (20 bytes)")
      }))

    it.effect("refuses a bound that bounds nothing, by its name", () =>
      Effect.gen(function*() {
        for (const option of ["maxEntries", "maxTransactionIds", "maxTextBytes"]) {
          for (const bad of [Number.NaN, -1, Infinity]) {
            const exit = yield* Effect.exit(Effect.suspend(() => Session.make({ [option]: bad })))
            assert.include(String(exit), `${option}: expected`)
          }
        }
      }))
  })

  it.effect("keeps the one of two equal listeners when the other one ends", () =>
    Effect.gen(function*() {
      const session = yield* Session.make()
      let runs = 0
      const listener = Effect.sync(() => void runs++)
      yield* session.onChange(listener)
      yield* Effect.scoped(session.onChange(listener))
      yield* session.reset
      assert.strictEqual(runs, 3)
    }))
})
